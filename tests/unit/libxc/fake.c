/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fake.h. A mapping is a view of the frames themselves: mremap()ed pages of one memory file. */
#include "fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory_fd = -1;

void *fake_frame(struct fake *f, xen_pfn_t mfn)
{
	if (mfn < FAKE_FIRST_MFN || mfn - FAKE_FIRST_MFN >= f->frames)
		return NULL;
	return f->memory + (mfn - FAKE_FIRST_MFN) * XC_PAGE_SIZE;
}

static long populate(struct fake *f, struct xen_memory_reservation *r)
{
	for (size_t i = 0; i < r->nr_extents; i++) {
		size_t n = 1ul << r->extent_order;

		if (f->used + n > f->frames || (f->no_superpages && r->extent_order && i == 1))
			return i;
		r->extent_start.p[i] = FAKE_FIRST_MFN + f->used;
		f->used += n;
	}
	return r->nr_extents;
}

static long domctl(struct fake *f, struct xen_domctl *op)
{
	switch (op->cmd) {
	case XEN_DOMCTL_getdomaininfo:
		memset(&op->u.getdomaininfo, 0, sizeof(op->u.getdomaininfo));
		op->u.getdomaininfo.domain = op->domain;
		op->u.getdomaininfo.shared_info_frame = f->shared;
		return 0;
	case XEN_DOMCTL_set_address_size:
		f->address_size = op->u.address_size.size;
		return 0;
	case XEN_DOMCTL_setvcpucontext:
		f->vcpu0 = *op->u.vcpucontext.ctxt.p;
		f->has_vcpu0 = true;
		return 0;
	}
	return -ENOSYS;
}

static long hypercall(void *ctx, unsigned int op, const uint64_t a[5])
{
	struct fake *f = ctx;

	switch (op) {
	case __HYPERVISOR_domctl:
		return domctl(f, (struct xen_domctl *)(uintptr_t)a[0]);
	case __HYPERVISOR_memory_op:
		if (a[0] == XENMEM_populate_physmap)
			return populate(f, (struct xen_memory_reservation *)(uintptr_t)a[1]);
		return a[0] == XENMEM_claim_pages ? 0 : -ENOSYS;
	case __HYPERVISOR_mmuext_op:
		f->pins++;
		f->pinned = ((struct mmuext_op *)(uintptr_t)a[0])->arg1.mfn;
		return f->mapped == f->unmapped ? 0 : -EBUSY; /* a mapped table cannot be pinned */
	}
	return -ENOSYS;
}

static void *buffer(void *ctx, size_t pages)
{
	(void)ctx;
	return calloc(pages, XC_PAGE_SIZE);
}

static void buffer_free(void *ctx, void *p, size_t pages)
{
	(void)ctx;
	(void)pages;
	free(p);
}

static void *map(void *ctx, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn, int *err)
{
	struct fake *f = ctx;
	char *p = mmap(NULL, n * XC_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)dom;
	for (size_t i = 0; i < n; i++) {
		err[i] = fake_frame(f, gfn[i]) ? 0 : -EINVAL;
		if (!err[i])
			mmap(p + i * XC_PAGE_SIZE, XC_PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, memory_fd,
			     (gfn[i] - FAKE_FIRST_MFN) * XC_PAGE_SIZE);
	}
	f->mapped++;
	return p;
}

static void unmap(void *ctx, void *p, size_t pages)
{
	struct fake *f = ctx;

	f->unmapped++;
	if (p != f->grants)
		munmap(p, pages * XC_PAGE_SIZE);
}

static int map_resource(void *ctx, domid_t dom, unsigned int type, unsigned int id, size_t first, size_t n,
			void **p)
{
	struct fake *f = ctx;

	(void)dom;
	(void)type;
	(void)id;
	(void)first;
	(void)n;
	f->mapped++;
	*p = f->grants;
	return 0;
}

static const struct xc_ops ops = {hypercall, buffer, buffer_free, map, unmap, map_resource, NULL};

struct xc *fake_open(struct fake *f, size_t frames)
{
	struct xc *xc = NULL;

	memset(f, 0, sizeof(*f));
	f->frames = frames;
	memory_fd = memfd_create("guest", MFD_CLOEXEC);
	if (ftruncate(memory_fd, frames * XC_PAGE_SIZE) < 0)
		return NULL;
	f->memory = mmap(NULL, frames * XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	f->grants = calloc(1, XC_PAGE_SIZE);
	f->used = 1;
	f->shared = FAKE_FIRST_MFN;
	xc_open_ops(&xc, &ops, f);
	return xc;
}

void fake_close(struct fake *f, struct xc *xc)
{
	xc_close(xc);
	munmap(f->memory, f->frames * XC_PAGE_SIZE);
	close(memory_fd);
	free(f->grants);
}
