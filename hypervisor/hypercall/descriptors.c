/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set_gdt and update_descriptor (docs/abi/segments.md). */
#include <hypercall.h>
#include <lib.h>
#include <x86/mm/pvmmu.h>

long do_set_gdt(u64 uframes, u64 entries, u64 a3, u64 a4, u64 a5)
{
	u64 frames[14];
	unsigned int pages;

	(void)a3, (void)a4, (void)a5;
	if (entries > 14 * 512)
		return -EINVAL;
	pages = DIV_ROUND_UP((unsigned int)entries, 512U);
	if (copy_from_guest_va(frames, uframes, pages * sizeof(u64)))
		return -EFAULT;
	return pv_set_gdt(current, frames, (unsigned int)entries);
}

long do_update_descriptor(u64 maddr, u64 desc, u64 a3, u64 a4, u64 a5)
{
	struct domain *d = current->domain;
	struct frame *f;
	bool segdesc;
	u64 *p;

	(void)a3, (void)a4, (void)a5;
	if ((maddr & 7) || !pv_fix_descriptor(&desc))
		return -EINVAL;
	f = frame_get_from_mfn(paddr_to_mfn(maddr), d);
	if (!f)
		return -EINVAL;
	/* In use as descriptors it stays that; else it must be a page the guest could write. */
	segdesc = pgt_type(READ_ONCE(f->type_word)) == FT_SEGDESC && !frame_get_type(f, FT_SEGDESC);
	if (!segdesc && frame_get_type(f, FT_WRITABLE)) {
		frame_put(f);
		return -EINVAL;
	}
	p = map_frame(paddr_to_mfn(maddr));
	WRITE_ONCE(p[(maddr & (PAGE_SIZE - 1)) / 8], desc);
	unmap_frame(p);
	mm_mark_dirty(d, frame_to_mfn(f));
	frame_put_and_type(f);
	return 0;
}
