/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/start-of-day.md promises: the first instruction runs with %rsi at start_info, a
 * stack, flat selectors, upcalls masked and the other registers zero. start_info names the
 * initial page tables, the frame list and the module; the tables are mapped read-only and
 * pinned, everything else from the image to the end of the region is mapped writable.
 */
#include "guest.h"
#include "usercode.h"

static struct start_of_day *s = &start_of_day;

CASE(registers)
{
	check_eq(s->rsi, start_info);
	check_eq(s->rax | s->rbx | s->rcx | s->rdx | s->rdi | s->rbp, 0);
	check_eq(s->r8 | s->r9 | s->r10 | s->r12 | s->r13 | s->r14 | s->r15, 0);
	record("r11", s->r11);
	record("rflags", s->rflags);
}

CASE(selectors)
{
	record("cs", s->cs);
	record("ss", s->ss);
	record("ds", s->ds);
	record("es", s->es);
	record("fs", s->fs);
	record("gs", s->gs);
}

CASE(stack)
{
	/* One page, the last bootstrap element, empty. */
	check_eq(s->rsp & (PAGE_SIZE - 1), 0);
	check_eq(s->rsp, start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE + PAGE_SIZE);
}

CASE(magic)
{
	check(!strncmp(start_info->magic, "xen-3.0-x86_64", 14));
}

CASE(flags)
{
	record("flags", start_info->flags);
}

CASE(nr_pages)
{
	check(start_info->nr_pages > 0);
	if (is_dom0())
		record("nr_pages", start_info->nr_pages);
}

CASE(shared_info_is_machine_address)
{
	check(start_info->shared_info != 0);
	check_eq(start_info->shared_info & (PAGE_SIZE - 1), 0);
	check_eq(vcpu_info0->evtchn_upcall_mask, 1);
}

CASE(frame_list)
{
	unsigned long i, pfns = start_info->nr_pages;

	/* Every frame is different from the ones beside it and is translated back. */
	for (i = 0; i < pfns; i += 97)
		check_eq(machine_to_phys_mapping[pfn_to_mfn(i)], i);
	check_eq(start_info->mfn_list & (PAGE_SIZE - 1), 0);
}

CASE(image_mapping)
{
	unsigned long va, end = s->rsp;

	for (va = VIRT_BASE + 0x100000; va < end; va += PAGE_SIZE) {
		pte_t *e = pte_of(va, 1);

		require(e && (*e & PTE_P));
		if (va == (unsigned long)shared_info) /* mapped over one of our pages */
			continue;
		require(pfn_to_mfn((va - VIRT_BASE) >> 12) == (*e & PTE_ADDR) >> 12);
	}
}

CASE(tables_read_only)
{
	unsigned long va = start_info->pt_base, i;

	for (i = 0; i < start_info->nr_pt_frames; i++) {
		pte_t *e = pte_of(va + i * PAGE_SIZE, 1);

		require(e);
		check_eq(*e & (PTE_P | PTE_W), PTE_P);
	}
	record("nr_pt_frames", start_info->nr_pt_frames);
}

CASE(pte_bits)
{
	record("data", *pte_of((unsigned long)&start_of_day, 1) & ~PTE_ADDR);
	record("table", *pte_of(start_info->pt_base, 1) & ~PTE_ADDR);
	record("l2", *pte_of(VIRT_BASE, 2) & ~PTE_ADDR);
	record("l3", *pte_of(VIRT_BASE, 3) & ~PTE_ADDR);
	record("l4", *pte_of(VIRT_BASE, 4) & ~PTE_ADDR);
}

CASE(padding_behind_the_stack)
{
	/* At least 512 KiB behind the last element, up to a boundary of 4 MiB. */
	unsigned long va = s->rsp, n = 0;

	while (pte_of(va, 2) && (*pte_of(va, 2) & PTE_P) && (*pte_of(va, 1) & PTE_P)) {
		va += PAGE_SIZE;
		n++;
	}
	check(n >= 128);
	check_eq(va & 0x3fffff, 0);
}

CASE(command_line)
{
	check(start_info->cmd_line[MAX_GUEST_CMDLINE - 1] == 0);
}

CASE(module)
{
	record("mod_start", start_info->mod_start != 0);
	record("mod_len", start_info->mod_len);
}

CASE(console)
{
	if (is_dom0()) {
		record("info_off", start_info->console.dom0.info_off);
		record("info_size", start_info->console.dom0.info_size);
	} else {
		check(start_info->console.domU.mfn != 0);
		check(start_info->store_mfn != 0);
	}
}

CASE(hypercall_page_note)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGE_SIZE; i++)
		n += hypercall_page[i] != 0;
	check(n > 0);
}

CASE(root_is_pinned)
{
	/* Unpinning works once, so the builder had pinned it; pin it again. */
	unsigned long mfn = virt_to_mfn((void *)start_info->pt_base);

	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), -XEN_EINVAL);
	check_eq(mmuext_one(MMUEXT_PIN_L4_TABLE, mfn), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L4_TABLE, mfn), -XEN_EINVAL);
}
