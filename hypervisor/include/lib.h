/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freestanding basics: strings, printing, assertions. lib/ implements them in the image; hosted
 * tests take strings from the C library and printk/panic from tests/unit/fake. */
#ifndef SERAI_LIB_H
#define SERAI_LIB_H

#include <stdarg.h>
#include <types.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *sub);

/* Format into buf, always terminated when size > 0; returns the length wanted. Knows
 * %d %i %u %x %X %o %c %s %p %% with - 0 + space # width precision and h hh l ll z t. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* Log levels, first byte of a printk format: a higher number is less important. */
#define XLOG_ERR \
	"\001"   \
	"0"
#define XLOG_WARNING \
	"\001"       \
	"1"
#define XLOG_INFO \
	"\001"    \
	"2"
#define XLOG_DEBUG \
	"\001"     \
	"3"
#define XLOG_GUEST \
	"\001"     \
	"G" /* caused by a guest: rate limited, subject to guest_loglvl= */

void printk(const char *fmt, ...) __printf(1, 2);
void vprintk(const char *fmt, va_list ap) __printf(1, 0);
void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;
void bug(const char *what, const char *file, int line) __noreturn __cold;

#define BUG() bug("BUG", __FILE__, __LINE__)
#define BUG_ON(c)                                    \
	do {                                         \
		if (unlikely(c))                     \
			bug(#c, __FILE__, __LINE__); \
	} while (0)

/* ASSERT states an invariant of ours; checked in debug and hosted builds (SERAI_ASSERT=1). */
#ifndef SERAI_ASSERT
#define SERAI_ASSERT __STDC_HOSTED__
#endif
#define ASSERT(c)                                              \
	do {                                                   \
		if (SERAI_ASSERT && unlikely(!(c)))            \
			bug("ASSERT " #c, __FILE__, __LINE__); \
	} while (0)

#endif
