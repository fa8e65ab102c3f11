/* SPDX-License-Identifier: MIT */
/* Table handed to HVM firmware. */
#ifndef __XEN_PUBLIC_HVM_HVM_INFO_TABLE_H__
#define __XEN_PUBLIC_HVM_HVM_INFO_TABLE_H__

#include <stdint.h>
#include "../xen-compat.h"

#define HVM_INFO_PFN 0x09F
#define HVM_INFO_OFFSET 0x800
#define HVM_INFO_PADDR ((HVM_INFO_PFN << 12) + HVM_INFO_OFFSET)
#define HVM_MAX_VCPUS 128

struct hvm_info_table {
	char signature[8];
	uint32_t length;
	uint8_t checksum;
	uint8_t apic_mode;
	uint32_t nr_vcpus;
	uint32_t low_mem_pgend;
	uint32_t reserved_mem_pgstart;
	uint32_t high_mem_pgend;
	uint8_t vcpu_online[(HVM_MAX_VCPUS + 7) / 8];
};

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct hvm_info_table, 48);
XEN_ABI_OFFSET(struct hvm_info_table, vcpu_online, 32);
#endif

#endif
