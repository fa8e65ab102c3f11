/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's own page tables: mappings made at boot and device registers later on.
 *
 * All L4 slots of the hypervisor get their L3 tables before the first guest exists, since guest L4s hold copies
 * of the slots; below them everything is shared. Lock: hvmap_lock.
 */
#include <core/mm/frame.h>
#include <lib.h>
#include <spinlock.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>
#include <xerrno.h>

static spinlock_t hvmap_lock = SPINLOCK_INIT(RANK_FRAMES);
static u64 vmap_next = VMAP_VIRT;
static bool heap_ready; /* page tables come from the heap, no longer from the boot allocator */

void hvmap_heap_ready(void)
{
	heap_ready = true;
}

static u64 *table_alloc(void)
{
	return heap_ready ? hv_alloc_pages(0) : boot_alloc_pages(1);
}

static unsigned int slot(u64 va, unsigned int level)
{
	return (unsigned int)(va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

static u64 *table_below(u64 *entry, u64 flags)
{
	u64 *t;

	if (*entry & PTE_P) {
		BUG_ON(*entry & PTE_PS);
		*entry |= flags & PTE_US;
		return map_frame(pte_mfn(*entry));
	}
	t = table_alloc();
	if (t)
		*entry = virt_to_paddr(t) | PTE_P | PTE_RW | PTE_A | PTE_D | (flags & PTE_US);
	return t;
}

/* The entry of va at this level (1 or 2), making tables on the way; NULL: no memory. */
static u64 *hv_entry(u64 va, unsigned int level, u64 flags)
{
	u64 *t = idle_l4;

	for (unsigned int l = 4; l > level && t; l--)
		t = table_below(&t[slot(va, l)], flags);
	return t ? &t[slot(va, level)] : NULL;
}

void hvmap_prepare_slots(void)
{
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		BUG_ON(!table_below(&idle_l4[i], i == HV_L4_FIRST ? PTE_US : 0));
}

u64 *hvmap_l1e(u64 va)
{
	return hv_entry(va, 1, 0);
}

int map_pages_hv(u64 va, mfn_t mfn, unsigned long nr, u64 flags)
{
	int rc = 0;

	spin_lock(&hvmap_lock);
	while (nr) {
		bool large = nr >= 512 && !((va >> PAGE_SHIFT) & 511) && !(mfn.n & 511) && !(flags & PTE_PAT);
		u64 *e = hv_entry(va, large ? 2 : 1, flags);
		unsigned long step = large ? 512 : 1;

		if (!e) {
			rc = -ENOMEM;
			break;
		}
		WRITE_ONCE(*e, pte_make(mfn, flags | (large ? PTE_PS : 0)));
		va += step << PAGE_SHIFT;
		mfn.n += step;
		nr -= step;
	}
	spin_unlock(&hvmap_lock);
	return rc;
}

void unmap_pages_hv(u64 va, unsigned long nr)
{
	spin_lock(&hvmap_lock);
	for (; nr; nr--, va += PAGE_SIZE) {
		u64 *e = hv_entry(va, 1, 0);

		if (e)
			WRITE_ONCE(*e, 0);
		invlpg(va);
	}
	spin_unlock(&hvmap_lock);
	flush_tlb_global_all();
}

/* Addresses are handed out upwards and never again: device registers are mapped for good, and firmware
 * tables a few times at boot, in 256 GiB. */
static void *vmap_range(paddr_t pa, size_t size, u64 flags)
{
	u64 off = pa & (PAGE_SIZE - 1), nr = DIV_ROUND_UP(off + size, PAGE_SIZE), va;

	if (!size)
		return NULL;
	va = __atomic_fetch_add(&vmap_next, (nr + 1) << PAGE_SHIFT, __ATOMIC_RELAXED);
	if (va + (nr << PAGE_SHIFT) > VMAP_VIRT_END || map_pages_hv(va, paddr_to_mfn(pa), nr, flags))
		return NULL;
	return (void *)(va + off);
}

void *vmap_io(paddr_t pa, size_t size)
{
	return vmap_range(pa, size, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PCD | PTE_PWT | hv_nx());
}

void *vmap_ram(paddr_t pa, size_t size)
{
	return vmap_range(pa, size, PTE_P | PTE_RW | PTE_A | PTE_D | hv_nx());
}

void vunmap(const void *p, size_t size)
{
	u64 va = (u64)p & PAGE_MASK;

	if (p)
		unmap_pages_hv(va, DIV_ROUND_UP(((u64)p - va) + size, PAGE_SIZE));
}
