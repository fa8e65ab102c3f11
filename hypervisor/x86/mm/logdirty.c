/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XEN_DOMCTL_shadow_op for PV domains: log-dirty mode on, off, and its bitmap (docs/abi/domctl.md).
 *
 * Turning it on and off and cleaning happen with the domain paused, so that no CPU walks its tables.
 */
#include <core/mm/shadow.h>
#include <lib.h>
#include <uaccess.h>
#include <x86/mm/pvmmu.h>
#include <xen/domctl.h>

static void set_roots(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v->guest_table.n && !mfn_eq(v->guest_table, INVALID_MFN))
			pv_update_cr3(v);
}

static int log_dirty_on(struct domain *d)
{
	int rc;

	domain_pause(d);
	mm_lock(d);
	rc = shadow_enable(d);
	mm_unlock(d);
	if (!rc)
		set_roots(d);
	flush_tlb_mask(&d->dirty_cpus);
	domain_unpause(d);
	return rc;
}

static int log_dirty_off(struct domain *d)
{
	struct vcpu *v;

	if (!d->mm->log_dirty)
		return -EINVAL;
	domain_pause(d);
	/* No CPU may have a shadow root loaded when they go: CPUs that idle do so on the hypervisor's tables. */
	for_each_vcpu(d, v)
		vcpu_sync_state(v);
	mm_lock(d);
	shadow_disable(d);
	mm_unlock(d);
	set_roots(d);
	flush_tlb_mask(&d->dirty_cpus);
	domain_unpause(d);
	return 0;
}

/* Pages the hypervisor writes at any time without going through a table of the guest. */
static void mark_always_written(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v->vcpu_info_mfn.n && !mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
			shadow_mark_dirty(d, v->vcpu_info_mfn);
}

#define CHUNK 256U

/* Bytes [off, off + n) of the log, taken out of it when cleaning: a bit set from then on is for the next time. */
static void log_take(struct domain *d, u64 off, u64 n, u8 *buf, bool clean)
{
	struct log_dirty *l = log_dirty_of(d);
	u64 size = l->nr_pfns / 8, have = off < size ? min(n, size - off) : 0;
	u8 *bits = (u8 *)l->bitmap + off;

	/* What lies beyond the log is clean. */
	memset(buf, 0, n);
	mm_lock(d);
	memcpy(buf, bits, have);
	if (clean)
		memset(bits, 0, have);
	mm_unlock(d);
}

static void log_put_back(struct domain *d, u64 off, u64 n, const u8 *buf)
{
	struct log_dirty *l = log_dirty_of(d);
	u8 *bits = (u8 *)l->bitmap;

	mm_lock(d);
	for (u64 i = off; i < off + n && i < l->nr_pfns / 8; i++)
		bits[i] |= buf[i - off];
	mm_unlock(d);
}

static int copy_bitmap(struct domain *d, u64 to, u64 nr, bool clean)
{
	u64 bytes = DIV_ROUND_UP(nr, 8UL);
	u8 buf[CHUNK];

	for (u64 off = 0, n; off < bytes; off += n) {
		n = min(bytes - off, (u64)CHUNK);
		log_take(d, off, n, buf, clean);
		if (copy_to_guest_va(to + off, buf, n)) {
			if (clean)
				log_put_back(d, off, n, buf);
			return -EFAULT;
		}
	}
	return 0;
}

static int log_dirty_read(struct domain *d, struct xen_domctl_shadow_op *op, bool clean)
{
	struct log_dirty *l;
	int rc = 0;

	if (!d->mm->log_dirty)
		return -EINVAL;
	if (op->pages > 1UL << 36)
		return -EINVAL;
	domain_pause(d);
	mm_lock(d);
	mark_always_written(d);
	l = log_dirty_of(d);
	op->stats.fault_count = l->faults;
	op->stats.dirty_count = l->dirty;
	mm_unlock(d);
	if (op->dirty_bitmap.p)
		rc = copy_bitmap(d, (u64)op->dirty_bitmap.p, op->pages, clean);
	if (clean) {
		/* Also after a failed copy: part of the log may have been taken. */
		mm_lock(d);
		if (!op->dirty_bitmap.p)
			shadow_forget(d);
		shadow_protect(d);
		mm_unlock(d);
		flush_tlb_mask(&d->dirty_cpus);
	}
	domain_unpause(d);
	return rc;
}

long mm_shadow_op(struct domain *d, struct xen_domctl_shadow_op *op)
{
	switch (op->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return log_dirty_off(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return log_dirty_on(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		return op->mode == XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY ? log_dirty_on(d) : -EINVAL;
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
		return log_dirty_read(d, op, true);
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return log_dirty_read(d, op, false);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		op->mb = 0;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		return 0;
	default:
		return -EINVAL;
	}
}
