/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain owns: its list of frames, totals and claim; handing frames out and taking them back.
 *
 * The list is circular through frame numbers; a dying domain has a second one (zombies) of frames others
 * still hold. frames_lock protects lists, totals and claim. A domain with frames holds a reference to its own
 * struct, so that the struct outlives the last of them.
 */
#include <core/mm/shadow.h>
#include <lib.h>
#include <xerrno.h>

static void list_insert(u32 *head, u32 n)
{
	struct frame *f = &frame_table[n];

	if (!*head) {
		f->next = f->prev = n;
		*head = n;
		return;
	}
	f->next = *head;
	f->prev = frame_table[*head].prev;
	frame_table[f->prev].next = n;
	frame_table[*head].prev = n;
}

static void list_remove(struct domain_mm *mm, u32 n)
{
	struct frame *f = &frame_table[n];

	frame_table[f->prev].next = f->next;
	frame_table[f->next].prev = f->prev;
	if (mm->frame_list == n)
		mm->frame_list = f->next == n ? 0 : f->next;
	else if (mm->zombie_list == n)
		mm->zombie_list = f->next == n ? 0 : f->next;
}

/* Returns true when these are the first frames: the domain then needs a reference. */
static bool account_add(struct domain_mm *mm, u32 nr)
{
	bool first = !mm->tot_pages;

	mm->tot_pages += nr;
	mm->outstanding_pages -= min(nr, mm->outstanding_pages);
	return first;
}

void frame_list_del(struct domain *d, struct frame *f)
{
	bool last;

	spin_lock(&d->mm->frames_lock);
	list_remove(d->mm, (u32)frame_to_mfn(f).n);
	last = !--d->mm->tot_pages;
	spin_unlock(&d->mm->frames_lock);
	if (last)
		mm_last_frame_gone(d);
}

void frames_handover(const struct frame *f, unsigned int order)
{
	u32 newest = 0;

	/* Stamps are compared as a circle; 0 is "never used". */
	for (u64 i = 0; i < 1UL << order; i++)
		if (f[i].tlb_stamp && (!newest || (s32)(f[i].tlb_stamp - newest) > 0))
			newest = f[i].tlb_stamp;
	if (newest)
		mm_flush_stamp(newest);
}

/* Makes frames nobody knows of yet d's own. */
static int frames_give(struct domain *d, struct frame *f, unsigned int order)
{
	struct domain_mm *mm = d->mm;
	u32 nr = 1U << order, n = (u32)frame_to_mfn(f).n;
	bool first;

	spin_lock(&mm->frames_lock);
	if (d->dying || nr > mm->max_pages || mm->tot_pages > mm->max_pages - nr) {
		spin_unlock(&mm->frames_lock);
		return d->dying ? -EINVAL : -ENOMEM;
	}
	first = account_add(mm, nr);
	if (first && !domain_get(d)) {
		mm->tot_pages -= nr;
		spin_unlock(&mm->frames_lock);
		return -EINVAL;
	}
	for (u32 i = 0; i < nr; i++) {
		f[i].owner = d->id;
		f[i].type_word = 0;
		f[i].tlb_stamp = 0;
		__atomic_store_n(&f[i].refs, FREF_ALLOCATED | 1, __ATOMIC_RELEASE);
		list_insert(&mm->frame_list, n + i);
	}
	spin_unlock(&mm->frames_lock);
	return 0;
}

struct frame *alloc_frames(struct domain *d, unsigned int order, unsigned int addr_bits)
{
	struct frame *f;

	if (d && (order > MM_MAX_ORDER || (1UL << order) > d->mm->max_pages ||
		  d->mm->tot_pages > d->mm->max_pages - (1U << order)))
		return NULL;
	f = buddy_alloc(order, addr_bits, d ? d->mm->outstanding_pages : 0);
	if (!f)
		return NULL;
	frames_handover(f, order);
	for (u64 i = 0; i < 1UL << order; i++) {
		void *p = map_frame(frame_to_mfn(f + i));

		mm_clear_page(p);
		unmap_frame(p);
		f[i].tlb_stamp = 0;
		f[i].owner = FRAME_NO_OWNER;
	}
	if (d && frames_give(d, f, order)) {
		buddy_free(f, order);
		return NULL;
	}
	return f;
}

void free_frames(struct frame *f, unsigned int order)
{
	buddy_free(f, order);
}

int frame_steal(struct domain *d, struct frame *f)
{
	u64 old = FREF_ALLOCATED | 1;

	if (READ_ONCE(f->owner) != d->id)
		return -EINVAL;
	/*
	 * Nobody but the allocation itself may hold it. The count goes to 0 and stays there until the frame has an owner
	 * again: whoever means to take a reference while it changes hands is refused (frame_get_inline()), whatever
	 * owner he sees.
	 */
	if (!frame_cas(&f->refs, &old, 0))
		return -EINVAL;
	if (READ_ONCE(f->owner) != d->id || pgt_count(f->type_word)) {
		__atomic_store_n(&f->refs, FREF_ALLOCATED | 1, __ATOMIC_RELEASE);
		return -EINVAL;
	}
	frame_list_del(d, f);
	f->owner = FRAME_NO_OWNER;
	f->tlb_stamp = mm_tlb_clock(); /* read-only translations go without one */
	return 0;
}

int frame_assign(struct domain *d, struct frame *f)
{
	ASSERT(f->owner == FRAME_NO_OWNER && !frame_refs(f));
	frames_handover(f, 0);
	return frames_give(d, f, 0);
}

int mm_assign_boot_frame(struct domain *d, mfn_t m)
{
	return frames_give(d, mfn_to_frame(m), 0);
}

int mm_claim(struct domain *d, u64 pages)
{
	struct domain_mm *mm = d->mm;
	int rc = -EINVAL;

	spin_lock(&mm->frames_lock);
	/* The claim names the size the domain is to reach. */
	if (pages && pages <= mm->tot_pages)
		goto out;
	if (pages && pages > mm->max_pages)
		goto out;
	if (pages && mm->outstanding_pages)
		goto out;
	if (pages)
		pages -= mm->tot_pages;
	rc = buddy_claim(pages, mm->outstanding_pages);
	if (!rc)
		mm->outstanding_pages = (u32)pages;
out:
	spin_unlock(&mm->frames_lock);
	return rc;
}

int mm_domain_init(struct domain *d)
{
	struct domain_mm *mm = hv_new(struct domain_mm);

	if (!mm)
		return -ENOMEM;
	spin_lock_init(&mm->lock, RANK_MM);
	spin_lock_init(&mm->frames_lock, RANK_FRAMES);
	mm->max_pages = ~0U;
	d->mm = mm;
	if (d->id < ARRAY_SIZE(mm_owners))
		mm_owners[d->id] = d;
	return 0;
}

void mm_domain_destroy(struct domain *d)
{
	struct domain_mm *mm = d->mm;

	if (!mm)
		return;
	ASSERT(!mm->tot_pages);
	if (mm->log_dirty)
		shadow_disable(d);
	if (mm->outstanding_pages)
		buddy_claim(0, mm->outstanding_pages);
	if (d->id < ARRAY_SIZE(mm_owners) && mm_owners[d->id] == d)
		mm_owners[d->id] = NULL;
	hv_free(mm->memory_map);
	hv_free(mm);
	d->mm = NULL;
}

/* Everything that holds one frame of a dying domain from inside the domain. 0 or -ERESTART. */
static int frame_relinquish(struct domain *d, struct frame *f)
{
	u64 w = READ_ONCE(f->type_word);
	int rc = 0;

	if (w & PGT_PINNED)
		rc = frame_unpin(d, f);
	else if ((w & PGT_SELF) && (w & PGT_PARTIAL))
		rc = frame_drop_self(d, f);
	if (rc)
		return rc;
	if (__atomic_fetch_and(&f->refs, ~FREF_ALLOCATED, __ATOMIC_SEQ_CST) & FREF_ALLOCATED)
		frame_put_inline(f);
	return 0;
}

/* Frames a stretch may take before the lock is given up. */
#define RELINQUISH_BATCH 256

int mm_domain_relinquish_frames(struct domain *d)
{
	struct domain_mm *mm = d->mm;
	int rc = 0;

	mm_lock(d);
	rc = mm_pending_work(d);
	for (unsigned int i = 0; !rc; i++) {
		u32 n = READ_ONCE(mm->frame_list);
		struct frame *f = &frame_table[n];

		if (!n)
			break;
		/* Our own reference keeps it on the list while it is looked at. None to be had: the last has just gone
		 * elsewhere, and whoever dropped it takes the frame off the list. */
		if (i >= RELINQUISH_BATCH || mm->budget <= 0 || !frame_get_inline(f, d->id)) {
			rc = -ERESTART;
			break;
		}
		rc = frame_relinquish(d, f);
		if (!rc) {
			spin_lock(&mm->frames_lock);
			list_remove(mm, n);
			list_insert(&mm->zombie_list, n);
			spin_unlock(&mm->frames_lock);
		}
		frame_put_inline(f);
	}
	mm_unlock(d);
	return rc;
}
