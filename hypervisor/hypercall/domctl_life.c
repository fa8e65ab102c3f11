/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOMCTLs on a whole domain: birth, pausing, death, its names and modes. core/domain does the work.
 * Lock: domctl_lock, held by the dispatcher.
 */
#include <event.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <sched.h>
#include <time.h>

#define MAX_PV_VCPUS 128U

/* Errors in the order the reference implementation finds them. */
static int check_config(const struct xen_domctl_createdomain *c)
{
	const u32 hvm_only = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_s3_integrity |
			     XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_nested_virt;

	if (c->flags & ~(u32)(XEN_DOMCTL_CDF_MAX | (XEN_DOMCTL_CDF_MAX - 1)))
		return -EINVAL;
	if (c->flags & (hvm_only | XEN_DOMCTL_CDF_iommu | XEN_DOMCTL_CDF_vpmu) || c->iommu_opts)
		return -EINVAL;
	if (c->max_vcpus < 1 || c->max_vcpus > MAX_PV_VCPUS)
		return -EINVAL;
	if (c->vmtrace_size || c->arch.emulation_flags || c->arch.misc_flags & ~XEN_X86_MISC_FLAGS_MAX)
		return -EINVAL;
	if (c->grant_opts & ~(u32)XEN_DOMCTL_GRANT_version_mask ||
	    XEN_DOMCTL_GRANT_version(c->grant_opts) < 1 || XEN_DOMCTL_GRANT_version(c->grant_opts) > 2)
		return -EINVAL;
	if (c->max_grant_frames < -1 || c->max_maptrack_frames < -1)
		return -EINVAL;
	return c->cpupool_id ? -ENOENT : 0;
}

static bool id_is_free(domid_t id)
{
	struct domain *d = domain_get_by_id(id);

	if (d)
		domain_put(d);
	return !d;
}

/* Numbers are not used again until all others have been. */
static int choose_id(domid_t wanted, domid_t *id)
{
	static domid_t last;

	if (wanted && wanted < DOMID_FIRST_RESERVED) {
		*id = wanted;
		return id_is_free(wanted) ? 0 : -EEXIST;
	}
	for (unsigned int tries = 1; tries < DOMID_FIRST_RESERVED; tries++) {
		last = (domid_t)(last + 1 >= (int)DOMID_FIRST_RESERVED ? 1 : last + 1);
		if (id_is_free(last)) {
			*id = last;
			return 0;
		}
	}
	return -ENOMEM;
}

/* A domain is born with one such pause (domain_create). */
static void control_pause(struct domain *d)
{
	__atomic_fetch_add(&d->controller_pause_count, 1, __ATOMIC_SEQ_CST);
	/* Waits until none of its vCPUs runs. */
	domain_pause(d);
	domain_unpause(d);
}

static int control_unpause(struct domain *d)
{
	struct vcpu *v;

	if (!d->controller_pause_count)
		return -EINVAL;
	d->creation_finished = true;
	if (!__atomic_sub_fetch(&d->controller_pause_count, 1, __ATOMIC_SEQ_CST))
		for_each_vcpu(d, v)
			sched_wake(v);
	return 0;
}

long domctl_createdomain(struct domain *none, struct xen_domctl *op)
{
	const struct xen_domctl_createdomain *c = &op->u.createdomain;
	struct domain_config cfg = {
		.ssidref = c->ssidref,
		.flags = c->flags,
		.max_vcpus = c->max_vcpus,
		.max_evtchn_port = min(c->max_evtchn_port, (u32)INT_MAX),
		.grant_opts = c->grant_opts,
		.max_grant_frames = c->max_grant_frames,
		.max_maptrack_frames = c->max_maptrack_frames,
	};
	struct domain *d;
	domid_t id;
	int ret;

	ret = choose_id(op->domain, &id);
	if (ret)
		return ret;
	ret = check_config(c);
	if (ret)
		return ret;
	memcpy(cfg.handle, c->handle, sizeof(cfg.handle));
	d = domain_create(id, &cfg, &ret);
	if (!d)
		return ret;
	d->msr_relaxed = c->arch.misc_flags & XEN_X86_MSR_RELAXED;
	d->mm->max_pages = 0; /* until XEN_DOMCTL_max_mem says otherwise */
	op->domain = id;
	return 0;
}

long domctl_destroydomain(struct domain *d, struct xen_domctl *op)
{
	return d == current->domain ? -EINVAL : domain_kill(d);
}

long domctl_pausedomain(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	control_pause(d);
	return 0;
}

long domctl_unpausedomain(struct domain *d, struct xen_domctl *op)
{
	return control_unpause(d);
}

long domctl_getdomaininfo(struct domain *d, struct xen_domctl *op)
{
	ctl_domain_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	return 0;
}

long domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	int ret = 0;

	if (d == current->domain || op->u.max_vcpus.max != d->max_vcpus)
		return -EINVAL;
	domain_pause(d);
	for (unsigned int i = 0; i < d->max_vcpus && !ret; i++)
		if (!d->vcpus[i] && !vcpu_create(d, i))
			ret = -ENOMEM;
	domain_unpause(d);
	return ret;
}

long domctl_setdomainhandle(struct domain *d, struct xen_domctl *op)
{
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

long domctl_resumedomain(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	domain_resume(d);
	return 0;
}

long domctl_set_target(struct domain *d, struct xen_domctl *op)
{
	struct domain *target = domain_get_by_id(op->u.set_target.target);

	if (!target)
		return -ESRCH;
	if (d == target || d->target) {
		domain_put(target);
		return -EINVAL;
	}
	d->target = target; /* keeps the reference */
	return 0;
}

/* PV guests have 64-bit words here, and that is how they start. */
long domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
	return op->u.address_size.size == 64 ? 0 : -EINVAL;
}

long domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
	op->u.address_size.size = 64;
	return 0;
}

long domctl_set_virq_handler(struct domain *d, struct xen_domctl *op)
{
	return evtchn_set_virq_handler(d, op->u.set_virq_handler.virq);
}

long domctl_subscribe(struct domain *d, struct xen_domctl *op)
{
	d->suspend_evtchn = op->u.subscribe.port;
	return 0;
}

long domctl_settimeoffset(struct domain *d, struct xen_domctl *op)
{
	time_set_domain_offset(d, op->u.settimeoffset.time_offset_seconds);
	return 0;
}

long domctl_settscinfo(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_tsc_info *t = &op->u.tsc_info;
	int ret;

	if (d == current->domain)
		return -EINVAL;
	domain_pause(d);
	ret = tsc_set_info(d, t->tsc_mode, t->elapsed_nsec, t->gtsc_khz, t->incarnation);
	domain_unpause(d);
	return ret;
}

long domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;
	u64 elapsed;

	if (d == current->domain)
		return -EINVAL;
	memset(t, 0, sizeof(*t));
	domain_pause(d);
	tsc_get_info(d, &t->tsc_mode, &elapsed, &t->gtsc_khz, &t->incarnation);
	t->elapsed_nsec = elapsed;
	domain_unpause(d);
	return 0;
}

long domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
	return sched_domctl(d, &op->u.scheduler_op);
}

/* One node: a set that leaves it out cannot be had. */
long domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *map = &op->u.nodeaffinity.nodemap;
	u8 nodes = 0;

	if (map->nr_bits && copy_from_guest_va(&nodes, (u64)map->bitmap.p, 1))
		return -EFAULT;
	return nodes & 1 ? 0 : -EINVAL;
}

long domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *map = &op->u.nodeaffinity.nodemap;
	u64 bytes = (map->nr_bits + 7ULL) / 8, to = (u64)map->bitmap.p;
	u8 nodes = 1;

	if (!bytes)
		return 0;
	if (copy_to_guest_va(to, &nodes, 1))
		return -EFAULT;
	return clear_guest_va(to + 1, bytes - 1);
}

long domctl_soft_reset(struct domain *d, struct xen_domctl *op)
{
	return -EOPNOTSUPP; /* for HVM guests */
}

long domctl_setdebugging(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	return op->u.setdebugging.enable ? -EOPNOTSUPP : 0;
}
