/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and page-table entries. The builder maps pseudo-physical frame n at VIRT_BASE + n
 * pages; the start info's list gives its machine frame, the hypervisor's table the way back.
 */
#include "guest.h"

#define POOL_PAGES 320

static char pool[POOL_PAGES][PAGE_SIZE] __page_aligned;
static void *free_list;
static unsigned int pool_used;

void mm_init(void)
{
}

unsigned long virt_to_pfn(const void *va)
{
	return ((unsigned long)va - VIRT_BASE) >> 12;
}

unsigned long virt_to_mfn(const void *va)
{
	return pfn_to_mfn(virt_to_pfn(va));
}

void *pfn_to_virt(unsigned long pfn)
{
	return (void *)(VIRT_BASE + (pfn << 12));
}

void *mfn_to_virt(unsigned long mfn)
{
	return pfn_to_virt(machine_to_phys_mapping[mfn]);
}

pte_t *pte_of(unsigned long va, int level)
{
	pte_t *table = (pte_t *)start_info->pt_base;
	int l;

	for (l = 4;; l--) {
		pte_t *e = &table[(va >> (12 + 9 * (l - 1))) & 511];

		if (l == level)
			return e;
		if (!(*e & PTE_P) || (l < 4 && (*e & PTE_PS)))
			return NULL;
		table = mfn_to_virt((*e & PTE_ADDR) >> 12);
	}
}

uint64_t pte_maddr(unsigned long va, int level)
{
	pte_t *e = pte_of(va, level);

	return e ? virt_to_mfn(e) << 12 | ((unsigned long)e & ~PAGE_MASK) : 0;
}

long update_va(unsigned long va, pte_t val, unsigned long flags)
{
	return hypercall3(__HYPERVISOR_update_va_mapping, va, val, flags);
}

long mmu_update_one(uint64_t ptr, uint64_t val)
{
	struct mmu_update u = {ptr, val};

	return hypercall4(__HYPERVISOR_mmu_update, (unsigned long)&u, 1, 0, DOMID_SELF);
}

long mmuext_one(unsigned int cmd, unsigned long arg1)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1};

	return hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF);
}

long set_readonly(void *va)
{
	return update_va((unsigned long)va, virt_to_mfn(va) << 12 | PTE_P | PTE_A | PTE_U, UVMF_INVLPG);
}

long set_writable(void *va)
{
	return update_va((unsigned long)va, virt_to_mfn(va) << 12 | PTE_P | PTE_W | PTE_A | PTE_D | PTE_U,
			 UVMF_INVLPG);
}

void *page_alloc(void)
{
	void *p = free_list;

	if (p)
		free_list = *(void **)p;
	else if (pool_used < POOL_PAGES)
		p = pool[pool_used++];
	else
		error("out of pages");
	if (p)
		memset(p, 0, PAGE_SIZE);
	return p;
}

void page_free(void *page)
{
	*(void **)page = free_list;
	free_list = page;
}
