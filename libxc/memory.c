/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typed wrappers of memory_op and of the page-table batch call on another domain's behalf.
 */
#include "xc_internal.h"

#include <errno.h>
#include <string.h>

/* One row of the E820 memory map: the layout firmware uses, 20 bytes. */
struct e820entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

long xc_populate(struct xc *xc, domid_t dom, size_t n, unsigned int order, xen_pfn_t *frames)
{
	size_t mark = xc_mark(xc);
	xen_pfn_t *b = xc_buffer(xc, n * sizeof(*b));
	struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = dom};
	long rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, frames, n * sizeof(*b));
	set_xen_guest_handle(r.extent_start, b);
	rc = xc_memory_op(xc, XENMEM_populate_physmap, &r, sizeof(r));
	if (rc > 0)
		memcpy(frames, b, rc * sizeof(*b));
	xc_release(xc, mark);
	if (rc < 0)
		xc_fail(xc, rc, "domain %u: no memory for %zu extents of %lu KiB: %s", dom, n,
			(XC_PAGE_SIZE << order) / 1024, strerror(-rc));
	return rc;
}

int xc_claim(struct xc *xc, domid_t dom, uint64_t pages)
{
	struct xen_memory_reservation r = {.nr_extents = pages, .domid = dom};
	long rc = xc_memory_op(xc, XENMEM_claim_pages, &r, sizeof(r));

	if (rc < 0)
		return xc_fail(xc, rc, "domain %u: the host cannot set aside %lu MiB: %s", dom,
			       (unsigned long)(pages >> 8), strerror(-rc));
	return 0;
}

int xc_set_memory_map(struct xc *xc, domid_t dom, uint64_t bytes)
{
	size_t mark = xc_mark(xc);
	struct e820entry *e = xc_buffer(xc, sizeof(*e));
	struct xen_foreign_memory_map m = {.domid = dom, .map.nr_entries = 1};
	long rc;

	if (!e)
		return -ENOMEM;
	e->size = bytes;
	e->type = 1; /* RAM */
	set_xen_guest_handle(m.map.buffer, (void *)e);
	rc = xc_memory_op(xc, XENMEM_set_memory_map, &m, sizeof(m));
	xc_release(xc, mark);
	return rc < 0 ? rc : 0;
}

int xc_domain_max_gpfn(struct xc *xc, domid_t dom, uint64_t *frames)
{
	domid_t d = dom;
	long rc = xc_memory_op(xc, XENMEM_maximum_gpfn, &d, sizeof(d));

	if (rc < 0)
		return rc;
	*frames = rc + 1;
	return 0;
}

int xc_max_mfn(struct xc *xc, uint64_t *frames)
{
	long rc = xc_memory_op(xc, XENMEM_maximum_ram_page, NULL, 0);

	if (rc < 0)
		return rc;
	*frames = rc + 1;
	return 0;
}

int xc_mmuext(struct xc *xc, domid_t dom, size_t n, const struct xc_mmu_op *ops)
{
	while (n) {
		size_t mark = xc_mark(xc), batch = n < 256 ? n : 256;
		struct mmuext_op *b = xc_buffer(xc, batch * sizeof(*b));
		uint32_t *done = xc_buffer(xc, sizeof(*done));
		long rc;

		if (!b || !done)
			return -ENOMEM;
		for (size_t i = 0; i < batch; i++) {
			b[i].cmd = ops[i].cmd;
			b[i].arg1.mfn = ops[i].mfn;
		}
		rc = xc_hypercall(xc, __HYPERVISOR_mmuext_op, (uintptr_t)b, batch, (uintptr_t)done, dom, 0);
		uint32_t did = *done;

		xc_release(xc, mark);
		if (rc < 0)
			return xc_fail(xc, rc, "domain %u: page-table operation %u on frame %#lx failed: %s",
				       dom, ops[did < batch ? did : 0].cmd,
				       (unsigned long)ops[did < batch ? did : 0].mfn, strerror(-rc));
		ops += batch;
		n -= batch;
	}
	return 0;
}
