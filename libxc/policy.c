/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPU policies: what CPUID and the feature MSRs tell a domain. Comparison names features, so that
 * "cannot run here" says which instruction set is missing.
 */
#include "xc_internal.h"

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

/* What a program may execute is in the words of CPUID up to here; the later ones and the MSRs describe. */
#define EXECUTABLE_WORDS 12u

int xc_policy_missing(const struct xc_policy *want, const struct xc_policy *have, char *names, size_t len)
{
	uint32_t wanted[XC_FEATURE_WORDS], had[XC_FEATURE_WORDS];
	int missing = 0;
	size_t used = 0;

	if (len)
		names[0] = 0;
	xc_policy_features(want, wanted);
	xc_policy_features(have, had);
	for (unsigned int bit = 0; bit < EXECUTABLE_WORDS * 32; bit++) {
		char name[XC_FEATURE_NAME];

		if (!((wanted[bit / 32] & ~had[bit / 32]) >> bit % 32 & 1) || xc_feature_dynamic(bit))
			continue;
		missing++;
		if (used < len)
			used += snprintf(names + used, len - used, "%s%s", used ? ", " : "",
					 xc_feature_name(bit, name));
	}
	return missing;
}
