/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of x86/mm. */
#ifndef SERAI_X86_MM_HVMAP_H
#define SERAI_X86_MM_HVMAP_H

#include <mm.h>

void hvmap_heap_ready(void);
void hvmap_prepare_slots(void);
u64 *hvmap_l1e(u64 va); /* NULL: no memory for a table */
void flush_tlb_global_all(void);
extern mfn_t m2p_chunks[1024];
extern unsigned int m2p_nr_chunks;
void l1tf_init(void);
void gone_init(void);
void desc_init(void);
void desc_window_clear(void);
/* ptes, of DESC_WINDOW_PAGES, shows what this CPU's window shows from now on, too. */
void desc_window_isolated(unsigned int cpu, u64 *ptes);
void xpti_init(void);

/* The no-execute bit, where the machine has it. */
static inline u64 hv_nx(void)
{
	return PTE_NX & ~pte_reserved;
}

#endif
