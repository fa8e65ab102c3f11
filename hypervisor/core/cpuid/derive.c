/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the host has to what a guest may have. Pure.
 *
 * A feature is a bit, but bits lean on each other (no AVX without XSAVE), and leaves follow from bits
 * (leaf 0xD from AVX). So: mask the bits, trim what lost its ground, rebuild the leaves.
 */
#include <cpu_policy.h>
#include <lib.h>
#include <xstate.h>

enum who { NONE, PV, PV_OPT, HVM, HVM_OPT, HAP, HAP_OPT };

static const struct {
	u16 feature;
	u8 who, special;
} features[] = {
#define FEATURE(name, w, s) {XEN_X86_FEATURE_##name, w, s},
#include "features.def"
#undef FEATURE
};

#define F(name) XEN_X86_FEATURE_##name
/* Left needs right. */
/* clang-format off */
static const u16 needs[][2] = {
	{F(FXSR), F(FPU)},	    {F(SSE), F(FXSR)},		{F(SSE2), F(SSE)},
	{F(LM), F(SSE2)},	    {F(LM), F(PAE)},		{F(SSE3), F(SSE2)},
	{F(SSSE3), F(SSE3)},	    {F(SSE4_1), F(SSSE3)},	{F(SSE4_2), F(SSE4_1)},
	{F(SSE4A), F(SSE2)},	    {F(AESNI), F(SSE2)},	{F(PCLMULQDQ), F(SSE2)},
	{F(SHA), F(SSE2)},	    {F(GFNI), F(SSE2)},		{F(MMXEXT), F(MMX)},
	{F(3DNOW), F(MMX)},	    {F(3DNOWEXT), F(3DNOW)},	{F(MISALIGNSSE), F(SSE)},
	{F(LAHF_LM), F(LM)},	    {F(CX16), F(LM)},		{F(PAGE1GB), F(LM)},
	{F(PCID), F(LM)},	    {F(FSGSBASE), F(LM)},	{F(XSAVE), F(FXSR)},
	{F(XSAVEOPT), F(XSAVE)},    {F(XSAVEC), F(XSAVE)},	{F(XGETBV1), F(XSAVE)},
	{F(XSAVES), F(XSAVEC)},	    {F(XSAVES), F(XGETBV1)},	{F(AVX), F(XSAVE)},
	{F(AVX), F(SSE2)},	    {F(MPX), F(XSAVE)},		{F(PKU), F(XSAVE)},
	{F(LWP), F(XSAVE)},	    {F(F16C), F(AVX)},		{F(FMA), F(AVX)},
	{F(FMA4), F(AVX)},	    {F(XOP), F(AVX)},		{F(AVX2), F(AVX)},
	{F(VAES), F(AVX)},	    {F(VPCLMULQDQ), F(AVX)},	{F(AVX_VNNI), F(AVX2)},
	{F(AVX512F), F(AVX2)},	    {F(AVX512DQ), F(AVX512F)},	{F(AVX512_IFMA), F(AVX512F)},
	{F(AVX512PF), F(AVX512F)},  {F(AVX512ER), F(AVX512F)},	{F(AVX512CD), F(AVX512F)},
	{F(AVX512BW), F(AVX512F)},  {F(AVX512VL), F(AVX512F)},	{F(AVX512_4VNNIW), F(AVX512F)},
	{F(AVX512_4FMAPS), F(AVX512F)}, {F(AVX512_VNNI), F(AVX512F)},
	{F(AVX512_VPOPCNTDQ), F(AVX512F)}, {F(AVX512_VP2INTERSECT), F(AVX512F)},
	{F(AVX512_VBMI), F(AVX512BW)}, {F(AVX512_VBMI2), F(AVX512_VBMI)},
	{F(AVX512_BITALG), F(AVX512BW)}, {F(AVX512_BF16), F(AVX512BW)},
	{F(AVX512_FP16), F(AVX512BW)}, {F(X2APIC), F(APIC)},	{F(TSC_DEADLINE), F(APIC)},
	{F(NX), F(PAE)},	    {F(PSE36), F(PSE)},		{F(INVPCID), F(PCID)},
	{F(IBRS_ALWAYS), F(IBRS)},  {F(STIBP_ALWAYS), F(AMD_STIBP)}, {F(IBRS_FAST), F(IBRS)},
	{F(IBRS_SAME_MODE), F(IBRS)}, {F(STIBP), F(IBRSB)},	{F(SSBD), F(IBRSB)},
	{F(TSXLDTRK), F(RTM)},	    {F(AMX_TILE), F(XSAVE)},	{F(AMX_BF16), F(AMX_TILE)},
	{F(AMX_INT8), F(AMX_TILE)}, {F(AMX_FP16), F(AMX_TILE)},
};
/* clang-format on */

static bool fs_test(const u32 *fs, unsigned int f)
{
	return fs[f / 32] >> f % 32 & 1;
}

static void fs_put(u32 *fs, unsigned int f, bool on)
{
	fs[f / 32] = (fs[f / 32] & ~(1U << f % 32)) | (u32)on << f % 32;
}

void policy_trim_features(u32 fs[FEATURE_WORDS])
{
	bool again;

	do {
		again = false;
		for (unsigned int i = 0; i < ARRAY_SIZE(needs); i++)
			if (fs_test(fs, needs[i][0]) && !fs_test(fs, needs[i][1])) {
				fs_put(fs, needs[i][0], false);
				again = true;
			}
	} while (again);
}

static bool granted(enum who who, enum policy_kind kind)
{
	bool hvm = kind == POLICY_HVM_MAX || kind == POLICY_HVM_DEFAULT;
	bool max = kind == POLICY_PV_MAX || kind == POLICY_HVM_MAX;

	switch (who) {
	case PV:
		return true;
	case PV_OPT:
		return max;
	case HVM:
	case HAP:
		return hvm;
	case HVM_OPT:
	case HAP_OPT:
		return hvm && max;
	default:
		return false;
	}
}

/* Bits that tell of the CPU's behaviour or the platform, whoever asks. */
static void special_features(u32 *fs, const u32 *host, enum policy_kind kind, enum cpu_vendor vendor)
{
	bool hvm = kind == POLICY_HVM_MAX || kind == POLICY_HVM_DEFAULT;
	static const u16 as_host[] = {F(FDP_EXCP_ONLY), F(NO_FPU_SEL), F(HTT), F(CMP_LEGACY)};

	for (unsigned int i = 0; i < ARRAY_SIZE(as_host); i++)
		fs_put(fs, as_host[i], fs_test(host, as_host[i]));
	fs_put(fs, F(HYPERVISOR), true);
	fs_put(fs, F(OSXSAVE), false);
	fs_put(fs, F(OSPKE), false);
	/* SYSENTER does not exist in AMD's long mode, which is where PV guests are. */
	if (!hvm && vendor != VENDOR_INTEL)
		fs_put(fs, F(SEP), false);
	if (hvm) {
		fs_put(fs, F(APIC), true);
		fs_put(fs, F(X2APIC), true);
	}
}

static u64 xcr0_of_features(const u32 *fs)
{
	u64 xcr0 = XSTATE_LEGACY;

	if (!fs_test(fs, F(XSAVE)))
		return 0;
	xcr0 |= fs_test(fs, F(AVX)) ? XSTATE_YMM : 0;
	xcr0 |= fs_test(fs, F(MPX)) ? XSTATE_BNDREGS | XSTATE_BNDCSR : 0;
	xcr0 |= fs_test(fs, F(AVX512F)) ? XSTATE_AVX512 : 0;
	xcr0 |= fs_test(fs, F(PKU)) ? XSTATE_PKRU : 0;
	xcr0 |= fs_test(fs, F(LWP)) ? XSTATE_LWP : 0;
	xcr0 |= fs_test(fs, F(AMX_TILE)) ? XSTATE_AMX : 0;
	return xcr0;
}

static u64 xcr0_of_leaf(const struct cpu_policy *p)
{
	return p->xstate[0].a | (u64)p->xstate[0].d << 32;
}

/* Leaf 0xD for these features, within may; sizes from max. */
static void rebuild_xstate(struct cpu_policy *p, const struct cpu_policy *max, const u32 *fs, u64 may)
{
	u64 xcr0 = xcr0_of_features(fs) & may;
	u32 insns = fs[4];

	memset(p->xstate, 0, sizeof(p->xstate));
	if (!xcr0)
		return;
	xcr0 = xstate_xcr0_trim(xcr0);
	for (u64 m = xcr0 & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		p->xstate[i] = max->xstate[i];
	}
	p->xstate[0].a = (u32)xcr0;
	p->xstate[0].d = (u32)(xcr0 >> 32);
	p->xstate[0].b = p->xstate[0].c = policy_xsave_size(p, xcr0, false);
	p->xstate[1].a = insns;
	if (fs_test(fs, F(XSAVEC)) || fs_test(fs, F(XSAVES)))
		p->xstate[1].b = policy_xsave_size(p, xcr0, true);
}

/* A reduced XCR0 takes the instructions that need the missing components with it. */
static void features_follow_xcr0(u32 *fs, u64 xcr0)
{
	if (!(xcr0 & XSTATE_YMM))
		fs_put(fs, F(AVX), false);
	if ((xcr0 & XSTATE_AVX512) != XSTATE_AVX512)
		fs_put(fs, F(AVX512F), false);
	if (!(xcr0 & XSTATE_BNDREGS) || !(xcr0 & XSTATE_BNDCSR))
		fs_put(fs, F(MPX), false);
	if (!(xcr0 & XSTATE_PKRU))
		fs_put(fs, F(PKU), false);
	if (!(xcr0 & XSTATE_LWP))
		fs_put(fs, F(LWP), false);
	if ((xcr0 & XSTATE_AMX) != XSTATE_AMX)
		fs_put(fs, F(AMX_TILE), false);
}

/*
 * Tiles come with a description (palette 1 and the limits of TMUL), and with a way to keep a process from
 * using them: without either a kernel has no use for them. XFD is nobody's by itself.
 */
static void settle_amx(u32 *fs, const struct cpu_policy *max)
{
	bool described = max->tile[0].a && max->tile[1].a && max->basic[POLICY_TMUL].b;

	if (!described || !policy_has(max, F(XFD)))
		fs_put(fs, F(AMX_TILE), false);
	fs_put(fs, F(XFD), fs_test(fs, F(AMX_TILE)));
}

/* Leaves of power management, monitoring, PMU, topology and nested virtualisation: nobody's. */
static void empty_leaves(struct cpu_policy *p)
{
	static const u8 none[] = {3, 5, 6, 8, 9, 0xa, 0xc};

	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		memset(&p->basic[none[i]], 0, sizeof(p->basic[0]));
	for (unsigned int i = POLICY_GUEST_BASIC + 1; i < POLICY_BASIC; i++)
		memset(&p->basic[i], 0, sizeof(p->basic[0]));
	memset(p->topo, 0, sizeof(p->topo));
	for (unsigned int i = 9; i <= 0x18; i++)
		memset(&p->ext[i], 0, sizeof(p->ext[0]));
	for (unsigned int i = 0x1b; i < 0x21; i++)
		if (i < 0x1d || !policy_has(p, F(TOPOEXT)))
			memset(&p->ext[i], 0, sizeof(p->ext[0]));
	p->ext[7].a = p->ext[7].b = p->ext[7].c = 0;
	p->ext[8].a &= 0xffff; /* no guest-physical width */
	p->ext[8].d = 0;
	p->ext[0x21].b = p->ext[0x21].d = 0;
	p->basic[1].b &= 0x00ffff00; /* APIC id is the vCPU's, brand is nobody's */
}

/* The CPU's own description, not what the toolstack made of it: its interface has no such leaves. */
static void rebuild_amx(struct cpu_policy *p, const struct cpu_policy *max)
{
	memset(p->tile, 0, sizeof(p->tile));
	if (!policy_has(p, F(AMX_TILE)))
		return;
	p->tile[0].a = POLICY_TILE - 1;
	p->tile[1] = max->tile[1];
	p->basic[POLICY_TMUL].b = max->basic[POLICY_TMUL].b & 0x00ffffff;
	p->basic[0].a = POLICY_TMUL;
}

static void limit_leaves(struct cpu_policy *p)
{
	u32 ext_max = policy_vendor(p) == VENDOR_INTEL ? 8 : POLICY_EXT - 1;

	p->basic[0].a = min(p->basic[0].a, POLICY_GUEST_BASIC);
	p->feat[0].a = min(p->feat[0].a, POLICY_FEAT - 1);
	if (p->ext[0].a >> 16 == 0x8000)
		p->ext[0].a = min(p->ext[0].a, 0x80000000U + ext_max);
}

/* AMD repeats part of leaf 1 in leaf 0x80000001. */
#define COMMON_1D 0x0183f3ffU

static void repeat_leaf1(struct cpu_policy *p)
{
	enum cpu_vendor v = policy_vendor(p);

	p->ext[1].d &= ~COMMON_1D;
	if (v == VENDOR_AMD || v == VENDOR_HYGON)
		p->ext[1].d |= p->basic[1].d & COMMON_1D;
}

/* asked: a reduction of XCR0 the domain wants, 0 = none. */
static void rebuild(struct cpu_policy *p, const struct cpu_policy *max, u32 *fs, u64 asked)
{
	static const u64 optional = XSTATE_BNDREGS | XSTATE_BNDCSR | XSTATE_AMX;
	u64 may = xcr0_of_leaf(max);

	settle_amx(fs, max);
	policy_trim_features(fs);
	if (asked)
		may &= asked | (xcr0_of_features(fs) & optional);
	if (fs_test(fs, F(XSAVE))) {
		features_follow_xcr0(fs, xstate_xcr0_trim(may));
		settle_amx(fs, max);
		policy_trim_features(fs);
	}
	policy_from_featureset(p, fs);
	rebuild_xstate(p, max, fs, may);
	repeat_leaf1(p);
	limit_leaves(p);
	empty_leaves(p);
	rebuild_amx(p, max);
}

void policy_derive(struct cpu_policy *out, const struct cpu_policy *host, enum policy_kind kind)
{
	u32 hostfs[FEATURE_WORDS], fs[FEATURE_WORDS] = {0};

	*out = *host;
	policy_to_featureset(host, hostfs);
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		unsigned int f = features[i].feature;

		if (fs_test(hostfs, f) && granted((enum who)features[i].who, kind))
			fs_put(fs, f, true);
	}
	special_features(fs, hostfs, kind, policy_vendor(host));
	rebuild(out, host, fs, 0);
	out->platform_info = host->platform_info & 1ULL << 31;
}

void policy_clamp(struct cpu_policy *p, const struct cpu_policy *max)
{
	u32 fs[FEATURE_WORDS], maxfs[FEATURE_WORDS];
	u64 asked = p->xstate[0].a | (u64)p->xstate[0].d << 32;
	static const u16 fixed[] = {F(FDP_EXCP_ONLY), F(NO_FPU_SEL), F(HYPERVISOR)};

	policy_to_featureset(p, fs);
	policy_to_featureset(max, maxfs);
	for (unsigned int i = 0; i < FEATURE_WORDS; i++)
		fs[i] &= maxfs[i];
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++)
		fs_put(fs, fixed[i], fs_test(maxfs, fixed[i]));
	p->platform_info &= max->platform_info;
	rebuild(p, max, fs, asked);
}
