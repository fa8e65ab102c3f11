/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOMCTL: control of domains. Dispatch: version, domain, permission, one operation at a time, then
 * the row's handler. Groups of operations are in domctl_*.c. Lock: domctl_lock. Page:
 * docs/abi/domctl.md.
 */
#include <hypercall/ctl.h>
#include <mm.h>
#include <pv.h>
#include <smp.h>

static spinlock_t domctl_lock = SPINLOCK_INIT(RANK_DOMCTL);

/* What exists only for HVM guests, or not at all; each answers what the interface gives a PV domain
 * on a host without the feature. */
static long for_hvm(struct domain *d, struct xen_domctl *op)
{
	return -EINVAL;
}

static long not_supported(struct domain *d, struct xen_domctl *op)
{
	return -EOPNOTSUPP;
}

static long not_implemented(struct domain *d, struct xen_domctl *op)
{
	return -ENOSYS;
}

static long no_device(struct domain *d, struct xen_domctl *op)
{
	return -ENODEV;
}

#define domctl_gethvmcontext for_hvm
#define domctl_sethvmcontext for_hvm
#define domctl_gethvmcontext_partial for_hvm
#define domctl_ioport_mapping not_supported
#define domctl_memory_mapping not_supported
#define domctl_bind_pt_irq not_supported
#define domctl_unbind_pt_irq not_supported
#define domctl_assign_device not_supported
#define domctl_deassign_device not_supported
#define domctl_test_assign_device not_supported
#define domctl_get_device_group not_supported
#define domctl_debug_op not_supported
#define domctl_vm_event_op not_implemented
#define domctl_hypercall_init domctl_hypercall_init_
#define domctl_cacheflush not_implemented
#define domctl_setvnumainfo not_supported
#define domctl_psr_cmt_op no_device
#define domctl_psr_alloc no_device
#define domctl_get_paging_mempool_size not_supported
#define domctl_set_paging_mempool_size not_supported

static long domctl_hypercall_init_(struct domain *d, struct xen_domctl *op)
{
	struct frame *f = frame_get_from_mfn(MFN(op->u.hypercall_init.gmfn), d);
	void *page;

	if (!f)
		return -EINVAL;
	if (frame_get_type(f, FT_WRITABLE)) {
		frame_put(f);
		return -EINVAL;
	}
	page = map_frame(frame_to_mfn(f));
	pv_hypercall_page_fill(page);
	unmap_frame(page);
	mm_mark_dirty(d, frame_to_mfn(f));
	frame_put_type(f);
	frame_put(f);
	return 0;
}

static const struct domctl_row {
	domctl_fn *fn;
	u8 dir, priv;
} rows[] = {
#define OP(family, nr, nm, type, direction, permission, again) \
	[nr] = {domctl_##nm, HC_##direction, HC_##permission},
#include <def/domctl.def>
#undef OP
};

/* With domctl_lock held and d (NULL for what needs none) referenced. */
static long run(const struct domctl_row *row, struct domain *d, struct xen_domctl *op, u64 uarg)
{
	long ret = row->fn(d, op);

	/* An operation that stopped half way has its progress in the structure where its row has
	 * any. */
	if ((!ret || ret == -ERESTART) && row->dir != HC_IN && row->dir != HC_NONE &&
	    copy_to_guest_va(uarg, op, sizeof(*op)))
		return -EFAULT;
	return ret == -ERESTART ? call_restart(1, uarg, 0, 0, 0, 0) : ret;
}

/* Devices that belong to nobody are "assigned" to the system domain for I/O; none can be, either. */
static bool is_quarantine(const struct xen_domctl *op)
{
	return op->domain == DOMID_IO &&
	       (op->cmd == XEN_DOMCTL_assign_device || op->cmd == XEN_DOMCTL_deassign_device);
}

long do_domctl(u64 uarg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	const struct domctl_row *row;
	struct domain *d = NULL;
	struct xen_domctl op;
	long ret;

	if (copy_from_guest_va(&op, uarg, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd == XEN_DOMCTL_getdomaininfo) {
		d = ctl_domain_from(op.domain);
	} else if (op.cmd != XEN_DOMCTL_createdomain) {
		d = domain_get_by_id(op.domain);
		if (!d)
			return is_quarantine(&op) ? -EOPNOTSUPP : -ESRCH;
	}
	row = op.cmd < ARRAY_SIZE(rows) && rows[op.cmd].fn ? &rows[op.cmd] : NULL;
	ret = hc_permit(row ? row->priv : HC_CONTROL, d);
	if (ret)
		goto out;
	ret = -ENOSYS;
	if (!row)
		goto out;
	ret = op.domain < DOMID_FIRST_RESERVED ? -ESRCH : -EINVAL;
	if (!d && op.cmd == XEN_DOMCTL_getdomaininfo)
		goto out;
	while (!spin_trylock(&domctl_lock)) {
		if (hypercall_preempt_check()) {
			ret = call_restart(1, uarg, 0, 0, 0, 0);
			goto out;
		}
		cpu_relax_poll();
	}
	ret = run(row, d, &op, uarg);
	spin_unlock(&domctl_lock);
out:
	if (d)
		domain_put(d);
	return ret;
}
