/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small objects of the hypervisor: powers of two from 16 to 2048 bytes, cut from single pages.
 *
 * The book-keeping of a page lives in its struct frame, so that objects fill the page and a 2^n object is
 * 2^n-aligned:  type_word = class, nr_valid = objects in use, owner = first free object (index), next/prev =
 * pages of the class with room. A free object holds the index of the next one.
 * Lock: slab_lock. Larger objects are whole pages, their order in type_word.
 */
#include <core/mm/frame.h>
#include <lib.h>
#include <spinlock.h>

#define MIN_SHIFT 4
#define MAX_SHIFT 11
#define NO_OBJECT 0xffff

static spinlock_t slab_lock = SPINLOCK_INIT(RANK_HEAP - 1);
static u32 partial[MAX_SHIFT + 1];

void *hv_alloc_pages(unsigned int order)
{
	struct frame *f = buddy_alloc(order, 0, 0);
	u8 *p;

	if (!f)
		return NULL;
	frames_handover(f, order);
	for (u64 i = 0; i < 1UL << order; i++) {
		f[i].owner = FRAME_NO_OWNER;
		f[i].refs = FREF_HV | 1;
		f[i].tlb_stamp = 0;
	}
	p = map_frame(frame_to_mfn(f));
	for (u64 i = 0; i < 1UL << order; i++)
		mm_clear_page(p + i * PAGE_SIZE);
	return p;
}

void hv_free_pages(void *p, unsigned int order)
{
	struct frame *f;

	if (!p)
		return;
	f = mfn_to_frame(virt_to_mfn(p));
	/* A page guests could map goes when the last of them lets go. */
	for (u64 i = 0; i < 1UL << order; i++) {
		ASSERT(f[i].refs & FREF_HV);
		if (f[i].owner != FRAME_NO_OWNER)
			frame_unshare((u8 *)p + i * PAGE_SIZE);
		__atomic_fetch_or(&f[i].refs, FREF_RELEASED, __ATOMIC_SEQ_CST);
		frame_put_inline(&f[i]);
	}
}

static void page_link(struct frame *f, unsigned int shift)
{
	u32 n = (u32)frame_to_mfn(f).n;

	f->prev = 0;
	f->next = partial[shift];
	if (f->next)
		frame_table[f->next].prev = n;
	partial[shift] = n;
}

static void page_unlink(struct frame *f, unsigned int shift)
{
	if (f->prev)
		frame_table[f->prev].next = f->next;
	else
		partial[shift] = f->next;
	if (f->next)
		frame_table[f->next].prev = f->prev;
}

static struct frame *page_add(unsigned int shift)
{
	u8 *p = hv_alloc_pages(0);
	unsigned int nr = (unsigned int)(PAGE_SIZE >> shift);
	struct frame *f;

	if (!p)
		return NULL;
	f = mfn_to_frame(virt_to_mfn(p));
	f->refs |= FREF_SLAB;
	f->type_word = shift;
	f->nr_valid = 0;
	f->owner = 0;
	for (unsigned int i = 0; i < nr; i++)
		*(u16 *)(p + ((size_t)i << shift)) = i + 1 < nr ? (u16)(i + 1) : NO_OBJECT;
	page_link(f, shift);
	return f;
}

static void *small_alloc(unsigned int shift)
{
	struct frame *f;
	u16 *obj;

	spin_lock(&slab_lock);
	f = partial[shift] ? &frame_table[partial[shift]] : page_add(shift);
	if (!f) {
		spin_unlock(&slab_lock);
		return NULL;
	}
	obj = (u16 *)((u8 *)map_frame(frame_to_mfn(f)) + ((size_t)f->owner << shift));
	f->owner = *obj;
	f->nr_valid++;
	if (f->owner == NO_OBJECT)
		page_unlink(f, shift);
	spin_unlock(&slab_lock);
	return memset(obj, 0, 1UL << shift);
}

static void small_free(struct frame *f, void *p)
{
	unsigned int shift = (unsigned int)f->type_word;
	size_t off = (size_t)p & (PAGE_SIZE - 1);

	ASSERT(!(off & ((1UL << shift) - 1)));
	spin_lock(&slab_lock);
	if (f->owner == NO_OBJECT)
		page_link(f, shift);
	*(u16 *)p = f->owner;
	f->owner = (u16)(off >> shift);
	if (--f->nr_valid == 0) {
		page_unlink(f, shift);
		f->owner = FRAME_NO_OWNER;
		f->refs = FREF_HV | 1;
		f->type_word = 0;
		hv_free_pages((void *)((u64)p & PAGE_MASK), 0);
	}
	spin_unlock(&slab_lock);
}

void *hv_zalloc(size_t size)
{
	unsigned int order = 0;
	void *p;

	if (size <= 1UL << MAX_SHIFT) {
		unsigned int shift = MIN_SHIFT;

		while (1UL << shift < size)
			shift++;
		return small_alloc(shift);
	}
	while (PAGE_SIZE << order < size) {
		if (++order > MM_MAX_ORDER)
			return NULL;
	}
	p = hv_alloc_pages(order);
	if (p)
		mfn_to_frame(virt_to_mfn(p))->next = order;
	return p;
}

void hv_free(void *p)
{
	struct frame *f;

	if (!p)
		return;
	f = mfn_to_frame(virt_to_mfn(p));
	if (f->refs & FREF_SLAB)
		small_free(f, p);
	else
		hv_free_pages(p, f->next);
}

/* ---- pages shared with a guest ---- */

void frame_share_with_guest(void *page, struct domain *d, bool writable)
{
	struct frame *f = mfn_to_frame(virt_to_mfn(page));

	ASSERT((f->refs & FREF_HV) && f->owner == FRAME_NO_OWNER);
	f->type_word = PGT_TYPE(writable ? FT_WRITABLE : FT_SHARED) | PGT_VALID | 1;
	__atomic_store_n(&f->owner, d->id, __ATOMIC_RELEASE);
}

/* No new mapping can be made from here on; existing ones keep the frame until they go. */
void frame_unshare(void *page)
{
	struct frame *f = mfn_to_frame(virt_to_mfn(page));

	if (f->owner == FRAME_NO_OWNER)
		return;
	__atomic_store_n(&f->owner, FRAME_NO_OWNER, __ATOMIC_SEQ_CST);
	frame_put_type(f);
}
