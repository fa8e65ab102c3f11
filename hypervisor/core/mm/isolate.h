/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots for guests on CPUs that are open to Meltdown: a copy of the guest's root whose hypervisor slots lead to what
 * the way in and out needs, and nowhere else.
 *
 *      guest's root (in use inside)            its copy (in use outside), one set a CPU
 *      0..255     the guest's   --- copied --> 0..255
 *      256        M2P, readable -------------> 256
 *      257..271   the hypervisor               261 only, tables of the copy's own:  entry text, IDT, this CPU's
 *                                              GDT/LDT window, TSS, syscall stub, IST stacks, v->regs
 *      272..511   the guest's   --- copied --> 272..511
 *
 * A copy is to its root what a TLB entry is to a page-table entry: it may be out of date until a flush, and a
 * flush drops it. A fault where the two differ is nobody's but ours: the copy is made anew.
 */
#ifndef SERAI_CORE_MM_ISOLATE_H
#define SERAI_CORE_MM_ISOLATE_H

#include <mm.h>

/* What may be mapped: nr pages from va on, to frames from mfn on (INVALID_MFN: to anything, not necessarily
 * there) with these flags. */
struct isolate_range {
	u64 va, nr;
	mfn_t mfn;
	u64 flags;
	const char *what;
};
#define ISOLATE_PERMS (PTE_P | PTE_RW | PTE_US | PTE_NX)
#define ISOLATE_FLAGS_COMPARED (PTE_RW | PTE_US | PTE_NX | PTE_PWT | PTE_PCD | PTE_PS)

/* Where the entry of va is, making tables on the way. NULL: no memory. */
u64 *isolate_entry(u64 *root, u64 va);
/* Maps what the list names. 0 or -ENOMEM. */
int isolate_map(u64 *root, const struct isolate_range *r, unsigned int nr);
/* The guest's slots of its root. */
void isolate_copy(u64 *root, const u64 *guest);
/* Does the copy lead elsewhere than the guest's root at this address? */
bool isolate_stale(const u64 *root, const u64 *guest, u64 va);
/* Finds everything in the hypervisor's slots, the M2P's first, that the list does not name; calls bad(va, entry) for
 * each, and seen(va, entry, what) for each page that is all right (either may be NULL). The number of bad ones. */
unsigned int isolate_check(const u64 *root, u64 m2p_slot, const struct isolate_range *r, unsigned int nr,
			   void (*bad)(u64 va, u64 entry), void (*seen)(u64 va, u64 entry, const char *what));

#endif
