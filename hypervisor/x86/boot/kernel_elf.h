/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PV kernel's ELF image and its Xen notes. Pure: bounds are checked, nothing is written. */
#ifndef SERAI_KERNEL_ELF_H
#define SERAI_KERNEL_ELF_H

#include <types.h>

#define KERNEL_MAX_SEGMENTS 16

struct kernel_info {
	u64 virt_base, paddr_offset, entry, init_p2m; /* init_p2m 0: right behind the kernel */
	u64 phys_start, phys_end;                     /* of all segments */
	u64 hypercall_page;                           /* 0: it does without */
	bool mod_start_pfn, has_init_p2m, can_be_dom0;
	char guest_os[32];
	unsigned int nr_segments;
	struct {
		u64 phys; /* guest-physical destination */
		const u8 *data;
		u64 file_size, mem_size;
	} seg[KERNEL_MAX_SEGMENTS];
};

/* NULL, or what is wrong with the image. */
const char *kernel_parse(const u8 *elf, size_t size, struct kernel_info *k);

#endif
