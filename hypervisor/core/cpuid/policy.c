/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy's leaves, and the features that are bits of them. Pure. */
#include <cpu_policy.h>
#include <lib.h>
#include <xstate.h>

bool policy_leaf_has_subleaves(u32 leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x1d;
}

static struct cpuid_leaf *pick(struct cpuid_leaf *array, unsigned int nr, u32 i)
{
	return i < nr ? &array[i] : NULL;
}

struct cpuid_leaf *policy_leaf(struct cpu_policy *p, u32 leaf, u32 subleaf)
{
	if (leaf >= 0x80000000U)
		return pick(p->ext, POLICY_EXT, leaf - 0x80000000U);
	switch (leaf) {
	case 4:
		return pick(p->cache, POLICY_CACHE, subleaf);
	case 7:
		return pick(p->feat, POLICY_FEAT, subleaf);
	case 0xb:
		return pick(p->topo, POLICY_TOPO, subleaf);
	case 0xd:
		return pick(p->xstate, POLICY_XSTATE, subleaf);
	case 0x1d:
		return pick(p->tile, POLICY_TILE, subleaf);
	default:
		return pick(p->basic, POLICY_BASIC, leaf);
	}
}

static void read_subleaves(struct cpu_policy *p, cpuid_fn cpuid, u32 leaf, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		cpuid(leaf, i, policy_leaf(p, leaf, i));
}

void policy_read(struct cpu_policy *p, cpuid_fn cpuid)
{
	struct cpuid_leaf top;
	u32 i, max;

	memset(p, 0, sizeof(*p));
	cpuid(0, 0, &top);
	max = min(top.a, POLICY_BASIC - 1);
	for (i = 0; i <= max; i++)
		if (!policy_leaf_has_subleaves(i))
			cpuid(i, 0, &p->basic[i]);
	if (max >= 4)
		read_subleaves(p, cpuid, 4, POLICY_CACHE);
	if (max >= 7) {
		cpuid(7, 0, &p->feat[0]);
		read_subleaves(p, cpuid, 7, min(p->feat[0].a + 1, POLICY_FEAT));
	}
	if (max >= 0xb)
		read_subleaves(p, cpuid, 0xb, POLICY_TOPO);
	if (max >= 0xd)
		read_subleaves(p, cpuid, 0xd, POLICY_XSTATE);
	if (max >= 0x1d)
		read_subleaves(p, cpuid, 0x1d, POLICY_TILE);

	cpuid(0x80000000U, 0, &top);
	if (top.a >> 16 != 0x8000)
		return;
	max = min(top.a & 0xffff, POLICY_EXT - 1);
	for (i = 0; i <= max; i++)
		cpuid(0x80000000U + i, 0, &p->ext[i]);
}

enum cpu_vendor policy_vendor(const struct cpu_policy *p)
{
	switch (p->basic[0].b) {
	case 0x756e6547: /* Genu */
		return VENDOR_INTEL;
	case 0x68747541: /* Auth */
		return VENDOR_AMD;
	case 0x6f677948: /* Hygo */
		return VENDOR_HYGON;
	default:
		return VENDOR_OTHER;
	}
}

/* Where a policy holds the words of a featureset. Words 16 and 17, with no place here, are an MSR. */
#define AT(field) offsetof(struct cpu_policy, field)
static const u16 word_at[FEATURE_WORDS] = {
	AT(basic[1].d), AT(basic[1].c), AT(ext[1].d),  AT(ext[1].c),  AT(xstate[1].a),        AT(feat[0].b),
	AT(feat[0].c),  AT(ext[7].d),   AT(ext[8].b),  AT(feat[0].d), AT(feat[1].a),          AT(ext[0x21].a),
	AT(feat[1].b),  AT(feat[2].d),  AT(feat[1].c), AT(feat[1].d), [18] = AT(ext[0x21].c),
};
#undef AT

static u32 *feature_word(struct cpu_policy *p, unsigned int word)
{
	return word_at[word] ? (u32 *)((u8 *)p + word_at[word]) : NULL;
}

static u32 read_word(const struct cpu_policy *p, unsigned int word)
{
	if (word_at[word])
		return *(const u32 *)((const u8 *)p + word_at[word]);
	return (u32)(p->arch_caps >> (word & 1) * 32);
}

void policy_to_featureset(const struct cpu_policy *p, u32 fs[FEATURE_WORDS])
{
	for (unsigned int i = 0; i < FEATURE_WORDS; i++)
		fs[i] = read_word(p, i);
}

void policy_from_featureset(struct cpu_policy *p, const u32 fs[FEATURE_WORDS])
{
	for (unsigned int i = 0; i < FEATURE_WORDS; i++) {
		u32 *w = feature_word(p, i);

		if (w)
			*w = fs[i];
	}
	p->arch_caps = fs[16] | (u64)fs[17] << 32;
}

bool policy_has(const struct cpu_policy *p, unsigned int feature)
{
	return read_word(p, feature / 32) >> feature % 32 & 1;
}

void policy_set_feature(struct cpu_policy *p, unsigned int feature, bool on)
{
	u32 *w = feature_word(p, feature / 32), bit = 1U << feature % 32;

	if (w)
		*w = on ? *w | bit : *w & ~bit;
}

static const char *const names[FEATURE_WORDS * 32] = {
#define FEATURE(name, who, special) [XEN_X86_FEATURE_##name] = #name,
#include "features.def"
#undef FEATURE
};

const char *policy_feature_name(unsigned int feature)
{
	return feature < FEATURE_WORDS * 32 ? names[feature] : NULL;
}

u64 policy_permitted_xcr0(const struct cpu_policy *p)
{
	if (!policy_has(p, XEN_X86_FEATURE_XSAVE))
		return XSTATE_LEGACY;
	return p->xstate[0].a | (u64)p->xstate[0].d << 32;
}

u32 policy_xsave_size(const struct cpu_policy *p, u64 mask, bool compacted)
{
	u32 size = XSTATE_MIN_SIZE;

	for (u64 m = mask & ~XSTATE_LEGACY & ~XSTATE_COMPACTED; m; m &= m - 1) {
		const struct cpuid_leaf *l = &p->xstate[__builtin_ctzll(m)];

		if (!compacted)
			size = max(size, l->a + l->b);
		else
			size = (l->c & 2 ? ROUND_UP(size, 64U) : size) + l->a;
	}
	return size;
}
