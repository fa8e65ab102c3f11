/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PV domain builder: takes a created domain without memory and leaves it ready to be unpaused.
 */
#ifndef SERAI_XC_BUILD_H
#define SERAI_XC_BUILD_H

#include "serai/xc.h"
#include "serai/xc_image.h"

struct xc_build {
	/* in */
	const struct xc_kernel *kernel;
	const void *ramdisk;
	size_t ramdisk_len;
	const char *cmdline;
	uint64_t pages;     /* memory the domain starts with */
	uint64_t max_pages; /* size of its physical address space, >= pages */
	unsigned int vcpus;
	evtchn_port_t store_port, console_port;
	domid_t store_dom, console_dom; /* who serves them: may map the ring pages by grant */
	bool claim;                     /* reserve the memory before populating */

	/* out */
	xen_pfn_t store_mfn, console_mfn;
};

/* Where everything goes, in guest frame numbers; a pure function of kernel and sizes. */
struct xc_layout {
	uint64_t virt_base;
	uint64_t kernel_pfn, kernel_pages;
	uint64_t start_info_pfn, store_pfn, console_pfn;
	uint64_t pt_pfn, pt_pages; /* first is the L4 */
	uint64_t stack_pfn;
	uint64_t virt_end; /* end of the initial mapping */
	uint64_t ramdisk_pfn, ramdisk_pages;
	uint64_t p2m_pfn, p2m_pages, p2m_pt_pages; /* list, then the tables that map it */
	uint64_t p2m_virt;
	uint64_t end_pfn;
};

int xc_build_layout(struct xc *xc, const struct xc_build *b, struct xc_layout *l);
int xc_build_pv(struct xc *xc, domid_t dom, struct xc_build *b);
/* Put the two reserved grants (console and xenstore rings) into a domain's grant table. */
int xc_seed_grants(struct xc *xc, domid_t dom, domid_t console_dom, xen_pfn_t console, domid_t store_dom,
		   xen_pfn_t store);
/* Give a domain `pages` frames for pfns [first, first + pages); p2m[] receives machine frames. */
int xc_populate_range(struct xc *xc, domid_t dom, uint64_t first, uint64_t pages, xen_pfn_t *p2m);

#endif
