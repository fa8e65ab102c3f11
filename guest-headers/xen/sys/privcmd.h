/* SPDX-License-Identifier: MIT */
/* Linux: ioctls of /dev/xen/privcmd. */
#ifndef __LINUX_PUBLIC_PRIVCMD_H__
#define __LINUX_PUBLIC_PRIVCMD_H__

#include <sys/ioctl.h>
#include "../xen.h"

#include <linux/types.h>

#ifndef __user
#define __user
#endif

typedef struct privcmd_hypercall {
	__u64 op;
	__u64 arg[5];
} privcmd_hypercall_t;

typedef struct privcmd_mmap_entry {
	__u64 va;
	__u64 mfn;
	__u64 npages;
} privcmd_mmap_entry_t;

typedef struct privcmd_mmap {
	int num;
	domid_t dom;
	privcmd_mmap_entry_t __user *entry;
} privcmd_mmap_t;

typedef struct privcmd_mmapbatch {
	int num;
	domid_t dom;
	__u64 addr;
	xen_pfn_t __user *arr;
} privcmd_mmapbatch_t;

#define PRIVCMD_MMAPBATCH_MFN_ERROR 0xf0000000U
#define PRIVCMD_MMAPBATCH_PAGED_ERROR 0x80000000U

typedef struct privcmd_mmapbatch_v2 {
	unsigned int num;
	domid_t dom;
	__u64 addr;
	const xen_pfn_t __user *arr;
	int __user *err;
} privcmd_mmapbatch_v2_t;

typedef struct privcmd_dm_op_buf {
	void __user *uptr;
	size_t size;
} privcmd_dm_op_buf_t;

typedef struct privcmd_dm_op {
	domid_t dom;
	__u16 num;
	const privcmd_dm_op_buf_t __user *ubufs;
} privcmd_dm_op_t;

typedef struct privcmd_mmap_resource {
	domid_t dom;
	__u32 type;
	__u32 id;
	__u32 idx;
	__u64 num;
	__u64 addr;
} privcmd_mmap_resource_t;

#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(privcmd_hypercall_t))
#define IOCTL_PRIVCMD_MMAP _IOC(_IOC_NONE, 'P', 2, sizeof(privcmd_mmap_t))
#define IOCTL_PRIVCMD_MMAPBATCH _IOC(_IOC_NONE, 'P', 3, sizeof(privcmd_mmapbatch_t))
#define IOCTL_PRIVCMD_MMAPBATCH_V2 _IOC(_IOC_NONE, 'P', 4, sizeof(privcmd_mmapbatch_v2_t))
#define IOCTL_PRIVCMD_DM_OP _IOC(_IOC_NONE, 'P', 5, sizeof(privcmd_dm_op_t))
#define IOCTL_PRIVCMD_RESTRICT _IOC(_IOC_NONE, 'P', 6, sizeof(domid_t))
#define IOCTL_PRIVCMD_MMAP_RESOURCE _IOC(_IOC_NONE, 'P', 7, sizeof(privcmd_mmap_resource_t))
#define IOCTL_PRIVCMD_UNIMPLEMENTED _IOC(_IOC_NONE, 'P', 0xFF, 0)

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct privcmd_hypercall, 48);
XEN_ABI_OFFSET(struct privcmd_hypercall, arg, 8);
XEN_ABI_SIZE(struct privcmd_mmap_entry, 24);
XEN_ABI_OFFSET(struct privcmd_mmap_entry, npages, 16);
XEN_ABI_SIZE(struct privcmd_mmap, 16);
XEN_ABI_OFFSET(struct privcmd_mmap, entry, 8);
XEN_ABI_SIZE(struct privcmd_mmapbatch, 24);
XEN_ABI_OFFSET(struct privcmd_mmapbatch, arr, 16);
XEN_ABI_SIZE(struct privcmd_mmapbatch_v2, 32);
XEN_ABI_OFFSET(struct privcmd_mmapbatch_v2, err, 24);
XEN_ABI_SIZE(struct privcmd_dm_op_buf, 16);
XEN_ABI_OFFSET(struct privcmd_dm_op_buf, size, 8);
XEN_ABI_SIZE(struct privcmd_dm_op, 16);
XEN_ABI_OFFSET(struct privcmd_dm_op, ubufs, 8);
XEN_ABI_SIZE(struct privcmd_mmap_resource, 32);
XEN_ABI_OFFSET(struct privcmd_mmap_resource, addr, 24);
#endif

#endif
