/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mapping pages other domains granted to us, through /dev/xen/gntdev, one page a mapping.
 */
#include "xc_internal.h"
#include "linux_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct xc_grant {
	int fd;
};

int xc_grant_open(struct xc_grant **out)
{
	struct xc_grant *g = malloc(sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
	if (g->fd < 0) {
		int rc = -errno;

		free(g);
		return rc;
	}
	*out = g;
	return 0;
}

void xc_grant_close(struct xc_grant *g)
{
	if (!g)
		return;
	close(g->fd);
	free(g);
}

void *xc_grant_map(struct xc_grant *g, domid_t dom, uint32_t ref, int prot)
{
	struct gntdev_map_arg m = {.count = 1, .refs = {{.dom = dom, .ref = ref}}};
	void *p;

	if (ioctl(g->fd, GNTDEV_MAP, &m) < 0)
		return NULL;
	p = mmap(NULL, XC_PAGE_SIZE, prot, MAP_SHARED, g->fd, m.index);
	if (p == MAP_FAILED) {
		struct gntdev_unmap_arg u = {.index = m.index, .count = 1};
		int e = errno;

		ioctl(g->fd, GNTDEV_UNMAP, &u);
		errno = e;
		return NULL;
	}
	return p;
}

int xc_grant_unmap(struct xc_grant *g, void *p)
{
	struct gntdev_offset_arg o = {.vaddr = (uintptr_t)p};
	struct gntdev_unmap_arg u = {.count = 1};

	if (ioctl(g->fd, GNTDEV_OFFSET, &o) < 0)
		return -errno;
	munmap(p, XC_PAGE_SIZE);
	u.index = o.offset;
	return ioctl(g->fd, GNTDEV_UNMAP, &u) < 0 ? -errno : 0;
}
