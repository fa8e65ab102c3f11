/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buddy allocator of machine frames.
 *
 * Free blocks are kept by zone and order. The zone of a frame is the number of bits its number needs, and an
 * aligned block never straddles two zones, so "below 2^n" is "zone n or lower". Allocation prefers the highest
 * zone that will do: memory that devices with short addresses can reach goes last.
 *
 *   free block, 2^order frames:  | HEAD: type_word = order, next/prev = list | FREE | FREE | ... |
 *
 * Invariant: two free buddies of one order never exist side by side. Claims: frames promised to domains
 * (XENMEM_claim_pages) and not yet taken; nobody else may eat into them. Lock: heap_lock.
 */
#include <core/mm/frame.h>
#include <lib.h>
#include <spinlock.h>
#include <xerrno.h>

#define NR_ZONES 41

static spinlock_t heap_lock = SPINLOCK_INIT(RANK_HEAP);
static u32 free_list[NR_ZONES][MM_MAX_ORDER + 1];
static u32 zone_orders[NR_ZONES]; /* which of a zone's lists are not empty */
static u64 nr_free, nr_total, nr_claimed;

static unsigned int zone_of(u64 mfn)
{
	return 64 - (unsigned int)__builtin_clzll(mfn);
}

static void block_insert(struct frame *f, unsigned int order)
{
	u64 n = frame_to_mfn(f).n;
	unsigned int z = zone_of(n);
	u32 *head = &free_list[z][order];

	f->refs = FREF_FREE | FREF_HEAD;
	f->type_word = order;
	f->prev = 0;
	f->next = *head;
	if (*head)
		frame_table[*head].prev = (u32)n;
	*head = (u32)n;
	zone_orders[z] |= 1U << order;
}

static void block_remove(struct frame *f, unsigned int order)
{
	u64 n = frame_to_mfn(f).n;
	unsigned int z = zone_of(n);

	if (f->prev)
		frame_table[f->prev].next = f->next;
	else
		free_list[z][order] = f->next;
	if (f->next)
		frame_table[f->next].prev = f->prev;
	if (!free_list[z][order])
		zone_orders[z] &= ~(1U << order);
	f->refs = FREF_FREE;
}

static bool block_is_free(u64 n, unsigned int order)
{
	const struct frame *f;

	if (n >= max_mfn)
		return false;
	f = &frame_table[n];
	return (f->refs & (FREF_FREE | FREF_HEAD)) == (FREF_FREE | FREF_HEAD) && f->type_word == order;
}

static void block_free(u64 n, unsigned int order)
{
	nr_free += 1UL << order;
	while (order < MM_MAX_ORDER) {
		u64 buddy = n ^ (1UL << order);

		/* Merging down to frame 0 cannot happen: it is never free. */
		if (!block_is_free(buddy, order))
			break;
		block_remove(&frame_table[buddy], order);
		n &= ~(1UL << order);
		order++;
	}
	block_insert(&frame_table[n], order);
}

void buddy_add_range(u64 first, u64 last)
{
	first = max(first, (u64)1);
	if (last <= first)
		return;
	for (u64 n = first; n < last; n++) {
		frame_table[n].refs = FREF_FREE;
		frame_table[n].owner = FRAME_NO_OWNER;
	}
	spin_lock(&heap_lock);
	nr_total += last - first;
	while (first < last) {
		unsigned int order = (unsigned int)__builtin_ctzll(first | BIT(MM_MAX_ORDER));

		while (first + (1UL << order) > last)
			order--;
		block_free(first, order);
		first += 1UL << order;
	}
	spin_unlock(&heap_lock);
}

static struct frame *block_find(unsigned int order, unsigned int zone)
{
	for (; zone; zone--) {
		u32 orders = zone_orders[zone] >> order;
		unsigned int o;
		struct frame *f;

		if (!orders)
			continue;
		o = order + (unsigned int)__builtin_ctz(orders);
		f = &frame_table[free_list[zone][o]];
		block_remove(f, o);
		while (o > order) {
			o--;
			block_insert(f + (1UL << o), o);
		}
		return f;
	}
	return NULL;
}

struct frame *buddy_alloc(unsigned int order, unsigned int addr_bits, u64 claim)
{
	unsigned int zone = NR_ZONES - 1;
	u64 want = 1UL << order;
	struct frame *f = NULL;

	if (order > MM_MAX_ORDER)
		return NULL;
	if (addr_bits) {
		if (addr_bits <= PAGE_SHIFT)
			return NULL;
		zone = min(zone, addr_bits - PAGE_SHIFT);
	}
	spin_lock(&heap_lock);
	claim = min(claim, nr_claimed);
	if (nr_free >= want && nr_free - want >= nr_claimed - claim)
		f = block_find(order, zone);
	if (f) {
		nr_free -= want;
		nr_claimed -= min(claim, want);
		for (u64 i = 0; i < want; i++) {
			f[i].refs = 0;
			f[i].type_word = 0;
		}
	}
	spin_unlock(&heap_lock);
	return f;
}

void buddy_free(struct frame *f, unsigned int order)
{
	for (u64 i = 0; i < 1UL << order; i++) {
		ASSERT(!(f[i].refs & FREF_FREE));
		f[i].refs = FREF_FREE;
		f[i].type_word = 0;
	}
	spin_lock(&heap_lock);
	block_free(frame_to_mfn(f).n, order);
	spin_unlock(&heap_lock);
}

int buddy_claim(u64 pages, u64 had)
{
	int rc = 0;

	spin_lock(&heap_lock);
	if (pages > had && pages - had > nr_free - nr_claimed)
		rc = -ENOMEM;
	else
		nr_claimed = nr_claimed - had + pages;
	spin_unlock(&heap_lock);
	return rc;
}

u64 buddy_claimed(void)
{
	return READ_ONCE(nr_claimed);
}

u64 mm_free_frames(void)
{
	return READ_ONCE(nr_free);
}

u64 mm_total_frames(void)
{
	return READ_ONCE(nr_total);
}
