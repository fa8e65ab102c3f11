/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPU policies: what CPUID and the feature MSRs tell a domain. Comparison names features, so that
 * "cannot run here" says which instruction set is missing.
 */
#include "xc_internal.h"
#include "feature_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ample for every leaf and MSR the interface defines; the hypervisor answers -ENOBUFS beyond. */
#define MAX_LEAVES 512u
#define MAX_MSRS 64u

static int policy_copy(struct xc_policy *p, const xen_cpuid_leaf_t *l, uint32_t nl, const xen_msr_entry_t *m,
		       uint32_t nm)
{
	p->leaves = calloc(nl ? nl : 1, sizeof(*l));
	p->msrs = calloc(nm ? nm : 1, sizeof(*m));
	if (!p->leaves || !p->msrs) {
		xc_policy_free(p);
		return -ENOMEM;
	}
	memcpy(p->leaves, l, nl * sizeof(*l));
	memcpy(p->msrs, m, nm * sizeof(*m));
	p->nr_leaves = nl;
	p->nr_msrs = nm;
	return 0;
}

int xc_policy_host(struct xc *xc, unsigned int index, struct xc_policy *p)
{
	size_t mark = xc_mark(xc);
	xen_cpuid_leaf_t *l = xc_buffer(xc, MAX_LEAVES * sizeof(*l));
	xen_msr_entry_t *m = xc_buffer(xc, MAX_MSRS * sizeof(*m));
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_get_cpu_policy};
	int rc;

	memset(p, 0, sizeof(*p));
	if (!l || !m)
		return -ENOMEM;
	op.u.cpu_policy.index = index;
	op.u.cpu_policy.nr_leaves = MAX_LEAVES;
	op.u.cpu_policy.nr_msrs = MAX_MSRS;
	set_xen_guest_handle(op.u.cpu_policy.leaves, l);
	set_xen_guest_handle(op.u.cpu_policy.msrs, m);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0)
		rc = policy_copy(p, l, op.u.cpu_policy.nr_leaves, m, op.u.cpu_policy.nr_msrs);
	xc_release(xc, mark);
	return rc;
}

int xc_policy_get(struct xc *xc, domid_t dom, struct xc_policy *p)
{
	size_t mark = xc_mark(xc);
	xen_cpuid_leaf_t *l = xc_buffer(xc, MAX_LEAVES * sizeof(*l));
	xen_msr_entry_t *m = xc_buffer(xc, MAX_MSRS * sizeof(*m));
	struct xen_domctl op = {.cmd = XEN_DOMCTL_get_cpu_policy, .domain = dom};
	int rc;

	memset(p, 0, sizeof(*p));
	if (!l || !m)
		return -ENOMEM;
	op.u.cpu_policy.nr_leaves = MAX_LEAVES;
	op.u.cpu_policy.nr_msrs = MAX_MSRS;
	set_xen_guest_handle(op.u.cpu_policy.leaves, l);
	set_xen_guest_handle(op.u.cpu_policy.msrs, m);
	rc = xc_domctl(xc, &op);
	if (rc >= 0)
		rc = policy_copy(p, l, op.u.cpu_policy.nr_leaves, m, op.u.cpu_policy.nr_msrs);
	xc_release(xc, mark);
	return rc;
}

int xc_policy_set(struct xc *xc, domid_t dom, const struct xc_policy *p)
{
	size_t mark = xc_mark(xc);
	xen_cpuid_leaf_t *l = xc_buffer(xc, p->nr_leaves * sizeof(*l));
	xen_msr_entry_t *m = xc_buffer(xc, p->nr_msrs * sizeof(*m));
	struct xen_domctl op = {.cmd = XEN_DOMCTL_set_cpu_policy, .domain = dom};
	int rc;

	if (!l || !m)
		return -ENOMEM;
	if (p->nr_leaves)
		memcpy(l, p->leaves, p->nr_leaves * sizeof(*l));
	if (p->nr_msrs)
		memcpy(m, p->msrs, p->nr_msrs * sizeof(*m));
	op.u.cpu_policy.nr_leaves = p->nr_leaves;
	op.u.cpu_policy.nr_msrs = p->nr_msrs;
	set_xen_guest_handle(op.u.cpu_policy.leaves, l);
	set_xen_guest_handle(op.u.cpu_policy.msrs, m);
	op.u.cpu_policy.err_leaf = op.u.cpu_policy.err_subleaf = op.u.cpu_policy.err_msr = ~0u;
	rc = xc_domctl(xc, &op);
	xc_release(xc, mark);
	if (rc < 0 && op.u.cpu_policy.err_leaf != ~0u)
		return xc_fail(xc, rc,
			       "domain %u: this host cannot give CPUID leaf %#x.%#x of the policy: %s", dom,
			       op.u.cpu_policy.err_leaf, op.u.cpu_policy.err_subleaf, strerror(-rc));
	if (rc < 0 && op.u.cpu_policy.err_msr != ~0u)
		return xc_fail(xc, rc, "domain %u: this host cannot give MSR %#x of the policy: %s", dom,
			       op.u.cpu_policy.err_msr, strerror(-rc));
	return rc;
}

const xen_cpuid_leaf_t *xc_policy_leaf(const struct xc_policy *p, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < p->nr_leaves; i++) {
		const xen_cpuid_leaf_t *l = &p->leaves[i];

		if (l->leaf == leaf && (l->subleaf == subleaf || l->subleaf == XEN_CPUID_NO_SUBLEAF))
			return l;
	}
	return NULL;
}

void xc_policy_free(struct xc_policy *p)
{
	free(p->leaves);
	free(p->msrs);
	memset(p, 0, sizeof(*p));
}

/* Where each 32-bit word of feature flags lives in CPUID. */
static const struct {
	uint32_t leaf, subleaf;
	unsigned int reg; /* 0..3: eax ebx ecx edx */
} feature_words[] = {
	{1, 0, 3},          {1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
	{0xd, 1, 0},        {7, 0, 1}, {7, 0, 2},          {0x80000007, 0, 3},
	{0x80000008, 0, 1}, {7, 0, 3}, {7, 1, 0},          {0x80000021, 0, 0},
};

/* Bits of 0x80000001.edx that mean the same in 1.edx (AMD APM volume 3, appendix E.4.2). */
#define EXTENDED_COPIES 0x0183f3ffu

static uint32_t feature_word(const struct xc_policy *p, unsigned int w)
{
	const xen_cpuid_leaf_t *l = xc_policy_leaf(p, feature_words[w].leaf, feature_words[w].subleaf);

	if (!l)
		return 0;
	switch (feature_words[w].reg) {
	case 0:
		return l->a;
	case 1:
		return l->b;
	case 2:
		return l->c;
	default:
		return l->d;
	}
}

static const char *feature_name(unsigned int w, unsigned int bit)
{
	for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
		if (feature_names[i].word == w && feature_names[i].bit == bit)
			return feature_names[i].name;
	return NULL;
}

int xc_policy_missing(const struct xc_policy *want, const struct xc_policy *have, char *names, size_t len)
{
	int missing = 0;
	size_t used = 0;

	if (len)
		names[0] = 0;
	for (unsigned int w = 0; w < sizeof(feature_words) / sizeof(feature_words[0]); w++) {
		uint32_t lack = feature_word(want, w) & ~feature_word(have, w);

		/* AMD's extended leaf repeats the flags of leaf 1; a policy may carry them once or twice. */
		if (w == 2)
			lack &= ~(EXTENDED_COPIES & feature_word(have, 0));

		for (unsigned int bit = 0; bit < 32; bit++) {
			char anon[24];
			const char *name;

			/* Dynamic bits mirror the guest's own state (OSXSAVE, APIC, OSPKE). */
			if (!(lack >> bit & 1) || feature_dynamic(w, bit))
				continue;
			name = feature_name(w, bit);
			if (!name) {
				snprintf(anon, sizeof(anon), "%#x[%u].%u", feature_words[w].leaf,
					 feature_words[w].reg, bit);
				name = anon;
			}
			missing++;
			if (used < len)
				used += snprintf(names + used, len - used, "%s%s", used ? ", " : "", name);
		}
	}
	return missing;
}
