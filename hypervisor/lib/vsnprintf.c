/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted output into a buffer. Pure. The result is always terminated when the buffer has any
 * room; the return value is the length the whole text wants, as C99 has it. An unknown conversion
 * is copied through as it stands, and consumes no argument.
 */
#include <lib.h>

struct out {
	char *p, *end; /* end: where the terminator may go at the latest */
	int wanted;
};

enum { F_LEFT = 1, F_ZERO = 2, F_PLUS = 4, F_SPACE = 8, F_ALT = 16, F_UPPER = 32, F_SIGNED = 64 };

struct spec {
	unsigned int flags;
	int width, precision; /* precision -1: none given */
	char length;          /* 0, 'h', 'H' (hh), 'l', 'L' (ll), 'z', 't' */
};

static void put(struct out *o, char c)
{
	if (o->p < o->end)
		*o->p++ = c;
	o->wanted++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const char *s, int len, const struct spec *f)
{
	if (!(f->flags & F_LEFT))
		pad(o, ' ', f->width - len);
	for (int i = 0; i < len; i++)
		put(o, s[i]);
	if (f->flags & F_LEFT)
		pad(o, ' ', f->width - len);
}

static void put_string(struct out *o, const char *s, const struct spec *f)
{
	put_text(o, s, (int)strnlen(s, f->precision >= 0 ? (size_t)f->precision : INT_MAX), f);
}

/* width:  [spaces][sign or prefix][zeros][digits][spaces] */
static void put_number(struct out *o, u64 v, unsigned int base, const struct spec *f)
{
	const char *digits = f->flags & F_UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
	char buf[24], prefix[3];
	int n = 0, np = 0, zeros, spaces;

	if (f->flags & F_SIGNED) {
		if ((s64)v < 0) {
			v = -v;
			prefix[np++] = '-';
		} else if (f->flags & (F_PLUS | F_SPACE)) {
			prefix[np++] = f->flags & F_PLUS ? '+' : ' ';
		}
	}
	if ((f->flags & F_ALT) && base == 16 && v) {
		prefix[np++] = '0';
		prefix[np++] = f->flags & F_UPPER ? 'X' : 'x';
	}
	for (u64 t = v; t; t /= base)
		buf[n++] = digits[t % base];
	if (!n && f->precision != 0)
		buf[n++] = '0';
	zeros = f->precision - n;
	if ((f->flags & F_ALT) && base == 8 && zeros < 1 && (n == 0 || buf[n - 1] != '0'))
		zeros = 1;
	if (f->precision < 0 && (f->flags & F_ZERO) && !(f->flags & F_LEFT))
		zeros = max(zeros, f->width - np - n);
	zeros = max(zeros, 0);
	spaces = f->width - np - zeros - n;
	if (!(f->flags & F_LEFT))
		pad(o, ' ', spaces);
	for (int i = 0; i < np; i++)
		put(o, prefix[i]);
	pad(o, '0', zeros);
	while (n)
		put(o, buf[--n]);
	if (f->flags & F_LEFT)
		pad(o, ' ', spaces);
}

static const char *parse_flags(const char *s, struct spec *f)
{
	for (;; s++) {
		switch (*s) {
		case '-':
			f->flags |= F_LEFT;
			break;
		case '0':
			f->flags |= F_ZERO;
			break;
		case '+':
			f->flags |= F_PLUS;
			break;
		case ' ':
			f->flags |= F_SPACE;
			break;
		case '#':
			f->flags |= F_ALT;
			break;
		default:
			return s;
		}
	}
}

static const char *parse_int(const char *s, int *out)
{
	int v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v < 100000 ? v * 10 + (*s - '0') : v;
	*out = v;
	return s;
}

static const char *parse_length(const char *s, struct spec *f)
{
	if (*s == 'h' || *s == 'l') {
		f->length = *s;
		if (s[1] == *s) {
			f->length = *s == 'h' ? 'H' : 'L';
			s++;
		}
		return s + 1;
	}
	if (*s == 'z' || *s == 't') {
		f->length = *s;
		return s + 1;
	}
	return s;
}

/* va_list is an array type here: passing it on advances the caller's. */
static u64 next_arg(va_list *ap, const struct spec *f)
{
	bool sgn = f->flags & F_SIGNED;
	u64 v;

	switch (f->length) {
	case 'l':
	case 'L':
	case 'z':
	case 't':
		return va_arg(*ap, u64);
	default:
		break;
	}
	v = va_arg(*ap, unsigned int);
	if (f->length == 'H')
		return sgn ? (u64)(s64)(s8)v : (u8)v;
	if (f->length == 'h')
		return sgn ? (u64)(s64)(s16)v : (u16)v;
	return sgn ? (u64)(s64)(s32)v : v;
}

/* One conversion; s is behind the %. Returns what follows it. */
static const char *convert(struct out *o, const char *start, va_list *ap)
{
	struct spec f = {0, 0, -1, 0};
	const char *s = parse_flags(start, &f);
	const char *str;

	if (*s == '*') {
		f.width = va_arg(*ap, int);
		if (f.width < 0) {
			f.flags |= F_LEFT;
			f.width = f.width == INT_MIN ? INT_MAX : -f.width;
		}
		s++;
	} else {
		s = parse_int(s, &f.width);
	}
	if (*s == '.') {
		s++;
		if (*s == '*') {
			f.precision = va_arg(*ap, int);
			s++;
		} else {
			s = parse_int(s, &f.precision);
		}
	}
	s = parse_length(s, &f);
	switch (*s) {
	case 'd':
	case 'i':
		f.flags |= F_SIGNED;
		put_number(o, next_arg(ap, &f), 10, &f);
		break;
	case 'u':
		put_number(o, next_arg(ap, &f), 10, &f);
		break;
	case 'o':
		put_number(o, next_arg(ap, &f), 8, &f);
		break;
	case 'X':
		f.flags |= F_UPPER; /* fallthrough */
	case 'x':
		put_number(o, next_arg(ap, &f), 16, &f);
		break;
	case 'p':
		f.precision = 16;
		put_number(o, (u64)(uintptr_t)va_arg(*ap, void *), 16, &f);
		break;
	case 'c': {
		char c = (char)va_arg(*ap, int);

		put_text(o, &c, 1, &f);
		break;
	}
	case 's':
		str = va_arg(*ap, const char *);
		put_string(o, str ? str : "(null)", &f);
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		return start;
	}
	return s + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {buf, size ? buf + size - 1 : buf, 0};
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		char c = *fmt++;

		if (c != '%')
			put(&o, c);
		else
			fmt = convert(&o, fmt, &args);
	}
	va_end(args);
	if (size)
		*o.p = 0;
	return o.wanted;
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
