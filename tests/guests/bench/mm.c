/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table updates, pinning and address-space switches. */
#include "bench.h"

#define BITS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

static char spot[32][PAGE_SIZE] __page_aligned;
static pte_t table[512] __page_aligned;
static pte_t tree[4][512] __page_aligned;

static pte_t pte(const void *p, uint64_t bits)
{
	return virt_to_mfn(p) << 12 | bits;
}

static void single_updates(void)
{
	unsigned long va = (unsigned long)spot[0];
	pte_t on = pte(spot[0], BITS), ro = pte(spot[0], BITS & ~PTE_W);

	MEASURE("uvm_map_none", update_va(va, 0, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, on, UVMF_NONE));
	MEASURE("uvm_unmap_none", update_va(va, on, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, 0, UVMF_NONE));
	MEASURE("uvm_map_invlpg", update_va(va, 0, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, on, UVMF_INVLPG));
	MEASURE("uvm_unmap_invlpg", update_va(va, on, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, 0, UVMF_INVLPG));
	MEASURE("uvm_unmap_tlbflush", update_va(va, on, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, 0, UVMF_TLB_FLUSH));
	MEASURE("uvm_rw_to_ro_invlpg", update_va(va, on, UVMF_INVLPG),
		CALL3(__HYPERVISOR_update_va_mapping, va, ro, UVMF_INVLPG));
	update_va(va, on, UVMF_INVLPG);
}

static void batches(void)
{
	static struct mmu_update on[32], off[32];
	struct mmu_update wp;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		uint64_t at = pte_maddr((unsigned long)spot[i], 1);

		on[i] = (struct mmu_update){at, pte(spot[i], BITS)};
		off[i] = (struct mmu_update){at, 0};
	}
#define UPDATE(list, n) CALL(__HYPERVISOR_mmu_update, list, n, 0, DOMID_SELF)
	MEASURE("mmu_update_map_1", UPDATE(off, 1), UPDATE(on, 1));
	MEASURE("mmu_update_unmap_1", UPDATE(on, 1), UPDATE(off, 1));
	MEASURE("mmu_update_map_32", UPDATE(off, 32), UPDATE(on, 32));
	MEASURE("mmu_update_unmap_32", UPDATE(on, 32), UPDATE(off, 32));
	UPDATE(on, 32);
	wp = (struct mmu_update){on[0].ptr | MMU_PT_UPDATE_PRESERVE_AD, pte(spot[0], BITS & ~PTE_W)};
	MEASURE("mmu_update_preserve_ad_wrprot", UPDATE(on, 1), UPDATE(&wp, 1));
	UPDATE(on, 1);
}

static void direct_writes(void)
{
	volatile pte_t *e = pte_of((unsigned long)spot[0], 1);
	pte_t on = pte(spot[0], BITS);

	hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	MEASURE("ptwr_emul_map", update_va((unsigned long)spot[0], 0, UVMF_INVLPG), *e = on);
	MEASURE("ptwr_emul_unmap", update_va((unsigned long)spot[0], on, UVMF_INVLPG), *e = 0);
	update_va((unsigned long)spot[0], on, UVMF_INVLPG);
}

static void flushes(void)
{
	struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

#define EXT(o, n) CALL(__HYPERVISOR_mmuext_op, o, n, 0, DOMID_SELF)
	MEASURE("mmuext_tlb_flush_local", , EXT(&op, 1));
	op.cmd = MMUEXT_INVLPG_LOCAL;
	op.arg1.linear_addr = (unsigned long)spot[0];
	MEASURE("mmuext_invlpg_local", , EXT(&op, 1));
	op.cmd = MMUEXT_TLB_FLUSH_ALL;
	MEASURE("mmuext_tlb_flush_all", , EXT(&op, 1));
	op.cmd = MMUEXT_CLEAR_PAGE;
	op.arg1.mfn = virt_to_mfn(spot[1]);
	MEASURE("mmuext_clear_page", , EXT(&op, 1));
	op.cmd = MMUEXT_COPY_PAGE;
	op.arg2.src_mfn = virt_to_mfn(spot[2]);
	MEASURE("mmuext_copy_page", , EXT(&op, 1));
}

static void pins(const char *pin_name, const char *unpin_name, unsigned int cmd, const void *t,
		 unsigned int n)
{
	struct mmuext_op pin = {.cmd = cmd, .arg1.mfn = virt_to_mfn(t)},
			 unpin = {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = virt_to_mfn(t)};
	long ret = EXT(&pin, 1);

	if (ret) {
		no_row(pin_name, ret);
		return;
	}
	EXT(&unpin, 1);
	MEASURE_N(pin_name, n, , {
		EXT(&pin, 1);
		samples[i_] = tick() - t_;
		EXT(&unpin, 1);
		continue;
	});
	MEASURE_N(unpin_name, n, EXT(&pin, 1), EXT(&unpin, 1));
}

static void pinning(void)
{
	unsigned int i;

	memset(table, 0, sizeof(table));
	set_readonly(table);
	pins("pin_l1_empty", "unpin_l1_empty", MMUEXT_PIN_L1_TABLE, table, 200);
	set_writable(table);
	for (i = 0; i < 512; i++)
		table[i] = pte(spot[i % 32], BITS & ~PTE_W);
	set_readonly(table);
	pins("pin_l1_full512", "unpin_l1_full512", MMUEXT_PIN_L1_TABLE, table, 200);
	set_writable(table);
	/* A root with the kernel's entries, as a new process has. */
	for (i = 0; i < 512; i++)
		tree[3][i] = i >= 256 && i < 272 ? 0 : ((pte_t *)start_info->pt_base)[i];
	set_readonly(tree[3]);
	pins("pin_l4", "unpin_l4", MMUEXT_PIN_L4_TABLE, tree[3], 200);
}

static void switches(void)
{
	struct mmuext_op here = {.cmd = MMUEXT_NEW_BASEPTR,
				 .arg1.mfn = virt_to_mfn((void *)start_info->pt_base)},
			 there = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = virt_to_mfn(tree[3])};
	struct mmuext_op user = {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = virt_to_mfn(tree[3])};
	struct mmuext_op nobody = {.cmd = MMUEXT_NEW_USER_BASEPTR};
	struct mmuext_op pair[2] = {there, user}, back[2] = {here, nobody};
	struct multicall_entry go[4], home[4];
	unsigned int i;

	if (mmuext_one(MMUEXT_PIN_L4_TABLE, there.arg1.mfn)) {
		no_row("new_baseptr_switch", -1);
		return;
	}
	MEASURE("new_baseptr_switch", EXT(&here, 1), EXT(&there, 1));
	EXT(&here, 1);
	MEASURE("new_baseptr_same", , EXT(&here, 1));
	MEASURE("new_user_baseptr", EXT(&nobody, 1), EXT(&user, 1));
	go[0] = (struct multicall_entry){.op = __HYPERVISOR_stack_switch,
					 .args = {FLAT_KERNEL_SS, start_of_day.rsp}};
	go[1] = (struct multicall_entry){.op = __HYPERVISOR_set_segment_base, .args = {SEGBASE_FS, 0x1000}};
	go[2] = (struct multicall_entry){.op = __HYPERVISOR_set_segment_base,
					 .args = {SEGBASE_GS_USER, 0x2000}};
	go[3] = (struct multicall_entry){.op = __HYPERVISOR_mmuext_op,
					 .args = {(unsigned long)pair, 2, 0, DOMID_SELF}};
	for (i = 0; i < 4; i++)
		home[i] = go[i];
	home[3].args[0] = (unsigned long)back;
	MEASURE("proc_switch_multicall", CALL2(__HYPERVISOR_multicall, home, 4),
		CALL2(__HYPERVISOR_multicall, go, 4));
	CALL2(__HYPERVISOR_multicall, home, 4);
	mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0);
}

void bench_mm(void)
{
	single_updates();
	batches();
	direct_writes();
	flushes();
	pinning();
	switches();
}
