/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a PV guest's first pages go. Frames, in order:
 *
 *   kernel ... | start_info | xenstore | console | L4 L3 L2 L1... | stack | (pad to 4 MiB, mapped)
 *   | ramdisk | P2M list | tables that map the P2M list |
 *
 * Everything up to the pad is mapped at virt_base + frame. The ramdisk is not, when the kernel says it
 * takes a frame number; the P2M list is mapped at the address the kernel's INIT_P2M note names.
 */
#include "serai/xc_build.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

#define ROUND_UP(x, a) (((x) + (a)-1) & ~((uint64_t)(a)-1))

uint64_t layout_tables(uint64_t start, uint64_t end, unsigned int shift)
{
	return ((end - 1) >> shift) - (start >> shift) + 1;
}

/* Tables needed below the L4 to map [start, end): L3 + L2 + L1. */
static uint64_t tables_below_l4(uint64_t start, uint64_t end)
{
	return layout_tables(start, end, 39) + layout_tables(start, end, 30) + layout_tables(start, end, 21);
}

int xc_build_layout(struct xc *xc, const struct xc_build *b, struct xc_layout *l)
{
	const struct xc_kernel *k = b->kernel;
	uint64_t pfn, virt, end;

	memset(l, 0, sizeof(*l));
	l->virt_base = k->virt_base;
	l->kernel_pfn = (k->pstart - k->paddr_offset) >> XC_PAGE_SHIFT;
	pfn = ROUND_UP(k->pend - k->paddr_offset, XC_PAGE_SIZE) >> XC_PAGE_SHIFT;
	l->kernel_pages = pfn - l->kernel_pfn;
	if (pfn > b->pages)
		return xc_fail(xc, -ENOMEM, "the kernel alone needs %lu MiB, the domain has %lu",
			       (unsigned long)(pfn >> 8) + 1, (unsigned long)(b->pages >> 8));

	if (b->ramdisk_len && !k->mod_start_pfn) {
		l->ramdisk_pfn = pfn;
		l->ramdisk_pages = ROUND_UP(b->ramdisk_len, XC_PAGE_SIZE) >> XC_PAGE_SHIFT;
		pfn += l->ramdisk_pages;
	}
	l->p2m_pages = ROUND_UP(b->max_pages * 8, XC_PAGE_SIZE) >> XC_PAGE_SHIFT;
	if (!k->has_init_p2m) {
		l->p2m_pfn = pfn;
		l->p2m_virt = l->virt_base + (pfn << XC_PAGE_SHIFT);
		pfn += l->p2m_pages;
	}
	l->start_info_pfn = pfn++;
	l->store_pfn = pfn++;
	l->console_pfn = pfn++;
	l->pt_pfn = pfn;
	/* The tables map themselves, so look for the fixed point; half a MiB of slack as the ABI promises. */
	for (l->pt_pages = 4;; l->pt_pages++) {
		end = (l->pt_pfn + l->pt_pages + 1) << XC_PAGE_SHIFT;
		virt = ROUND_UP(l->virt_base + end + (512u << 10), 4u << 20);
		if (1 + tables_below_l4(l->virt_base, virt) <= l->pt_pages)
			break;
	}
	l->virt_end = virt;
	l->stack_pfn = l->pt_pfn + l->pt_pages;
	pfn = (l->virt_end - l->virt_base) >> XC_PAGE_SHIFT;

	if (b->ramdisk_len && k->mod_start_pfn) {
		l->ramdisk_pfn = pfn;
		l->ramdisk_pages = ROUND_UP(b->ramdisk_len, XC_PAGE_SIZE) >> XC_PAGE_SHIFT;
		pfn += l->ramdisk_pages;
	}
	if (k->has_init_p2m) {
		l->p2m_virt = k->init_p2m;
		l->p2m_pfn = pfn;
		l->p2m_pt_pages = tables_below_l4(l->p2m_virt, l->p2m_virt + (l->p2m_pages << XC_PAGE_SHIFT));
		pfn += l->p2m_pages + l->p2m_pt_pages;
		if (l->p2m_virt >> 39 == l->virt_base >> 39)
			return xc_fail(xc, -ENOEXEC,
				       "the kernel wants its P2M at %#lx, inside its own mapping",
				       (unsigned long)l->p2m_virt);
	}
	l->end_pfn = pfn;
	if (pfn > b->pages)
		return xc_fail(xc, -ENOMEM,
			       "kernel and ramdisk need %lu MiB to start, the domain has %lu: give it more "
			       "memory",
			       (unsigned long)(pfn >> 8) + 1, (unsigned long)(b->pages >> 8));
	return 0;
}
