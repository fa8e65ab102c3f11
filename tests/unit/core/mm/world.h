/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small machine for the mm room: an arena of frames, a frame table, domains, and the x86 side faked. */
#ifndef TEST_MM_WORLD_H
#define TEST_MM_WORLD_H

#include <core/mm/table.h>

#define WORLD_FRAMES 2048UL

extern unsigned int world_flushes; /* times mm_flush_frame() or mm_flush_stamp() ran */
extern unsigned int world_domains_put;

void world_init(void); /* everything free but frame 0 */
struct domain *world_domain(domid_t id);
void world_domain_free(struct domain *d);
u32 world_random(void);
void world_seed(u32 seed);
static inline u64 *table_of(mfn_t m)
{
	return map_frame(m);
}
/* Calls until it is neither -ERESTART nor left pending; returns the result. */
int world_get_table(struct domain *d, struct frame *f, enum frame_type t);
void world_put_table_and_ref(struct domain *d, struct frame *f);
int world_unpin(struct domain *d, struct frame *f);
int world_pin(struct domain *d, struct frame *f, enum frame_type t);

#endif
