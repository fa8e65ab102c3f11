/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu_update and update_va_mapping (docs/abi/page-tables.md).
 *
 * A batch is read in pieces without the lock and applied under the mm lock of the tables' owner. Nothing of an
 * entry happens before it is known to be allowed; an operation that is preempted has not happened.
 */
#include <core/mm/shadow.h>
#include <hypercall.h>
#include <lib.h>
#include <x86/mm/pvmmu.h>

#define MMU_UPDATE_PREEMPTED 0x80000000U
#define PIECE 16

struct domain *mmu_domain_get(domid_t id, int *err)
{
	struct domain *self = current->domain, *d;

	if (likely(id == DOMID_SELF))
		return self;
	*err = -ESRCH;
	if (id == self->id)
		return NULL;
	if (id == DOMID_IO)
		return dom_io;
	if (id == DOMID_XEN) {
		*err = -EPERM;
		return self->is_control ? dom_xen : NULL;
	}
	d = domain_get_by_id(id);
	if (!d)
		return NULL;
	*err = hc_permit(HC_TARGET, d);
	if (!*err && !d->dying && d->mm)
		return d;
	if (!*err)
		*err = -ESRCH;
	domain_put(d);
	return NULL;
}

/* A page that is no table: the word is simply stored, if the guest could store it itself. */
static int plain_write(struct domain *pt, struct frame *f, u64 ptr, u64 val)
{
	u8 *p;

	if (!frame_get_and_type(f, pt, FT_WRITABLE))
		return -EINVAL;
	p = map_frame(frame_to_mfn(f));
	WRITE_ONCE(*(u64 *)(p + (ptr & (PAGE_SIZE - 8))), val);
	unmap_frame(p);
	if (unlikely(pt->mm->log_dirty))
		shadow_mark_dirty(pt, frame_to_mfn(f));
	frame_put_and_type(f);
	return 0;
}

static int pt_update(struct domain *pt, struct domain *pg, u64 ptr, u64 val, u64 keep)
{
	u64 m = ptr >> PAGE_SHIFT;
	struct frame *f;
	u64 w;

	if (unlikely(m >= max_mfn))
		return -EINVAL;
	f = &frame_table[m];
	w = READ_ONCE(f->type_word);
	if (unlikely(READ_ONCE(f->owner) != pt->id))
		return -EINVAL;
	if (unlikely(!pgt_is_table(pgt_type(w)) || !pgt_count(w)))
		return plain_write(pt, f, ptr, val);
	if (unlikely(!(w & PGT_VALID)))
		return -EINVAL;
	/* The lock keeps it a table; a table cannot be freed. */
	return entry_update(pt, pg, f, (u64 *)((u8 *)map_frame(MFN(m)) + (ptr & (PAGE_SIZE - 8))), val, keep);
}

static int m2p_update(struct domain *pt, struct domain *pg, u64 ptr, u64 val)
{
	struct frame *f = frame_get_from_mfn(MFN(ptr >> PAGE_SHIFT), pg);

	if (!f)
		return -EINVAL;
	m2p_table[ptr >> PAGE_SHIFT] = val;
	/* The toolstack's own changes to another domain come before that domain runs. */
	if (pg == pt && unlikely(pg->mm->log_dirty))
		shadow_mark_dirty(pg, frame_to_mfn(f));
	frame_put(f);
	return 0;
}

static inline int one_update(struct domain *pt, struct domain *pg, const struct mmu_update *u)
{
	u64 ptr = u->ptr & ~3UL;

	switch (u->ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		return pt_update(pt, pg, ptr, u->val, 0);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return pt_update(pt, pg, ptr, u->val, PTE_AD);
	default:
		return m2p_update(pt, pg, ptr, u->val);
	}
}

/* Applies req[0..nr): returns how many were done, *rc says why it stopped. */
static unsigned int piece_apply(struct domain *pt, struct domain *pg, const struct mmu_update *req,
				unsigned int nr, int *rc)
{
	unsigned int i;

	mm_lock(pt);
	*rc = mm_pending_work(pt);
	for (i = 0; i < nr && !*rc; i++) {
		*rc = one_update(pt, pg, &req[i]);
		if (unlikely(*rc))
			break;
	}
	mm_unlock(pt);
	return i;
}

static long mmu_batch(struct domain *pt, struct domain *pg, u64 ureqs, u32 count, u32 *done)
{
	struct mmu_update req[PIECE];
	int rc = 0;

	while (*done < count) {
		u32 nr = min(count - *done, (u32)PIECE);

		if (unlikely(copy_from_guest_va(req, ureqs + *done * sizeof(*req), nr * sizeof(*req))))
			return -EFAULT;
		*done += piece_apply(pt, pg, req, nr, &rc);
		if (unlikely(rc && rc != -ERESTART)) {
			mm_drop_refused(pt);
			return rc;
		}
		if (unlikely(*done < count || rc) && hypercall_preempt_check())
			return -ERESTART;
	}
	return mm_finish_pending(pt);
}

long do_mmu_update(u64 ureqs, u64 ucount, u64 pdone, u64 foreign, u64 a5)
{
	struct domain *self = current->domain, *pt = self, *pg;
	u32 count = (u32)ucount & ~MMU_UPDATE_PREEMPTED, done = 0, before = 0;
	domid_t pgid = (domid_t)foreign;
	u32 ptid = (u32)foreign >> 16;
	int err = 0;
	long rc;

	if (unlikely((u32)ucount & MMU_UPDATE_PREEMPTED) && pdone &&
	    copy_from_guest_va(&before, pdone, sizeof(before)))
		return -EFAULT;
	if (unlikely(ptid)) {
		pt = mmu_domain_get((domid_t)(ptid - 1), &err);
		if (!pt)
			return err;
		if (pt->is_system)
			return -EPERM;
	}
	/* Linux adds up what is told to have been done, and that a batch for a domain which has just gone did nothing,
	 * too: the count is written whatever becomes of the entries. */
	pg = mmu_domain_get(pgid, &err);
	rc = likely(pg) ? mmu_batch(pt, pg, ureqs, count, &done) : err;
	if (likely(pg))
		mmu_domain_put(pg, self);
	mmu_domain_put(pt, self);

	before += done;
	if (unlikely(pdone) && copy_to_guest_va(pdone, &before, sizeof(before)) && rc != -ERESTART)
		rc = -EFAULT;
	if (unlikely(rc == -ERESTART))
		return call_restart(4, ureqs + done * sizeof(struct mmu_update),
				    (count - done) | MMU_UPDATE_PREEMPTED, pdone, foreign, a5);
	return rc;
}

/* The CPUs whose TLB matters for these vCPUs of d. A vCPU's translations are only where it ran last, but tables are
 * shared between vCPUs: all CPUs of the domain, as soon as another vCPU is meant. */
int mmu_vcpumask(struct domain *d, u64 uptr, cpumask_t *mask)
{
	struct vcpu *v = current;
	u64 word = 0;
	bool others = false;

	cpumask_clear(mask);
	for (unsigned int base = 0; base < d->max_vcpus; base += 64) {
		unsigned int bytes = min(64U, (unsigned int)ROUND_UP(d->max_vcpus - base, 8U)) / 8;

		word = 0;
		if (copy_from_guest_va(&word, uptr + base / 8, bytes))
			return -EFAULT;
		if (v->id / 64 == base / 64) {
			if (word >> (v->id % 64) & 1)
				cpumask_set(smp_processor_id(), mask);
			word &= ~(1UL << (v->id % 64));
		}
		others |= word != 0;
	}
	if (others)
		*mask = d->dirty_cpus;
	return 0;
}

static int uvm_flush(struct domain *d, u64 va, u64 flags)
{
	u64 what = flags & UVMF_FLUSHTYPE_MASK, where = flags & ~UVMF_FLUSHTYPE_MASK;
	cpumask_t mask;
	int rc;

	if (what == UVMF_NONE)
		return 0;
	/* Both bits at once are no flush the ABI knows. */
	if (what == UVMF_FLUSHTYPE_MASK)
		return 0;
	if (likely(where == UVMF_LOCAL)) {
		if (what == UVMF_INVLPG)
			flush_tlb_one_local(va);
		else
			flush_tlb_local();
		return 0;
	}
	if (where == UVMF_ALL) {
		mask = d->dirty_cpus;
	} else {
		rc = mmu_vcpumask(d, where, &mask);
		if (rc)
			return rc;
	}
	if (what == UVMF_INVLPG)
		flush_tlb_one_mask(&mask, va);
	else
		flush_tlb_mask(&mask);
	return 0;
}

static long va_mapping(struct domain *pg, u64 va, u64 val, u64 flags)
{
	struct vcpu *v = current;
	struct domain *d = v->domain;
	struct frame *table;
	u64 *l1e, was;
	int rc = -EINVAL;

	if (unlikely(!va_is_guest(va)))
		return -EINVAL;
	mm_lock(d);
	l1e = pv_walk_l1e(v->guest_table, va, &table);
	if (likely(l1e))
		rc = l1e_update(d, pg, l1e, val, 0, &was);
	mm_unlock(d);
	if (likely(!rc) && flags)
		rc = uvm_flush(d, va, flags);
	return rc;
}

long do_update_va_mapping(u64 va, u64 val, u64 flags, u64 a4, u64 a5)
{
	(void)a4, (void)a5;
	return va_mapping(current->domain, va, val, flags);
}

long do_update_va_mapping_otherdomain(u64 va, u64 val, u64 flags, u64 domid, u64 a5)
{
	struct domain *self = current->domain, *pg;
	int err = 0;
	long rc;

	(void)a5;
	pg = mmu_domain_get((domid_t)domid, &err);
	if (!pg)
		return err;
	rc = va_mapping(pg, va, val, flags);
	mmu_domain_put(pg, self);
	return rc;
}
