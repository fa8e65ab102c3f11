/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU policies in the tools' form, of the host (SYSCTL) and of a domain (DOMCTL). Lock: the
 * dispatchers'. */
#include <cpu_policy.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <xen/arch-x86/xen.h>

/* Masking CPUID in hardware is not used: PV guests ask through the forced prefix or fault. */
long sysctl_get_cpu_levelling_caps(struct xen_sysctl *op)
{
	op->u.cpu_levelling_caps.caps = 0;
	return 0;
}

long sysctl_get_cpu_featureset(struct xen_sysctl *op)
{
	static const struct cpu_policy *const of[] = {
		[XEN_SYSCTL_cpu_featureset_raw] = &raw_policy,
		[XEN_SYSCTL_cpu_featureset_host] = &host_policy,
		[XEN_SYSCTL_cpu_featureset_pv] = &pv_default_policy,
		[XEN_SYSCTL_cpu_featureset_hvm] = &hvm_default_policy,
		[XEN_SYSCTL_cpu_featureset_pv_max] = &pv_max_policy,
		[XEN_SYSCTL_cpu_featureset_hvm_max] = &hvm_max_policy,
	};
	struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
	u32 words[FEATURE_WORDS], room = f->nr_features;

	if (!f->features.p) {
		f->nr_features = FEATURE_WORDS;
		return 0;
	}
	if (f->index >= ARRAY_SIZE(of))
		return -EINVAL;
	policy_to_featureset(of[f->index], words);
	f->nr_features = min(room, FEATURE_WORDS);
	if (copy_to_guest_h(f->features, words, f->nr_features))
		return -EFAULT;
	return room < FEATURE_WORDS ? -ENOBUFS : 0;
}

struct policy_room {
	struct xen_cpuid_leaf *leaves;
	struct xen_msr_entry *msrs;
};

static int room_alloc(struct policy_room *r)
{
	r->leaves = hv_new_array(struct xen_cpuid_leaf, policy_max_leaves());
	r->msrs = hv_new_array(struct xen_msr_entry, POLICY_MAX_MSRS);
	return r->leaves && r->msrs ? 0 : -ENOMEM;
}

static void room_free(struct policy_room *r)
{
	if (r->leaves)
		hv_free(r->leaves);
	if (r->msrs)
		hv_free(r->msrs);
}

/* Either array may be absent. *leaves and *msrs: room the caller has, then numbers written. */
static long policy_out(const struct cpu_policy *p, u64 leaves_va, u32 *leaves, u64 msrs_va, u32 *msrs)
{
	unsigned int nl = min(*leaves, policy_max_leaves()), nm = min(*msrs, POLICY_MAX_MSRS);
	struct policy_room room;
	long ret = room_alloc(&room);

	if (!ret && leaves_va) {
		ret = policy_write_leaves(p, room.leaves, &nl);
		if (!ret)
			ret = copy_to_guest_va(leaves_va, room.leaves, nl * sizeof(*room.leaves));
		*leaves = nl;
	}
	if (!ret && msrs_va) {
		ret = policy_write_msrs(p, room.msrs, &nm);
		if (!ret)
			ret = copy_to_guest_va(msrs_va, room.msrs, nm * sizeof(*room.msrs));
		*msrs = nm;
	}
	if (!leaves_va)
		*leaves = policy_max_leaves();
	if (!msrs_va)
		*msrs = POLICY_MAX_MSRS;
	room_free(&room);
	return ret;
}

long sysctl_get_cpu_policy(struct xen_sysctl *op)
{
	static const struct cpu_policy *const of[] = {
		[XEN_SYSCTL_cpu_policy_raw] = &raw_policy,
		[XEN_SYSCTL_cpu_policy_host] = &host_policy,
		[XEN_SYSCTL_cpu_policy_pv_max] = &pv_max_policy,
		[XEN_SYSCTL_cpu_policy_hvm_max] = &hvm_max_policy,
		[XEN_SYSCTL_cpu_policy_pv_default] = &pv_default_policy,
		[XEN_SYSCTL_cpu_policy_hvm_default] = &hvm_default_policy,
	};
	struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;

	if (p->_rsvd || p->index >= ARRAY_SIZE(of))
		return -EINVAL;
	return policy_out(of[p->index], (u64)p->leaves.p, &p->nr_leaves, (u64)p->msrs.p, &p->nr_msrs);
}

long domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	return policy_out(d->policy, (u64)p->leaves.p, &p->nr_leaves, (u64)p->msrs.p, &p->nr_msrs);
}

static long policy_in(struct cpu_policy *new, const struct xen_domctl_cpu_policy *p, struct policy_error *err)
{
	struct policy_room room;
	long ret;

	if (p->nr_leaves > policy_max_leaves() || p->nr_msrs > POLICY_MAX_MSRS)
		return -E2BIG;
	ret = room_alloc(&room);
	if (!ret)
		ret = copy_from_guest_h(room.leaves, p->leaves, p->nr_leaves);
	if (!ret)
		ret = copy_from_guest_h(room.msrs, p->msrs, p->nr_msrs);
	if (!ret)
		ret = policy_read_leaves(new, room.leaves, p->nr_leaves, err);
	if (!ret)
		ret = policy_read_msrs(new, room.msrs, p->nr_msrs, err);
	room_free(&room);
	return ret;
}

long domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	struct policy_error err = {~0U, ~0U, ~0U};
	struct cpu_policy *new;
	long ret;

	if (d == current->domain)
		return -EINVAL;
	/* Not any more once it has run. */
	if (d->creation_finished)
		return -EEXIST;
	new = hv_new(struct cpu_policy);
	if (!new)
		return -ENOMEM;
	*new = *d->policy;
	domain_pause(d);
	ret = policy_in(new, p, &err);
	if (!ret)
		ret = policy_domain_set(d, new, &err);
	domain_unpause(d);
	hv_free(new);
	p->err_leaf = err.leaf;
	p->err_subleaf = err.subleaf;
	p->err_msr = err.msr;
	return ret;
}
