/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extended state in CPU policies: which components an image has, where they lie, and what goes with a
 * component that two CPUs do not share. Intel SDM volume 1, chapter 13.
 */
#include "policy.h"

#define LEGACY_SIZE 576u /* x87, SSE and the header: SDM volume 1, 13.4 */

const xen_cpuid_leaf_t *policy_leaf(const struct xc_policy *p, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < p->nr_leaves; i++)
		if (p->leaves[i].leaf == leaf && p->leaves[i].subleaf == subleaf)
			return &p->leaves[i];
	return NULL;
}

static uint64_t xcr0_of(const struct xc_policy *p)
{
	const xen_cpuid_leaf_t *l = policy_leaf(p, 0xd, 0);

	return l ? (uint64_t)l->d << 32 | l->a : 0;
}

void policy_xstate(const struct xc_policy *p, struct policy_xstate *x)
{
	x->mask = xcr0_of(p);
	x->size = x->mask ? LEGACY_SIZE : 0;
	for (unsigned int n = 2; n < 63; n++) {
		const xen_cpuid_leaf_t *l = x->mask >> n & 1 ? policy_leaf(p, 0xd, n) : NULL;

		if (l && l->a + l->b > x->size)
			x->size = l->a + l->b;
	}
}

/* What goes when a component of XCR0 goes: the flags of the instructions that use it. */
static const struct {
	uint64_t components, with; /* any of these gone: all of `with` goes */
	uint32_t word, bits;
} uses[] = {
	{1u << 2, 0xe4, 1, 1u << 12 | 1u << 28 | 1u << 29},       /* FMA, AVX, F16C */
	{1u << 2, 0xe4, 3, 1u << 11 | 1u << 16},                  /* XOP, FMA4 */
	{1u << 2, 0xe4, 5, 1u << 5},                              /* AVX2 */
	{1u << 2, 0xe4, 6, 1u << 9 | 1u << 10},                   /* VAES, VPCLMULQDQ */
	{1u << 2, 0xe4, 10, 1u << 4},                             /* AVX_VNNI */
	{0xe4, 0xe0, 5, 0xdc230000u},                             /* AVX512F and its family */
	{0xe4, 0xe0, 6, 1u << 1 | 1u << 6 | 7u << 11 | 1u << 14}, /* VBMI, VBMI2, VNNI, BITALG, POPCNTDQ */
	{0xe4, 0xe0, 9, 1u << 2 | 1u << 3 | 1u << 8 | 1u << 23},  /* 4VNNIW, 4FMAPS, VP2INTERSECT, FP16 */
	{0xe4, 0xe0, 10, 1u << 5},                                /* AVX512_BF16 */
	{0x18, 0x18, 5, 1u << 14},                                /* MPX */
	{1u << 9, 1u << 9, 6, 1u << 3 | 1u << 4},                 /* PKU, OSPKE */
	{3u << 17, 3u << 17, 9, 1u << 22 | 3u << 24},             /* AMX */
};

static uint32_t *register_of(xen_cpuid_leaf_t *l, unsigned int reg)
{
	return reg == 0 ? &l->a : reg == 1 ? &l->b : reg == 2 ? &l->c : &l->d;
}

static void clear_bits(struct xc_policy *p, unsigned int word, uint32_t bits)
{
	uint32_t leaf, subleaf;
	unsigned int reg;

	if (xc_feature_word(word, &leaf, &subleaf, &reg) < 0)
		return;
	for (uint32_t i = 0; i < p->nr_leaves; i++)
		if (p->leaves[i].leaf == leaf && p->leaves[i].subleaf == subleaf)
			*register_of(&p->leaves[i], reg) &= ~bits;
}

/*
 * An image is laid out by the offsets of the CPU, and a guest that has seen one offset cannot use another. The
 * manuals leave them to the CPU: PKRU, for one, is at 2432 on some and at 2688 on others.
 */
uint64_t policy_xstate_shared(const struct xc_policy *a, const struct xc_policy *b)
{
	uint64_t mask = xcr0_of(a) & xcr0_of(b), lost = 0;

	for (unsigned int n = 2; n < 63; n++) {
		const xen_cpuid_leaf_t *x = policy_leaf(a, 0xd, n), *y = policy_leaf(b, 0xd, n);

		if (mask >> n & 1 && (!x || !y || x->a != y->a || x->b != y->b || x->c != y->c))
			lost |= 1ull << n;
	}
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (lost & uses[i].components)
			lost |= uses[i].with;
	return mask & ~lost;
}

/* Components of XSS that are described no more are there no more. */
static void supervisor_settle(struct xc_policy *out, xen_cpuid_leaf_t *l)
{
	for (unsigned int n = 2; n < 63; n++) {
		if (policy_leaf(out, 0xd, n))
			continue;
		if (n < 32)
			l->c &= ~(1u << n);
		else
			l->d &= ~(1u << (n - 32));
	}
}

void policy_xstate_settle(struct xc_policy *out, uint64_t mask, const struct xc_policy *a,
			  const struct xc_policy *b)
{
	const uint64_t lost = xcr0_of(a) & xcr0_of(b) & ~mask;
	const bool same = mask == xcr0_of(a) && mask == xcr0_of(b);
	struct policy_xstate x;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (uses[i].components & lost)
			clear_bits(out, uses[i].word, uses[i].bits);
	for (uint32_t i = 0; i < out->nr_leaves; i++) {
		xen_cpuid_leaf_t *l = &out->leaves[i];

		if (l->leaf == 0xd && l->subleaf == 1)
			supervisor_settle(out, l);
		if (l->leaf != 0xd || l->subleaf != 0)
			continue;
		l->a = (uint32_t)mask;
		l->d = (uint32_t)(mask >> 32);
		policy_xstate(out, &x);
		if (!same)
			l->b = l->c = x.size;
	}
}
