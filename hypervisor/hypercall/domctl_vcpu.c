/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOMCTLs on one vCPU: its registers, extended state, MSRs, place and signals. Lock: domctl_lock.
 * States are read and written with the domain (or vCPU) paused.
 */
#include <fpu.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <pv.h>
#include <sched.h>

static long set_context(struct domain *d, struct vcpu *v, const struct xen_domctl_vcpucontext *c)
{
	struct vcpu_guest_context *ctx = hv_new(struct vcpu_guest_context);
	long ret = -EFAULT;

	if (!ctx)
		return -ENOMEM;
	if (copy_from_guest_h(ctx, c->ctxt, 1))
		goto out;
	domain_pause(d);
	ret = pv_set_context(v, ctx);
	if (!ret) {
		v->initialised = true;
		if (ctx->flags & VGCF_online)
			clear_bit(VPF_DOWN, &v->pause_flags);
		else
			set_bit(VPF_DOWN, &v->pause_flags);
	}
	domain_unpause(d);
out:
	hv_free(ctx);
	return ret;
}

long domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = ctl_vcpu(d, op->u.vcpucontext.vcpu);

	if (d == current->domain || !v)
		return -EINVAL;
	/* No context asks for a reset, which PV vCPUs do not have after they have run. */
	if (!op->u.vcpucontext.ctxt.p)
		return v->initialised ? -EOPNOTSUPP : 0;
	return set_context(d, v, &op->u.vcpucontext);
}

long domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = ctl_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctx;
	long ret = 0;

	if (!v || v == current)
		return -EINVAL;
	if (!v->initialised)
		return -ENODATA;
	ctx = hv_new(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	vcpu_pause(v);
	pv_get_context(v, ctx);
	vcpu_unpause(v);
	if (copy_to_guest_h(op->u.vcpucontext.ctxt, ctx, 1))
		ret = -EFAULT;
	hv_free(ctx);
	return ret;
}

long domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *i = &op->u.getvcpuinfo;
	struct vcpu *v = ctl_vcpu(d, i->vcpu);

	if (i->vcpu >= d->max_vcpus)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	i->online = !test_bit(VPF_DOWN, &v->pause_flags);
	i->blocked = test_bit(VPF_BLOCKED, &v->pause_flags);
	i->running = READ_ONCE(v->running);
	i->cpu_time = vcpu_cpu_time(v);
	i->cpu = vcpu_home_cpu(v);
	return 0;
}

static struct vcpu *affinity_vcpu(struct domain *d, const struct xen_domctl_vcpuaffinity *a, long *err)
{
	struct vcpu *v = ctl_vcpu(d, a->vcpu);

	*err = 0;
	if (a->vcpu >= d->max_vcpus)
		*err = -EINVAL;
	else if (!v)
		*err = -ESRCH;
	else if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) ||
		 (a->flags & XEN_VCPUAFFINITY_HARD && !a->cpumap_hard.bitmap.p) ||
		 (a->flags & XEN_VCPUAFFINITY_SOFT && !a->cpumap_soft.bitmap.p))
		*err = -EINVAL;
	return v;
}

/* What the scheduler will really use goes back to the caller. */
static long effective_affinity(struct vcpu *v, const struct xen_domctl_vcpuaffinity *a)
{
	cpumask_t hard, soft;
	long ret = 0;

	vcpu_get_affinity(v, &hard, &soft);
	cpumask_and(&hard, &hard, &cpu_online_map);
	cpumask_and(&soft, &soft, &hard);
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		ret = ctl_put_cpumask(&a->cpumap_hard, &hard);
	if (!ret && a->flags & XEN_VCPUAFFINITY_SOFT)
		ret = ctl_put_cpumask(&a->cpumap_soft, &soft);
	return ret;
}

long domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	cpumask_t hard, soft, old_hard, old_soft;
	struct vcpu *v;
	long ret;

	v = affinity_vcpu(d, a, &ret);
	if (ret)
		return ret;
	if (a->flags & XEN_VCPUAFFINITY_HARD && ctl_get_cpumask(&hard, &a->cpumap_hard))
		return -EFAULT;
	if (a->flags & XEN_VCPUAFFINITY_SOFT && ctl_get_cpumask(&soft, &a->cpumap_soft))
		return -EFAULT;
	vcpu_get_affinity(v, &old_hard, &old_soft);
	if (a->flags & XEN_VCPUAFFINITY_FORCE)
		vcpu_pin_override(v, -1);
	if (a->flags & XEN_VCPUAFFINITY_HARD) {
		ret = vcpu_set_hard_affinity(v, &hard);
		if (ret)
			return ret;
	}
	if (a->flags & XEN_VCPUAFFINITY_SOFT) {
		ret = vcpu_set_soft_affinity(v, &soft);
		if (ret && a->flags & XEN_VCPUAFFINITY_HARD)
			(void)vcpu_set_hard_affinity(v, &old_hard);
		if (ret)
			return ret;
	}
	return effective_affinity(v, a);
}

long domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	cpumask_t hard, soft;
	struct vcpu *v;
	long ret;

	v = affinity_vcpu(d, a, &ret);
	if (ret)
		return ret;
	vcpu_get_affinity(v, &hard, &soft);
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		ret = ctl_put_cpumask(&a->cpumap_hard, &hard);
	if (!ret && a->flags & XEN_VCPUAFFINITY_SOFT)
		ret = ctl_put_cpumask(&a->cpumap_soft, &soft);
	return ret;
}

long domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_sendtrigger *t = &op->u.sendtrigger;
	struct vcpu *v = ctl_vcpu(d, t->vcpu);

	switch (t->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		if (!v)
			return -ESRCH;
		if (!__atomic_exchange_n(&v->nmi_pending, true, __ATOMIC_SEQ_CST)) {
			__atomic_store_n(&v->async_pending, 1, __ATOMIC_SEQ_CST);
			vcpu_kick(v);
		}
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return -EINVAL; /* buttons of HVM guests */
	default:
		return -ENOSYS;
	}
}

/* ---- callbacks of 32-bit system calls, which the basic context lacks ---- */

long domctl_get_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = ctl_vcpu(d, e->vcpu);
	u32 id = e->vcpu;

	if (!v)
		return -ESRCH;
	if (v == current)
		return -EINVAL;
	memset(e, 0, sizeof(*e));
	e->vcpu = id;
	e->size = sizeof(*e);
	vcpu_pause(v);
	e->sysenter_callback_cs = SEL_GUEST_CS64;
	e->syscall32_callback_cs = SEL_GUEST_CS64;
	e->sysenter_callback_eip = v->pv.sysenter_entry;
	e->syscall32_callback_eip = v->pv.syscall32_entry;
	e->sysenter_disables_events = v->pv.sysenter_mask;
	e->syscall32_disables_events = v->pv.syscall32_mask;
	vcpu_unpause(v);
	return 0;
}

static bool canonical(u64 a)
{
	return (u64)((s64)(a << 16) >> 16) == a;
}

long domctl_set_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;
	struct vcpu *v = ctl_vcpu(d, e->vcpu);

	if (!v)
		return -ESRCH;
	if (v == current || e->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return -EINVAL;
	if (!canonical(e->sysenter_callback_eip) || !canonical(e->syscall32_callback_eip))
		return -EINVAL;
	domain_pause(d);
	v->pv.sysenter_entry = e->sysenter_callback_eip;
	v->pv.syscall32_entry = e->syscall32_callback_eip;
	v->pv.sysenter_mask = e->sysenter_disables_events;
	v->pv.syscall32_mask = e->syscall32_disables_events;
	domain_unpause(d);
	return 0;
}

/* ---- extended state ---- */

long domctl_getvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuextstate *e = &op->u.vcpuextstate;
	struct vcpu *v = ctl_vcpu(d, e->vcpu);
	void *record;
	u32 size;
	long ret;

	if (!v)
		return -ESRCH;
	if (v == current)
		return -EINVAL;
	/* How much it can come to: the vCPU may enable more before the next call. */
	if (!e->buffer.p || (!e->size && !e->xfeature_mask)) {
		e->xfeature_mask = fpu_caps.xcr0;
		e->size = fpu_extstate_size_max();
		return 0;
	}
	if (e->xfeature_mask != fpu_caps.xcr0)
		return -EINVAL;
	record = hv_zalloc(fpu_extstate_size_max());
	if (!record)
		return -ENOMEM;
	vcpu_pause(v);
	size = fpu_extstate_size(v);
	ret = e->size < size ? -EINVAL : fpu_export_extstate(v, record, size);
	vcpu_unpause(v);
	if (!ret && copy_to_guest_va((u64)e->buffer.p, record, size))
		ret = -EFAULT;
	e->size = size;
	hv_free(record);
	return ret;
}

#define EXTSTATE_MAX 0x10000U

long domctl_setvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuextstate *e = &op->u.vcpuextstate;
	struct vcpu *v = ctl_vcpu(d, e->vcpu);
	void *record;
	long ret;

	if (!v)
		return -ESRCH;
	if (v == current || e->size < 16 || e->size > EXTSTATE_MAX)
		return -EINVAL;
	record = hv_zalloc(e->size);
	if (!record)
		return -ENOMEM;
	ret = copy_from_guest_va(record, (u64)e->buffer.p, e->size);
	if (!ret) {
		vcpu_pause(v);
		ret = fpu_import_extstate(v, record, (u32)e->size);
		vcpu_unpause(v);
	}
	hv_free(record);
	return ret;
}

/* ---- MSRs that are a vCPU's state ---- */

static const u32 migrated_msrs[] = {
	0x00000048, /* SPEC_CTRL */
	0x00000140, /* MISC_FEATURES_ENABLES */
	0xc0000103, /* TSC_AUX */
	MSR_IA32_XFD, MSR_IA32_XFD_ERR, 0xc0011027,
	0xc0011019,   0xc001101a,       0xc001101b, /* DR0..3 address masks */
};

static bool msr_is_migrated(u32 index)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(migrated_msrs); i++)
		if (migrated_msrs[i] == index)
			return true;
	return false;
}

/* Those that are not zero, in the caller's array; -ENOBUFS when it is too small. */
long domctl_get_vcpu_msrs(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpu_msrs *m = &op->u.vcpu_msrs;
	struct vcpu *v = ctl_vcpu(d, m->vcpu);
	u32 n = 0;
	long ret = 0;

	if (m->vcpu >= d->max_vcpus || !v || v == current)
		return -EINVAL;
	if (!m->msrs.p) {
		m->msr_count = ARRAY_SIZE(migrated_msrs);
		return 0;
	}
	vcpu_pause(v);
	for (unsigned int i = 0; i < ARRAY_SIZE(migrated_msrs) && !ret; i++) {
		struct xen_domctl_vcpu_msr msr = {.index = migrated_msrs[i]};
		u64 value;

		if (guest_rdmsr(v, msr.index, &value) || !value)
			continue;
		msr.value = value;
		if (n >= m->msr_count)
			ret = -ENOBUFS;
		else
			ret = copy_to_guest_h_off(m->msrs, n++, &msr, 1);
	}
	vcpu_unpause(v);
	m->msr_count = n;
	return ret;
}

long domctl_set_vcpu_msrs(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpu_msrs *m = &op->u.vcpu_msrs;
	struct vcpu *v = ctl_vcpu(d, m->vcpu);
	u32 n;
	long ret = 0;

	if (m->vcpu >= d->max_vcpus || !v || v == current)
		return -EINVAL;
	vcpu_pause(v);
	for (n = 0; n < m->msr_count && !ret; n++) {
		struct xen_domctl_vcpu_msr msr;

		if (copy_from_guest_h_off(&msr, m->msrs, n, 1))
			ret = -EFAULT;
		else if (msr.reserved || !msr_is_migrated(msr.index) || guest_wrmsr(v, msr.index, msr.value))
			ret = -EINVAL;
	}
	vcpu_unpause(v);
	m->msr_count = ret ? n - 1 : n;
	return ret;
}
