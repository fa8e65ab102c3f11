/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of the MMU: guest memory by walking the guest's own tables; TLBs and control registers that are not
 * there. */
#include "machine.h"
#include <lib.h>
#include <options.h>
#include <pv.h>
#include <smp.h>
#include <uaccess.h>
#include <x86/mm/hvmap.h>
#include <x86/mm/pvmmu.h>
#include <xpti.h>

u8 *direct_map;
u64 *m2p_table;
struct frame *frame_table;
u64 max_mfn;
u32 tlb_clock = 1;
paddr_t idle_cr3;
mfn_t m2p_chunks[1024];
unsigned int m2p_nr_chunks = 2;
struct mem_region host_e820[128] = {{0, MACHINE_FRAMES *PAGE_SIZE, E820_RAM}};
unsigned int host_e820_nr = 1;
bool xpti_active, xpti_for_control, xpti_for_others;

/* ---- guest memory ---- */

static u8 *guest_byte(u64 va, bool write)
{
	struct vcpu *v = current;
	struct frame *table;
	u64 *l1e;

	if (va >= ARGS && va < ARGS + ARGS_SIZE)
		return &args_memory[va - ARGS];
	if (!va_is_guest(va) || !v->guest_table.n || mfn_eq(v->guest_table, INVALID_MFN))
		return NULL;
	l1e = pv_walk_l1e(v->guest_table, va, &table);
	if (!l1e || !(*l1e & PTE_P) || (write && !(*l1e & PTE_RW)) || !mfn_valid(pte_mfn(*l1e)))
		return NULL;
	return (u8 *)map_frame(pte_mfn(*l1e)) + (va & (PAGE_SIZE - 1));
}
static size_t guest_copy(u8 *own, u64 va, size_t n, bool write)
{
	while (n) {
		size_t piece = min(n, (size_t)(PAGE_SIZE - (va & (PAGE_SIZE - 1))));
		u8 *p = guest_byte(va, write);

		if (!p)
			break;
		if (write)
			memmove(p, own, piece);
		else
			memmove(own, p, piece);
		own += piece;
		va += piece;
		n -= piece;
	}
	return n;
}
size_t raw_copy_from_guest(void *dst, u64 src, size_t n)
{
	return guest_copy(dst, src, n, false);
}
size_t raw_copy_to_guest(u64 dst, const void *src, size_t n)
{
	return guest_copy((u8 *)(uintptr_t)src, dst, n, true);
}
int copy_from_guest_va(void *dst, u64 src, size_t n)
{
	return guest_range_ok(src, n) && !guest_copy(dst, src, n, false) ? 0 : -EFAULT;
}
int copy_to_guest_va(u64 dst, const void *src, size_t n)
{
	return guest_range_ok(dst, n) && !guest_copy((u8 *)(uintptr_t)src, dst, n, true) ? 0 : -EFAULT;
}

/* ---- memory management of the CPU ---- */

void mm_flush_frame(const struct frame *f)
{
	(void)f;
}
void mm_flush_stamp(u32 stamp)
{
	(void)stamp;
}
void mm_clear_page(void *p)
{
	memset(p, 0, PAGE_SIZE);
}
void mm_check_windows(void (*held)(mfn_t m))
{
	(void)held;
}
void pv_init_guest_l4_slots(u64 *l4)
{
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		l4[i] = 0xdead000 | PTE_P;
}
void flush_tlb_local(void)
{
}
void flush_tlb_one_local(u64 va)
{
	(void)va;
}
void flush_tlb_mask(const cpumask_t *mask)
{
	(void)mask;
	tlb_clock++;
}
void flush_tlb_one_mask(const cpumask_t *mask, u64 va)
{
	(void)mask, (void)va;
}
void write_cr3(u64 cr3)
{
	(void)cr3;
}
void xpti_forget(void)
{
}
void desc_window_clear(void)
{
}

/* The frames of a GDT are held as a vCPU's; no CPU's window shows them. */
void pv_destroy_gdt(struct vcpu *v)
{
	unsigned int pages = DIV_ROUND_UP(v->pv.gdt_ents, 512U);

	v->pv.gdt_ents = 0;
	for (unsigned int i = 0; i < pages; i++)
		frame_put_and_type(mfn_to_frame(MFN(v->pv.gdt_frames[i])));
}
int pv_set_gdt(struct vcpu *v, const u64 *frames, unsigned int entries)
{
	unsigned int pages = DIV_ROUND_UP(entries, 512U), i;

	for (i = 0; i < pages; i++) {
		struct frame *f = mfn_valid(MFN(frames[i])) ? mfn_to_frame(MFN(frames[i])) : NULL;

		if (!f || !frame_get_and_type(f, v->domain, FT_SEGDESC))
			break;
	}
	if (i == pages) {
		pv_destroy_gdt(v);
		memcpy(v->pv.gdt_frames, frames, pages * sizeof(*frames));
		v->pv.gdt_ents = (u16)entries;
		return 0;
	}
	while (i--)
		frame_put_and_type(mfn_to_frame(MFN(frames[i])));
	return -EINVAL;
}
int pv_set_ldt(struct vcpu *v, u64 base, unsigned int ents)
{
	v->pv.ldt_base = base;
	v->pv.ldt_ents = ents;
	return 0;
}
int pv_set_debugreg(struct vcpu *v, unsigned int n, u64 value)
{
	(void)v, (void)n, (void)value;
	return 0;
}
