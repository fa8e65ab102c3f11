/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few string functions a freestanding kernel needs, and formatted output. */
#include "guest.h"

void *memset(void *s, int c, size_t n)
{
	char *p = s;

	while (n--)
		*p++ = (char)c;
	return s;
}

void *memcpy(void *d, const void *s, size_t n)
{
	char *p = d;
	const char *q = s;

	while (n--)
		*p++ = *q++;
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n--; p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~(size_t)0);
}

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, uint64_t v, unsigned int base, int width, bool zero, bool negative)
{
	char tmp[24];
	int n = 0;

	do
		tmp[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	if (negative && !zero)
		tmp[n++] = '-';
	for (; width > n; width--)
		put(o, zero ? '0' : ' ');
	while (n)
		put(o, tmp[--n]);
}

/* One conversion after '%'; returns the character behind it. */
static const char *convert(struct out *o, const char *f, va_list *ap)
{
	bool zero = *f == '0';
	int width = 0, longs = 0;
	const char *s;
	uint64_t v;

	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + *f - '0';
	for (; *f == 'l' || *f == 'z'; f++)
		longs++;
	switch (*f) {
	case 's':
		for (s = va_arg(*ap, const char *); *s; s++, width--)
			put(o, *s);
		while (width-- > 0)
			put(o, ' ');
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 'd':
		v = longs ? (uint64_t)va_arg(*ap, long) : (uint64_t)va_arg(*ap, int);
		put_number(o, (int64_t)v < 0 ? -v : v, 10, width, zero, (int64_t)v < 0);
		break;
	case 'u':
	case 'x':
		v = longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
		put_number(o, v, *f == 'x' ? 16 : 10, width, zero, false);
		break;
	case 'p':
		put_number(o, (uintptr_t)va_arg(*ap, void *), 16, width, zero, false);
		break;
	default:
		put(o, *f);
	}
	return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {buf, size, 0};
	va_list ap;

	va_copy(ap, args);
	while (*fmt) {
		if (*fmt != '%')
			put(&o, *fmt++);
		else
			fmt = convert(&o, fmt + 1, &ap);
	}
	va_end(ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
