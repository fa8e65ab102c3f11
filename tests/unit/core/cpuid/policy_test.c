/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU policies: derivation, clamping, serialisation and what a guest's CPUID returns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cpu_policy.h>
#include <cpuid.h>
#include <xen/xen.h>
#include <xerrno.h>
#include <xstate.h>

#define F(name) XEN_X86_FEATURE_##name

static struct cpu_policy host, pv_max, pv;

/* A server CPU with AVX-512, AMX and PKU; an AMD one by vendor, or an older one with MPX. */
static bool amd_machine, mpx_machine;
static bool undescribed_tiles; /* as some hypervisors below this one have it */

static void made_up_cpuid(u32 leaf, u32 sub, struct cpuid_leaf *l)
{
	static const struct {
		u32 leaf, sub;
		struct cpuid_leaf v;
	} rows[] = {
		{0, 0, {0x1f, 0x756e6547, 0x6c65746e, 0x49656e69}},
		{1, 0, {0x806f8, 0x05100800, 0xfffaf38b, 0xbfebfbff}},
		{4, 0, {0x04004121, 0x02c0003f, 0x3f, 0}},
		{4, 1, {0x04004122, 0x01c0003f, 0x3f, 0}},
		{5, 0, {0x40, 0x40, 3, 0x2020}},
		{6, 0, {0x77, 2, 9, 0}},
		{7, 0, {2, 0xf3bfbfef, 0x1b415fee, 0xbfc54410}},
		{7, 1, {0x1c30, 0, 0, 0}},
		{0xa, 0, {0x07300805, 0, 0xf, 0x603}},
		{0xb, 0, {1, 2, 0x100, 5}},
		{0xd, 0, {0x602e7, 0x2b00, 0x2b00, 0}},
		{0xd, 1, {0x1f, 0x2b00, 0x1900, 0}},
		{0xd, 2, {256, 576, 0, 0}},
		{0xd, 5, {64, 1088, 0, 0}},
		{0xd, 6, {512, 1152, 0, 0}},
		{0xd, 7, {1024, 1664, 0, 0}},
		{0xd, 9, {8, 2688, 0, 0}},
		{0xd, 17, {64, 2752, 2, 0}},
		{0xd, 18, {8192, 2816, 6, 0}},
		{0x1d, 0, {1, 0, 0, 0}},
		{0x1d, 1, {0x04002000, 0x00080040, 0x10, 0}},
		{0x1e, 0, {1, 0xff004010, 0, 0}},
		{0x80000000, 0, {0x80000008, 0, 0, 0}},
		{0x80000001, 0, {0, 0, 0x121, 0x2c100800}},
		{0x80000007, 0, {0, 0, 0, 0x100}},
		{0x80000008, 0, {0x3039 | 0x2e00, 0x200, 0, 0}},
	};

	memset(l, 0, sizeof(*l));
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].leaf == leaf && rows[i].sub == sub)
			*l = rows[i].v;
	if (undescribed_tiles && (leaf == 0x1d || leaf == 0x1e))
		memset(l, 0, sizeof(*l));
	if (mpx_machine && leaf == 7 && sub == 0)
		l->b |= 1U << 14;
	if (mpx_machine && leaf == 0xd && sub == 0)
		l->a = 0x21f;
	if (mpx_machine && leaf == 0xd && (sub == 3 || sub == 4))
		*l = (struct cpuid_leaf){64, sub == 3 ? 960 : 1024, 0, 0};
	if (amd_machine && leaf == 0)
		*l = (struct cpuid_leaf){0xd, 0x68747541, 0x444d4163, 0x69746e65};
}

static int setup(void **state)
{
	(void)state;
	amd_machine = mpx_machine = undescribed_tiles = false;
	policy_read(&host, made_up_cpuid);
	policy_derive(&pv_max, &host, POLICY_PV_MAX);
	policy_derive(&pv, &host, POLICY_PV_DEFAULT);
	return 0;
}

static void derivation(void **state)
{
	struct cpu_policy hvm;

	(void)state;
	assert_int_equal(policy_vendor(&host), VENDOR_INTEL);
	assert_true(policy_has(&pv, F(AVX512F)));
	assert_true(policy_has(&pv, F(HYPERVISOR)));
	assert_false(policy_has(&pv, F(OSXSAVE)));
	/* Not for PV: what needs ring 0 or nested paging. */
	assert_true(policy_has(&host, F(SMEP)));
	assert_false(policy_has(&pv, F(SMEP)));
	assert_false(policy_has(&pv, F(PKU)));
	assert_false(policy_has(&pv, F(XSAVES)));
	assert_false(policy_has(&pv, F(PCID)));
	assert_false(policy_has(&pv, F(PAGE1GB)));
	/* Only when asked for. */
	assert_true(policy_has(&pv_max, F(ITSC)));
	assert_false(policy_has(&pv, F(ITSC)));
	/* Leaf 0xD follows the features: no PKRU, no AMX. */
	assert_int_equal(policy_permitted_xcr0(&pv), 0xe7);
	assert_int_equal(pv.xstate[0].c, 2688);
	assert_int_equal(pv.xstate[18].a, 0);
	assert_int_equal(pv.tile[1].a, 0);
	assert_int_equal(pv.basic[0].a, 0xd);
	assert_int_equal(pv.basic[0xa].a, 0);
	assert_int_equal(pv.basic[5].a, 0);
	policy_derive(&hvm, &host, POLICY_HVM_DEFAULT);
	assert_true(policy_has(&hvm, F(PKU)));
	assert_int_equal(policy_permitted_xcr0(&hvm), 0x2e7);

	amd_machine = true;
	policy_read(&host, made_up_cpuid);
	policy_derive(&pv, &host, POLICY_PV_DEFAULT);
	assert_true(policy_has(&pv, F(SYSCALL)));
	/* AMD repeats common bits of leaf 1: FPU in bit 0. */
	assert_true(pv.ext[1].d & 1);
	setup(state);
}

static void trimming(void **state)
{
	u32 fs[FEATURE_WORDS];

	(void)state;
	policy_to_featureset(&pv, fs);
	fs[F(XSAVE) / 32] &= ~(1U << F(XSAVE) % 32);
	policy_trim_features(fs);
	for (unsigned int f = 0; f < FEATURE_WORDS * 32; f++) {
		static const u16 gone[] = {F(AVX), F(AVX2), F(AVX512F),  F(AVX512BW),
					   F(FMA), F(F16C), F(XSAVEOPT), F(AVX512_BF16)};

		for (unsigned int i = 0; i < ARRAY_SIZE(gone); i++)
			if (f == gone[i])
				assert_false(fs[f / 32] >> f % 32 & 1);
	}
	assert_true(fs[F(SSE2) / 32] >> F(SSE2) % 32 & 1);
	assert_string_equal(policy_feature_name(F(AVX512F)), "AVX512F");
	assert_null(policy_feature_name(F(FPU) + 10));
}

/* A reduced XCR0 with a hole: AVX-512 gone, what is left agrees everywhere. */
static void masks(void **state)
{
	struct cpu_policy p = pv;
	struct cpuid_context c = {.pv = true, .xcr0 = 3};
	struct cpuid_leaf l;

	(void)state;
	p.xstate[0].a = 0x47; /* asks for ZMM_Hi256 without the others */
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 7);
	assert_false(policy_has(&p, F(AVX512F)));
	assert_false(policy_has(&p, F(AVX512BW)));
	assert_true(policy_has(&p, F(AVX2)));
	policy_query(&p, &c, 0xd, 0, &l);
	assert_int_equal(l.a, 7);
	assert_int_equal(l.b, 576);
	assert_int_equal(l.c, 832);
	c.xcr0 = 7;
	policy_query(&p, &c, 0xd, 0, &l);
	assert_int_equal(l.b, 832);
	policy_query(&p, &c, 0xd, 5, &l);
	assert_int_equal(l.a, 0);

	/* A feature taken away takes its components away. */
	p = pv;
	policy_set_feature(&p, F(AVX), false);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 3);
	/* Features beyond the maximum are not to be had. */
	p = pv;
	policy_set_feature(&p, F(SMEP), true);
	policy_set_feature(&p, F(PKU), true);
	policy_clamp(&p, &pv_max);
	assert_false(policy_has(&p, F(SMEP)));
	assert_int_equal(policy_permitted_xcr0(&p), 0xe7);
}

/* AMX: nobody's unless asked for by its feature bit; then components, XFD and the leaves come with it. */
static void tiles(void **state)
{
	static struct xen_cpuid_leaf leaves[256];
	unsigned int nr = ARRAY_SIZE(leaves);
	struct policy_error err = {~0U, ~0U, ~0U};
	struct cpuid_context c = {.pv = true, .xcr0 = 0x60007};
	struct cpu_policy p = pv;
	struct cpuid_leaf l;

	assert_true(policy_has(&pv_max, F(AMX_TILE)));
	assert_false(policy_has(&pv, F(AMX_TILE)));
	assert_false(policy_has(&pv, F(AMX_INT8)));
	assert_false(policy_has(&pv, F(XFD)));
	assert_int_equal(pv.basic[POLICY_TMUL].b, 0);
	policy_query(&pv, &c, 0x1d, 1, &l);
	assert_int_equal(l.a, 0);

	/* As a toolstack asks: a bit more than the default, all else as it was. */
	policy_set_feature(&p, F(AMX_TILE), true);
	policy_set_feature(&p, F(AMX_INT8), true);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_compatible(&pv_max, &p, &err), 0);
	assert_int_equal(policy_permitted_xcr0(&p), 0x600e7);
	assert_true(policy_has(&p, F(XFD)));
	assert_false(policy_has(&p, F(AMX_BF16)));
	policy_query(&p, &c, 0, 0, &l);
	assert_int_equal(l.a, 0x1e);
	policy_query(&p, &c, 0xd, 1, &l);
	assert_true(l.a & 0x10);
	policy_query(&p, &c, 0xd, 18, &l);
	assert_int_equal(l.a, 8192);
	assert_int_equal(l.c, 6);
	policy_query(&p, &c, 0xd, 0, &l);
	assert_int_equal(l.b, 2816 + 8192);
	policy_query(&p, &c, 0x1d, 0, &l);
	assert_int_equal(l.a, 1);
	policy_query(&p, &c, 0x1d, 1, &l);
	assert_int_equal(l.a, 0x04002000);
	policy_query(&p, &c, 0x1e, 0, &l);
	assert_int_equal(l.a, 0);
	assert_int_equal(l.b, 0x4010);
	policy_query(&p, &c, 0x1b, 0, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);

	/* The tools get nothing they would refuse, and what they bring back means the same. */
	assert_int_equal(policy_write_leaves(&p, leaves, &nr), 0);
	for (unsigned int i = 0; i < nr; i++)
		assert_true(leaves[i].leaf <= 0xd || leaves[i].leaf >= HV_CPUID_BASE);
	memset(&p, 0, sizeof(p));
	assert_int_equal(policy_read_leaves(&p, leaves, nr, &err), 0);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 0x600e7);
	assert_int_equal(p.tile[1].b, 0x00080040);

	/* Leaf 0xD follows when the bit goes, and a domain with tiles fits no host without. */
	assert_int_equal(policy_compatible(&pv, &p, &err), -EINVAL);
	policy_set_feature(&p, F(AMX_TILE), false);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 0xe7);
	assert_false(policy_has(&p, F(AMX_INT8)));
	assert_false(policy_has(&p, F(XFD)));
	assert_int_equal(p.basic[0].a, 0xd);

	/* A hole: tiles without AVX and what needs it. */
	p = pv;
	policy_set_feature(&p, F(AMX_TILE), true);
	policy_set_feature(&p, F(AVX), false);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 0x60003);
	assert_int_equal(policy_xsave_size(&p, 0x60003, false), 2816 + 8192);
	assert_int_equal(policy_xsave_size(&p, 0x60003, true), 576 + 64 + 8192);

	undescribed_tiles = true;
	policy_read(&host, made_up_cpuid);
	policy_derive(&pv_max, &host, POLICY_PV_MAX);
	assert_false(policy_has(&pv_max, F(AMX_TILE)));
	assert_false(policy_has(&pv_max, F(XFD)));
	assert_int_equal(policy_permitted_xcr0(&pv_max), 0xe7);
	assert_int_equal(pv_max.basic[0].a, 0xd);
	setup(state);
}

/* MPX, on a machine of its time: off by default, and with AVX masked a hole in XCR0. */
static void bounds(void **state)
{
	struct cpuid_context c = {.pv = true, .xcr0 = 0x1b};
	struct cpu_policy p;
	struct cpuid_leaf l;

	mpx_machine = true;
	policy_read(&host, made_up_cpuid);
	policy_derive(&pv_max, &host, POLICY_PV_MAX);
	policy_derive(&pv, &host, POLICY_PV_DEFAULT);
	assert_int_equal(policy_permitted_xcr0(&pv), 7);
	assert_int_equal(policy_permitted_xcr0(&pv_max), 0x1f);
	/* The machine's XCR0 has no AVX-512, whatever its feature bits say. */
	assert_false(policy_has(&pv_max, F(AVX512F)));
	p = pv;
	policy_set_feature(&p, F(MPX), true);
	policy_set_feature(&p, F(AVX), false);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 0x1b);
	assert_false(policy_has(&p, F(AVX2)));
	policy_query(&p, &c, 0xd, 0, &l);
	assert_int_equal(l.a, 0x1b);
	assert_int_equal(l.b, 1088);
	assert_int_equal(l.c, 1088);
	policy_query(&p, &c, 0xd, 2, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
	policy_query(&p, &c, 0xd, 1, &l);
	assert_int_equal(l.b, 576 + 128);
	/* A mask in leaf 0xD is for what the default has. */
	p = pv;
	p.xstate[0].a = 3;
	policy_set_feature(&p, F(MPX), true);
	policy_clamp(&p, &pv_max);
	assert_int_equal(policy_permitted_xcr0(&p), 0x1b);
	setup(state);
}

static void serialisation(void **state)
{
	static struct xen_cpuid_leaf leaves[256], again[256];
	struct xen_msr_entry msrs[4];
	struct policy_error err = {~0U, ~0U, ~0U};
	struct cpu_policy p = {0};
	unsigned int nr = ARRAY_SIZE(leaves), nr2 = ARRAY_SIZE(again), n = 4;

	(void)state;
	assert_true(policy_max_leaves() <= ARRAY_SIZE(leaves));
	assert_int_equal(policy_write_leaves(&pv, leaves, &nr), 0);
	assert_true(nr <= policy_max_leaves());
	for (unsigned int i = 1; i < nr; i++)
		assert_true(
			leaves[i].leaf > leaves[i - 1].leaf ||
			(leaves[i].leaf == leaves[i - 1].leaf && leaves[i].subleaf > leaves[i - 1].subleaf));
	assert_int_equal(policy_read_leaves(&p, leaves, nr, &err), 0);
	assert_int_equal(policy_write_leaves(&p, again, &nr2), 0);
	assert_int_equal(nr, nr2);
	assert_memory_equal(leaves, again, nr * sizeof(leaves[0]));
	for (unsigned int room = 0; room < nr; room++) {
		nr2 = room;
		assert_int_equal(policy_write_leaves(&pv, again, &nr2), -ENOBUFS);
		assert_int_equal(nr2, room);
	}

	again[0] = (struct xen_cpuid_leaf){.leaf = 0x20, .subleaf = XEN_CPUID_NO_SUBLEAF};
	assert_int_equal(policy_read_leaves(&p, again, 1, &err), -ERANGE);
	assert_int_equal(err.leaf, 0x20);
	again[0] = (struct xen_cpuid_leaf){.leaf = 0xd, .subleaf = 63};
	assert_int_equal(policy_read_leaves(&p, again, 1, &err), -ERANGE);
	assert_int_equal(err.subleaf, 63);
	again[0] = (struct xen_cpuid_leaf){.leaf = 1, .subleaf = 1};
	assert_int_equal(policy_read_leaves(&p, again, 1, &err), -ERANGE);

	assert_int_equal(policy_write_msrs(&pv, msrs, &n), 0);
	assert_int_equal(n, 2);
	assert_true(msrs[0].idx < msrs[1].idx);
	assert_int_equal(policy_read_msrs(&p, msrs, 2, &err), 0);
	msrs[1].idx = 0x10;
	assert_int_equal(policy_read_msrs(&p, msrs, 2, &err), -ERANGE);
	assert_int_equal(err.msr, 0x10);
	msrs[0].flags = 1;
	assert_int_equal(policy_read_msrs(&p, msrs, 1, &err), -EINVAL);
	msrs[0].flags = 0;
	msrs[0].val = 1ULL << 40;
	assert_int_equal(policy_read_msrs(&p, msrs, 1, &err), -EOVERFLOW);
}

static void compatibility(void **state)
{
	struct policy_error err = {~0U, ~0U, ~0U};
	struct cpu_policy p = pv;

	(void)state;
	assert_int_equal(policy_compatible(&pv_max, &p, &err), 0);
	p.basic[0].a = 0x20;
	assert_int_equal(policy_compatible(&pv_max, &p, &err), -EINVAL);
	assert_int_equal(err.leaf, 0);
	p = pv;
	p.ext[0].a++;
	assert_int_equal(policy_compatible(&pv_max, &p, &err), -EINVAL);
	assert_int_equal(err.leaf, 0x80000000U);
	p = pv;
	p.platform_info = 1ULL << 31;
	assert_int_equal(policy_compatible(&pv_max, &p, &err), -EINVAL);
	assert_int_equal(err.msr, MSR_PLATFORM_INFO);
	p = pv;
	p.arch_caps = 1;
	assert_int_equal(policy_compatible(&pv_max, &p, &err), -EINVAL);
	assert_int_equal(err.msr, MSR_ARCH_CAPABILITIES);
}

static void queries(void **state)
{
	struct cpuid_context c = {.pv = true, .vcpu_id = 3, .osxsave = true, .address_bits = 39};
	struct cpuid_leaf l;

	(void)state;
	policy_query(&pv, &c, 1, 0, &l);
	assert_int_equal(l.b >> 24, 6);
	assert_true(l.c >> 27 & 1);
	policy_query(&pv, &c, 0xe, 0, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
	policy_query(&pv, &c, 7, 3, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
	policy_query(&pv, &c, 0x40000000, 0, &l);
	assert_int_equal(l.a, 0x40000005);
	assert_memory_equal(&l.b, "XenVMMXenVMM", 12);
	policy_query(&pv, &c, 0x40000001, 0, &l);
	assert_int_equal(l.a, 0x40011);
	policy_query(&pv, &c, 0x40000005, 0, &l);
	assert_int_equal(l.b, 39);
	policy_query(&pv, &c, 0x40000100, 0, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
	policy_query(&pv, &c, 0x80000022, 0, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
	policy_query(&pv, &c, 0xffffffff, 0xffffffff, &l);
	assert_int_equal(l.a | l.b | l.c | l.d, 0);
}

static void real_cpuid(u32 leaf, u32 sub, struct cpuid_leaf *l)
{
	__cpuid_count(leaf, sub, l->a, l->b, l->c, l->d);
}

/* The machine this runs on: its policies hold together, whatever it is. */
static void this_machine(void **state)
{
	static struct cpu_policy h, m, d, c;

	(void)state;
	policy_read(&h, real_cpuid);
	policy_derive(&m, &h, POLICY_PV_MAX);
	policy_derive(&d, &h, POLICY_PV_DEFAULT);
	for (unsigned int f = 0; f < FEATURE_WORDS * 32; f++)
		if (f != F(HYPERVISOR))
			assert_true(!policy_has(&d, f) || policy_has(&h, f));
	assert_true(!policy_has(&d, F(XSAVE)) || xstate_xcr0_valid(policy_permitted_xcr0(&d)));
	c = d;
	policy_clamp(&c, &m);
	assert_memory_equal(&c, &d, sizeof(c)); /* a sound policy is left alone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derivation),    cmocka_unit_test(trimming),      cmocka_unit_test(masks),
		cmocka_unit_test(serialisation), cmocka_unit_test(compatibility), cmocka_unit_test(queries),
		cmocka_unit_test(this_machine),  cmocka_unit_test(tiles),         cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests_name("CPU policies", tests, setup, NULL);
}
