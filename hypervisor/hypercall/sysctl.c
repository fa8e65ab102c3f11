/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYSCTL: control of the host. Dispatch and the small operations; hardware facts are in
 * sysctl_host.c, CPU policies in ctl_policy.c. Lock: sysctl_lock, one operation at a time. Page:
 * docs/abi/sysctl.md.
 */
#include <console.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <sched.h>
#include <smp.h>

static spinlock_t sysctl_lock = SPINLOCK_INIT(RANK_DOMCTL);

#define CONSOLE_READ_MAX 0x20000U

static long sysctl_readconsole(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	u32 want = min(r->count, CONSOLE_READ_MAX);
	char *buf = want ? hv_zalloc(want) : NULL;
	int ret = 0;

	if (want && !buf)
		return -ENOMEM;
	r->count = (u32)console_ring_read(buf, want, r->clear, r->incremental, &r->index);
	if (r->count && copy_to_guest_va((u64)r->buffer.p, buf, r->count))
		ret = -EFAULT;
	if (buf)
		hv_free(buf);
	return ret;
}

static long sysctl_sched_id(struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = sched_id();
	return 0;
}

static long sysctl_getdomaininfolist(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	struct xen_domctl_getdomaininfo info;
	u32 id = l->first_domain, n = 0;
	struct domain *d;
	int ret = 0;

	for (; n < l->max_domains && !ret; n++, id++) {
		d = id < DOMID_FIRST_RESERVED ? ctl_domain_from((domid_t)id) : NULL;
		if (!d)
			break;
		ctl_domain_info(d, &info);
		id = d->id;
		domain_put(d);
		ret = copy_to_guest_h_off(l->buffer, n, &info, 1);
	}
	l->num_domains = n;
	return ret;
}

static long sysctl_debug_keys(struct xen_sysctl *op)
{
	char c;

	for (u32 i = 0; i < op->u.debug_keys.nr_keys; i++) {
		if (copy_from_guest_va(&c, (u64)(op->u.debug_keys.keys.p + i), 1))
			return -EFAULT;
		debug_key(c);
	}
	return 0;
}

static long sysctl_scheduler_op(struct xen_sysctl *op)
{
	return sched_sysctl(&op->u.scheduler_op);
}

/* No resource monitoring or allocation (RDT). */
static long sysctl_psr_cmt_op(struct xen_sysctl *op)
{
	return -ENODEV;
}

static long sysctl_psr_alloc(struct xen_sysctl *op)
{
	switch (op->u.psr_alloc.cmd) {
	case XEN_SYSCTL_PSR_get_l3_info:
	case XEN_SYSCTL_PSR_get_l2_info:
	case XEN_SYSCTL_PSR_get_mba_info:
		return -ENODEV;
	default:
		return -EOPNOTSUPP;
	}
}

/* No driver for frequencies and sleep states. */
static long sysctl_pm_op(struct xen_sysctl *op)
{
	u32 cpu = op->u.pm_op.cpuid;

	return cpu >= nr_cpu_ids || !cpumask_test(cpu, &cpu_online_map) ? -EINVAL : -ENOSYS;
}

static long sysctl_coverage_op(struct xen_sysctl *op)
{
	return -EOPNOTSUPP;
}

/* Declared, because tools ask, and answered with -ENOSYS: no such thing in this hypervisor. */
#define sysctl_tbuf_op NULL
#define sysctl_perfc_op NULL
#define sysctl_page_offline_op NULL
#define sysctl_lockprof_op NULL
#define sysctl_livepatch_op NULL

static const struct sysctl_row {
	sysctl_fn *fn;
	u8 dir;
} rows[] = {
#define OP(family, nr, nm, type, direction, permission, again) [nr] = {sysctl_##nm, HC_##direction},
#include <def/sysctl.def>
#undef OP
};

long do_sysctl(u64 uarg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	const struct sysctl_row *row;
	struct xen_sysctl op;
	long ret;

	if (copy_from_guest_va(&op, uarg, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (hc_permit(HC_CONTROL, NULL))
		return -EPERM;
	row = op.cmd < ARRAY_SIZE(rows) ? &rows[op.cmd] : NULL;
	if (!row || !row->fn)
		return -ENOSYS;
	while (!spin_trylock(&sysctl_lock))
		if (hypercall_preempt_check())
			return call_restart(1, uarg, 0, 0, 0, 0);
	ret = row->fn(&op);
	spin_unlock(&sysctl_lock);
	if (ret == -ERESTART)
		return call_restart(1, uarg, 0, 0, 0, 0);
	if (!ret && row->dir != HC_IN && copy_to_guest_va(uarg, &op, sizeof(op)))
		return -EFAULT;
	return ret;
}

/* No security modules: the tools ask for labels and live with this answer. */
long do_xsm_op(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	return -ENOSYS;
}
