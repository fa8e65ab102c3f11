/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmuext_op: pins, roots, flushes (docs/abi/page-tables.md). Each operation is complete or has not happened; long ones
 * are restarted at the operation that was preempted. */
#include <core/mm/shadow.h>
#include <hypercall.h>
#include <lib.h>
#include <x86/mm/cr.h>
#include <x86/mm/pvmmu.h>
#include <xpti.h>

#define MMU_UPDATE_PREEMPTED 0x80000000U

int mm_pin_table(struct domain *pg, u64 mfn, enum frame_type t)
{
	struct frame *f;
	u64 w;
	int rc;

	if (pg->is_system)
		return -EINVAL;
	rc = pv_table_get(pg, MFN(mfn), t);
	if (rc)
		return rc;
	f = mfn_to_frame(MFN(mfn));
	mm_lock(pg);
	if (pgt_pin(f->type_word, &w)) {
		f->type_word = w;
		if (unlikely(pg->mm->log_dirty)) /* the pin is part of what a copy must know */
			shadow_mark_dirty(pg, MFN(mfn));
	} else {
		rc = -EINVAL;
	}
	mm_unlock(pg);
	if (rc)
		pv_table_put(pg, MFN(mfn));
	return rc;
}

static int op_unpin(struct domain *pg, u64 mfn)
{
	struct frame *f = frame_get_from_mfn(MFN(mfn), pg);
	int rc;

	if (!f)
		return -EINVAL;
	for (;;) {
		mm_lock(pg);
		rc = mm_pending_work(pg);
		if (!rc)
			rc = frame_unpin(pg, f);
		mm_unlock(pg);
		if (rc != -ERESTART || hypercall_preempt_check())
			break;
	}
	frame_put(f);
	return rc;
}

/* From one established root to another, neither the last use of its table: the common process switch. */
static bool root_switch_fast(struct domain *d, mfn_t old, u64 mfn)
{
	const u64 established = PGT_TYPE_MASK | PGT_VALID;
	struct frame *from, *to;
	bool done = false;

	if (unlikely(mfn >= max_mfn || !old.n || old.n >= max_mfn))
		return false;
	from = mfn_to_frame(old);
	to = mfn_to_frame(MFN(mfn));
	mm_lock(d);
	if (likely(to->owner == d->id && (to->type_word & established) == (PGT_TYPE(FT_L4) | PGT_VALID) &&
		   (from->type_word & PGT_VALID) && pgt_count(from->type_word) > 1 && !d->mm->nr_pending)) {
		/* Words of tables change under the lock only. A valid table has references, so it cannot go. */
		to->type_word++;
		__atomic_fetch_add(&to->refs, 1, __ATOMIC_SEQ_CST);
		from->type_word--;
		__atomic_fetch_sub(&from->refs, 1, __ATOMIC_SEQ_CST);
		done = true;
	}
	mm_unlock(d);
	return done;
}

int pv_new_baseptr(struct vcpu *v, u64 mfn)
{
	mfn_t old = v->guest_table;
	int rc;

	if (old.n == mfn)
		return 0;
	if (likely(root_switch_fast(v->domain, old, mfn))) {
		v->guest_table = MFN(mfn);
		pv_update_cr3(v);
		write_cr3(v->cr3_kernel);
		return 0;
	}
	rc = pv_table_get(v->domain, MFN(mfn), FT_L4);
	if (rc)
		return rc;
	v->guest_table = MFN(mfn);
	pv_update_cr3(v);
	write_cr3(v->cr3_kernel);
	pv_table_put(v->domain, old);
	return 0;
}

/* Nothing is loaded now, but a copy of what was the root before is of no use any more. */
static inline void user_root_changed(struct vcpu *v)
{
	pv_update_cr3(v);
	if (unlikely(xpti_active))
		xpti_forget();
}

static int op_new_user_baseptr(struct vcpu *v, u64 mfn)
{
	mfn_t old = v->guest_table_user;
	int rc;

	if (mfn == old.n && mfn)
		return 0;
	if (likely(mfn && !mfn_eq(old, INVALID_MFN) && root_switch_fast(v->domain, old, mfn))) {
		v->guest_table_user = MFN(mfn);
		user_root_changed(v);
		return 0;
	}
	if (mfn) {
		rc = pv_table_get(v->domain, MFN(mfn), FT_L4);
		if (rc)
			return rc;
	}
	v->guest_table_user = mfn ? MFN(mfn) : INVALID_MFN;
	user_root_changed(v);
	if (old.n && !mfn_eq(old, INVALID_MFN))
		pv_table_put(v->domain, old);
	return 0;
}

static int op_flush_multi(struct domain *d, const struct mmuext_op *op, bool one)
{
	cpumask_t mask;
	int rc = mmu_vcpumask(d, (u64)op->arg2.vcpumask.p, &mask);

	if (rc)
		return -EINVAL;
	if (!one)
		flush_tlb_mask(&mask);
	else if (va_is_guest(op->arg1.linear_addr))
		flush_tlb_one_mask(&mask, op->arg1.linear_addr);
	return 0;
}

static int op_cache_flush(const struct domain *d)
{
	/* Only who can have uncached mappings has a use for it. */
	if (!d->is_hardware)
		return -EACCES;
	wbinvd();
	return 0;
}

static int op_set_ldt(struct vcpu *v, u64 base, unsigned int ents)
{
	if ((base & (PAGE_SIZE - 1)) || ents > 8192)
		return -EINVAL;
	return pv_set_ldt(v, ents ? base : 0, ents);
}

/* CLEAR_PAGE, COPY_PAGE: a page the guest could write itself. */
static int op_page(struct domain *pg, u64 mfn, bool copy, u64 src)
{
	struct frame *f = frame_get_from_mfn(MFN(mfn), pg), *s = NULL;
	void *p;
	int rc = -EINVAL;

	if (copy) {
		s = frame_get_from_mfn(MFN(src), pg);
		if (!s)
			goto out;
	}
	if (!f || frame_get_type(f, FT_WRITABLE))
		goto out;
	p = map_frame(frame_to_mfn(f));
	if (copy)
		memcpy(p, map_frame(frame_to_mfn(s)), PAGE_SIZE);
	else
		mm_clear_page(p);
	unmap_frame(p);
	mm_mark_dirty(pg, frame_to_mfn(f));
	frame_put_type(f);
	rc = 0;
out:
	if (s)
		frame_put(s);
	if (f)
		frame_put(f);
	return rc;
}

static int op_rare(struct domain *pg, const struct mmuext_op *op)
{
	struct domain *d = current->domain;

	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_MULTI:
		return op_flush_multi(d, op, false);
	case MMUEXT_INVLPG_MULTI:
		return op_flush_multi(d, op, true);
	case MMUEXT_INVLPG_ALL:
		if (va_is_guest(op->arg1.linear_addr))
			flush_tlb_one_mask(&d->dirty_cpus, op->arg1.linear_addr);
		return 0;
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return op_cache_flush(d);
	case MMUEXT_SET_LDT:
		return pg == d ? op_set_ldt(current, op->arg1.linear_addr, op->arg2.nr_ents) : -EPERM;
	case MMUEXT_CLEAR_PAGE:
		return op_page(pg, op->arg1.mfn, false, 0);
	case MMUEXT_COPY_PAGE:
		return op_page(pg, op->arg1.mfn, true, op->arg2.src_mfn);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

static int one_op(struct domain *pg, const struct mmuext_op *op)
{
	struct vcpu *v = current;
	struct domain *d = v->domain;

	/* No jump table: the commands of a context switch come first. */
	if (op->cmd == MMUEXT_NEW_BASEPTR)
		return pg == d ? pv_new_baseptr(v, op->arg1.mfn) : -EPERM;
	if (op->cmd == MMUEXT_NEW_USER_BASEPTR)
		return pg == d ? op_new_user_baseptr(v, op->arg1.mfn) : -EPERM;
	if (op->cmd == MMUEXT_INVLPG_LOCAL) {
		if (va_is_guest(op->arg1.linear_addr))
			flush_tlb_one_local(op->arg1.linear_addr);
		return 0;
	}
	if (op->cmd == MMUEXT_TLB_FLUSH_LOCAL) {
		flush_tlb_local();
		return 0;
	}
	if (op->cmd == MMUEXT_TLB_FLUSH_ALL) {
		flush_tlb_mask(&d->dirty_cpus);
		return 0;
	}
	if (op->cmd <= MMUEXT_PIN_L4_TABLE)
		return mm_pin_table(pg, op->arg1.mfn, (enum frame_type)(FT_L1 + op->cmd));
	if (op->cmd == MMUEXT_UNPIN_TABLE)
		return op_unpin(pg, op->arg1.mfn);
	return op_rare(pg, op);
}

long do_mmuext_op(u64 uops, u64 ucount, u64 pdone, u64 foreign, u64 a5)
{
	struct domain *self = current->domain, *pg;
	u32 count = (u32)ucount & ~MMU_UPDATE_PREEMPTED, done = 0, before = 0;
	struct mmuext_op op;
	int err = 0;
	long rc = 0;

	if (unlikely((u32)ucount & MMU_UPDATE_PREEMPTED) && pdone &&
	    copy_from_guest_va(&before, pdone, sizeof(before)))
		return -EFAULT;
	pg = mmu_domain_get((domid_t)foreign, &err);
	if (unlikely(!pg))
		return err;
	while (done < count) {
		rc = copy_from_guest_va(&op, uops + done * sizeof(op), sizeof(op));
		if (unlikely(rc))
			break;
		rc = one_op(pg, &op);
		if (unlikely(rc))
			break;
		if (++done < count && hypercall_preempt_check()) {
			rc = -ERESTART;
			break;
		}
	}
	if (!rc && !pg->is_system)
		rc = mm_finish_pending(pg);
	mmu_domain_put(pg, self);

	before += done;
	if (unlikely(pdone) && copy_to_guest_va(pdone, &before, sizeof(before)) && rc != -ERESTART)
		rc = -EFAULT;
	if (unlikely(rc == -ERESTART))
		return call_restart(4, uops + done * sizeof(op), (count - done) | MMU_UPDATE_PREEMPTED, pdone,
				    foreign, a5);
	return rc;
}
