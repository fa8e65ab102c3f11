/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/vsnprintf.c against the C library's: every flag, width and precision over a set of values,
 * then random combinations. The build renames ours to hv_snprintf (-Dsnprintf=...), so that the
 * library's is reached as a builtin.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <lib.h>
#include <stdlib.h>
#include <string.h>

static const unsigned long long values[] = {
	0,
	1,
	7,
	8,
	9,
	10,
	255,
	256,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x7fffffffffffffffULL,
	0x8000000000000000ULL,
	~0ULL,
	0x123456789abcdefULL,
};

/* fmt takes one integer of 64 bits (long) or 32 (not long). */
static void compare(const char *fmt, bool is_long, unsigned long long v, size_t size)
{
	char ours[128], theirs[128];
	int a, b;

	memset(ours, 'x', sizeof(ours));
	memset(theirs, 'x', sizeof(theirs));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	a = is_long ? snprintf(ours, size, fmt, v) : snprintf(ours, size, fmt, (unsigned int)v);
	b = is_long ? __builtin_snprintf(theirs, size, fmt, v)
		    : __builtin_snprintf(theirs, size, fmt, (unsigned int)v);
#pragma GCC diagnostic pop
	if (a != b || memcmp(ours, theirs, sizeof(ours)) != 0)
		fail_msg("\"%s\" of %#llx, size %zu: \"%.*s\" (%d), library \"%.*s\" (%d)", fmt, v, size,
			 (int)size, ours, a, (int)size, theirs, b);
}

static void test_integers(void **state)
{
	static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z"};
	static const char conversions[] = "diuxXo";
	char fmt[32];

	(void)state;
	srandom(1);
	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int len = (unsigned int)random() % 6, bits = (unsigned int)random() & 0x7f;
		char c = conversions[random() % 6];
		bool sgn = c == 'd' || c == 'i';
		char width[12] = "", precision[12] = "";

		if (bits & 0x20)
			__builtin_snprintf(width, sizeof(width), "%ld", random() % 30 + 1);
		if (bits & 0x40)
			__builtin_snprintf(precision, sizeof(precision), ".%ld", random() % 20);
		__builtin_snprintf(fmt, sizeof(fmt), "[%%%s%s%s%s%s%s%s%s%c]", bits & 1 ? "-" : "",
				   bits & 2 ? "0" : "", (bits & 4) && sgn ? "+" : "",
				   (bits & 8) && sgn ? " " : "", (bits & 16) && !sgn && c != 'u' ? "#" : "",
				   width, precision, lengths[len], c);
		compare(fmt, len >= 3, values[(unsigned long)random() % ARRAY_SIZE(values)],
			(size_t)random() % 100);
	}
}

static void test_strings(void **state)
{
	char ours[64], theirs[64];

#define SAME(...)                                                                          \
	do {                                                                               \
		assert_int_equal(snprintf(ours, sizeof(ours), __VA_ARGS__),                \
				 __builtin_snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
		assert_string_equal(ours, theirs);                                         \
	} while (0)
	SAME("%s|%10s|%-10s|%.2s|%-5.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%c%%%5c|%-5c|", 'a', 'b', 'c', 'd');
	SAME("%*d|%-*d|%.*d|%*s", 7, 42, 7, 42, 5, 42, -6, "x");
	SAME("%.*s", -1, "whole");
	assert_int_equal(snprintf(ours, 8, "%s and more", state ? "a text" : ""), 15);
	assert_string_equal(ours, "a text ");
	assert_int_equal(snprintf(NULL, 0, "%d", 12345), 5);
	assert_int_equal(snprintf(ours, sizeof(ours), "%p", (void *)0x1234), 16);
	assert_string_equal(ours, "0000000000001234");
}

/* A precision bounds how far a string is read: it need not be terminated. */
static void test_unterminated(void **state)
{
	char *s = malloc(3), out[16];

	(void)state;
	memcpy(s, "abc", 3);
	assert_int_equal(snprintf(out, sizeof(out), "%.3s", s), 3);
	assert_string_equal(out, "abc");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_unterminated),
	};

	return cmocka_run_group_tests_name("vsnprintf", tests, NULL, NULL);
}
