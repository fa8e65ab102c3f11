/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building dom0. */
#ifndef SERAI_BOOT_DOM0_H
#define SERAI_BOOT_DOM0_H

#include "kernel_elf.h"
#include <domain.h>

extern bool dom0_pin_vcpus;
unsigned int dom0_vcpu_count(void);
/* Pages dom0 gets of avail, and the most it may grow to. */
u64 dom0_page_count(u64 avail, u64 *max_pages);
void dom0_permissions(struct domain *d);

/* Its memory while it is built: pfn -> mfn, in pfn order as allocated. */
struct dom0_memory {
	u64 nr_pages;
	u64 *p2m;
};

/*
 * What lies where, in pfns:
 *
 *   0 ... kernel (at its own addresses) | start_info | page tables | stack ... | initrd | p2m tables, p2m
 *   '------------------- mapped at VIRT_BASE, up to v_end -------------------'
 */
struct dom0_layout {
	u64 start_info, tables, nr_tables, stack, mapped_end; /* pfns; mapped_end a multiple of 4 MiB */
	u64 initrd, initrd_pages, initrd_size;
	u64 p2m_tables, p2m, p2m_pages, p2m_end;
	u64 v_base;
};
void dom0_plan(const struct kernel_info *k, u64 nr_pages, u64 initrd_size, struct dom0_layout *l);
/* Writes the tables and returns the root. */
mfn_t dom0_page_tables(const struct dom0_memory *m, const struct kernel_info *k, const struct dom0_layout *l);

static inline void *dom0_page(const struct dom0_memory *m, u64 pfn);
#include <mm.h>
static inline void *dom0_page(const struct dom0_memory *m, u64 pfn)
{
	return map_frame(MFN(m->p2m[pfn]));
}

#endif
