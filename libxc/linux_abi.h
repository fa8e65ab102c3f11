/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ioctl interface of Linux's Xen devices that libxc uses: numbers and layouts. */
#ifndef LIBXC_LINUX_ABI_H
#define LIBXC_LINUX_ABI_H

#include <linux/ioctl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <xen/xen.h>

struct privcmd_hypercall_arg {
	uint64_t op;
	uint64_t arg[5];
};

struct privcmd_mmapbatch_v2_arg {
	uint32_t num;
	domid_t dom;
	uint64_t addr;
	const xen_pfn_t *arr;
	int *err;
};

struct privcmd_mmap_resource_arg {
	domid_t dom;
	uint32_t type;
	uint32_t id;
	uint32_t idx;
	uint64_t num;
	uint64_t addr;
};

#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall_arg))
#define PRIVCMD_MMAPBATCH_V2 _IOC(_IOC_NONE, 'P', 4, sizeof(struct privcmd_mmapbatch_v2_arg))
#define PRIVCMD_MMAP_RESOURCE _IOC(_IOC_NONE, 'P', 7, sizeof(struct privcmd_mmap_resource_arg))

struct evtchn_virq_arg {
	uint32_t virq;
};

struct evtchn_interdomain_arg {
	uint32_t dom;
	uint32_t port;
};

struct evtchn_port_arg {
	uint32_t port;
};

#define EVTCHN_BIND_VIRQ _IOC(_IOC_NONE, 'E', 0, sizeof(struct evtchn_virq_arg))
#define EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct evtchn_interdomain_arg))
#define EVTCHN_UNBIND _IOC(_IOC_NONE, 'E', 3, sizeof(struct evtchn_port_arg))
#define EVTCHN_NOTIFY _IOC(_IOC_NONE, 'E', 4, sizeof(struct evtchn_port_arg))

struct gntdev_map_arg {
	uint32_t count;
	uint32_t pad;
	uint64_t index;
	struct {
		uint32_t dom;
		uint32_t ref;
	} refs[1];
};

struct gntdev_unmap_arg {
	uint64_t index;
	uint32_t count;
	uint32_t pad;
};

struct gntdev_offset_arg {
	uint64_t vaddr;
	uint64_t offset;
	uint32_t count;
	uint32_t pad;
};

#define GNTDEV_MAP _IOC(_IOC_NONE, 'G', 0, sizeof(struct gntdev_map_arg))
#define GNTDEV_UNMAP _IOC(_IOC_NONE, 'G', 1, sizeof(struct gntdev_unmap_arg))
#define GNTDEV_OFFSET _IOC(_IOC_NONE, 'G', 2, sizeof(struct gntdev_offset_arg))

#endif
