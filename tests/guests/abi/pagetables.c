/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/page-tables.md promises: a frame has one use at a time, writable memory or a page
 * table of one level or descriptors; tables are read-only to the guest and every entry in them
 * was checked. Updates go through update_va_mapping, mmu_update, or a plain write that the
 * hypervisor emulates, with the same checks. A refused update changes nothing.
 */
#include "guest.h"
#include "internal.h"
#include "usercode.h"

#define TABLE (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

static volatile char spot[PAGE_SIZE] __page_aligned; /* its own mapping is what gets changed */
static volatile char other[PAGE_SIZE] __page_aligned;
static pte_t table[512] __page_aligned;

static pte_t pte_for(const volatile void *page, uint64_t bits)
{
	return virt_to_mfn((const void *)page) << 12 | bits;
}

static pte_t spot_pte(void)
{
	return *pte_of((unsigned long)spot, 1);
}

static void restore(void)
{
	set_writable((void *)spot);
}

static void touch(void *p)
{
	*(volatile char *)p = 1;
}

CASE(update_va_mapping)
{
	check_eq(update_va((unsigned long)spot, pte_for(other, TABLE), UVMF_INVLPG), 0);
	other[0] = 42;
	check_eq(spot[0], 42);
	check_eq(update_va((unsigned long)spot, 0, UVMF_INVLPG), 0);
	check_eq(trap_call(touch, (void *)spot), 14);
	restore();
	check_eq(trap_call(touch, (void *)spot), NO_TRAP);
}

CASE(update_va_mapping_flushes)
{
	unsigned long none = 0;

	check_eq(update_va((unsigned long)spot, pte_for(spot, TABLE), UVMF_NONE), 0);
	check_eq(update_va((unsigned long)spot, pte_for(spot, TABLE), UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
	check_eq(update_va((unsigned long)spot, pte_for(spot, TABLE), UVMF_TLB_FLUSH | UVMF_ALL), 0);
	check_eq(update_va((unsigned long)spot, pte_for(spot, TABLE), UVMF_INVLPG | UVMF_ALL), 0);
	none = 1;
	check_eq(update_va((unsigned long)spot, pte_for(spot, TABLE), UVMF_INVLPG | (unsigned long)&none), 0);
	record("both_bits", (uint64_t)update_va((unsigned long)spot, pte_for(spot, TABLE), 3));
}

CASE(update_va_mapping_errors)
{
	record("no_table", (uint64_t)update_va(0x123456000UL, 0, UVMF_NONE));
	record("hypervisor_va", (uint64_t)update_va(0xffff830000000000UL, 0, UVMF_NONE));
	record("m2p_va", (uint64_t)update_va(MACH2PHYS_VIRT_START, 0, UVMF_NONE));
	/* A frame that is not there, and one that is not ours. */
	record("no_frame", (uint64_t)update_va((unsigned long)spot, 0xfffffff000UL | TABLE, UVMF_NONE));
	record("reserved_bits",
	       (uint64_t)update_va((unsigned long)spot, pte_for(spot, TABLE) | 1UL << 51, UVMF_NONE));
	check_eq(spot_pte() & PTE_ADDR, pte_for(spot, 0));
	restore();
}

CASE(foreign_frame_refused)
{
	/* shared_info is ours; the next-door frames of the hypervisor are not. */
	record("hypervisor_frame", (uint64_t)update_va((unsigned long)spot, 0x200000 | TABLE, UVMF_NONE));
	check_eq(spot_pte() & PTE_ADDR, pte_for(spot, 0));
}

CASE(bits_as_written)
{
	static const uint64_t bits[] = {PTE_P,         PTE_P | PTE_U, PTE_P | PTE_W, PTE_P | PTE_U | PTE_NX,
					PTE_P | PTE_G, PTE_P | 0x18,  0xe00 | PTE_P, 0xe00};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		char name[24];

		record("result",
		       (uint64_t)update_va((unsigned long)spot, pte_for(spot, bits[i]), UVMF_INVLPG));
		snprintf(name, sizeof(name), "bits_%lx", bits[i]);
		record(name, spot_pte() & ~PTE_ADDR);
	}
	restore();
}

CASE(table_mapped_writable)
{
	/* The rule everything rests on. */
	unsigned long l1 = pte_maddr((unsigned long)spot, 1) & PAGE_MASK;

	record("l1", (uint64_t)update_va((unsigned long)spot, l1 | TABLE, UVMF_NONE));
	record("l4", (uint64_t)update_va((unsigned long)spot,
					 virt_to_mfn((void *)start_info->pt_base) << 12 | TABLE, UVMF_NONE));
	check_eq(spot_pte() & PTE_ADDR, pte_for(spot, 0));
	/* Read-only is fine. */
	check_eq(update_va((unsigned long)spot, l1 | PTE_P, UVMF_INVLPG), 0);
	restore();
}

CASE(MMUEXT_PIN_L1_TABLE)
{
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	table[0] = pte_for(other, TABLE);
	/* Still mapped writable: not a page table yet. */
	record("writable", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, mfn));
	check_eq(set_readonly(table), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L1_TABLE, mfn), 0);
	record("again", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, mfn));
	record("other_level", (uint64_t)mmuext_one(MMUEXT_PIN_L2_TABLE, mfn));
	record("set_writable", (uint64_t)set_writable(table));
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	record("unpin_again", (uint64_t)mmuext_one(MMUEXT_UNPIN_TABLE, mfn));
	check_eq(set_writable(table), 0);
}

CASE(pin_bad_entries)
{
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	table[7] = 0x200000 | TABLE; /* the hypervisor's */
	check_eq(set_readonly(table), 0);
	record("foreign", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, mfn));
	check_eq(set_writable(table), 0);
	table[7] = pte_for(table, TABLE); /* itself, writable */
	check_eq(set_readonly(table), 0);
	record("itself", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, mfn));
	check_eq(set_writable(table), 0);
	table[7] = pte_for(table, PTE_P); /* itself, read-only */
	check_eq(set_readonly(table), 0);
	record("itself_ro", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, mfn));
	mmuext_one(MMUEXT_UNPIN_TABLE, mfn);
	record("writable_again", (uint64_t)set_writable(table));
	table[7] = 0;
}

CASE(MMUEXT_PIN_L2_TABLE)
{
	static pte_t l1[512] __page_aligned;
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	table[3] = pte_for(l1, TABLE);
	/* A lower table that is mapped writable somewhere. */
	check_eq(set_readonly(table), 0);
	record("lower_writable", (uint64_t)mmuext_one(MMUEXT_PIN_L2_TABLE, mfn));
	check_eq(set_readonly(l1), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L2_TABLE, mfn), 0);
	record("lower_set_writable", (uint64_t)set_writable(l1));
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	check_eq(set_writable(l1), 0);
	check_eq(set_writable(table), 0);
}

CASE(MMUEXT_PIN_L3_TABLE)
{
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	check_eq(set_readonly(table), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L3_TABLE, mfn), 0);
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	check_eq(set_writable(table), 0);
}

CASE(MMUEXT_PIN_L4_TABLE)
{
	unsigned long mfn = virt_to_mfn(table);
	unsigned int i, filled = 0;

	memset(table, 0, sizeof(table));
	check_eq(set_readonly(table), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L4_TABLE, mfn), 0);
	/* The hypervisor's slots belong to it, whatever the guest wrote there. */
	for (i = 256; i < 272; i++)
		filled += table[i] != 0;
	record("reserved_slots_in_use", filled > 0);
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	check_eq(set_writable(table), 0);
	memset(table, 0, sizeof(table));
}

CASE(superpage_refused)
{
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	table[0] = TABLE | PTE_PS;
	check_eq(set_readonly(table), 0);
	record("l2_ps", (uint64_t)mmuext_one(MMUEXT_PIN_L2_TABLE, mfn));
	record("l3_ps", (uint64_t)mmuext_one(MMUEXT_PIN_L3_TABLE, mfn));
	record("l4_ps", (uint64_t)mmuext_one(MMUEXT_PIN_L4_TABLE, mfn));
	check_eq(set_writable(table), 0);
	table[0] = 0;
}

CASE(MMUEXT_NEW_BASEPTR)
{
	unsigned long mfn = virt_to_mfn((void *)start_info->pt_base);

	check_eq(mmuext_one(MMUEXT_NEW_BASEPTR, mfn), 0);
	record("no_table", (uint64_t)mmuext_one(MMUEXT_NEW_BASEPTR, virt_to_mfn((void *)other)));
	record("no_frame", (uint64_t)mmuext_one(MMUEXT_NEW_BASEPTR, 0xffffffff));
}

CASE(second_address_space)
{
	/* A copy of the root with the kernel's entries; run on it, and go back. */
	pte_t *root = (pte_t *)start_info->pt_base;
	unsigned long mfn = virt_to_mfn(table);
	unsigned int i;

	for (i = 0; i < 512; i++)
		table[i] = i >= 256 && i < 272 ? 0 : root[i];
	check_eq(set_readonly(table), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L4_TABLE, mfn), 0);
	check_eq(mmuext_one(MMUEXT_NEW_BASEPTR, mfn), 0);
	other[1] = 9;
	check_eq(other[1], 9);
	/* In use: the pin may go, the type stays. */
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, mfn), 0);
	record("busy", (uint64_t)set_writable(table));
	check_eq(mmuext_one(MMUEXT_NEW_BASEPTR, virt_to_mfn(root)), 0);
	check_eq(set_writable(table), 0);
	memset(table, 0, sizeof(table));
}

CASE(MMUEXT_NEW_USER_BASEPTR)
{
	check_eq(mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0), 0);
	record("no_table", (uint64_t)mmuext_one(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn((void *)other)));
}

CASE(MMU_NORMAL_PT_UPDATE)
{
	uint64_t at = pte_maddr((unsigned long)spot, 1);

	check_eq(mmu_update_one(at | MMU_NORMAL_PT_UPDATE, pte_for(spot, PTE_P)), 0);
	check_eq(spot_pte() & (PTE_P | PTE_W), PTE_P);
	check_eq(mmu_update_one(at, pte_for(spot, TABLE)), 0);
	mmuext_one(MMUEXT_INVLPG_LOCAL, (unsigned long)spot);
	check_eq(trap_call(touch, (void *)spot), NO_TRAP);
	record("foreign", (uint64_t)mmu_update_one(at, 0x200000 | TABLE));
	check_eq(spot_pte() & PTE_ADDR, pte_for(spot, 0));
}

CASE(MMU_PT_UPDATE_PRESERVE_AD)
{
	uint64_t at = pte_maddr((unsigned long)spot, 1);

	touch((void *)spot);
	check_eq(mmu_update_one(at | MMU_PT_UPDATE_PRESERVE_AD, pte_for(spot, PTE_P | PTE_W)), 0);
	record("bits", spot_pte() & ~PTE_ADDR);
	check_eq(spot_pte() & (PTE_A | PTE_D), PTE_A | PTE_D);
	restore();
}

CASE(MMU_PT_UPDATE_NO_TRANSLATE)
{
	uint64_t at = pte_maddr((unsigned long)spot, 1);

	record("result", (uint64_t)mmu_update_one(at | MMU_PT_UPDATE_NO_TRANSLATE, pte_for(spot, TABLE)));
}

CASE(MMU_MACHPHYS_UPDATE)
{
	unsigned long mfn = virt_to_mfn((void *)other), pfn = virt_to_pfn((void *)other);

	check_eq(mmu_update_one(mfn << 12 | MMU_MACHPHYS_UPDATE, 0x777), 0);
	check_eq(machine_to_phys_mapping[mfn], 0x777);
	check_eq(mmu_update_one(mfn << 12 | MMU_MACHPHYS_UPDATE, pfn), 0);
	check_eq(machine_to_phys_mapping[mfn], pfn);
	record("foreign", (uint64_t)mmu_update_one(0x200000 | MMU_MACHPHYS_UPDATE, 1));
}

CASE(mmu_update_plain_memory)
{
	/* A word of ordinary writable memory is written too, without any check of the value. */
	uint64_t at = virt_to_mfn((void *)other) << 12;

	record("result", (uint64_t)mmu_update_one(at, 0x1234567812345678UL));
	record("word", *(volatile uint64_t *)other);
}

CASE(mmu_update_batch)
{
	uint64_t at = pte_maddr((unsigned long)spot, 1);
	unsigned int done = 99;
	struct mmu_update m[3] = {
		{at, pte_for(spot, PTE_P)}, {at, 0x200000 | TABLE}, {at, pte_for(spot, TABLE)}};

	/* Stops at the first refusal and tells how many were done. */
	record("result", (uint64_t)hypercall4(__HYPERVISOR_mmu_update, (unsigned long)m, 3,
					      (unsigned long)&done, DOMID_SELF));
	check_eq(done, 1);
	check_eq(spot_pte() & PTE_W, 0);
	m[1].val = m[0].val;
	check_eq(hypercall4(__HYPERVISOR_mmu_update, (unsigned long)m, 3, (unsigned long)&done, DOMID_SELF),
		 0);
	check_eq(done, 3);
	check_eq(hypercall4(__HYPERVISOR_mmu_update, 0, 0, 0, DOMID_SELF), 0);
	record("pointer", (uint64_t)hypercall4(__HYPERVISOR_mmu_update, 0, 1, 0, DOMID_SELF));
	record("domain", (uint64_t)hypercall4(__HYPERVISOR_mmu_update, (unsigned long)m, 1, 0, 0x7000));
	restore();
}

/* A kernel adds up what it is told was done, of a batch for a domain that has just gone, too. */
CASE(mmu_update_of_nobody)
{
	struct mmu_update m[2] = {{0}};
	unsigned int done = 99;

	record("result", (uint64_t)hypercall4(__HYPERVISOR_mmu_update, (unsigned long)m, 2,
					      (unsigned long)&done, 0x7000));
	check_eq(done, 0);
}

CASE(mmu_update_long_batch)
{
	/* More than fits between two preemption checks. */
	static struct mmu_update m[2000];
	uint64_t at = pte_maddr((unsigned long)spot, 1);
	unsigned int i, done = 0;

	for (i = 0; i < 2000; i++)
		m[i] = (struct mmu_update){at, pte_for(spot, i & 1 ? TABLE : PTE_P)};
	check_eq(
		hypercall4(__HYPERVISOR_mmu_update, (unsigned long)m, 2000, (unsigned long)&done, DOMID_SELF),
		0);
	check_eq(done, 2000);
	check_eq(spot_pte() & PTE_W, PTE_W);
}

CASE(update_upper_levels)
{
	/* An empty table is hung under an unused L3 slot of the kernel and taken off again. */
	uint64_t at = pte_maddr(VIRT_BASE, 3);
	unsigned long mfn = virt_to_mfn(table);

	memset(table, 0, sizeof(table));
	check_eq(set_readonly(table), 0);
	at = (at & PAGE_MASK) | 100 * 8;
	check_eq(mmu_update_one(at, mfn << 12 | TABLE), 0);
	record("busy", (uint64_t)set_writable(table));
	check_eq(mmu_update_one(at, 0), 0);
	check_eq(set_writable(table), 0);
}

CASE(l4_reserved_slots)
{
	uint64_t root = virt_to_mfn((void *)start_info->pt_base) << 12;

	record("slot_256", (uint64_t)mmu_update_one(root | 256 * 8, 0));
	record("slot_271", (uint64_t)mmu_update_one(root | 271 * 8, 0));
}

static pte_t *emulated; /* the entry of spot, through the read-only mapping of its table */
static uint64_t emulated_value;

static void write64(void *v)
{
	*(volatile pte_t *)emulated = *(uint64_t *)v;
}

static void xchg64(void *v)
{
	emulated_value = __atomic_exchange_n(emulated, *(uint64_t *)v, __ATOMIC_SEQ_CST);
}

static void cmpxchg64(void *v)
{
	uint64_t old = *emulated;

	emulated_value = __atomic_compare_exchange_n(emulated, &old, *(uint64_t *)v, false, __ATOMIC_SEQ_CST,
						     __ATOMIC_SEQ_CST);
}

static void and8(void *v)
{
	(void)v;
	__asm__ volatile("lock; andb $0xfd, %0" : "+m"(*(char *)emulated));
}

static void write32(void *v)
{
	*(volatile uint32_t *)emulated = *(uint32_t *)v;
}

static unsigned int emulate(void (*fn)(void *), uint64_t value)
{
	emulated = pte_of((unsigned long)spot, 1);
	return trap_call(fn, &value);
}

CASE(write_emulation_by_default)
{
	/* Not dependent on the assist of that name. */
	record("vector", emulate(write64, pte_for(spot, PTE_P | PTE_A)));
	record("bits", spot_pte() & ~PTE_ADDR);
	restore();
}

CASE(VMASST_CMD_enable)
{
	check_eq(hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
	record("unknown", (uint64_t)hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 31));
	record("command", (uint64_t)hypercall2(__HYPERVISOR_vm_assist, 9, 2));
	record("4gb",
	       (uint64_t)hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_4gb_segments));
	record("pae",
	       (uint64_t)hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3));
	record("runstate", (uint64_t)hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
						VMASST_TYPE_runstate_update_flag));
}

CASE(write_emulation)
{
	hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	check_eq(emulate(write64, pte_for(spot, PTE_P | PTE_A)), NO_TRAP);
	check_eq(spot_pte() & (PTE_P | PTE_W), PTE_P);
	check_eq(emulate(write64, pte_for(spot, TABLE)), NO_TRAP);
	check_eq(spot_pte() & PTE_W, PTE_W);
}

CASE(write_emulation_xchg)
{
	uint64_t before = spot_pte();

	check_eq(emulate(xchg64, 0), NO_TRAP);
	check_eq(emulated_value & ~(PTE_A | PTE_D), before & ~(PTE_A | PTE_D));
	check_eq(spot_pte(), 0);
	check_eq(emulate(xchg64, pte_for(spot, TABLE)), NO_TRAP);
	check_eq(emulated_value, 0);
	mmuext_one(MMUEXT_INVLPG_LOCAL, (unsigned long)spot);
	check_eq(trap_call(touch, (void *)spot), NO_TRAP);
}

CASE(write_emulation_cmpxchg)
{
	check_eq(emulate(cmpxchg64, pte_for(spot, PTE_P | PTE_A)), NO_TRAP);
	check_eq(emulated_value, 1);
	check_eq(spot_pte() & PTE_W, 0);
	restore();
}

CASE(write_emulation_byte)
{
	check_eq(emulate(and8, 0), NO_TRAP);
	check_eq(spot_pte() & (PTE_P | PTE_W), PTE_P);
	check_eq(spot_pte() & PTE_ADDR, pte_for(spot, 0));
	restore();
}

CASE(write_emulation_half)
{
	record("vector", emulate(write32, (uint32_t)pte_for(spot, PTE_P | PTE_A)));
	record("bits", spot_pte() & ~PTE_ADDR);
	restore();
}

CASE(write_emulation_refused)
{
	uint64_t before;

	restore();
	before = spot_pte();
	record("vector", emulate(write64, 0x200000 | TABLE));
	check_eq(spot_pte() & ~(PTE_A | PTE_D), before & ~(PTE_A | PTE_D));
	record("table", emulate(write64, (pte_maddr((unsigned long)spot, 1) & PAGE_MASK) | TABLE));
	check_eq(spot_pte() & ~(PTE_A | PTE_D), before & ~(PTE_A | PTE_D));
}

CASE(VMASST_CMD_disable)
{
	check_eq(hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0);
	record("vector", emulate(write64, pte_for(spot, TABLE)));
}

CASE(flushes)
{
	uint64_t mask = 1;
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI};

	check_eq(mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0), 0);
	check_eq(mmuext_one(MMUEXT_INVLPG_LOCAL, (unsigned long)spot), 0);
	check_eq(mmuext_one(MMUEXT_TLB_FLUSH_ALL, 0), 0);
	check_eq(mmuext_one(MMUEXT_INVLPG_ALL, (unsigned long)spot), 0);
	set_xen_guest_handle(op.arg2.vcpumask, &mask);
	check_eq(hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF), 0);
	op.cmd = MMUEXT_INVLPG_MULTI;
	op.arg1.linear_addr = (unsigned long)spot;
	check_eq(hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF), 0);
	set_xen_guest_handle(op.arg2.vcpumask, NULL);
	record("no_mask", (uint64_t)hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF));
	record("cache", (uint64_t)mmuext_one(MMUEXT_FLUSH_CACHE, 0));
	record("cache_global", (uint64_t)mmuext_one(MMUEXT_FLUSH_CACHE_GLOBAL, 0));
}

CASE(MMUEXT_CLEAR_PAGE)
{
	other[5] = 5;
	other[4095] = 7;
	check_eq(mmuext_one(MMUEXT_CLEAR_PAGE, virt_to_mfn((void *)other)), 0);
	check_eq(other[5] | other[4095], 0);
	record("table", (uint64_t)mmuext_one(MMUEXT_CLEAR_PAGE, virt_to_mfn((void *)start_info->pt_base)));
}

CASE(MMUEXT_COPY_PAGE)
{
	struct mmuext_op op = {.cmd = MMUEXT_COPY_PAGE,
			       .arg1.mfn = virt_to_mfn((void *)spot),
			       .arg2.src_mfn = virt_to_mfn((void *)other)};

	other[5] = 55;
	other[4095] = 77;
	check_eq(hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF), 0);
	check_eq(spot[5], 55);
	check_eq(spot[4095], 77);
}

CASE(mmuext_batch)
{
	struct mmuext_op op[3] = {
		{.cmd = MMUEXT_TLB_FLUSH_LOCAL}, {.cmd = 77}, {.cmd = MMUEXT_TLB_FLUSH_LOCAL}};
	unsigned int done = 99;

	record("result", (uint64_t)hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)op, 3,
					      (unsigned long)&done, DOMID_SELF));
	check_eq(done, 1);
	check_eq(hypercall4(__HYPERVISOR_mmuext_op, 0, 0, 0, DOMID_SELF), 0);
	record("domain", (uint64_t)hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)op, 1, 0, 0x7000));
	record("super", (uint64_t)mmuext_one(MMUEXT_MARK_SUPER, 0));
}

CASE(machine_to_physical_table)
{
	unsigned long i;

	check_eq(machine_to_phys_mapping[virt_to_mfn((void *)spot)], virt_to_pfn((void *)spot));
	for (i = 0; i < 64; i++)
		check_eq(machine_to_phys_mapping[pfn_to_mfn(i)], i);
}

CASE(update_va_mapping_otherdomain)
{
	record("none", (uint64_t)hypercall4(__HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)spot,
					    pte_for(spot, TABLE), 0, 0x7000));
	record("self", (uint64_t)hypercall4(__HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)spot,
					    pte_for(spot, TABLE), 0, DOMID_SELF));
	/* Device memory by DOMID_IO, for the hardware domain. */
	record("io", (uint64_t)hypercall4(__HYPERVISOR_update_va_mapping_otherdomain, (unsigned long)spot,
					  0xfeb00000UL | TABLE, UVMF_INVLPG, DOMID_IO));
	restore();
}
