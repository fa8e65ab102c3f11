/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPU policies have in common, and the line of xl.cfg that hides the rest. */
#include "policy_cpu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONE XEN_CPUID_NO_SUBLEAF
#define NO_FPU_SEL (5 * 32 + 13)
#define PKU (6 * 32 + 3)

static char why[256];

static bool has(const struct xc_policy *p, unsigned int bit)
{
	uint32_t words[XC_FEATURE_WORDS];

	xc_policy_features(p, words);
	return words[bit / 32] >> bit % 32 & 1;
}

static void common(struct xc_policy *out, const struct xc_policy *in, unsigned int n)
{
	why[0] = 0;
	assert_int_equal(policy_common(out, in, n, why, sizeof(why)), 0);
	assert_string_equal(why, "");
}

static void drop(struct xc_policy *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		xc_policy_free(&p[i]);
}

/* Of the newer only what the older has, and of the older everything but what the newer took away. */
static void two(void **state)
{
	struct xc_policy in[2], c, back;
	uint32_t words[XC_FEATURE_WORDS];
	struct policy_xstate x;
	char text[32768];

	(void)state;
	cpu_policy(&in[0], &skylake);
	cpu_policy(&in[1], &haswell);
	common(&c, in, 2);
	policy_xstate(&c, &x);
	assert_int_equal(x.mask, 7);
	assert_int_equal(x.size, 832);
	assert_int_equal(cpu_leaf(&c, 0xd, 0)->b, 832);
	assert_int_equal(cpu_leaf(&c, 0xd, 0)->c, 832);
	assert_null(policy_leaf(&c, 0xd, 5));
	assert_null(policy_leaf(&c, 0xd, 9));
	assert_int_equal(cpu_leaf(&c, 0, NONE)->a, 0xf);
	assert_int_equal(cpu_leaf(&c, 1, NONE)->a, haswell.signature);
	assert_memory_equal(&cpu_leaf(&c, 0x80000002, NONE)->a, "Haswell", 8);
	assert_true(has(&c, 5 * 32 + 5));   /* AVX2 */
	assert_false(has(&c, 5 * 32 + 16)); /* AVX512F */
	assert_false(has(&c, 5 * 32 + 18)); /* RDSEED */
	assert_false(has(&c, PKU));
	assert_true(has(&c, NO_FPU_SEL)); /* a warning: one host is enough */
	/* Haswell has no such MSR: what one has not, a guest cannot read. */
	assert_int_equal(c.nr_msrs, 1);
	assert_int_equal(c.msrs[0].idx, 0xce);
	/* Each of the two can run what was made for it; only the warning is new to one. */
	assert_int_equal(policy_lacks(&c, &in[0], words), 0);
	assert_int_equal(policy_lacks(&c, &in[1], words), 1);
	assert_int_equal(words[5], 1u << 13);
	/* The order makes no difference, and there is nothing more to find. */
	snprintf(text, sizeof(text), "%s", policy_text(&c));
	xc_policy_free(&c);
	back = in[0];
	in[0] = in[1];
	in[1] = back;
	common(&c, in, 2);
	assert_string_equal(policy_text(&c), text);
	back = in[1];
	in[1] = c;
	common(&c, in, 2);
	assert_string_equal(policy_text(&c), text);
	xc_policy_free(&c);
	xc_policy_free(&back);
	drop(in, 2);
}

static void one(void **state)
{
	struct xc_policy in[2], c;

	(void)state;
	cpu_policy(&in[0], &skylake);
	cpu_policy(&in[1], &skylake);
	common(&c, in, 1);
	assert_string_equal(policy_text(&c), policy_text(&in[0]));
	xc_policy_free(&c);
	common(&c, in, 2);
	assert_string_equal(policy_text(&c), policy_text(&in[0]));
	xc_policy_free(&c);
	drop(in, 2);
}

/* A component that lies elsewhere is no common component, and no flag speaks of it. */
static void offsets(void **state)
{
	struct cpu other = skylake;
	struct xc_policy in[2], c;
	struct policy_xstate x;

	(void)state;
	other.pku_at = 2432;
	cpu_policy(&in[0], &skylake);
	cpu_policy(&in[1], &other);
	common(&c, in, 2);
	policy_xstate(&c, &x);
	assert_int_equal(x.mask, 0xe7);
	assert_int_equal(x.size, 2688);
	assert_int_equal(cpu_leaf(&c, 0xd, 0)->c, 2688);
	assert_null(policy_leaf(&c, 0xd, 9));
	assert_false(has(&c, PKU));
	assert_false(has(&c, PKU + 1));
	assert_true(has(&c, 5 * 32 + 16));
	xc_policy_free(&c);
	xc_policy_free(&in[1]);
	/* Everything that is made of AVX goes with it. */
	other.avx_at = 640;
	cpu_policy(&in[1], &other);
	common(&c, in, 2);
	policy_xstate(&c, &x);
	assert_int_equal(x.mask, 3);
	assert_int_equal(x.size, 576);
	assert_int_equal(cpu_leaf(&c, 0xd, 0)->b, 576);
	assert_int_equal(cpu_leaf(&c, 0xd, 0)->c, 576);
	assert_false(has(&c, 1 * 32 + 12));
	assert_false(has(&c, 1 * 32 + 28));
	assert_false(has(&c, 1 * 32 + 29));
	assert_int_equal(cpu_leaf(&c, 7, 0)->b, skylake.more_7b);
	assert_true(has(&c, 1 * 32 + 25)); /* AESNI needs SSE only */
	xc_policy_free(&c);
	drop(in, 2);
}

static void supervisor(void **state)
{
	struct cpu a = skylake, b = skylake;
	struct xc_policy in[2], c;

	(void)state;
	a.shadow_stack = true;
	b.shadow_stack = true;
	cpu_policy(&in[0], &a);
	cpu_policy(&in[1], &b);
	common(&c, in, 2);
	assert_int_equal(cpu_leaf(&c, 0xd, 1)->c, 1u << 11);
	assert_non_null(policy_leaf(&c, 0xd, 11));
	xc_policy_free(&c);
	cpu_leaf(&in[1], 0xd, 11)->a = 24;
	common(&c, in, 2);
	assert_int_equal(cpu_leaf(&c, 0xd, 1)->c, 0);
	assert_null(policy_leaf(&c, 0xd, 11));
	xc_policy_free(&c);
	drop(in, 2);
}

/* One host whose return stack may underflow is enough; what protects must be everywhere. */
static void capabilities(void **state)
{
	struct cpu a = skylake, b = skylake;
	struct xc_policy in[2], c;

	(void)state;
	a.capabilities = 1u << 1 | 1u << 2 | 1u << 3;
	b.capabilities = 1u << 1 | 1u << 8 | 1u << 19;
	cpu_policy(&in[0], &a);
	cpu_policy(&in[1], &b);
	common(&c, in, 2);
	assert_int_equal(c.nr_msrs, 2);
	assert_int_equal(c.msrs[1].idx, 0x10a);
	assert_int_equal(c.msrs[1].val, 1u << 1 | 1u << 2 | 1u << 19);
	xc_policy_free(&c);
	drop(in, 2);
}

static void vendors(void **state)
{
	struct xc_policy in[3], c;

	(void)state;
	cpu_policy(&in[0], &haswell);
	cpu_policy(&in[1], &skylake);
	cpu_policy(&in[2], &zen);
	assert_int_equal(policy_common(&c, in, 3, why, sizeof(why)), -EINVAL);
	assert_string_equal(
		why,
		"CPUs of GenuineIntel and of AuthenticAMD have no common set: keep a pool for each vendor");
	drop(in, 3);
}

/* -------- three of anything -------- */

static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static struct cpu any(void)
{
	static const uint32_t signatures[] = {0x306f2, 0x50654, 0x50654, 0x606a6};
	static const uint32_t limits[] = {7, 0xd, 0x16}, extended[] = {0x80000001, 0x80000008, 0x80000021};
	static const char *const brands[] = {"Gold", "Silver"};
	struct cpu c = {.signature = signatures[pick(4)],
			.limit = limits[pick(3)],
			.extended = extended[pick(3)],
			.subleaves = pick(3),
			.more_1c = 1u << 23 | pick(2) << 25,
			.more_7b = pick(2) << 13 | pick(2) << 18 | pick(2) << 8,
			.widths = 0x2e30 + (pick(2) << 8) - pick(3),
			.brand = brands[pick(2)],
			.avx_at = pick(8) ? 576 : 640,
			.pku_at = pick(2) ? 2432 : 2688,
			.capabilities = pick(16)};

	if (c.limit >= 0xd) {
		c.avx = pick(8);
		c.avx512 = c.avx && pick(2);
		c.pku = pick(2);
		c.shadow_stack = pick(2);
	}
	return c;
}

/* What the rules promise of every policy that is made of others. */
static void promises(const struct xc_policy *c, const struct xc_policy *in, unsigned int n)
{
	struct policy_xstate x, y;
	uint32_t words[XC_FEATURE_WORDS];

	policy_xstate(c, &x);
	for (unsigned int i = 0; i < n; i++) {
		(void)policy_lacks(c, &in[i], words);
		for (unsigned int bit = 0; bit < XC_FEATURE_WORDS * 32; bit++)
			if (words[bit / 32] >> bit % 32 & 1)
				assert_true(policy_warning(bit));
		policy_xstate(&in[i], &y);
		assert_int_equal(x.mask & ~y.mask, 0);
		for (unsigned int k = 2; k < 63; k++)
			if (x.mask >> k & 1)
				assert_int_equal(policy_leaf(c, 0xd, k)->b, policy_leaf(&in[i], 0xd, k)->b);
	}
	/* Flags and state agree. */
	assert_int_equal(has(c, 1 * 32 + 28), x.mask >> 2 & 1);
	assert_int_equal(has(c, 5 * 32 + 16), x.mask >> 5 & 1);
	assert_int_equal(has(c, PKU), x.mask >> 9 & 1);
	assert_true(!(x.mask & 0xe0) || (x.mask & 0xe4) == 0xe4);
	/* Nothing is beyond the limits. */
	for (uint32_t i = 0; i < c->nr_leaves; i++)
		assert_true(c->leaves[i].leaf <= xc_policy_leaf(c, c->leaves[i].leaf & 0x80000000, 0)->a);
}

static void three(void **state)
{
	static const unsigned char orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	(void)state;
	for (seed = 1; seed < 1000000000; seed = seed * 2 + 1) {
		const unsigned int first = seed;

		for (unsigned int round = 0; round < 20; round++) {
			struct xc_policy in[3], in_order[3], c;
			char text[32768] = "";

			for (unsigned int i = 0; i < 3; i++) {
				const struct cpu cpu = any();

				cpu_policy(&in[i], &cpu);
			}
			for (unsigned int o = 0; o < 6; o++) {
				for (unsigned int i = 0; i < 3; i++)
					in_order[i] = in[orders[o][i]];
				common(&c, in_order, 3);
				promises(&c, in, 3);
				if (o)
					assert_string_equal(policy_text(&c), text);
				snprintf(text, sizeof(text), "%s", policy_text(&c));
				xc_policy_free(&c);
			}
			drop(in, 3);
		}
		seed = first;
	}
}

/* -------- cpuid = -------- */

static void line(const struct cpu *a, const struct cpu *b, const char *expected)
{
	struct xc_policy in[2], c;
	uint32_t words[XC_FEATURE_WORDS] = {0}, more[XC_FEATURE_WORDS];
	char *text;

	cpu_policy(&in[0], a);
	cpu_policy(&in[1], b);
	common(&c, in, 2);
	for (unsigned int i = 0; i < 2; i++) {
		(void)policy_lacks(&in[i], &c, more);
		for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++)
			words[w] |= more[w];
	}
	text = policy_cpuid_line(&c, words);
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	xc_policy_free(&c);
	drop(in, 2);
}

static void lines(void **state)
{
	struct cpu a = skylake, b = skylake;

	(void)state;
	line(&a, &b, "cpuid = [ ]");
	b.more_7b &= ~(1u << 18);
	b.more_1c &= ~(1u << 25);
	line(&a, &b,
	     "cpuid = [ \"0x1:ecx=xxxxxx0xxxxxxxxxxxxxxxxxxxxxxxxx\", "
	     "\"0x7,0:ebx=xxxxxxxxxxxxx0xxxxxxxxxxxxxxxxxx\" ]");
	/* b has no leaf 7.1 and no leaf 0x80000021 that could be named: limits hide them on a. */
	b = skylake;
	a.subleaves = 2;
	a.extended = 0x80000021;
	line(&a, &b,
	     "cpuid = [ \"0x7,0:eax=00000000000000000000000000000000\", "
	     "\"0x80000000:eax=10000000000000000000000000001000\" ]");
	/* Capabilities in an MSR are in no line. */
	b = a;
	b.capabilities |= 1u << 8;
	line(&a, &b, "cpuid = [ ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one),        cmocka_unit_test(two),     cmocka_unit_test(offsets),
		cmocka_unit_test(supervisor), cmocka_unit_test(vendors), cmocka_unit_test(capabilities),
		cmocka_unit_test(three),      cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
