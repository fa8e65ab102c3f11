/* SPDX-License-Identifier: MIT */
/* Linux: ioctls of /dev/xen/gntdev. */
#ifndef __LINUX_PUBLIC_GNTDEV_H__
#define __LINUX_PUBLIC_GNTDEV_H__

#include <stdint.h>
#include "../xen-compat.h"

struct ioctl_gntdev_grant_ref {
	uint32_t domid;
	uint32_t ref;
};

#define IOCTL_GNTDEV_MAP_GRANT_REF _IOC(_IOC_NONE, 'G', 0, sizeof(struct ioctl_gntdev_map_grant_ref))
struct ioctl_gntdev_map_grant_ref {
	uint32_t count;
	uint32_t pad;
	uint64_t index;
	struct ioctl_gntdev_grant_ref refs[1];
};

#define IOCTL_GNTDEV_UNMAP_GRANT_REF _IOC(_IOC_NONE, 'G', 1, sizeof(struct ioctl_gntdev_unmap_grant_ref))
struct ioctl_gntdev_unmap_grant_ref {
	uint64_t index;
	uint32_t count;
	uint32_t pad;
};

#define IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR \
	_IOC(_IOC_NONE, 'G', 2, sizeof(struct ioctl_gntdev_get_offset_for_vaddr))
struct ioctl_gntdev_get_offset_for_vaddr {
	uint64_t vaddr;
	uint64_t offset;
	uint32_t count;
	uint32_t pad;
};

#define IOCTL_GNTDEV_SET_MAX_GRANTS _IOC(_IOC_NONE, 'G', 3, sizeof(struct ioctl_gntdev_set_max_grants))
struct ioctl_gntdev_set_max_grants {
	uint32_t count;
};

#define IOCTL_GNTDEV_SET_UNMAP_NOTIFY _IOC(_IOC_NONE, 'G', 7, sizeof(struct ioctl_gntdev_unmap_notify))
struct ioctl_gntdev_unmap_notify {
	uint64_t index;
	uint32_t action;
	uint32_t event_channel_port;
};

#define UNMAP_NOTIFY_CLEAR_BYTE 0x1
#define UNMAP_NOTIFY_SEND_EVENT 0x2

struct ioctl_gntdev_grant_copy_segment {
	union {
		void *virt;
		struct {
			uint32_t ref;
			uint16_t offset;
			uint16_t domid;
		} foreign;
	} source, dest;
	uint16_t len;
	uint16_t flags;
	int16_t status;
};

#define IOCTL_GNTDEV_GRANT_COPY _IOC(_IOC_NONE, 'G', 8, sizeof(struct ioctl_gntdev_grant_copy))
struct ioctl_gntdev_grant_copy {
	unsigned int count;
	struct ioctl_gntdev_grant_copy_segment *segments;
};

#define GNTDEV_DMA_FLAG_WC (1 << 0)
#define GNTDEV_DMA_FLAG_COHERENT (1 << 1)

#define IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS \
	_IOC(_IOC_NONE, 'G', 9, sizeof(struct ioctl_gntdev_dmabuf_exp_from_refs))
struct ioctl_gntdev_dmabuf_exp_from_refs {
	uint32_t flags;
	uint32_t count;
	uint32_t fd;
	uint32_t domid;
	uint32_t refs[1];
};

#define IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED \
	_IOC(_IOC_NONE, 'G', 10, sizeof(struct ioctl_gntdev_dmabuf_exp_wait_released))
struct ioctl_gntdev_dmabuf_exp_wait_released {
	uint32_t fd;
	uint32_t wait_to_ms;
};

#define IOCTL_GNTDEV_DMABUF_IMP_TO_REFS \
	_IOC(_IOC_NONE, 'G', 11, sizeof(struct ioctl_gntdev_dmabuf_imp_to_refs))
struct ioctl_gntdev_dmabuf_imp_to_refs {
	uint32_t fd;
	uint32_t count;
	uint32_t domid;
	uint32_t reserved;
	uint32_t refs[1];
};

#define IOCTL_GNTDEV_DMABUF_IMP_RELEASE \
	_IOC(_IOC_NONE, 'G', 12, sizeof(struct ioctl_gntdev_dmabuf_imp_release))
struct ioctl_gntdev_dmabuf_imp_release {
	uint32_t fd;
	uint32_t reserved;
};

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct ioctl_gntdev_grant_ref, 8);
XEN_ABI_OFFSET(struct ioctl_gntdev_grant_ref, ref, 4);
XEN_ABI_SIZE(struct ioctl_gntdev_map_grant_ref, 24);
XEN_ABI_OFFSET(struct ioctl_gntdev_map_grant_ref, refs, 16);
XEN_ABI_SIZE(struct ioctl_gntdev_unmap_grant_ref, 16);
XEN_ABI_OFFSET(struct ioctl_gntdev_unmap_grant_ref, pad, 12);
XEN_ABI_SIZE(struct ioctl_gntdev_get_offset_for_vaddr, 24);
XEN_ABI_OFFSET(struct ioctl_gntdev_get_offset_for_vaddr, pad, 20);
XEN_ABI_SIZE(struct ioctl_gntdev_set_max_grants, 4);
XEN_ABI_SIZE(struct ioctl_gntdev_unmap_notify, 16);
XEN_ABI_OFFSET(struct ioctl_gntdev_unmap_notify, event_channel_port, 12);
XEN_ABI_SIZE(struct ioctl_gntdev_grant_copy_segment, 24);
XEN_ABI_OFFSET(struct ioctl_gntdev_grant_copy_segment, status, 20);
XEN_ABI_SIZE(struct ioctl_gntdev_grant_copy, 16);
XEN_ABI_OFFSET(struct ioctl_gntdev_grant_copy, segments, 8);
XEN_ABI_SIZE(struct ioctl_gntdev_dmabuf_exp_from_refs, 20);
XEN_ABI_OFFSET(struct ioctl_gntdev_dmabuf_exp_from_refs, refs, 16);
XEN_ABI_SIZE(struct ioctl_gntdev_dmabuf_exp_wait_released, 8);
XEN_ABI_OFFSET(struct ioctl_gntdev_dmabuf_exp_wait_released, wait_to_ms, 4);
XEN_ABI_SIZE(struct ioctl_gntdev_dmabuf_imp_to_refs, 20);
XEN_ABI_OFFSET(struct ioctl_gntdev_dmabuf_imp_to_refs, refs, 16);
XEN_ABI_SIZE(struct ioctl_gntdev_dmabuf_imp_release, 8);
XEN_ABI_OFFSET(struct ioctl_gntdev_dmabuf_imp_release, reserved, 4);
#endif

#endif
