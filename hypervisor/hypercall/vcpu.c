/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VCPUOPs: bringing vCPUs up and down, areas they share with the hypervisor, timers. Page:
 * docs/abi/vcpu.md. */
#include <apic.h>
#include <bitops.h>
#include <event.h>
#include <hypercall.h>
#include <hypercall/vcpu_timer.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <sched_policy.h>
#include <time.h>
#include <uaccess.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/* arg is the argument copied in, or for VCPUOP_initialise (too big for that) its guest address. */
typedef long vcpuop_fn(struct vcpu *v, void *arg);

static long vcpuop_initialise(struct vcpu *v, void *arg)
{
	struct vcpu_guest_context *ctx;
	long rc = 0;

	if (v->initialised)
		return -EEXIST;
	ctx = hv_new(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	if (copy_from_guest_va(ctx, (u64)arg, sizeof(*ctx)))
		rc = -EFAULT;
	/* Two vCPUs may initialise a third at once: the second finds it done. */
	spin_lock(&v->domain->lock);
	if (!rc && v->initialised)
		rc = -EEXIST;
	if (!rc)
		rc = pv_set_context(v, ctx);
	if (!rc)
		v->initialised = true;
	spin_unlock(&v->domain->lock);
	hv_free(ctx);
	return rc;
}

static long vcpuop_up(struct vcpu *v, void *arg)
{
	if (!v->initialised)
		return -EINVAL;
	if (test_and_clear_bit(VPF_DOWN, &v->pause_flags))
		sched_wake(v);
	return 0;
}

/* The last one going down takes the domain with it. */
static long vcpuop_down(struct vcpu *v, void *arg)
{
	struct vcpu *other;
	bool others = false;

	for_each_vcpu(v->domain, other)
		others |= other != v && !test_bit(VPF_DOWN, &other->pause_flags);
	if (!others) {
		domain_shutdown(v->domain, SHUTDOWN_poweroff);
		return 0;
	}
	if (!test_and_set_bit(VPF_DOWN, &v->pause_flags))
		sched_sleep(v);
	return 0;
}

static long vcpuop_is_up(struct vcpu *v, void *arg)
{
	return !test_bit(VPF_DOWN, &v->pause_flags);
}

static long vcpuop_get_runstate_info(struct vcpu *v, void *arg)
{
	vcpu_runstate_get(v, arg);
	return 0;
}

static long vcpuop_register_runstate_memory_area(struct vcpu *v, void *arg)
{
	const struct vcpu_register_runstate_memory_area *a = arg;
	struct vcpu_runstate_info info;

	if (a->addr.p && !guest_range_ok(a->addr.p, sizeof(info)))
		return -EFAULT;
	v->runstate_guest = a->addr.p;
	if (v == current) {
		vcpu_runstate_update_guest(v);
		return 0;
	}
	if (!a->addr.p)
		return 0;
	vcpu_runstate_get(v, &info);
	/* Not mapped just now is not an error: it is written again whenever v is scheduled. */
	(void)raw_copy_to_guest(a->addr.p, &info, sizeof(info));
	return 0;
}

static long vcpuop_set_periodic_timer(struct vcpu *v, void *arg)
{
	const struct vcpu_set_periodic_timer *a = arg;

	return vcpu_periodic_set(v, a->period_ns);
}

static long vcpuop_stop_periodic_timer(struct vcpu *v, void *arg)
{
	vcpu_periodic_stop(v);
	return 0;
}

static long vcpuop_set_singleshot_timer(struct vcpu *v, void *arg)
{
	const struct vcpu_set_singleshot_timer *a = arg;

	if (v != current)
		return -EINVAL;
	/* VCPU_SSHOTTMR_future makes no difference: a time in the past raises the event at once. */
	vcpu_singleshot_set(v, a->timeout_abs_ns);
	return 0;
}

static long vcpuop_stop_singleshot_timer(struct vcpu *v, void *arg)
{
	if (v != current)
		return -EINVAL;
	vcpu_singleshot_stop(v);
	return 0;
}

static bool info_mapped(const struct vcpu *v)
{
	return v->vcpu_info_mfn.n && !mfn_eq(v->vcpu_info_mfn, INVALID_MFN);
}

/*
 * From the guest's shared_info page (vCPUs 0..31) to memory of its own. What was pending stays
 * pending, and everything is looked at once more, so that an event raised during the move is not
 * lost.
 */
static long vcpuop_register_vcpu_info(struct vcpu *v, void *arg)
{
	const struct vcpu_register_vcpu_info *a = arg;
	struct vcpu_info *old = v->vcpu_info, *info;
	struct frame *f;

	if (a->offset > PAGE_SIZE - sizeof(*info))
		return -ENXIO;
	if ((a->offset & 7) || info_mapped(v))
		return -EINVAL;
	if (v != current && !test_bit(VPF_DOWN, &v->pause_flags))
		return -EINVAL;
	if (!mfn_valid(MFN(a->mfn)))
		return -EINVAL;
	f = mfn_to_frame(MFN(a->mfn));
	if (!frame_get_and_type(f, v->domain, FT_WRITABLE))
		return -EINVAL;
	info = (struct vcpu_info *)((u8 *)map_frame(MFN(a->mfn)) + a->offset);
	memmove(info, old, sizeof(*info)); /* it may overlap: a guest may name its shared_info */
	v->vcpu_info_home = old;
	v->vcpu_info_mfn = MFN(a->mfn);
	__atomic_store_n(&v->vcpu_info, info, __ATOMIC_SEQ_CST);
	v->time_generation = 0;
	if (v == current)
		time_update_vcpu(v);

	info->evtchn_pending_sel = ~0UL;
	vcpu_mark_events_pending(v);
	return 0;
}

void vcpu_info_unmap(struct vcpu *v)
{
	struct frame *f;

	if (!info_mapped(v))
		return;
	f = mfn_to_frame(v->vcpu_info_mfn);
	v->vcpu_info = v->vcpu_info_home;
	v->vcpu_info_mfn = INVALID_MFN;
	frame_put_and_type(f);
}

static long vcpuop_send_nmi(struct vcpu *v, void *arg)
{
	if (!__atomic_exchange_n(&v->nmi_pending, true, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&v->async_pending, 1, __ATOMIC_SEQ_CST);
		vcpu_kick(v);
	}
	return 0;
}

/* Which CPU a pinned vCPU of the hardware domain is. */
static long vcpuop_get_physid(struct vcpu *v, void *arg)
{
	struct vcpu_get_physid *a = arg;
	unsigned int cpu = cpumask_first(&v->sched->hard);

	if (!v->domain->is_hardware || cpumask_weight(&v->sched->hard) != 1)
		return -EINVAL;
	a->phys_id = cpu_apic_id[cpu] | (u64)cpu_acpi_id[cpu] << 32;
	return 0;
}

static long vcpuop_register_vcpu_time_memory_area(struct vcpu *v, void *arg)
{
	const struct vcpu_register_time_memory_area *a = arg;

	if (a->addr.p && !guest_range_ok(a->addr.p, sizeof(struct vcpu_time_info)))
		return -EFAULT;
	v->time_area_guest = a->addr.p;
	if (v == current)
		time_update_vcpu_area(v);
	else
		v->time_generation = 0;
	return 0;
}

struct vcpuop_row {
	u16 size;
	u8 dir;
	vcpuop_fn *fn;
};
#define OP(family, nr, opname, type, d, p, r) \
	[nr] = {sizeof(*_Generic((type *)0, void *: (char(*)[0])0, default: (type *)0)), HC_##d, vcpuop_##opname},
static const struct vcpuop_row vcpuop_rows[] = {
#include <def/vcpu.def>
};
#undef OP

/* All ones when i < n, else 0, without a branch to be predicted. */
static inline u64 below_mask(u64 i, u64 n)
{
	u64 mask;

	__asm__ volatile("cmp %1, %2; sbb %0, %0" : "=r"(mask) : "r"(n), "r"(i) : "cc");
	return mask;
}

long do_vcpu_op(u64 cmd, u64 vcpuid, u64 uarg, u64 a4, u64 a5)
{
	struct domain *d = current->domain;
	const struct vcpuop_row *row;
	struct vcpu *v;
	u64 buf[4];
	long rc;

	vcpuid = (u32)vcpuid;
	if (vcpuid >= d->max_vcpus)
		return -ENOENT;
	v = d->vcpus[vcpuid & below_mask(vcpuid, d->max_vcpus)];
	if (!v)
		return -ENOENT;
	cmd = (u32)cmd;
	if (cmd >= ARRAY_SIZE(vcpuop_rows))
		return -ENOSYS;
	row = &vcpuop_rows[cmd & below_mask(cmd, ARRAY_SIZE(vcpuop_rows))];

	if (row->size > sizeof(struct vcpu_runstate_info))
		return row->fn(v, (void *)uarg);
	if (row->dir == HC_OUT) {
		struct vcpu_runstate_info out = {0};

		rc = row->fn(v, &out);
		return rc ? rc : copy_to_guest_va(uarg, &out, row->size);
	}
	if (row->dir == HC_IN && copy_from_guest_va(buf, uarg, row->size))
		return -EFAULT;
	return row->fn(v, buf);
}
