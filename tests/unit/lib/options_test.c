/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/options.c: words, quotes, negation, bad values, unknown names; the helpers' edges. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>
#include <lib.h>
#include <options.h>
#include <string.h>
#include <xerrno.h>

static char log_text[2048], seen[256];
static bool flag;

void printk(const char *fmt, ...)
{
	size_t n = strlen(log_text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(log_text + n, sizeof(log_text) - n, fmt, ap);
	va_end(ap);
}

static int take(const char *v)
{
	snprintf(seen, sizeof(seen), "%s", v);
	return strcmp(v, "bad") ? 0 : -EINVAL;
}

static int take_flag(const char *v)
{
	return option_bool(v, &flag);
}

/* What the linker script gathers in the image. */
extern const struct boot_option __options_start[3];
const struct boot_option __options_start[3] = {{"word", take}, {"flag", take_flag}, {"no-such", take}};
__asm__(".globl __options_end\n.set __options_end, __options_start + 48");

static void parse(const char *line)
{
	log_text[0] = seen[0] = 0;
	options_parse(line);
}

static void test_words(void **state)
{
	(void)state;
	parse("word=one");
	assert_string_equal(seen, "one");
	parse("  flag \t word=a=b  ");
	assert_string_equal(seen, "a=b");
	assert_true(flag);
	parse("word");
	assert_string_equal(seen, "");
	assert_string_equal(log_text, "");
	parse("word=\"two words\" flag=off");
	assert_string_equal(seen, "two words");
	assert_false(flag);
	parse("");
	parse("   ");
	assert_string_equal(log_text, "");
}

static void test_negation(void **state)
{
	(void)state;
	flag = true;
	parse("no-flag");
	assert_false(flag);
	parse("no-such=x"); /* a name of its own that begins like a negation */
	assert_string_equal(seen, "x");
}

static void test_complaints(void **state)
{
	(void)state;
	parse("wrod=1");
	assert_non_null(strstr(log_text, "'wrod'"));
	parse("word=bad");
	assert_non_null(strstr(log_text, "'word'"));
	assert_non_null(strstr(log_text, "'bad'"));
	parse("flag=maybe");
	assert_non_null(strstr(log_text, "'maybe'"));
	parse("no-word=1 =x \"\" \"open");
	assert_non_null(strstr(log_text, "'no-word'"));
}

static void test_long_line(void **state)
{
	static char line[4000];

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	parse(line);
	assert_int_equal(strlen(boot_cmdline), sizeof(boot_cmdline) - 1);
}

static void test_numbers(void **state)
{
	unsigned int u = 0;
	u64 v = 0;

	(void)state;
	assert_int_equal(option_uint("42", &u), 0);
	assert_int_equal(u, 42);
	assert_int_equal(option_uint("0xFf", &u), 0);
	assert_int_equal(u, 255);
	assert_int_equal(option_uint("4294967295", &u), 0);
	assert_int_equal(option_uint("4294967296", &u), -EINVAL);
	assert_int_equal(option_uint("", &u), -EINVAL);
	assert_int_equal(option_uint("0x", &u), -EINVAL);
	assert_int_equal(option_uint("12a", &u), -EINVAL);
	assert_int_equal(option_uint("-1", &u), -EINVAL);
	assert_null(option_number("99999999999999999999", &v));
	assert_string_equal(option_number("18446744073709551615,8n1", &v), ",8n1");
	assert_true(v == ~0ULL);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		u64 bytes;
	} good[] = {
		{"512M", 512ULL << 20}, {"2G", 2ULL << 30}, {"1024K", 1 << 20},
		{"100", 100 << 10},     {"77b", 77},        {"1t", 1ULL << 40},
		{"0x10m", 16 << 20},
	};
	const char *end;
	u64 v;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(option_size(good[i].text, NULL, &v), 0);
		assert_int_equal(v, good[i].bytes);
	}
	assert_int_equal(option_size("512M,max:1G", &end, &v), 0);
	assert_string_equal(end, ",max:1G");
	assert_int_equal(option_size("512M,", NULL, &v), -EINVAL);
	assert_int_equal(option_size("M", NULL, &v), -EINVAL);
	assert_int_equal(option_size("999999999999G", NULL, &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),      cmocka_unit_test(test_negation),
		cmocka_unit_test(test_complaints), cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_numbers),    cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
