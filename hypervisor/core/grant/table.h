/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables, the pure part: what may happen to a shared entry, who has what in use, and the
 * handles of a mapping domain.
 *
 * A grant is used in two steps that other code relies on:
 *   1. the shared entry, which its owner may rewrite at any time, is looked at once and marked in
 * use by a compare-and-swap of flags and domid together (v2: marked in the status word, then looked
 * at again);
 *   2. what was found is kept in the owner's active entry, and only that is believed from then on.
 */
#ifndef SERAI_CORE_GRANT_TABLE_H
#define SERAI_CORE_GRANT_TABLE_H

#include <bitops.h>
#include <spinlock.h>
#include <types.h>
#include <xerrno.h>
#include <xen/grant_table.h>

struct domain;

/* ---- shared entries (entry.c) ---- */

/* Flags and domid of an entry as one word: flags in the lower half. */
static inline u32 grant_word(u16 flags, domid_t domid)
{
	return flags | (u32)domid << 16;
}

/* May who use an entry with this word? whole: the use is of a whole page, as mappings are. */
static inline bool grant_word_permits(u32 word, domid_t who, bool readonly, bool whole)
{
	u32 type_mask = GTF_type_mask | (whole ? GTF_sub_page : 0);

	return (word & type_mask) == GTF_permit_access && word >> 16 == who &&
	       (readonly || !(word & GTF_readonly));
}
/* The bits that say it is in use. */
static inline u32 grant_use_bits(bool readonly)
{
	return readonly ? GTF_reading : GTF_reading | GTF_writing;
}

/* Mark in use: GNTST_okay or GNTST_general_error. */
int grant_pin_v1(u32 *word, domid_t who, bool readonly, bool whole);
int grant_pin_v2(const u32 *word, u16 *status, domid_t who, bool readonly, bool whole);
/* Marks taken back: those of flags (v1: the entry's, v2: the status word) that no user needs any
 * more. */
void grant_unpin(u16 *flags, bool still_read, bool still_written);
/* Transfer: 0 and committed, or GNTST_*. */
int grant_transfer_commit(u32 *word, domid_t from);

/* ---- active entries: what the hypervisor knows about an entry in use ---- */

struct grant_active {
	u64 mfn;
	u32 readers, writers; /* mappings and copies; writers are not readers */
	u16 off, len;         /* the part granted; len 0 stands for a whole page */
	domid_t domid;        /* who uses it */
	u8 sub_page;
	u8 pad[9];
};
_Static_assert(sizeof(struct grant_active) == 32, "a power of two");
#define GRANT_ACTIVE_PER_PAGE (PAGE_SIZE / sizeof(struct grant_active))

static inline bool grant_active_used(const struct grant_active *a)
{
	return a->readers | a->writers;
}

/* ---- handles of a mapping domain (maptrack.c) ---- */

#define MAPTRACK_USED 0x8000U /* beside GNTMAP_*; flags 0 = free */

struct maptrack_entry {
	struct domain *granter; /* referenced while used */
	u32 ref;                /* used: the grant; free: next free entry */
	u16 flags;
	u16 pad;
};
_Static_assert(sizeof(struct maptrack_entry) == 16, "a power of two");
#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct maptrack_entry))
#define MAPTRACK_NONE (~0U)

/* Lock: .lock (RANK_GRANT_MAP) for the free list and growth. A used entry belongs to its granter's
 * lock. */
struct maptrack {
	spinlock_t lock;
	u32 nr; /* entries there are */
	u32 free;
	u32 max_pages;
	u32 in_use;
	struct maptrack_entry **pages;
};

static inline u64 grant_index_mask(u64 idx, u64 nr)
{
	u64 mask;

	__asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(idx), "r"(nr) : "cc");
	return mask;
}

static inline struct maptrack_entry *maptrack_find(const struct maptrack *m, u32 handle)
{
	u32 nr = READ_ONCE(m->nr);
	u64 i;

	if (unlikely(handle >= nr))
		return NULL;
	i = handle & grant_index_mask(handle, nr);
	return &m->pages[i / MAPTRACK_PER_PAGE][i % MAPTRACK_PER_PAGE];
}
/* A handle, or MAPTRACK_NONE: maptrack_add_page() if there may be more, and try again. */
u32 maptrack_take(struct maptrack *m);
void maptrack_release(struct maptrack *m, u32 handle);
int maptrack_add_page(struct maptrack *m, void *page); /* zeroed; -ENOSPC at the limit */

#endif
