/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Foreign mappings: another domain's frames, its grant table, and the machine-to-physical table.
 */
#include "xc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *xc_map_some(struct xc *xc, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn, int *err)
{
	void *p = xc->ops->map(xc->ctx, dom, prot, n, gfn, err);

	if (!p)
		xc_fail(xc, -errno, "domain %u: cannot map %zu frames: %s", dom, n, strerror(errno));
	return p;
}

void *xc_map(struct xc *xc, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn)
{
	int *err = calloc(n, sizeof(*err));
	void *p;

	if (!err) {
		xc_fail(xc, -ENOMEM, "out of memory");
		return NULL;
	}
	p = xc_map_some(xc, dom, prot, n, gfn, err);
	for (size_t i = 0; p && i < n; i++) {
		if (err[i]) {
			xc_fail(xc, err[i], "domain %u: cannot map frame %#lx: %s", dom,
				(unsigned long)gfn[i], strerror(-err[i]));
			errno = -err[i];
			xc->ops->unmap(xc->ctx, p, n);
			p = NULL;
		}
	}
	free(err);
	return p;
}

void xc_unmap(struct xc *xc, void *p, size_t pages)
{
	if (p)
		xc->ops->unmap(xc->ctx, p, pages);
}

int xc_map_grant_table(struct xc *xc, domid_t dom, size_t frames, void **p)
{
	int rc = xc->ops->map_resource(xc->ctx, dom, XENMEM_resource_grant_table,
				       XENMEM_resource_grant_table_id_shared, 0, frames, p);

	if (rc < 0)
		return xc_fail(xc, rc, "domain %u: cannot map its grant table: %s", dom, strerror(-rc));
	return 0;
}

/*
 * The machine-to-physical table is owned by DOMID_XEN and reached in 2 MiB extents: the hypervisor
 * tells the first frame of each.
 */
#define M2P_EXTENT_PAGES 512u

int xc_map_m2p(struct xc *xc, const uint64_t **m2p, uint64_t *entries)
{
	uint64_t nr_mfn, extents;
	size_t mark = xc_mark(xc);
	struct xen_machphys_mfn_list list = {0};
	xen_pfn_t *start, *gfn;
	int rc = xc_max_mfn(xc, &nr_mfn);

	if (rc < 0)
		return rc;
	extents = (nr_mfn * 8 + (2u << 20) - 1) >> 21;
	start = xc_buffer(xc, extents * sizeof(*start));
	gfn = calloc(extents * M2P_EXTENT_PAGES, sizeof(*gfn));
	if (!start || !gfn) {
		rc = xc_fail(xc, -ENOMEM, "out of memory for the machine-to-physical map");
		goto out;
	}
	list.max_extents = extents;
	set_xen_guest_handle(list.extent_start, start);
	rc = xc_memory_op(xc, XENMEM_machphys_mfn_list, &list, sizeof(list));
	if (rc < 0)
		goto out;
	for (uint64_t i = 0; i < (uint64_t)list.nr_extents * M2P_EXTENT_PAGES; i++)
		gfn[i] = start[i / M2P_EXTENT_PAGES] + i % M2P_EXTENT_PAGES;
	*entries = (uint64_t)list.nr_extents * M2P_EXTENT_PAGES * (XC_PAGE_SIZE / 8);
	*m2p = xc_map(xc, DOMID_XEN, PROT_READ, (size_t)list.nr_extents * M2P_EXTENT_PAGES, gfn);
	rc = *m2p ? 0 : -EFAULT;
out:
	free(gfn);
	xc_release(xc, mark);
	return rc;
}

void xc_unmap_m2p(struct xc *xc, const uint64_t *m2p, uint64_t entries)
{
	if (m2p)
		xc_unmap(xc, (void *)(uintptr_t)m2p, entries * 8 / XC_PAGE_SIZE);
}
