/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: bytes become operations on a domain's page tables (writes to plain pages, pins, unpins, entry
 * updates, frames given back), each with its own preemption budget; the invariant checker judges at the end.
 */
#include "../unit/core/mm/world.h"
#include <lib.h>
#include <stdlib.h>
#include <string.h>

#define POOL 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct op {
	u8 what, frame, target, slot, flags, budget;
};

static int one(struct domain *d, mfn_t *pool, const struct op *o)
{
	mfn_t m = pool[o->frame % POOL];
	struct frame *f = mfn_to_frame(m);
	unsigned int slot = o->slot < 200 ? o->slot % 8U : HV_L4_FIRST + o->slot % 24U;
	u64 e = pte_make(pool[o->target % POOL], o->flags & 0xffU), w;
	enum frame_type t = (enum frame_type)(FT_L1 + o->what / 8 % 4);
	int rc;

	mm_lock(d);
	d->mm->budget = 1 + o->budget % 8;
	rc = mm_pending_work(d);
	switch (rc ? 99 : o->what % 8) {
	case 0:
	case 1: /* pin */
		if (!frame_get(f, d))
			break;
		rc = frame_get_table(d, f, t);
		if (!rc && pgt_pin(f->type_word, &w))
			f->type_word = w;
		else if (!rc)
			frame_put_table_and_ref(d, f);
		else
			frame_put(f);
		break;
	case 2:
		frame_unpin(d, f);
		break;
	case 3: /* a use that ends at once */
		if (!frame_get(f, d))
			break;
		if (!frame_get_table(d, f, t))
			frame_put_table_and_ref(d, f);
		else
			frame_put(f);
		break;
	default:
		if (f->type_word & PGT_VALID) {
			if (pgt_is_table(pgt_type(f->type_word)))
				entry_update(d, d, f, &table_of(m)[slot], e, o->budget & 0x80 ? PTE_AD : 0);
		} else if (frame_get_and_type(f, d, FT_WRITABLE)) {
			table_of(m)[slot] = e;
			frame_put_and_type(f);
		}
	}
	mm_unlock(d);
	return rc;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct domain *d;
	mfn_t pool[POOL];
	struct op o;

	world_init();
	d = world_domain(1);
	for (unsigned int i = 0; i < POOL; i++)
		pool[i] = frame_to_mfn(alloc_frames(d, 0, 0));
	for (; size >= sizeof(o); data += sizeof(o), size -= sizeof(o)) {
		memcpy(&o, data, sizeof(o));
		one(d, pool, &o);
	}
	if (mm_check_all())
		abort();
	world_domain_free(d);
	if (mm_free_frames() != mm_total_frames())
		abort();
	return 0;
}
