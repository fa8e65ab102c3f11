/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * General references of frames, and what the mm room's files share.
 *
 *   refs:  63        62   61   60   59       58   57   56    47        0
 *        | ALLOCATED|FREE|HEAD| HV |RELEASED|HOLE|SLAB| 0 ... | count   |
 *
 * A frame of a domain holds one count for its allocation (ALLOCATED); a page of the hypervisor that guests
 * may map (HV) holds one for the hypervisor, until it is RELEASED. Count 0 with FREE: the allocator has it.
 * A HOLE is no RAM: its struct frame may be shared with other holes and is read-only.
 */
#ifndef SERAI_CORE_MM_FRAME_H
#define SERAI_CORE_MM_FRAME_H

#include <core/mm/pgt.h>
#include <mm.h>

#define FREF_ALLOCATED BIT(63)
#define FREF_FREE BIT(62)
#define FREF_HEAD BIT(61)
#define FREF_HV BIT(60)
#define FREF_RELEASED BIT(59)
#define FREF_HOLE BIT(58)
#define FREF_SLAB BIT(57)
#define FREF_COUNT_MASK (BIT(48) - 1)

/* Largest block of the allocator: 4 GiB. */
#define MM_MAX_ORDER 20

static inline u64 frame_refs(const struct frame *f)
{
	return READ_ONCE(f->refs);
}
static inline u64 frame_count(const struct frame *f)
{
	return frame_refs(f) & FREF_COUNT_MASK;
}
static inline bool frame_cas(u64 *p, u64 *old, u64 new)
{
	return __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

extern u32 tlb_clock;
static inline u32 mm_tlb_clock(void) /* now, never 0: that means "no stamp" in a frame */
{
	return READ_ONCE(tlb_clock) | 1;
}

void frame_last_put(struct frame *f); /* count has become 0 */

static inline bool frame_get_inline(struct frame *f, u16 owner)
{
	u64 old = frame_refs(f);

	do {
		/* A count that could wrap (bit 46) is refused long before it does. */
		if (unlikely(!(old & FREF_COUNT_MASK) || (old & BIT(46)) || READ_ONCE(f->owner) != owner))
			return false;
	} while (unlikely(!frame_cas(&f->refs, &old, old + 1)));
	/* The owner may have changed between the look and the count: now it cannot any more. */
	if (likely(READ_ONCE(f->owner) == owner))
		return true;
	frame_put(f);
	return false;
}
static inline void frame_put_inline(struct frame *f)
{
	if (unlikely(!(__atomic_sub_fetch(&f->refs, 1, __ATOMIC_SEQ_CST) & FREF_COUNT_MASK)))
		frame_last_put(f);
}
static inline int frame_get_type_inline(struct frame *f, enum frame_type t)
{
	u64 old = READ_ONCE(f->type_word), new;

	if (likely(pgt_get_fast(old, t, &new)) && likely(frame_cas(&f->type_word, &old, new)))
		return 0;
	return frame_get_type(f, t);
}
/* Of a frame that is no page table: WRITABLE, SEGDESC, SHARED. */
static inline void frame_put_type_inline(struct frame *f)
{
	u64 old = READ_ONCE(f->type_word), new;
	bool idle;

	if (likely(pgt_put_plain(old, &new, &idle))) {
		/* The stamp must be there before anyone can see the frame idle. */
		if (idle)
			f->tlb_stamp = mm_tlb_clock();
		if (likely(frame_cas(&f->type_word, &old, new)))
			return;
	}
	frame_put_type(f);
}

/* ---- type references of page tables; the owner's mm lock held ---- */

/* As frame_get_type, for FT_L1..FT_L4: 0; -EINVAL; -ERESTART, call again: what was checked is kept. */
int frame_get_table(struct domain *d, struct frame *f, enum frame_type t);
/* Drops a type reference. -ERESTART: dropping is under way, the reference stays the caller's. */
int frame_put_table(struct domain *d, struct frame *f);
/* Drops type and general reference now or, when that is preempted, leaves the rest to
 * mm_pending_work(). Returns -ERESTART in that case. */
int frame_put_table_and_ref(struct domain *d, struct frame *f);
/* A table that holds itself gives up: 0 or -ERESTART. */
int frame_drop_self(struct domain *d, struct frame *f);
int frame_unpin(struct domain *d, struct frame *f); /* 0, -EINVAL not pinned, -ERESTART */
/* Finishes what an earlier call left: before every operation on d's tables. 0 or -ERESTART. */
int mm_pending_work(struct domain *d);

/* The budget of one stretch of work under a mm lock, in tables; then the lock is given up for a moment. */
#define MM_WORK_BUDGET 16

/* The mm lock, with a fresh budget. */
static inline void mm_lock(struct domain *d)
{
	spin_lock(&d->mm->lock);
	d->mm->budget = MM_WORK_BUDGET;
}
static inline void mm_unlock(struct domain *d)
{
	spin_unlock(&d->mm->lock);
}

/* Contents of a table (core/mm/table.c): from f->nr_valid upwards, or down to 0. */
/* 0, -ERESTART or what is wrong with entry nr_valid. */
int table_validate(struct domain *d, struct frame *f, enum frame_type t);
int table_devalidate(struct domain *d, struct frame *f, enum frame_type t);

/* ---- ownership ---- */
extern struct domain *mm_owners[0x8000];
void frame_list_add(struct domain *d, struct frame *f);
void frame_list_del(struct domain *d, struct frame *f);

/* ---- allocator (core/mm/buddy.c) ---- */
void buddy_add_range(u64 first, u64 last); /* boot: [first, last) becomes free */
/* NULL when there is none below the limit, or all that is left is claimed by others. claim: how many of the
 * frames may come out of the caller's own claim. */
struct frame *buddy_alloc(unsigned int order, unsigned int addr_bits, u64 claim);
void buddy_free(struct frame *f, unsigned int order);
int buddy_claim(u64 pages, u64 had);
u64 buddy_claimed(void);
/* Before a block gets a new owner: no CPU may still reach it through a translation of the old one. */
void frames_handover(const struct frame *f, unsigned int order);
/* XENMEM_claim_pages: 0 gives the rest of a claim back. */
int mm_claim(struct domain *d, u64 pages);
/* Drops what a dying domain itself holds of its frames: 0 or -ERESTART. */
int mm_domain_relinquish_frames(struct domain *d);

/* ---- what the x86 side (or a test's fake) provides ---- */
/* Before f changes type, or frames with this stamp change hands: flush what CPUs may still hold. */
void mm_flush_frame(const struct frame *f);
void mm_flush_stamp(u32 stamp);
void mm_clear_page(void *p);
/* Drops the reference a domain with frames holds to itself, later and without any lock held: it may be the last. */
void mm_last_frame_gone(struct domain *d);
/* Every frame that shows in a descriptor window on demand (LDT pages). */
void mm_check_windows(void (*held)(mfn_t m));

#endif
