/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feature flags of CPU policies: where they are, what they are called, and what one CPU misses. */
#include "serai/xc.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONE XEN_CPUID_NO_SUBLEAF

/* Every word of CPUID has a place of its own, and its flags are read there. */
static void words(void **state)
{
	unsigned int seen = 0;

	(void)state;
	for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++) {
		xen_cpuid_leaf_t l = {0};
		struct xc_policy p = {.leaves = &l, .nr_leaves = 1};
		uint32_t f[XC_FEATURE_WORDS];
		unsigned int reg;

		if (xc_feature_word(w, &l.leaf, &l.subleaf, &reg) < 0) {
			assert_true(w == 16 || w == 17);
			continue;
		}
		seen++;
		*(reg == 0 ? &l.a : reg == 1 ? &l.b : reg == 2 ? &l.c : &l.d) = 1u << 31 | 1u << 10;
		xc_policy_features(&p, f);
		for (unsigned int k = 0; k < XC_FEATURE_WORDS; k++)
			assert_int_equal(f[k], k == w ? 1u << 31 | 1u << 10 : 0);
	}
	assert_int_equal(seen, XC_FEATURE_WORDS - 2);
	assert_int_equal(
		xc_feature_word(XC_FEATURE_WORDS, &(uint32_t){0}, &(uint32_t){0}, &(unsigned int){0}),
		-ENOENT);
}

static void capabilities(void **state)
{
	xen_msr_entry_t m[2] = {{.idx = 0xce, .val = ~0ull}, {.idx = 0x10a, .val = 1ull << 62 | 5}};
	const struct xc_policy p = {.msrs = m, .nr_msrs = 2};
	uint32_t f[XC_FEATURE_WORDS];

	(void)state;
	xc_policy_features(&p, f);
	for (unsigned int k = 0; k < XC_FEATURE_WORDS; k++)
		assert_int_equal(f[k], k == 16 ? 5 : k == 17 ? 1u << 30 : 0);
}

static void names(void **state)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} some[] = {
		{0, "fpu"},
		{1 * 32 + 19, "sse4-1"},
		{2 * 32 + 20, "nx"},
		{4 * 32 + 4, "xfd"},
		{5 * 32 + 5, "avx2"},
		{9 * 32 + 24, "amx-tile"},
		{16 * 32 + 2, "rsba"},
		{17 * 32 + 30, "its-no"},
		/* Without a name they say where they are. */
		{0 * 32 + 10, "0x1.edx.10"},
		{14 * 32 + 31, "0x7.1.ecx.31"},
		{16 * 32 + 31, "0x10a.31"},
		{17 * 32 + 1, "0x10a.33"},
		{18 * 32 + 0, "0x80000021.ecx.0"},
	};
	static char all[XC_FEATURE_WORDS * 32][XC_FEATURE_NAME];

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_string_equal(xc_feature_name(some[i].bit, all[0]), some[i].name);
	/* No name is cut, none is given twice, none needs quoting. */
	for (unsigned int i = 0; i < XC_FEATURE_WORDS * 32; i++) {
		const char *t = xc_feature_name(i, all[i]);

		assert_true(*t && strlen(t) < XC_FEATURE_NAME - 1);
		for (; *t; t++)
			assert_true(islower((unsigned char)*t) || isdigit((unsigned char)*t) || *t == '-' ||
				    *t == '.');
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(all[i], all[k]);
	}
}

/* -------- what restore and migrate ask -------- */

static int missing(xen_cpuid_leaf_t want, xen_cpuid_leaf_t have, char *t, size_t len)
{
	const struct xc_policy w = {.leaves = &want, .nr_leaves = 1}, h = {.leaves = &have, .nr_leaves = 1};

	return xc_policy_missing(&w, &h, t, len);
}

static void lacking(void **state)
{
	const xen_cpuid_leaf_t less = {7, 0, 0, 1u << 3, 0, 0},
			       more = {7, 0, 0, 1u << 3 | 1u << 5 | 1u << 16, 0, 2};
	char t[64], tight[8];

	(void)state;
	assert_int_equal(missing(less, less, t, sizeof(t)), 0);
	assert_string_equal(t, "");
	assert_int_equal(missing(less, more, t, sizeof(t)), 0);
	assert_int_equal(missing(more, less, t, sizeof(t)), 3);
	assert_string_equal(t, "avx2, avx512f, 0x7.0.edx.1");
	/* All are counted where not all can be named. */
	assert_int_equal(missing(more, less, tight, sizeof(tight)), 3);
	assert_string_equal(tight, "avx2, a");
	assert_int_equal(missing(more, less, NULL, 0), 3);
}

/* OSXSAVE, APIC and OSPKE follow the guest's registers: no host lacks them. */
static void dynamic(void **state)
{
	const xen_cpuid_leaf_t one = {1, NONE, 0, 0, 1u << 27 | 1u << 26, 1u << 9},
			       seven = {7, 0, 0, 0, 1u << 4, 0};
	char t[64];
	unsigned int n = 0;

	(void)state;
	assert_int_equal(missing(one, (xen_cpuid_leaf_t){1, NONE, 0, 0, 1u << 26, 0}, t, sizeof(t)), 0);
	assert_int_equal(missing(one, (xen_cpuid_leaf_t){1, NONE, 0, 0, 0, 0}, t, sizeof(t)), 1);
	assert_string_equal(t, "xsave");
	assert_int_equal(missing(seven, (xen_cpuid_leaf_t){7, 0, 0, 0, 0, 0}, t, sizeof(t)), 0);
	for (unsigned int i = 0; i < XC_FEATURE_WORDS * 32; i++)
		n += xc_feature_dynamic(i);
	assert_int_equal(n, 3);
}

/* AMD's leaf repeats flags of leaf 1; they count once, wherever a policy has them. */
static void copies(void **state)
{
	xen_cpuid_leaf_t amd[2] = {{1, NONE, 0, 0, 0, 1u << 23 | 1u << 24},
				   {0x80000001, NONE, 0, 0, 0, 1u << 23 | 1u << 24 | 1u << 29}};
	xen_cpuid_leaf_t intel[2] = {{1, NONE, 0, 0, 0, 1u << 23 | 1u << 24},
				     {0x80000001, NONE, 0, 0, 0, 1u << 29}};
	const struct xc_policy a = {.leaves = amd, .nr_leaves = 2}, i = {.leaves = intel, .nr_leaves = 2};
	char t[64];

	(void)state;
	assert_int_equal(xc_policy_missing(&a, &i, t, sizeof(t)), 0);
	assert_int_equal(xc_policy_missing(&i, &a, t, sizeof(t)), 0);
	intel[0].d = 1u << 23;
	assert_int_equal(xc_policy_missing(&a, &i, t, sizeof(t)), 1);
	assert_string_equal(t, "fxsr");
	amd[1].d = 0;
	intel[0].d |= 1u << 24;
	assert_int_equal(xc_policy_missing(&i, &a, t, sizeof(t)), 1);
	assert_string_equal(t, "lm");
}

/* Words that describe a CPU's errata and its MSRs keep no domain from running. */
static void descriptions(void **state)
{
	xen_msr_entry_t m = {.idx = 0x10a, .val = ~0ull};
	xen_cpuid_leaf_t l = {7, 2, 0, 0, 0, ~0u};
	const struct xc_policy want = {.leaves = &l, .nr_leaves = 1, .msrs = &m, .nr_msrs = 1}, have = {0};
	char t[64];

	(void)state;
	assert_int_equal(xc_policy_missing(&want, &have, t, sizeof(t)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),        cmocka_unit_test(capabilities), cmocka_unit_test(names),
		cmocka_unit_test(lacking),      cmocka_unit_test(dynamic),      cmocka_unit_test(copies),
		cmocka_unit_test(descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
