/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and string functions of a freestanding image. Bulk moves use the string instructions eight
 * bytes at a time: without SSE nothing beats them on hardware with fast strings, and an emulator
 * that counts iterations counts an eighth.
 */
#include <lib.h>

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;
	size_t words = n / 8;

	__asm__ volatile("rep movsq\n\t"
			 "mov %[tail], %%rcx\n\t"
			 "rep movsb"
			 : "+c"(words), "+D"(d), "+S"(src)
			 : [tail] "r"(n % 8)
			 : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	/* Overlapping upwards: backwards, the odd bytes at the end first. */
	while (n % 8) {
		n--;
		d[n] = s[n];
	}
	while (n) {
		u64 v;

		n -= 8;
		__builtin_memcpy(&v, s + n, 8);
		__builtin_memcpy(d + n, &v, 8);
	}
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t words = n / 8;

	__asm__ volatile("rep stosq\n\t"
			 "mov %[tail], %%rcx\n\t"
			 "rep stosb"
			 : "+c"(words), "+D"(d)
			 : "a"((u8)c * 0x0101010101010101ULL), [tail] "r"(n % 8)
			 : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strstr(const char *s, const char *sub)
{
	size_t n = strlen(sub);

	for (; *s; s++)
		if (!strncmp(s, sub, n))
			return (char *)(uintptr_t)s;
	return n ? NULL : (char *)(uintptr_t)s;
}
