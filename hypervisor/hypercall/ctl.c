/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the control interface: finding domains and vCPUs, their description, sets of CPUs. */
#include <cpumask.h>
#include <grant.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <sched.h>

struct vcpu *ctl_vcpu(struct domain *d, u32 id)
{
	return id < d->max_vcpus ? d->vcpus[id] : NULL;
}

static struct domain *lowest_from(unsigned int id)
{
	struct domain *d, *found = NULL;

	list_for_each(d, &domain_list, list)
		if (d->id >= id && !d->is_idle && !d->is_system && (!found || d->id < found->id))
			found = d;
	return found;
}

struct domain *ctl_domain_from(domid_t id)
{
	struct domain *d;

	if (id >= DOMID_FIRST_RESERVED)
		return NULL;
	spin_lock(&domlist_lock);
	/* One that is just going away gives no reference: the next, then. */
	for (d = lowest_from(id); d && !domain_get(d);)
		d = lowest_from(d->id + 1U);
	spin_unlock(&domlist_lock);
	return d;
}

void ctl_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	u32 flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(d, v) {
		info->cpu_time += vcpu_cpu_time(v);
		info->max_vcpu_id = v->id;
		if (test_bit(VPF_DOWN, &v->pause_flags))
			continue;
		if (!test_bit(VPF_BLOCKED, &v->pause_flags))
			flags &= ~XEN_DOMINF_blocked;
		if (READ_ONCE(v->running))
			flags |= XEN_DOMINF_running;
		info->nr_online_vcpus++;
	}
	if (!info->nr_online_vcpus)
		flags = 0;
	if (d->dying == DOMDYING_dead)
		flags |= XEN_DOMINF_dying;
	if (d->is_shut_down)
		flags |= XEN_DOMINF_shutdown;
	if (d->controller_pause_count > 0)
		flags |= XEN_DOMINF_paused;
	info->flags = flags | d->shutdown_code << XEN_DOMINF_shutdownshift;
	info->ssidref = d->ssidref;
	info->tot_pages = d->mm->tot_pages;
	info->max_pages = d->mm->max_pages;
	info->outstanding_pages = d->mm->outstanding_pages;
	info->shr_pages = d->mm->shr_pages;
	info->shared_info_frame = d->shared_info_mfn.n;
	memcpy(info->handle, d->handle, sizeof(info->handle));
}

int ctl_put_cpumask(const struct xenctl_bitmap *out, const cpumask_t *mask)
{
	u64 bytes = (out->nr_bits + 7ULL) / 8, have = DIV_ROUND_UP(nr_cpu_ids, 8), copy = min(bytes, have);
	u64 to = (u64)out->bitmap.p;

	if (copy_to_guest_va(to, mask->bits, copy))
		return -EFAULT;
	return clear_guest_va(to + copy, bytes - copy);
}

int ctl_get_cpumask(cpumask_t *mask, const struct xenctl_bitmap *in)
{
	u64 bytes = (in->nr_bits + 7ULL) / 8;

	cpumask_clear(mask);
	if (copy_from_guest_va(mask->bits, (u64)in->bitmap.p, min(bytes, (u64)sizeof(mask->bits))))
		return -EFAULT;
	for (unsigned int cpu = in->nr_bits; cpu < NR_CPUS; cpu++)
		cpumask_unset(cpu, mask);
	return 0;
}
