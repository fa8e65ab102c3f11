/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page tables a PV guest starts on. Invariant (the hypervisor will check it): a frame that holds a
 * table is mapped read-only everywhere.
 */
#include "layout.h"

#include <string.h>

#define PTE_P 0x001ull
#define PTE_RW 0x002ull
#define PTE_US 0x004ull
#define PTE_A 0x020ull
#define PTE_D 0x040ull
/* 64-bit PV kernels run in ring 3: every mapping of theirs is a user mapping. */
#define L1_PROT (PTE_P | PTE_RW | PTE_US | PTE_A)
#define L2_PROT (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

#define ENTRIES 512u

/* Tables handed out one after another from a run of guest frames. */
struct pool {
	uint64_t *mem;
	uint64_t pfn;
	const xen_pfn_t *p2m;
	uint64_t used;
};

/* The table that `entry` points to, made on first use. */
static uint64_t *table_next(struct pool *p, uint64_t *entry, uint64_t **cache)
{
	if (!(*entry & PTE_P)) {
		*entry = (uint64_t)p->p2m[p->pfn + p->used] << XC_PAGE_SHIFT | L2_PROT;
		*cache = p->mem + p->used++ * ENTRIES;
	}
	return *cache;
}

/* Map frames [pfn, pfn + n) at va. Calls come in ascending va, so the last table of each level is enough. */
static void map_range(struct pool *p, uint64_t *l4, uint64_t va, uint64_t pfn, uint64_t n, uint64_t ro_first,
		      uint64_t ro_count)
{
	uint64_t *l3 = NULL, *l2 = NULL, *l1 = NULL;

	for (uint64_t i = 0; i < n; i++, va += XC_PAGE_SIZE) {
		uint64_t f = pfn + i, prot = L1_PROT;

		l3 = table_next(p, &l4[va >> 39 & 511], &l3);
		l2 = table_next(p, &l3[va >> 30 & 511], &l2);
		l1 = table_next(p, &l2[va >> 21 & 511], &l1);
		if (f - ro_first < ro_count)
			prot &= ~PTE_RW;
		l1[va >> 12 & 511] = (uint64_t)p->p2m[f] << XC_PAGE_SHIFT | prot;
	}
}

void pagetables_build(const struct xc_layout *l, const xen_pfn_t *p2m, uint64_t *pt, uint64_t *p2m_pt)
{
	struct pool main = {pt, l->pt_pfn, p2m, 1};
	struct pool list = {p2m_pt, l->p2m_pfn + l->p2m_pages, p2m, 0};

	memset(pt, 0, l->pt_pages * XC_PAGE_SIZE);
	map_range(&main, pt, l->virt_base, 0, (l->virt_end - l->virt_base) >> XC_PAGE_SHIFT, l->pt_pfn,
		  l->pt_pages);
	if (l->p2m_pt_pages) {
		memset(p2m_pt, 0, l->p2m_pt_pages * XC_PAGE_SIZE);
		map_range(&list, pt, l->p2m_virt, l->p2m_pfn, l->p2m_pages, 0, 0);
	}
}
