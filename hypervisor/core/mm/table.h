/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of guest page tables: what a guest may write, what it becomes, and which references it holds.
 *
 * A present L1 entry holds a general reference to its frame, and a WRITABLE type reference when it maps it
 * writable. A present L2..L4 entry holds a general reference and a type reference of the level below. Entries
 * that map something that is no RAM hold nothing. Non-present entries hold nothing.
 *
 * The guest kernel runs at CPL 3, so that every present entry gets the user bit; the software bit
 * PTE_GUEST_KERNEL remembers an L1 entry that came without. User entries show the global bit, as the ABI has it; the
 * hypervisor runs with CR4.PGE clear, so that it means nothing.
 */
#ifndef SERAI_CORE_MM_TABLE_H
#define SERAI_CORE_MM_TABLE_H

#include <core/mm/frame.h>
#include <xerrno.h>

#define PTE_GUEST_KERNEL BIT(52)
#define PTE_UPPER_REFUSED (PTE_PWT | PTE_PCD | PTE_PS | PTE_G)
#define PT_ENTRIES 512

/* Is a non-present entry one that the L1 terminal fault could follow to RAM? (option pv-l1tf) */
extern u64 l1tf_unsafe_end; /* physical address; 0 = the CPU does not have the fault */
extern bool l1tf_check_dom0;

static inline u64 l1e_adjust(u64 e)
{
	if (!(e & PTE_US))
		return e | PTE_US | PTE_GUEST_KERNEL;
	return e & PTE_GUEST_KERNEL ? e : e | PTE_G;
}
static inline u64 upper_adjust(u64 e)
{
	return e | PTE_US;
}
static inline bool l4_slot_is_hv(unsigned int slot)
{
	return slot >= HV_L4_FIRST && slot <= HV_L4_LAST;
}

int l1e_get_special(struct domain *d, struct domain *pg, u64 e);

/* References for a new L1 entry in a table of d, for a frame of pg (normally d itself). */
static inline __attribute__((always_inline)) int l1e_get(struct domain *d, struct domain *pg, u64 e)
{
	u64 m = (e & PTE_ADDR_MASK) >> PAGE_SHIFT;
	struct frame *f;

	if (unlikely(e & pte_reserved))
		return e & pte_reserved & PTE_ADDR_MASK ? -EPERM : -EINVAL;
	if (unlikely(m >= max_mfn))
		return l1e_get_special(d, pg, e);
	f = &frame_table[m];
	if (unlikely(!frame_get_inline(f, pg->id)))
		return l1e_get_special(d, pg, e);
	if (!(e & PTE_RW))
		return 0;
	if (likely(!frame_get_type_inline(f, FT_WRITABLE))) {
		if (unlikely(d != pg))
			__atomic_fetch_or(&f->type_word, PGT_FOREIGN, __ATOMIC_SEQ_CST);
		return 0;
	}
	frame_put_inline(f);
	return -EBUSY;
}

static inline void l1e_put(u64 e)
{
	struct frame *f;

	if (!(e & PTE_P) || unlikely(!mfn_valid(pte_mfn(e))))
		return;
	f = mfn_to_frame(pte_mfn(e));
	if (e & PTE_RW)
		frame_put_type_inline(f);
	frame_put_inline(f);
}

void shadow_entry_written(struct domain *d, u64 *ptr);

/* Stores new, and returns what was there, accessed and dirty bits included. */
static inline u64 entry_exchange(struct domain *d, u64 *ptr, u64 new, u64 keep)
{
	u64 old;

	if (!keep) {
		old = __atomic_exchange_n(ptr, new, __ATOMIC_SEQ_CST);
	} else {
		old = READ_ONCE(*ptr);
		while (!frame_cas(ptr, &old, new | (old & keep)))
			;
	}
	if (unlikely(d->mm->log_dirty))
		shadow_entry_written(d, ptr);
	return old;
}

/* The same for L2..L4 (level = of the table the entry is in), under d's mm lock; may be -ERESTART. */
int upper_get(struct domain *d, unsigned int level, u64 e);
/* Never fails; -ERESTART means that work is left (mm_pending_work). */
int upper_put(struct domain *d, u64 e);

/*
 * One entry of a validated table of d changes to new, under d's mm lock. ptr: the entry, mapped. keep: of the
 * accessed and dirty bits, those that stay set when the CPU has set them. *was: the entry as it was in the end.
 * 0 or -errno; -ERESTART: nothing has changed yet. The old value's references are dropped.
 */
#define PTE_AD (PTE_A | PTE_D)
int l1e_update(struct domain *d, struct domain *pg, u64 *ptr, u64 new, u64 keep, u64 *was);
int upper_update(struct domain *d, unsigned int level, u64 *ptr, u64 new, u64 keep);
/* Same, the level taken from the frame's type, which is a validated table. */
static inline int entry_update(struct domain *d, struct domain *pg, const struct frame *table, u64 *ptr,
			       u64 new, u64 keep)
{
	enum frame_type t = pgt_type(table->type_word);
	u64 was;

	if (likely(t == FT_L1))
		return l1e_update(d, pg, ptr, new, keep, &was);
	return upper_update(d, t - FT_L1 + 1U, ptr, new, keep);
}

#endif
