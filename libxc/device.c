/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of struct xc_ops that talks to Linux: /dev/xen/privcmd for calls and foreign mappings,
 * /dev/xen/hypercall for buffers the kernel promises not to move.
 */
#include "xc_internal.h"
#include "linux_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct device {
	int privcmd;
	int buffers; /* -1 on kernels without /dev/xen/hypercall: locked anonymous memory instead */
};

static long dev_hypercall(void *ctx, unsigned int op, const uint64_t arg[5])
{
	struct device *d = ctx;
	struct privcmd_hypercall_arg h = {.op = op};

	for (int i = 0; i < 5; i++)
		h.arg[i] = arg[i];
	/* The raw system call: glibc's ioctl() would cut a 64-bit result to an int. */
	long rc = syscall(SYS_ioctl, d->privcmd, PRIVCMD_HYPERCALL, &h);

	return rc == -1 ? -errno : rc;
}

static void *dev_buffer(void *ctx, size_t pages)
{
	struct device *d = ctx;
	void *p;

	if (d->buffers >= 0) {
		p = mmap(NULL, pages * XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, d->buffers, 0);
	} else {
		p = mmap(NULL, pages * XC_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
		/* A fork would make the pages copy-on-write under the hypervisor's hands. */
		if (p != MAP_FAILED)
			madvise(p, pages * XC_PAGE_SIZE, MADV_DONTFORK);
	}
	return p == MAP_FAILED ? NULL : p;
}

static void dev_buffer_free(void *ctx, void *p, size_t pages)
{
	(void)ctx;
	munmap(p, pages * XC_PAGE_SIZE);
}

static void *dev_map(void *ctx, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn, int *err)
{
	struct device *d = ctx;
	size_t done = 0;
	char *p = mmap(NULL, n * XC_PAGE_SIZE, prot, MAP_SHARED, d->privcmd, 0);

	if (p == MAP_FAILED)
		return NULL;
	while (done < n) {
		/* The kernel pins 8 KiB of gfns at a time anyway; batches keep a signal's delay short. */
		size_t batch = n - done < 65536 ? n - done : 65536;
		struct privcmd_mmapbatch_v2_arg b = {
			.num = batch,
			.dom = dom,
			.addr = (uintptr_t)p + done * XC_PAGE_SIZE,
			.arr = gfn + done,
			.err = err + done,
		};

		if (ioctl(d->privcmd, PRIVCMD_MMAPBATCH_V2, &b) < 0 && errno != ENOENT) {
			int e = errno;

			munmap(p, n * XC_PAGE_SIZE);
			errno = e;
			return NULL;
		}
		done += batch;
	}
	return p;
}

static void dev_unmap(void *ctx, void *p, size_t pages)
{
	(void)ctx;
	munmap(p, pages * XC_PAGE_SIZE);
}

static int dev_map_resource(void *ctx, domid_t dom, unsigned int type, unsigned int id, size_t first,
			    size_t n, void **out)
{
	struct device *d = ctx;
	void *p = mmap(NULL, n * XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, d->privcmd, 0);
	struct privcmd_mmap_resource_arg r = {
		.dom = dom, .type = type, .id = id, .idx = first, .num = n, .addr = (uintptr_t)p};

	if (p == MAP_FAILED)
		return -errno;
	if (ioctl(d->privcmd, PRIVCMD_MMAP_RESOURCE, &r) < 0) {
		int e = errno;

		munmap(p, n * XC_PAGE_SIZE);
		return -e;
	}
	*out = p;
	return 0;
}

static void dev_close(void *ctx)
{
	struct device *d = ctx;

	close(d->privcmd);
	if (d->buffers >= 0)
		close(d->buffers);
	free(d);
}

static const struct xc_ops device_ops = {
	.hypercall = dev_hypercall,
	.buffer = dev_buffer,
	.buffer_free = dev_buffer_free,
	.map = dev_map,
	.unmap = dev_unmap,
	.map_resource = dev_map_resource,
	.close = dev_close,
};

int xc_open(struct xc **out)
{
	struct device *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return -ENOMEM;
	d->privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (d->privcmd < 0) {
		rc = -errno;
		free(d);
		return rc;
	}
	d->buffers = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	rc = xc_open_ops(out, &device_ops, d);
	if (rc < 0)
		dev_close(d);
	return rc;
}
