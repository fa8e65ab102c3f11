/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults the hypervisor resolves itself: LDT windows and writes to page tables. */
#include <core/mm/shadow.h>
#include <lib.h>
#include <percpu.h>
#include <x86/mm/ptwr.h>
#include <x86/mm/pvmmu.h>
#include <xen/xen.h>
#include <xpti.h>

/* The instruction at rip, decoded. It may end right before a page that is not there. */
static bool ptwr_fetch(const struct regs *regs, struct ptwr_insn *in)
{
	u8 buf[PTWR_MAX_INSN];
	unsigned int n = PTWR_MAX_INSN;

	if (unlikely(!guest_range_ok(regs->rip, n)))
		return false;
	n -= (unsigned int)raw_copy_from_guest(buf, regs->rip, n);
	return ptwr_decode(buf, n, in);
}

/* Accessed and dirty bits the CPU may set while the instruction is emulated, and which the instruction would then
 * have left alone: none of those that replace the whole entry unseen. */
static u64 bits_kept(const struct ptwr_insn *in, struct regs *regs, u64 old, unsigned int shift)
{
	struct ptwr_effect fx;

	if (in->kind == PTWR_MOV || in->kind == PTWR_MOV_IMM || in->kind == PTWR_XCHG)
		return 0;
	if (in->kind == PTWR_CMPXCHG)
		return PTE_AD & ~old;
	ptwr_execute(in, regs, (old | PTE_AD) >> shift, &fx);
	return PTE_AD & ~old & fx.value << shift;
}

/* One instruction's write to an entry of the L1 table pt. */
static bool ptwr_write(struct domain *d, struct regs *regs, const struct ptwr_insn *insn, struct frame *pt,
		       u64 addr)
{
	unsigned int shift = (addr & 7) * 8;
	struct ptwr_effect fx;
	struct ptwr_insn in;
	u64 m, old, new, was, *entry;

	if (insn)
		in = *insn;
	else if (!ptwr_fetch(regs, &in))
		return false;
	if ((addr & 7) + in.bytes > 8)
		return false;
	m = in.bytes == 8 ? ~0UL : (1UL << (in.bytes * 8)) - 1;
	entry = (u64 *)((u8 *)map_frame(frame_to_mfn(pt)) + (addr & (PAGE_SIZE - 8)));
	old = READ_ONCE(*entry);
	ptwr_execute(&in, regs, old >> shift & m, &fx);
	new = (old & ~(m << shift)) | (fx.value & m) << shift;
	if (fx.write) {
		if (l1e_update(d, d, entry, new, bits_kept(&in, regs, old, shift), &was))
			return false;
		/* xchg must report a dirty bit set at the last moment. */
		if (in.kind == PTWR_XCHG)
			fx.reg = was >> shift & m;
	}
	ptwr_commit(&in, regs, &fx);
	return true;
}

/* False: no write to a page table of ours, or not one that is allowed: the guest gets its fault. */
static bool ptwr_fault(struct vcpu *v, struct regs *regs, u64 addr)
{
	struct domain *d = v->domain;
	struct frame *table, *pt;
	struct ptwr_insn insn, *early = NULL;
	bool done = false;
	u64 *l1e, e;

	/* Under shadows reading the instruction can fault, which must not happen under the lock. */
	if (unlikely(d->mm->log_dirty)) {
		if (!ptwr_fetch(regs, &insn))
			return false;
		early = &insn;
	}
	mm_lock(d);
	l1e = pv_walk_l1e(v->guest_table, addr, &table);
	e = l1e ? READ_ONCE(*l1e) : 0;
	if ((e & (PTE_P | PTE_RW)) == PTE_P && mfn_valid(pte_mfn(e))) {
		pt = mfn_to_frame(pte_mfn(e));
		if ((pt->type_word & (PGT_TYPE_MASK | PGT_VALID)) == (PGT_TYPE(FT_L1) | PGT_VALID) &&
		    pt->owner == d->id)
			done = ptwr_write(d, regs, early, pt, addr);
	}
	mm_unlock(d);
	return done;
}

/* Log-dirty mode. True: it was the shadow's doing, or is made so that the CPU reports the guest's own error code
 * the next time. */
static __cold bool shadow_page_fault(struct vcpu *v, u64 addr, u32 ec)
{
	struct domain *d = v->domain;
	mfn_t root = v->pv.kernel_mode ? v->guest_table : v->guest_table_user;
	bool write = ec & PFEC_WRITE, fetch = ec & PFEC_INSN;
	int rc = 0;

	mm_lock(d);
	for (unsigned int try = 0; try < 2 && d->mm->log_dirty; try++) {
		if (!(ec & PFEC_PRESENT) || write)
			rc = shadow_fault(d, root, addr, write, fetch);
		/* There for reading at least: a write that is not allowed then faults as such. */
		if (!rc && !(ec & PFEC_PRESENT))
			rc = shadow_fault(d, root, addr, false, false);
		if (rc != -ENOMEM)
			break;
		shadow_drop(d);
	}
	mm_unlock(d);
	if (rc == -ENOMEM)
		domain_crash(d, "no memory for shadow page tables");
	return rc != 0;
}

/* The CPU walks other tables than the guest's: they were behind. */
static __cold bool fault_is_ours(struct vcpu *v, u64 addr, u32 ec)
{
	if (v->domain->isolated && xpti_out_of_date(addr))
		return true;
	return v->domain->mm->log_dirty && !(ec & PFEC_RESERVED) && shadow_page_fault(v, addr, ec);
}

bool pv_handle_page_fault(struct regs *regs, u64 addr, u32 error_code)
{
	struct vcpu *v = current;

	if (unlikely(!va_is_guest(addr)))
		return addr - DESC_WINDOW_VIRT < NR_CPUS * DESC_WINDOW_PAGES * PAGE_SIZE &&
		       desc_window_fault(v, regs, addr, error_code);
	if (unlikely(v->domain->mm->fault_work) && fault_is_ours(v, addr, error_code))
		return true;
	if ((error_code & (PFEC_PRESENT | PFEC_WRITE | PFEC_RESERVED | PFEC_INSN)) ==
		    (PFEC_PRESENT | PFEC_WRITE) &&
	    v->pv.kernel_mode && regs_from_guest(regs))
		return ptwr_fault(v, regs, addr);
	return false;
}
