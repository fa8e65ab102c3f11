/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables on the wire name guest frames, in memory machine frames. Pure translation between the two.
 */
#ifndef SERAI_STREAM_PTE_H
#define SERAI_STREAM_PTE_H

#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT 1ull
#define PTE_FRAME_MASK 0x000ffffffffff000ull
#define PTES 512u

/* Slots of a 64-bit guest's L4 that belong to the hypervisor. */
#define L4_HV_FIRST 256u
#define L4_HV_LAST 271u

struct m2p_view {
	const uint64_t *m2p, *p2m;
	uint64_t nr_mfns, nr_pfns;
};

/* The guest frame of a machine frame, if both tables agree; otherwise ~0. */
static inline uint64_t view_pfn(const struct m2p_view *v, uint64_t mfn)
{
	uint64_t pfn = mfn < v->nr_mfns ? v->m2p[mfn] : ~0ull;

	return pfn < v->nr_pfns && v->p2m[pfn] == mfn ? pfn : ~0ull;
}

/*
 * Machine to guest frames. Returns how many present entries name frames that are not the guest's (they
 * are written as not present; a live sender sends the page again later).
 */
unsigned int pte_normalise(const struct m2p_view *v, unsigned int level, const uint64_t *in, uint64_t *out);
/*
 * Guest to machine frames by p2m[]; ~0 in p2m means "no frame yet": *missing receives the pfn and false
 * comes back. A pfn beyond nr_pfns is a bad stream: *missing is ~0.
 */
bool pte_localise(const uint64_t *p2m, uint64_t nr_pfns, unsigned int level, uint64_t *table,
		  uint64_t *missing);

#endif
