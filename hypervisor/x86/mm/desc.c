/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptor tables of PV guests: each physical CPU has a window that shows the running vCPU's.
 *
 *   DESC_WINDOW_VIRT + cpu * 128 KiB:
 *   | GDT pages 0..13 of the guest | 14: the hypervisor's entries | 15: - | LDT pages 0..15 |
 *
 * GDT pages are there from the switch on, LDT pages appear when touched. The CPU sets accessed bits itself, so
 * that the window is writable; it is the hypervisor's alone. Frames in a window are of type SEGDESC: a GDT frame
 * is held by its vCPU, an LDT page by the window.
 */
#include <core/mm/frame.h>
#include <lib.h>
#include <percpu.h>
#include <pv.h>
#include <smp.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>
#include <x86/mm/pvmmu.h>
#include <xerrno.h>

#define GUEST_GDT_PAGES 14
#define LDT_FIRST 16
#define LDT_PAGES 16
#define WINDOW_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D | hv_nx())

struct window {
	u64 *ptes;      /* DESC_WINDOW_PAGES entries */
	u64 *isolated;  /* the same in the roots isolated guests run on, NULL: there are none */
	u8 gdt_pages;   /* in use now */
	u16 ldt_mapped; /* LDT pages that are there */
	u64 ldt_base;   /* what SEL_LDT describes now */
	u32 ldt_ents;
};
static struct window windows[NR_CPUS];

/*
 * Stands in for GDT pages a guest does not bring: the limit covers them, so the CPU would read there, and
 * a page fault of its own reading is not the #GP the guest must see for a null descriptor.
 */
static const u8 no_descriptors[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u64 no_descriptors_pte;

static u64 window_va(unsigned int cpu, unsigned int page)
{
	return DESC_WINDOW(cpu) + page * PAGE_SIZE;
}

void desc_init(void)
{
	no_descriptors_pte = pte_make(hv_addr_to_mfn((u64)no_descriptors), PTE_P | PTE_A | hv_nx());
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		windows[cpu].ptes = hvmap_l1e(window_va(cpu, 0));
		BUG_ON(!windows[cpu].ptes);
		for (unsigned int i = 0; i < GUEST_GDT_PAGES; i++)
			WRITE_ONCE(windows[cpu].ptes[i], no_descriptors_pte);
	}
}

static inline void window_set(struct window *w, unsigned int cpu, unsigned int page, u64 pte)
{
	u64 old = w->ptes[page];

	if (old == pte)
		return;
	WRITE_ONCE(w->ptes[page], pte);
	if (unlikely(w->isolated != NULL))
		WRITE_ONCE(w->isolated[page], pte);
	if (old & PTE_P)
		invlpg(window_va(cpu, page));
}

void desc_window_isolated(unsigned int cpu, u64 *ptes)
{
	memcpy(ptes, windows[cpu].ptes, DESC_WINDOW_PAGES * sizeof(u64));
	windows[cpu].isolated = ptes;
}

/* The system descriptor of the LDT (SDM vol. 3, 7.2.3), in the hypervisor's page of the GDT. */
static void ldt_load(struct window *w, unsigned int cpu, u32 ents)
{
	u64 base = window_va(cpu, LDT_FIRST), limit = ents * 8UL - 1;
	u64 *desc = (u64 *)(window_va(cpu, 0) + SEL_LDT);

	w->ldt_ents = ents;
	if (!ents) {
		lldt(0);
		return;
	}
	desc[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x82UL << 40 | (base >> 24 & 0xff) << 56;
	desc[1] = base >> 32;
	lldt(SEL_LDT);
}

static void ldt_window_clear(struct window *w, unsigned int cpu)
{
	while (w->ldt_mapped) {
		unsigned int i = (unsigned int)__builtin_ctz(w->ldt_mapped);
		u64 pte = w->ptes[LDT_FIRST + i];

		window_set(w, cpu, LDT_FIRST + i, 0);
		w->ldt_mapped &= (u16) ~(1U << i);
		frame_put_and_type(mfn_to_frame(pte_mfn(pte)));
	}
}

void pv_load_descriptors(struct vcpu *v)
{
	unsigned int cpu = smp_processor_id();
	struct window *w = &windows[cpu];
	unsigned int pages = DIV_ROUND_UP(v->pv.gdt_ents, 512U), i;

	for (i = 0; i < pages; i++)
		window_set(w, cpu, i, pte_make(MFN(v->pv.gdt_frames[i]), WINDOW_FLAGS));
	for (; i < w->gdt_pages; i++)
		window_set(w, cpu, i, no_descriptors_pte);
	w->gdt_pages = (u8)pages;
	if (unlikely(w->ldt_mapped))
		ldt_window_clear(w, cpu);
	if (unlikely(w->ldt_ents != v->pv.ldt_ents))
		ldt_load(w, cpu, v->pv.ldt_ents);
}

static void gdt_put(u64 *frames, unsigned int pages)
{
	for (unsigned int i = 0; i < pages; i++)
		frame_put_and_type(mfn_to_frame(MFN(frames[i])));
}

/* v is current or does not run. */
int pv_set_gdt(struct vcpu *v, const u64 *frames, unsigned int entries)
{
	unsigned int pages = DIV_ROUND_UP(entries, 512U), i;

	if (entries > GUEST_GDT_PAGES * 512)
		return -EINVAL;
	for (i = 0; i < pages; i++) {
		struct frame *f = frame_get_from_mfn(MFN(frames[i]), v->domain);

		if (f && !frame_get_type(f, FT_SEGDESC))
			continue;
		if (f)
			frame_put(f);
		gdt_put((u64 *)frames, i);
		return -EINVAL;
	}
	pv_destroy_gdt(v);
	for (i = 0; i < pages; i++)
		v->pv.gdt_frames[i] = frames[i];
	v->pv.gdt_ents = (u16)entries;
	if (v == current)
		pv_load_descriptors(v);
	return 0;
}

/* Nothing of a guest shows in this CPU's window any more. */
void desc_window_clear(void)
{
	unsigned int cpu = smp_processor_id();
	struct window *w = &windows[cpu];

	for (unsigned int i = 0; i < w->gdt_pages; i++)
		window_set(w, cpu, i, no_descriptors_pte);
	w->gdt_pages = 0;
	ldt_window_clear(w, cpu);
}

void pv_destroy_gdt(struct vcpu *v)
{
	unsigned int pages = DIV_ROUND_UP(v->pv.gdt_ents, 512U);
	u64 frames[GUEST_GDT_PAGES];

	for (unsigned int i = 0; i < pages; i++) {
		frames[i] = v->pv.gdt_frames[i];
		v->pv.gdt_frames[i] = 0;
	}
	v->pv.gdt_ents = 0;
	/* Elsewhere a window may show the frames for a while yet: no guest code runs with it before
	 * pv_load_descriptors() has made it right, and nothing else looks. */
	if (v == current)
		pv_load_descriptors(v);
	gdt_put(frames, pages);
}

int pv_set_ldt(struct vcpu *v, u64 base, unsigned int ents)
{
	if (ents > 8192 || (ents && (!va_is_guest(base) || !va_is_guest(base + ents * 8UL - 1))))
		return -EINVAL;
	if (v->pv.ldt_base == base && v->pv.ldt_ents == ents)
		return 0;
	v->pv.ldt_base = base;
	v->pv.ldt_ents = ents;
	if (v == current)
		pv_load_descriptors(v);
	return 0;
}

void desc_ldt_unmap(struct vcpu *v)
{
	if (v == current)
		ldt_window_clear(&windows[smp_processor_id()], smp_processor_id());
}

/*
 * A fault in the LDT window: the CPU wants a descriptor of a page that is not there yet. To a guest that touched
 * one there is none behind, it is a fault at the address it gave for its table; where the hypervisor did so for
 * it (loading its selectors), that load fails, and nothing may be injected: the load would only be tried again.
 */
bool desc_window_fault(struct vcpu *v, const struct regs *regs, u64 addr, u32 error_code)
{
	unsigned int cpu = smp_processor_id(), page;
	struct window *w = &windows[cpu];
	struct frame *table, *f = NULL;
	u64 off = addr - window_va(cpu, LDT_FIRST), va, *l1e;

	if (off >= LDT_PAGES * PAGE_SIZE || off >= v->pv.ldt_ents * 8UL)
		return false;
	va = v->pv.ldt_base + off;
	page = (unsigned int)(off >> PAGE_SHIFT);
	if (w->ldt_mapped & (1U << page))
		return true;
	/* The frame under the guest's own mapping of its table. An LDT that is not page aligned has no page
	 * of its own to show: refused by pv_set_ldt's caller. */
	mm_lock(v->domain);
	l1e = pv_walk_l1e(v->guest_table, va, &table);
	if (l1e && (*l1e & PTE_P))
		f = frame_get_from_mfn(pte_mfn(*l1e), v->domain);
	mm_unlock(v->domain);
	if (f && !frame_get_type(f, FT_SEGDESC)) {
		window_set(w, cpu, LDT_FIRST + page, pte_make(frame_to_mfn(f), WINDOW_FLAGS));
		w->ldt_mapped |= (u16)(1U << page);
		return true;
	}
	if (f)
		frame_put(f);
	if (!regs_from_guest(regs))
		return false;
	pv_inject_page_fault(v, error_code & (PFEC_PRESENT | PFEC_WRITE), va);
	return true;
}

void mm_check_windows(void (*held)(mfn_t m))
{
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		for (unsigned int i = 0; i < LDT_PAGES; i++)
			if (windows[cpu].ldt_mapped & (1U << i))
				held(pte_mfn(windows[cpu].ptes[LDT_FIRST + i]));
}
