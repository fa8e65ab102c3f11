/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0's first page tables. They are ordinary guest tables: written here as plain memory, then validated like
 * any other when the boot vCPU's root is set. So table pages are mapped read-only from the start.
 *
 * Two ranges: [VIRT_BASE, mapped_end) onto pfns 0.., and the P2M list at INIT_P2M. Tables of the first
 * come from the layout's table area (the guest reuses them), those of the second from p2m_tables.
 */
#include "dom0.h"
#include <lib.h>

#define L1_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define L2_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static unsigned int index_at(u64 va, unsigned int level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/* Tables of levels 1..3 for nr 4 KiB pages from va. */
static u64 tables_needed(u64 va, u64 nr)
{
	u64 n = 0, end = va + (nr << PAGE_SHIFT) - 1;

	for (unsigned int level = 2; level <= 4; level++) {
		unsigned int shift = PAGE_SHIFT + 9 * (level - 1);

		n += (end >> shift) - (va >> shift) + 1;
	}
	return n;
}

void dom0_plan(const struct kernel_info *k, u64 nr_pages, u64 initrd_size, struct dom0_layout *l)
{
	u64 end = DIV_ROUND_UP(k->phys_end, PAGE_SIZE), mapped;

	memset(l, 0, sizeof(*l));
	l->v_base = k->virt_base;
	l->p2m_pages = DIV_ROUND_UP(nr_pages * 8, PAGE_SIZE);
	/* A kernel that names no place of its own for the P2M finds it behind itself, mapped. */
	if (!k->has_init_p2m) {
		l->p2m = end;
		end += l->p2m_pages;
	}
	l->start_info = end;
	l->tables = end + 1;
	/* The mapped range is rounded up to 4 MiB with at least 512 KiB to spare, its tables included. */
	for (mapped = ROUND_UP(end, 1024UL);; mapped += 1024) {
		l->nr_tables = tables_needed(l->v_base, mapped) + 1;
		if (end + 1 + l->nr_tables + 1 + 128 <= mapped)
			break;
	}
	l->stack = l->tables + l->nr_tables;
	l->mapped_end = mapped;
	l->initrd = mapped;
	l->initrd_size = initrd_size;
	l->initrd_pages = DIV_ROUND_UP(initrd_size, PAGE_SIZE);
	l->p2m_tables = l->p2m_end = l->initrd + l->initrd_pages;
	if (k->has_init_p2m) {
		l->p2m = l->p2m_tables + tables_needed(k->init_p2m, l->p2m_pages);
		l->p2m_end = l->p2m + l->p2m_pages;
	}
}

struct builder {
	const struct dom0_memory *m;
	u64 root;      /* pfn */
	u64 next, end; /* table pfns to take from */
};

static u64 *entry_for(struct builder *b, u64 va)
{
	u64 *table = dom0_page(b->m, b->root);

	for (unsigned int level = 4; level > 1; level--) {
		u64 *e = &table[index_at(va, level)];

		if (!(*e & PTE_P)) {
			ASSERT(b->next < b->end);
			*e = pte_make(MFN(b->m->p2m[b->next++]), L2_FLAGS);
		}
		table = map_frame(pte_mfn(*e));
	}
	return &table[index_at(va, 1)];
}

static void map_range(struct builder *b, u64 va, u64 pfn, u64 nr)
{
	for (u64 i = 0; i < nr; i++)
		*entry_for(b, va + (i << PAGE_SHIFT)) = pte_make(MFN(b->m->p2m[pfn + i]), L1_FLAGS);
}

mfn_t dom0_page_tables(const struct dom0_memory *m, const struct kernel_info *k, const struct dom0_layout *l)
{
	struct builder b = {m, l->tables, l->tables + 1, l->tables + l->nr_tables};

	map_range(&b, l->v_base, 0, l->mapped_end);
	for (u64 pfn = l->tables; pfn < l->tables + l->nr_tables; pfn++)
		*entry_for(&b, l->v_base + (pfn << PAGE_SHIFT)) &= ~PTE_RW;
	if (k->has_init_p2m) {
		b.next = l->p2m_tables;
		b.end = l->p2m;
		map_range(&b, k->init_p2m, l->p2m, l->p2m_pages);
	}
	return MFN(m->p2m[l->tables]);
}
