/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPU policies have in common. policy.h has the rules; each is the minimum of some order, or a meet of
 * flags, which is why the order of the hosts makes no difference.
 */
#include "policy.h"

#include <errno.h>
#include <string.h>

#define MSR_PLATFORM_INFO 0xceu
#define MSR_ARCH_CAPABILITIES 0x10au
#define WARN_7_EBX (1u << 6 | 1u << 13)         /* FDP_EXCP_ONLY, NO_FPU_SEL */
#define WARN_ARCH_CAPS (1ull << 2 | 1ull << 19) /* RSBA, RRSBA */

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

bool policy_warning(unsigned int bit)
{
	return bit == 5 * 32 + 6 || bit == 5 * 32 + 13 || bit == 16 * 32 + 2 || bit == 16 * 32 + 19;
}

void policy_vendor(const struct xc_policy *p, char vendor[13])
{
	const xen_cpuid_leaf_t *l = xc_policy_leaf(p, 0, 0);

	memset(vendor, 0, 13);
	if (!l)
		return;
	memcpy(vendor, &l->b, 4);
	memcpy(vendor + 4, &l->d, 4);
	memcpy(vendor + 8, &l->c, 4);
	/* It is printed: a policy from a file may say anything. */
	for (unsigned int i = 0; i < 12 && vendor[i]; i++)
		if (vendor[i] < 0x20 || vendor[i] > 0x7e)
			vendor[i] = '?';
}

unsigned int policy_lacks(const struct xc_policy *a, const struct xc_policy *b,
			  uint32_t words[XC_FEATURE_WORDS])
{
	uint32_t other[XC_FEATURE_WORDS];
	unsigned int n = 0;

	xc_policy_features(a, words);
	xc_policy_features(b, other);
	for (unsigned int bit = 0; bit < XC_FEATURE_WORDS * 32; bit++) {
		if (xc_feature_dynamic(bit) || other[bit / 32] >> bit % 32 & 1)
			words[bit / 32] &= ~(1u << bit % 32);
		n += words[bit / 32] >> bit % 32 & 1;
	}
	return n;
}

/* -------- who the CPU says it is -------- */

/* The registers of a leaf that describe the CPU and promise nothing; false for a leaf that has none. */
static bool description(const xen_cpuid_leaf_t *l, xen_cpuid_leaf_t *d)
{
	*d = *l;
	switch (l->leaf) {
	case 2:
	case 4:
	case 0xb:
	case 0x1f:
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000005:
	case 0x80000006:
	case 0x8000001d:
	case 0x8000001e:
		return true;
	case 1:
	case 0x80000001:
		d->c = d->d = 0;
		return true;
	case 0x80000008:
		d->a = d->b = d->d = 0;
		return true;
	default:
		return false;
	}
}

static bool describes_alone(uint32_t leaf)
{
	return leaf != 1 && leaf != 0x80000001 && leaf != 0x80000008;
}

/* The next leaf with a description, from *i on. */
static bool next_description(const struct xc_policy *p, uint32_t *i, xen_cpuid_leaf_t *d)
{
	while (*i < p->nr_leaves)
		if (description(&p->leaves[(*i)++], d))
			return true;
	return false;
}

/* A total order of descriptions; family, model and stepping come first because leaf 1 does. */
static int age(const struct xc_policy *a, const struct xc_policy *b)
{
	uint32_t i = 0, k = 0;

	for (;;) {
		xen_cpuid_leaf_t x, y;
		bool more = next_description(a, &i, &x);
		int rc;

		if (more != next_description(b, &k, &y))
			return more ? 1 : -1;
		if (!more)
			return 0;
		if (x.leaf == y.leaf && x.a != y.a)
			return x.a < y.a ? -1 : 1;
		rc = memcmp(&x, &y, sizeof(x));
		if (rc)
			return rc;
	}
}

/* -------- the meet of two -------- */

static void meet_all(xen_cpuid_leaf_t *x, const xen_cpuid_leaf_t *y)
{
	x->a &= y->a;
	x->b &= y->b;
	x->c &= y->c;
	x->d &= y->d;
}

static bool meet_xstate(xen_cpuid_leaf_t *x, const xen_cpuid_leaf_t *y, uint64_t mask)
{
	if (x->subleaf == 0) { /* settled later */
		x->b = min32(x->b, y->b);
		x->c = min32(x->c, y->c);
		return true;
	}
	if (x->subleaf == 1) {
		x->a &= y->a;
		x->b = min32(x->b, y->b);
		x->c &= y->c;
		x->d &= y->d;
		return true;
	}
	/* Components of XCR0 by the mask, those of XSS when they are the same. */
	return (x->subleaf < 63 && mask >> x->subleaf & 1) || (x->c & y->c & 1 && !memcmp(x, y, sizeof(*x)));
}

/* x: a leaf of one, made what both have; y: the same leaf of the other. False: it is in neither. */
static bool meet_leaf(xen_cpuid_leaf_t *x, const xen_cpuid_leaf_t *y, uint64_t mask)
{
	uint32_t warn;

	switch (x->leaf) {
	case 0:
	case 0x80000000:
	case 0x40000000:
	case 0x40000100:
		x->a = min32(x->a, y->a);
		return x->b == y->b && x->c == y->c && x->d == y->d;
	case 1:
	case 0x80000001: /* a and b describe, and come from the older */
		x->c &= y->c;
		x->d &= y->d;
		return true;
	case 7:
		warn = x->subleaf ? 0 : (x->b | y->b) & WARN_7_EBX;
		if (x->subleaf) {
			meet_all(x, y);
		} else {
			x->a = min32(x->a, y->a);
			x->b = (x->b & y->b) | warn;
			x->c &= y->c;
			x->d &= y->d;
		}
		return true;
	case 0xd:
		return meet_xstate(x, y, mask);
	case 0x80000007:
		meet_all(x, y);
		return true;
	case 0x80000008: /* a: three widths, a byte each; c describes */
		x->a = min32(x->a & 0xff, y->a & 0xff) | min32(x->a & 0xff00, y->a & 0xff00) |
		       min32(x->a & 0xff0000, y->a & 0xff0000);
		x->b &= y->b;
		x->d &= y->d;
		return true;
	case 0x80000021:
		x->a &= y->a;
		x->b = min32(x->b, y->b);
		x->c &= y->c;
		x->d &= y->d;
		return true;
	default:
		return !memcmp(x, y, sizeof(*x));
	}
}

static bool meet_msr(xen_msr_entry_t *x, const xen_msr_entry_t *y)
{
	switch (x->idx) {
	case MSR_ARCH_CAPABILITIES:
		x->val = (x->val & y->val) | ((x->val | y->val) & WARN_ARCH_CAPS);
		return true;
	case MSR_PLATFORM_INFO:
		x->val &= y->val;
		return true;
	default:
		return x->val == y->val;
	}
}

static int policy_alloc(struct xc_policy *p, uint32_t leaves, uint32_t msrs)
{
	memset(p, 0, sizeof(*p));
	p->leaves = calloc(leaves ? leaves : 1, sizeof(*p->leaves));
	p->msrs = calloc(msrs ? msrs : 1, sizeof(*p->msrs));
	if (p->leaves && p->msrs)
		return 0;
	xc_policy_free(p);
	return -ENOMEM;
}

static bool within_limits(const struct xc_policy *p, uint32_t leaf)
{
	const xen_cpuid_leaf_t *l = xc_policy_leaf(p, leaf & 0xffff0000u, 0);

	return !l || leaf <= l->a || (leaf & 0xffff0000u) == 0x40000000u;
}

/* out := a and b, a being the older. `out` is empty after an error. */
static int meet(struct xc_policy *out, const struct xc_policy *a, const struct xc_policy *b)
{
	uint64_t mask = policy_xstate_shared(a, b);
	uint32_t kept = 0;

	if (policy_alloc(out, a->nr_leaves, a->nr_msrs) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->nr_leaves; i++) {
		xen_cpuid_leaf_t l = a->leaves[i], d;
		const xen_cpuid_leaf_t *other = policy_leaf(b, l.leaf, l.subleaf);

		if ((description(&l, &d) && describes_alone(l.leaf)) || (other && meet_leaf(&l, other, mask)))
			out->leaves[out->nr_leaves++] = l;
	}
	/* The limits of both are known now. */
	for (uint32_t i = 0; i < out->nr_leaves; i++)
		if (within_limits(out, out->leaves[i].leaf))
			out->leaves[kept++] = out->leaves[i];
	out->nr_leaves = kept;
	policy_xstate_settle(out, mask, a, b);
	for (uint32_t i = 0; i < a->nr_msrs; i++) {
		xen_msr_entry_t m = a->msrs[i];

		for (uint32_t k = 0; k < b->nr_msrs; k++)
			if (b->msrs[k].idx == m.idx && meet_msr(&m, &b->msrs[k])) {
				out->msrs[out->nr_msrs++] = m;
				break;
			}
	}
	return 0;
}

static int policy_copy(struct xc_policy *to, const struct xc_policy *from)
{
	if (policy_alloc(to, from->nr_leaves, from->nr_msrs) < 0)
		return -ENOMEM;
	if (from->nr_leaves)
		memcpy(to->leaves, from->leaves, from->nr_leaves * sizeof(*from->leaves));
	if (from->nr_msrs)
		memcpy(to->msrs, from->msrs, from->nr_msrs * sizeof(*from->msrs));
	to->nr_leaves = from->nr_leaves;
	to->nr_msrs = from->nr_msrs;
	return 0;
}

int policy_common(struct xc_policy *out, const struct xc_policy *in, unsigned int n, char *error, size_t len)
{
	char vendor[13], other[13];
	unsigned int oldest = 0;
	int rc;

	policy_vendor(&in[0], vendor);
	for (unsigned int i = 1; i < n; i++) {
		policy_vendor(&in[i], other);
		if (strcmp(vendor, other)) {
			snprintf(error, len,
				 "CPUs of %s and of %s have no common set: keep a pool for each vendor",
				 *vendor ? vendor : "nameless", *other ? other : "nameless");
			return -EINVAL;
		}
		if (age(&in[i], &in[oldest]) < 0)
			oldest = i;
	}
	rc = policy_copy(out, &in[oldest]);
	for (unsigned int i = 0; i < n && rc == 0; i++) {
		struct xc_policy both;

		if (i == oldest)
			continue;
		rc = meet(&both, out, &in[i]);
		xc_policy_free(out);
		*out = both;
	}
	if (rc < 0)
		snprintf(error, len, "%s", strerror(-rc));
	return rc;
}
