/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hardware domain may know of the UEFI firmware (UEFI 2.9, 4.3): its version, vendor and
 * where the configuration tables are, among them ACPI's. Boot services are over; the system table
 * stays where it is.
 */
#include <hypercall.h>
#include <lib.h>
#include <mm.h>
#include <uaccess.h>
#include <xen/platform.h>

#include "../x86/boot/boot.h"
#include "platform.h"

struct efi_header {
	u64 signature;
	u32 revision, size, crc, reserved;
};

struct efi_system_table {
	struct efi_header header;
	u64 vendor; /* UCS-2, terminated by 0 */
	u32 vendor_revision, pad;
	u64 con_in_handle, con_in, con_out_handle, con_out, err_handle, err;
	u64 runtime, boot;
	u64 nr_tables;
	u64 tables;
};
#define EFI_SIGNATURE 0x5453595320494249ULL /* "IBI SYST" */

bool efi_booted(void)
{
	return boot_info.efi_systab != 0;
}

/* Copy of a piece of firmware memory. */
static bool fetch(void *dst, paddr_t pa, size_t n)
{
	const void *p = pa && pa < 1ULL << 52 ? vmap_ram(pa, n) : NULL;

	if (!p)
		return false;
	memcpy(dst, p, n);
	vunmap(p, n);
	return true;
}

static long vendor_name(const struct efi_system_table *st, union xenpf_efi_info *e)
{
	u16 name[64];
	unsigned int len = 0;
	u32 bytes;

	/* Not across a page end: what follows may be no memory at all. */
	bytes = (u32)min(sizeof(name), PAGE_SIZE - (st->vendor & ~PAGE_MASK));
	if (!fetch(name, st->vendor, bytes))
		return -ENODATA;
	while (len < bytes / 2 - 1 && name[len])
		len++;
	name[len] = 0;
	bytes = min((len + 1) * 2, e->vendor.bufsz);
	e->vendor.revision = st->vendor_revision;
	if (!bytes)
		return 0;
	return copy_to_guest_va((u64)e->vendor.name.p, name, bytes);
}

long efi_firmware_info(struct xenpf_firmware_info *i)
{
	union xenpf_efi_info *e = &i->u.efi_info;
	struct efi_system_table st;
	struct efi_header rt;

	if (!efi_booted() || !fetch(&st, boot_info.efi_systab, sizeof(st)) ||
	    st.header.signature != EFI_SIGNATURE)
		return -ENOSYS;
	switch (i->index) {
	case XEN_FW_EFI_VERSION:
		e->version = st.header.revision;
		return 0;
	case XEN_FW_EFI_RT_VERSION:
		if (!fetch(&rt, st.runtime, sizeof(rt)))
			return -ENODATA;
		e->version = rt.revision;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		e->cfg.addr = st.tables;
		e->cfg.nent = (u32)st.nr_tables;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return vendor_name(&st, e);
	case XEN_FW_EFI_MEM_INFO:
	case XEN_FW_EFI_PCI_ROM:
	case XEN_FW_EFI_APPLE_PROPERTIES:
		return -ENODATA;
	default:
		return -EINVAL;
	}
}
