/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation of page tables; see pte.h. */
#include "pte.h"

unsigned int pte_normalise(const struct m2p_view *v, unsigned int level, const uint64_t *in, uint64_t *out)
{
	unsigned int foreign = 0;

	for (unsigned int i = 0; i < PTES; i++) {
		uint64_t e = in[i], pfn;

		if (level == 4 && i >= L4_HV_FIRST && i <= L4_HV_LAST) {
			out[i] = 0;
			continue;
		}
		if (e & PTE_PRESENT) {
			pfn = view_pfn(v, (e & PTE_FRAME_MASK) >> 12);
			if (pfn == ~0ull) {
				foreign++;
				e = 0;
			} else {
				e = (e & ~PTE_FRAME_MASK) | pfn << 12;
			}
		}
		out[i] = e;
	}
	return foreign;
}

bool pte_localise(const uint64_t *p2m, uint64_t nr_pfns, unsigned int level, uint64_t *table,
		  uint64_t *missing)
{
	for (unsigned int i = 0; i < PTES; i++) {
		uint64_t e = table[i], pfn = (e & PTE_FRAME_MASK) >> 12;

		if (!(e & PTE_PRESENT) || (level == 4 && i >= L4_HV_FIRST && i <= L4_HV_LAST))
			continue;
		if (pfn >= nr_pfns || p2m[pfn] == ~0ull) {
			*missing = pfn < nr_pfns ? pfn : ~0ull;
			return false;
		}
	}
	for (unsigned int i = 0; i < PTES; i++) {
		uint64_t e = table[i];

		if (!(e & PTE_PRESENT) || (level == 4 && i >= L4_HV_FIRST && i <= L4_HV_LAST))
			continue;
		table[i] = (e & ~PTE_FRAME_MASK) | p2m[(e & PTE_FRAME_MASK) >> 12] << 12;
	}
	return true;
}
