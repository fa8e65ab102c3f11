/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"
#include <event.h>
#include <irq.h>
#include <lib.h>
#include <smp.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

u8 *direct_map;
u64 *m2p_table;
struct frame *frame_table;
u64 max_mfn;
spinlock_t domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct list domain_list = LIST_INIT(domain_list);
unsigned int world_flushes, world_domains_put;
u32 tlb_clock = 1;
static u32 random_state = 1;

void world_seed(u32 seed)
{
	random_state = seed ? seed : 1;
}

u32 world_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* The allocator keeps its state in statics: a new world takes over the memory of the old one. */
void world_init(void)
{
	if (direct_map) {
		assert(mm_free_frames() == mm_total_frames());
		return;
	}
	max_mfn = WORLD_FRAMES;
	direct_map = aligned_alloc(PAGE_SIZE, WORLD_FRAMES * PAGE_SIZE);
	frame_table = calloc(WORLD_FRAMES, sizeof(*frame_table));
	m2p_table = calloc(WORLD_FRAMES, sizeof(*m2p_table));
	memset(direct_map, 0xa5, WORLD_FRAMES * PAGE_SIZE);
	frame_table[0].refs = FREF_HOLE;
	frame_table[0].owner = FRAME_NO_OWNER;
	pte_reserved = PTE_ADDR_MASK & ~(BIT(40) - 1);
	buddy_add_range(1, WORLD_FRAMES);
}

struct domain *world_domain(domid_t id)
{
	struct domain *d = calloc(1, sizeof(*d));

	d->id = id;
	d->refcount = 1;
	if (mm_domain_init(d))
		abort();
	list_add_tail(&d->list, &domain_list);
	return d;
}

void world_domain_free(struct domain *d)
{
	int rc;

	d->dying = DOMDYING_dying;
	while ((rc = mm_domain_relinquish_frames(d)) == -ERESTART)
		;
	assert(!rc && !d->mm->tot_pages);
	list_del(&d->list);
	mm_domain_destroy(d);
	free(d);
}

static int pending(struct domain *d)
{
	mm_lock(d);
	while (mm_pending_work(d))
		d->mm->budget = 1;
	mm_unlock(d);
	return 0;
}

int world_get_table(struct domain *d, struct frame *f, enum frame_type t)
{
	int rc;

	do {
		mm_lock(d);
		d->mm->budget = 1 + (int)(world_random() % 3);
		rc = mm_pending_work(d);
		if (!rc)
			rc = frame_get_table(d, f, t);
		mm_unlock(d);
	} while (rc == -ERESTART);
	pending(d);
	return rc;
}

void world_put_table_and_ref(struct domain *d, struct frame *f)
{
	mm_lock(d);
	d->mm->budget = 1 + (int)(world_random() % 3);
	frame_put_table_and_ref(d, f);
	mm_unlock(d);
	pending(d);
}

int world_pin(struct domain *d, struct frame *f, enum frame_type t)
{
	u64 w;
	int rc;

	if (!frame_get(f, d))
		return -EINVAL;
	rc = world_get_table(d, f, t);
	if (rc) {
		frame_put(f);
		return rc;
	}
	if (pgt_pin(f->type_word, &w)) {
		f->type_word = w;
		return 0;
	}
	world_put_table_and_ref(d, f);
	return -EINVAL;
}

int world_unpin(struct domain *d, struct frame *f)
{
	int rc;

	do {
		mm_lock(d);
		d->mm->budget = 1 + (int)(world_random() % 3);
		rc = mm_pending_work(d);
		if (!rc)
			rc = frame_unpin(d, f);
		mm_unlock(d);
	} while (rc == -ERESTART);
	return rc;
}

/* ---- the seam ---- */

void mm_flush_frame(const struct frame *f)
{
	(void)f;
	world_flushes++;
}
void mm_flush_stamp(u32 stamp)
{
	(void)stamp;
	world_flushes++;
}
void mm_clear_page(void *p)
{
	memset(p, 0, PAGE_SIZE);
}
void mm_check_windows(void (*fn)(mfn_t m))
{
	(void)fn;
}
void evtchn_for_each_frame(const struct domain *d, void (*fn)(mfn_t m))
{
	(void)d, (void)fn;
}
bool mm_io_permitted(const struct domain *d, mfn_t m)
{
	(void)m;
	return d->is_hardware;
}
void pv_init_guest_l4_slots(u64 *l4)
{
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		l4[i] = 0xdead000 | PTE_P;
}
bool domain_get(struct domain *d)
{
	d->refcount++;
	return true;
}
void domain_put(struct domain *d)
{
	d->refcount--;
	world_domains_put++;
}
void mm_last_frame_gone(struct domain *d)
{
	domain_put(d);
}
mfn_t irq_eoi_frame(const struct domain *d)
{
	(void)d;
	return INVALID_MFN;
}
void cpu_relax_poll(void)
{
}
void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	fprintf(stderr, "deadlock: rank %u, ticket %u\n", l->rank, ticket);
	abort();
}
void lock_rank_acquire(spinlock_t *l)
{
	(void)l;
}
void lock_rank_release(spinlock_t *l)
{
	(void)l;
}
void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(*fmt == 1 ? fmt + 2 : fmt, ap);
	va_end(ap);
}
void bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s at %s:%d\n", what, file, line);
	abort();
}
