/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of platform_op that live in files of their own, and what mca shares with it. */
#ifndef SERAI_HYPERCALL_PLATFORM_H
#define SERAI_HYPERCALL_PLATFORM_H

#include <types.h>

struct xenpf_firmware_info;

bool efi_booted(void);
/* XEN_FW_EFI_INFO from the system table the boot loader named; -ENOSYS when the firmware is a BIOS.
 */
long efi_firmware_info(struct xenpf_firmware_info *i);

struct cpu_signature {
	char vendor[12];
	u32 family, model, stepping;
};
void cpu_signature(struct cpu_signature *s); /* of this CPU; all are alike */

#endif
