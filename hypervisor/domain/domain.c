/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: creation, look-up, references.
 *
 * A domain stays in the list until its last reference goes; a dying one can still be looked up, so
 * that tools see it dying. The list and ids: domlist_lock.
 */
#include <cpu.h>
#include <event.h>
#include <grant.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <rangeset.h>
#include <sched.h>
#include <smp.h>
#include <time.h>
#include <xerrno.h>
#include <xpti.h>

spinlock_t domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct list domain_list = LIST_INIT(domain_list);
struct domain *dom0, *dom_io, *dom_xen, *idle_domain;

static struct domain *by_id[DOMID_FIRST_RESERVED];

bool domain_get(struct domain *d)
{
	int c = READ_ONCE(d->refcount);

	/* A domain whose count reached zero is being freed: too late. */
	while (c > 0)
		if (__atomic_compare_exchange_n(&d->refcount, &c, c + 1, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

struct domain *domain_get_by_id(domid_t id)
{
	struct domain *d;

	if (id == DOMID_SELF) {
		d = current->domain;
		return domain_get(d) ? d : NULL;
	}
	if (id >= DOMID_FIRST_RESERVED)
		return NULL;
	spin_lock(&domlist_lock);
	d = by_id[id];
	if (d && !domain_get(d))
		d = NULL;
	spin_unlock(&domlist_lock);
	return d;
}

struct domain *domain_get_by_any_id(domid_t id)
{
	struct domain *d = NULL;

	if (id == DOMID_IO)
		d = dom_io;
	else if (id == DOMID_XEN)
		d = dom_xen;
	if (d)
		return domain_get(d) ? d : NULL;
	return domain_get_by_id(id);
}

static void vcpu_destroy(struct vcpu *v)
{
	vcpu_timers_destroy(v);
	sched_vcpu_destroy(v);
	evtchn_vcpu_destroy(v);
	fpu_vcpu_destroy(v);
	vcpu_info_unmap(v);
	if (v->id >= XEN_LEGACY_MAX_VCPUS)
		hv_free(v->vcpu_info);
	hv_free(v);
}

static void nothing(void *arg)
{
}

static void domain_free(struct domain *d)
{
	struct vcpu *v;

	/* A CPU that has just switched away from a vCPU still looks at its scheduling state once: every CPU
	 * answering a call is past that. */
	smp_call(&cpu_online_map, nothing, NULL);
	for_each_vcpu(d, v)
		vcpu_destroy(v);
	evtchn_domain_destroy(d);
	grant_domain_destroy(d);
	irq_domain_destroy(d);
	time_domain_destroy(d);
	sched_domain_destroy(d);
	policy_domain_destroy(d);
	mm_domain_destroy(d);
	iorange_destroy(&d->iomem);
	iorange_destroy(&d->ioport);
	iorange_destroy(&d->irq_caps);
	if (d->shared_info) {
		frame_unshare(d->shared_info);
		hv_free_pages(d->shared_info, 0);
	}
	if (d->target)
		domain_put(d->target);
	hv_free(d->vcpus);
	hv_free(d);
}

void domain_put(struct domain *d)
{
	if (__atomic_sub_fetch(&d->refcount, 1, __ATOMIC_ACQ_REL))
		return;
	spin_lock(&domlist_lock);
	if (d->id < DOMID_FIRST_RESERVED && by_id[d->id] == d)
		by_id[d->id] = NULL;
	list_del(&d->list);
	spin_unlock(&domlist_lock);
	domain_free(d);
	/* Tools watching VIRQ_DOM_EXC find it gone. */
	evtchn_send_host_virq(VIRQ_DOM_EXC);
}

static void domain_insert(struct domain *d)
{
	struct domain *pos;

	spin_lock(&domlist_lock);
	list_for_each(pos, &domain_list, list)
		if (pos->id > d->id)
			break;
	/* pos is the first with a larger id, or the head itself. */
	list_add_tail(&d->list, &pos->list);
	by_id[d->id] = d;
	spin_unlock(&domlist_lock);
}

static struct domain *domain_alloc(domid_t id, unsigned int max_vcpus)
{
	struct domain *d = hv_new(struct domain);

	if (!d)
		return NULL;
	d->vcpus = hv_new_array(struct vcpu *, max_vcpus ? max_vcpus : 1);
	if (!d->vcpus) {
		hv_free(d);
		return NULL;
	}
	d->id = id;
	d->max_vcpus = max_vcpus;
	d->refcount = 1;
	d->shutdown_code = ~0U; /* none yet */
	spin_lock_init(&d->lock, RANK_DOMAIN);
	list_init(&d->list);
	return d;
}

struct domain *domain_create_system(domid_t id)
{
	struct domain *d = domain_alloc(id, id == DOMID_IDLE ? NR_CPUS : 0);

	if (!d || mm_domain_init(d))
		panic("No memory for system domain %u", id);
	d->is_system = true;
	d->is_idle = id == DOMID_IDLE;
	d->creation_finished = true;
	return d;
}

static int domain_init_rooms(struct domain *d)
{
	int rc = mm_domain_init(d);

	if (!rc)
		rc = policy_domain_init(d);
	if (!rc)
		rc = sched_domain_init(d, 0);
	if (!rc)
		rc = evtchn_domain_init(d);
	if (!rc)
		rc = grant_domain_init(d);
	if (!rc)
		rc = irq_domain_init(d);
	if (!rc)
		rc = time_domain_init(d);
	if (rc)
		return rc;
	d->shared_info = hv_alloc_pages(0);
	if (!d->shared_info)
		return -ENOMEM;
	d->shared_info_mfn = virt_to_mfn(d->shared_info);
	frame_share_with_guest(d->shared_info, d, true);
	return 0;
}

struct domain *domain_create(domid_t id, const struct domain_config *cfg, int *err)
{
	struct domain *d = domain_alloc(id, cfg->max_vcpus);

	*err = -ENOMEM;
	if (!d)
		return NULL;
	memcpy(d->handle, cfg->handle, sizeof(d->handle));
	d->ssidref = cfg->ssidref;
	d->is_control = d->is_hardware = cfg->privileged;
	d->isolated = cfg->privileged ? xpti_for_control : xpti_for_others;
	d->max_evtchn_port = min(cfg->max_evtchn_port, 0x7fffffffU);
	d->max_grant_frames = cfg->max_grant_frames < 0 ? 64 : (u32)cfg->max_grant_frames;
	d->max_maptrack_frames = cfg->max_maptrack_frames < 0 ? 1024 : (u32)cfg->max_maptrack_frames;
	d->max_grant_version = cfg->grant_opts ? cfg->grant_opts & 0xf : 2;
	d->controller_pause_count = 1;
	d->is_paused_by_controller = true;
	*err = domain_init_rooms(d);
	if (*err) {
		domain_free(d);
		return NULL;
	}
	if (d->isolated)
		d->mm->fault_work |= FAULT_ISOLATED;
	domain_insert(d);
	return d;
}

struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v = hv_new(struct vcpu);

	if (!v)
		return NULL;
	v->domain = d;
	v->self_regs = v->entry_regs = &v->regs;
	v->id = id;
	v->loaded_on = -1;
	v->dirty_cpu = ~0U;
	v->guest_table = v->guest_table_user = INVALID_MFN;
	v->vcpu_info_mfn = INVALID_MFN;
	v->is_idle = d->is_idle;
	v->pv.kernel_mode = 1;
	v->pv.ctrlreg[0] = X86_CR0_GUEST;
	v->pv.dr[6] = 0xffff0ff0;
	v->pv.dr[7] = 0x400;
	spin_lock_init(&v->virq_lock, RANK_EVTCHN);
	if (d->is_idle) {
		v->cpu = id;
		v->initialised = true;
		v->running = true;
		d->vcpus[id] = v;
		return v;
	}
	/* Down until VCPUOP_up, or until a controller gives vCPU 0 its context and the domain is unpaused. */
	v->pause_flags = BIT(VPF_DOWN);
	/* Beyond the legacy array a vCPU gets events only once it has registered its own area. */
	v->vcpu_info = id < XEN_LEGACY_MAX_VCPUS ? &d->shared_info->vcpu_info[id]
						 : hv_zalloc(sizeof(struct vcpu_info));
	if (!v->vcpu_info)
		goto fail;
	v->vcpu_info->evtchn_upcall_mask = 1;
	if (fpu_vcpu_init(v) || evtchn_vcpu_init(v) || sched_vcpu_init(v) || vcpu_timers_init(v))
		goto fail;
	d->vcpus[id] = v;
	return v;
fail:
	vcpu_destroy(v);
	return NULL;
}
