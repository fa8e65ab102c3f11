/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory before the allocator: the machine's map, the direct map of all RAM, early pages.
 *
 * Early pages come from the top of the highest RAM region below 4 GiB downwards (mapped since start), never from
 * ranges in reserved[]. mm_init() asks boot_frame_used() which frames it may have.
 */
#include "boot.h"
#include <cpu.h>
#include <lib.h>
#include <mm.h>

struct mem_region host_e820[128];
unsigned int host_e820_nr;
u8 *direct_map = (u8 *)DIRECTMAP_VIRT;
u64 *idle_l4;
paddr_t idle_cr3, image_load_base;
extern u64 boot_l4[512], boot_l3_image[512], boot_l2_image[512];
extern u8 image_start[], image_end[], text_end[], rodata_end[];

#define IMAGE_MAX_2M 8 /* head.S maps this many 2 MiB pages */

static struct {
	paddr_t start, end;
} reserved[32];
static unsigned int nr_reserved;
static paddr_t early_start, early_next, early_top; /* early pages in use: [early_next, early_top) */

void memory_map_add(paddr_t start, paddr_t end, u32 type)
{
	unsigned int i = host_e820_nr;

	if (start >= end || host_e820_nr == ARRAY_SIZE(host_e820))
		return;
	if (type < E820_RAM || type > E820_UNUSABLE)
		type = E820_RESERVED;
	while (i && host_e820[i - 1].start > start) {
		host_e820[i] = host_e820[i - 1];
		i--;
	}
	host_e820[i] = (struct mem_region){start, end, type};
	host_e820_nr++;
}

/* Neighbours of one type become one; where two overlap, the one that is not RAM wins. */
void memory_map_finish(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < host_e820_nr; i++) {
		struct mem_region r = host_e820[i], *p = n ? &host_e820[n - 1] : NULL;

		if (p && r.start < p->end) {
			if (r.type == E820_RAM)
				r.start = p->end;
			else
				p->end = r.start;
			if (r.start >= r.end)
				continue;
			if (p->start >= p->end)
				n--, p = n ? &host_e820[n - 1] : NULL;
		}
		if (p && p->type == r.type && p->end == r.start)
			p->end = r.end;
		else
			host_e820[n++] = r;
	}
	host_e820_nr = n;
	for (unsigned int i = 0; i < n; i++)
		printk(XLOG_INFO "Memory: %012lx-%012lx type %u\n", host_e820[i].start, host_e820[i].end,
		       host_e820[i].type);
}

void boot_reserve(paddr_t start, paddr_t end)
{
	if (nr_reserved == ARRAY_SIZE(reserved))
		panic("More than %u boot modules", nr_reserved);
	reserved[nr_reserved].start = start & PAGE_MASK;
	reserved[nr_reserved++].end = ROUND_UP(end, PAGE_SIZE);
}

static bool range_reserved(paddr_t start, paddr_t end)
{
	for (unsigned int i = 0; i < nr_reserved; i++)
		if (start < reserved[i].end && reserved[i].start < end)
			return true;
	return false;
}

/* The first free gap at or above *pos in [*pos, end); *pos moves to its start. Returns its end. */
static paddr_t next_gap(paddr_t *pos, paddr_t end)
{
	paddr_t stop = end;
	bool moved;

	do {
		moved = false;
		stop = end;
		for (unsigned int i = 0; i < nr_reserved; i++) {
			if (reserved[i].start <= *pos && *pos < reserved[i].end) {
				*pos = reserved[i].end;
				moved = true;
			} else if (reserved[i].start > *pos) {
				stop = min(stop, reserved[i].start);
			}
		}
	} while (moved);
	return stop;
}

/* The largest free gap below 4 GiB. */
static void choose_early_area(void)
{
	paddr_t best_start = 0, best_end = 0;

	for (unsigned int i = 0; i < host_e820_nr; i++) {
		paddr_t pos = max(ROUND_UP(host_e820[i].start, PAGE_SIZE), (paddr_t)0x100000);
		paddr_t end = min(host_e820[i].end, (paddr_t)1 << 32) & PAGE_MASK;

		if (host_e820[i].type != E820_RAM)
			continue;
		while (pos < end) {
			paddr_t stop = next_gap(&pos, end);

			if (pos < stop && stop - pos > best_end - best_start) {
				best_start = pos;
				best_end = stop;
			}
			pos = max(stop, pos + PAGE_SIZE);
		}
	}
	if (best_end - best_start < (8UL << 20))
		panic("Less than 8 MiB of free memory below 4 GiB: give the machine more memory");
	early_start = best_start;
	early_top = early_next = best_end;
}

void *boot_alloc_pages(unsigned int nr)
{
	void *p;

	if (early_next - early_start < nr * PAGE_SIZE)
		panic("Out of early memory (%u pages wanted): too little RAM below 4 GiB", nr);
	early_next -= nr * PAGE_SIZE;
	p = paddr_to_virt(early_next);
	memset(p, 0, nr * PAGE_SIZE);
	return p;
}

bool boot_frame_used(mfn_t m)
{
	paddr_t p = mfn_to_paddr(m);

	if (p < 0x100000)
		return true; /* firmware, AP trampoline */
	if (p >= early_next && p < early_top)
		return true;
	return range_reserved(p, p + PAGE_SIZE);
}

mfn_t hv_addr_to_mfn(u64 va)
{
	if (va >= IMAGE_VIRT && va < (u64)image_end)
		return paddr_to_mfn(va - IMAGE_VIRT + image_load_base);
	return virt_to_mfn((const void *)va);
}

static u64 *next_table(u64 *entry)
{
	if (!(*entry & PTE_P))
		*entry = virt_to_paddr(boot_alloc_pages(1)) | PTE_P | PTE_RW;
	return paddr_to_virt(*entry & PTE_ADDR_MASK);
}

/* The direct map's L4 entries while they are being built: slots 262..271. */
static u64 direct_roots[HV_L4_LAST - 262 + 1];

/* [start, end) of RAM, by 2 MiB pages. */
static void map_ram(paddr_t start, paddr_t end)
{
	u64 nx = cpu_feat.nx ? PTE_NX : 0;

	for (paddr_t p = start & ~0x1fffffUL; p < end; p += 0x200000) {
		unsigned int slot = (unsigned int)(p >> 39);
		u64 *l3, *l2;

		if (slot >= ARRAY_SIZE(direct_roots))
			return; /* beyond 5 TiB: left unused */
		l3 = next_table(&direct_roots[slot]);
		l2 = next_table(&l3[p >> 30 & 511]);
		l2[p >> 21 & 511] = p | PTE_P | PTE_RW | PTE_PS | PTE_A | PTE_D | nx;
	}
}

/*
 * Text is executable and read-only, constants read-only, the rest not executable: 4 KiB pages, in a new L2 table
 * that takes the place of the one in use (which also holds the syscall stubs further up).
 */
void boot_protect_image(void)
{
	u64 nx = cpu_feat.nx ? PTE_NX : 0;
	u64 *l2 = hv_alloc_pages(0), *l1 = NULL;

	if (!l2)
		panic("No memory for the image's page tables");
	memcpy(l2, boot_l2_image, PAGE_SIZE);
	memset(l2, 0, IMAGE_MAX_2M * sizeof(*l2));
	for (u64 va = IMAGE_VIRT; va < (u64)image_end; va += PAGE_SIZE) {
		u64 flags = PTE_P | PTE_A;

		if (!(va & 0x1fffff)) {
			l1 = hv_alloc_pages(0);
			if (!l1)
				panic("No memory for the image's page tables");
			l2[va >> 21 & 511] = virt_to_paddr(l1) | PTE_P | PTE_RW;
		}
		if (va >= (u64)text_end)
			flags |= nx;
		if (va >= (u64)rodata_end)
			flags |= PTE_RW | PTE_D;
		l1[va >> 12 & 511] = (va - IMAGE_VIRT + image_load_base) | flags;
	}
	boot_l3_image[IMAGE_VIRT >> 30 & 511] = virt_to_paddr(l2) | PTE_P | PTE_RW;
	WRITE_CR(3, idle_cr3);
}

void boot_memory_init(void)
{
	idle_cr3 = image_load_base + ((u64)boot_l4 - IMAGE_VIRT);
	idle_l4 = paddr_to_virt(idle_cr3);
	boot_reserve(image_load_base, image_load_base + (u64)(image_end - image_start));
	choose_early_area();
	/* Built while the start-up code's map of the first 4 GiB is in use, then put in its place. */
	for (unsigned int i = 0; i < host_e820_nr; i++)
		if (host_e820[i].type != E820_RESERVED && host_e820[i].type != E820_UNUSABLE)
			map_ram(host_e820[i].start, host_e820[i].end);
	map_ram(0, 0x100000);
	for (unsigned int i = 0; i < ARRAY_SIZE(direct_roots); i++)
		boot_l4[262 + i] = direct_roots[i];
	WRITE_CR(3, idle_cr3);
}

void boot_release(paddr_t start, paddr_t end)
{
	mm_release_boot_frames(paddr_to_mfn(start), (ROUND_UP(end, PAGE_SIZE) - start) >> PAGE_SHIFT);
}
