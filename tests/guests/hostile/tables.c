/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on page tables, descriptors and memory. The frames they work on are a pool that all vCPUs
 * share, and window is the one virtual page whose mapping changes; the tables this kernel stands on are left alone.
 */
#include "hostile.h"

#include <xen/memory.h>

#define POOL 24

volatile char window[PAGE_SIZE] __page_aligned;
static unsigned long pool[POOL];
static unsigned long window_mfn;

unsigned long pool_frame(struct rough *me)
{
	return pool[rnd(me) % POOL];
}

unsigned long random_frame(struct rough *me)
{
	switch (rnd(me) % 16) {
	case 0:
		return virt_to_mfn((void *)start_info->pt_base);
	case 1:
		return rnd(me) % 0x40000;
	case 2:
		return rnd(me) >> (rnd(me) % 64);
	default:
		return pool_frame(me);
	}
}

uint64_t random_entry(struct rough *me)
{
	uint64_t e = random_frame(me) << 12 | (rnd(me) & 0x67);

	switch (rnd(me) % 12) {
	case 0:
		return 0;
	case 1:
		return e | (rnd(me) & 0xfff);
	case 2:
		return rnd(me);
	case 3:
		return e & ~PTE_P;
	default:
		return e | PTE_P;
	}
}

/* Slots: a few, so that updates meet, and the ones around the hypervisor's. */
static unsigned long random_slot(struct rough *me)
{
	return rnd(me) % 4 ? rnd(me) % 6 : rnd(me) % 2 ? 250 + rnd(me) % 30 : rnd(me) % 512;
}

static bool stands_on(uint64_t mfn)
{
	const unsigned long *list = (const unsigned long *)start_info->mfn_list;

	for (unsigned long i = 0; i < start_info->nr_pages; i++)
		if (list[i] == mfn)
			return true;
	return false;
}

/* Our own memory is not the target, least of all our tables: an update writes to plain pages too. */
static void random_update(struct rough *me)
{
	uint64_t ptr = pool_frame(me) << 12 | random_slot(me) * 8;

	if (rnd(me) % 32 == 0) {
		ptr = rnd(me) & ~0xffffff8000000000UL & ~3UL;
		if (stands_on(ptr >> 12))
			return;
	}
	count(me, mmu_update_one(ptr | rnd(me) % 4, random_entry(me)));
}

static void random_batch(struct rough *me)
{
	static struct mmu_update u[64];
	unsigned int done = 0, n = rnd(me) % 64;

	for (unsigned int i = 0; i < n; i++) {
		u[i].ptr = pool_frame(me) << 12 | random_slot(me) * 8 | rnd(me) % 4;
		u[i].val = random_entry(me);
	}
	count(me, hypercall4(__HYPERVISOR_mmu_update, (unsigned long)u, n, (unsigned long)&done,
			     rnd(me) % 16 ? DOMID_SELF : rnd(me)));
}

static void random_pin(struct rough *me)
{
	count(me, mmuext_one(rnd(me) % 2 ? rnd(me) % 4 : MMUEXT_UNPIN_TABLE, random_frame(me)));
}

static void random_ext(struct rough *me)
{
	static const unsigned int cmds[] = {MMUEXT_TLB_FLUSH_LOCAL,
					    MMUEXT_INVLPG_LOCAL,
					    MMUEXT_TLB_FLUSH_MULTI,
					    MMUEXT_INVLPG_MULTI,
					    MMUEXT_TLB_FLUSH_ALL,
					    MMUEXT_INVLPG_ALL,
					    MMUEXT_SET_LDT,
					    MMUEXT_NEW_USER_BASEPTR,
					    MMUEXT_NEW_USER_BASEPTR,
					    MMUEXT_CLEAR_PAGE,
					    MMUEXT_COPY_PAGE,
					    MMUEXT_MARK_SUPER,
					    77};
	struct mmuext_op op;
	unsigned long any = rnd(me);

	op.cmd = cmds[rnd(me) % ARRAY_SIZE(cmds)];
	op.arg1.mfn = random_frame(me);
	op.arg2.src_mfn = random_frame(me);
	if (op.cmd == MMUEXT_CLEAR_PAGE || op.cmd == MMUEXT_COPY_PAGE)
		op.arg1.mfn = pool_frame(me);
	if (op.cmd == MMUEXT_TLB_FLUSH_MULTI || op.cmd == MMUEXT_INVLPG_MULTI)
		op.arg2.src_mfn = rnd(me) % 2 ? (unsigned long)&any : rnd(me);
	if (op.cmd == MMUEXT_SET_LDT) {
		op.arg1.linear_addr = rnd(me) % 2 ? (unsigned long)window : rnd(me);
		op.arg2.nr_ents = rnd(me) % 2 ? 512 : (unsigned int)rnd(me);
	}
	/* The root this kernel runs on may lose the machine-to-physical table by it (VMASST_TYPE_m2p_strict). */
	if (op.cmd == MMUEXT_NEW_USER_BASEPTR)
		op.arg1.mfn = rnd(me) % 4 ? pool_frame(me) : 0;
	count(me, hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
			     rnd(me) % 16 ? DOMID_SELF : rnd(me) % 0x8000));
}

static void random_mapping(struct rough *me)
{
	unsigned long flags = rnd(me) % 8;
	uint64_t val = random_entry(me);

	count(me, update_va((unsigned long)window, val, flags == 4 ? rnd(me) : flags));
	/* Read through it: of our own memory whatever it holds may be seen. */
	if (rnd(me) % 4 == 0)
		count(me, update_va(rnd(me), val, 0));
}

static long reserve(unsigned int op, unsigned long *frame, unsigned int order)
{
	struct xen_memory_reservation r = {.nr_extents = 1, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, frame);
	return hypercall2(__HYPERVISOR_memory_op, op, (unsigned long)&r);
}

static void random_memory(struct rough *me)
{
	unsigned int i = (unsigned int)(rnd(me) % POOL);
	unsigned long frame = pool[i], fresh = 0, out = rnd(me) % 4096;
	struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
					.out = {.nr_extents = 1, .domid = DOMID_SELF}};

	switch (rnd(me) % 4) {
	case 0: /* give a frame back, whatever it is used for, and take another */
		count(me, reserve(XENMEM_decrease_reservation, &frame, 0));
		count(me, reserve(XENMEM_decrease_reservation, &frame, 0));
		if (reserve(XENMEM_increase_reservation, &fresh, 0) == 1)
			pool[i] = fresh;
		break;
	case 1:
		frame = random_frame(me);
		if (frame == virt_to_mfn((void *)start_info->pt_base))
			break;
		set_xen_guest_handle(x.in.extent_start, &frame);
		set_xen_guest_handle(x.out.extent_start, &out);
		x.out.mem_flags = rnd(me) % 40;
		for (i = 0; i < POOL && pool[i] != frame; i++)
			;
		if (i == POOL)
			break; /* not to lose frames the kernel stands on */
		if (hypercall2(__HYPERVISOR_memory_op, XENMEM_exchange, (unsigned long)&x) == 0)
			pool[i] = out;
		break;
	default:
		count(me, hypercall2(__HYPERVISOR_memory_op, 32 + rnd(me) % 32, rnd(me)));
	}
}

static void random_descriptors(struct rough *me)
{
	unsigned long frames[14];

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = random_frame(me);
	if (rnd(me) % 2)
		count(me, hypercall2(__HYPERVISOR_update_descriptor,
				     pool_frame(me) << 12 | (rnd(me) % 512) * 8, rnd(me)));
	else
		count(me, hypercall2(__HYPERVISOR_set_gdt, (unsigned long)frames,
				     rnd(me) % 2 ? 512 : rnd(me) % 8000));
}

void tables_clean_up(struct rough *me)
{
	unsigned long none = 0;

	count(me, update_va((unsigned long)window, 0, UVMF_INVLPG));
	count(me, hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&none, 0));
	count(me, mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0));
}

static void random_writable_table(struct rough *me)
{
	/* Page tables are mapped read-only; a write to one is emulated, whatever its width. */
	volatile char *slot = (volatile char *)pte_of((unsigned long)window, 1);

	insn_write(me, slot + rnd(me) % 8, random_entry(me));
}

void random_table_operation(struct rough *me)
{
	switch (rnd(me) % 17) {
	case 0:
		random_memory(me);
		break;
	case 1:
		random_descriptors(me);
		break;
	case 2:
		random_batch(me);
		break;
	case 3:
	case 4:
	case 5:
		random_pin(me);
		break;
	case 6:
		random_ext(me);
		break;
	case 7:
	case 8:
		random_mapping(me);
		break;
	case 9:
		random_writable_table(me);
		break;
	default:
		random_update(me);
	}
}

bool tables_begin(void)
{
	if (window_mfn)
		return true;
	window_mfn = virt_to_mfn((void *)window);
	for (unsigned int i = 0; i < POOL; i++)
		if (reserve(XENMEM_increase_reservation, &pool[i], 0) != 1)
			return false;
	return true;
}

long tables_restore_window(void)
{
	return update_va((unsigned long)window, window_mfn << 12 | PTE_P | PTE_W | PTE_U, UVMF_INVLPG);
}
