/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's whole context in the ABI's form (struct vcpu_guest_context): XEN_DOMCTL_{set,get}vcpucontext,
 * VCPUOP_initialise. The vCPU is not running; the caller holds it paused.
 */
#include <cpu.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <time.h>
#include <xerrno.h>

#define CR3_TO_MFN(c) MFN((c) >> PAGE_SHIFT)

/* A guest kernel's code may only be entered where the guest could put code itself. */
static bool address_ok(u64 a)
{
	return !a || (a < (1UL << 47)) || a >= HV_VIRT_END;
}

static int context_check(const struct vcpu_guest_context *c)
{
	if (!address_ok(c->user_regs.rip) || !address_ok(c->event_callback_eip) ||
	    !address_ok(c->failsafe_callback_eip) || !address_ok(c->syscall_callback_eip) ||
	    !address_ok(c->kernel_sp) || !address_ok(c->fs_base) || !address_ok(c->gs_base_kernel) ||
	    !address_ok(c->gs_base_user))
		return -EINVAL;
	for (unsigned int i = 0; i < 256; i++)
		if (!address_ok(c->trap_ctxt[i].address))
			return -EINVAL;
	if (c->gdt_ents > 14 * 512 || c->ldt_ents > 8192)
		return -EINVAL;
	return 0;
}

static void set_registers(struct vcpu *v, const struct cpu_user_regs *u)
{
	struct regs *r = &v->regs;

	_Static_assert(sizeof(*u) == sizeof(*r) + 32, "es, ds, fs, gs follow ss");
	memcpy(r, u, sizeof(*r));
	r->cs |= 3;
	r->ss |= 3;
	/* The IOPL of the context is the virtual one: guest code runs with a real IOPL of 0. */
	v->pv.iopl = (u8)((u->rflags & X86_EFLAGS_IOPL) >> 12);
	r->rflags = (r->rflags & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | X86_EFLAGS_MBS;
	r->entry_vector = 0;
	r->error_code = 0;
	r->saved_upcall_mask = 0;
	v->pv.ds = u->ds;
	v->pv.es = u->es;
	v->pv.fs = u->fs;
	v->pv.gs = u->gs;
}

void pv_set_trap(struct vcpu *v, const struct trap_info *t)
{
	struct pv_trap *p = &v->pv.traps[t->vector];

	p->address = t->address;
	p->cs = t->cs;
	p->dpl = t->flags & 3;
	p->mask_events = !!(t->flags & 4);
}

int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct pv_vcpu *pv = &v->pv;
	int rc = context_check(c);

	if (rc)
		return rc;
	if (!v->initialised) {
		mfn_t user = c->ctrlreg[1] ? CR3_TO_MFN(c->ctrlreg[1]) : INVALID_MFN;

		rc = pv_set_guest_tables(v, CR3_TO_MFN(c->ctrlreg[3]), user);
		if (rc)
			return rc;
		if (c->gdt_ents) {
			rc = pv_set_gdt(v, (const u64 *)c->gdt_frames, (unsigned int)c->gdt_ents);
			if (rc) {
				pv_drop_guest_tables(v);
				return rc;
			}
		}
	}
	if (c->flags & VGCF_I387_VALID) {
		rc = fpu_import_fxsave(v, c->fpu_ctxt.x);
		if (rc)
			return rc;
	}
	for (unsigned int i = 0; i < 256; i++) {
		struct trap_info t = c->trap_ctxt[i];

		t.vector = (u8)i;
		pv_set_trap(v, &t);
	}
	pv->kernel_ss = c->kernel_ss | 3;
	pv->kernel_sp = c->kernel_sp;
	pv->ctrlreg[0] = (c->ctrlreg[0] & X86_CR0_TS) | X86_CR0_GUEST;
	pv->ctrlreg[4] = c->ctrlreg[4];
	for (unsigned int i = 0; i < 8; i++)
		pv_set_debugreg(v, i, c->debugreg[i]);
	pv->event_entry = c->event_callback_eip;
	pv->failsafe_entry = c->failsafe_callback_eip;
	pv->syscall_entry = c->syscall_callback_eip;
	pv->event_mask = 1;
	pv->failsafe_mask = !!(c->flags & VGCF_failsafe_disables_events);
	pv->syscall_mask = !!(c->flags & VGCF_syscall_disables_events);
	pv->fs_base = c->fs_base;
	pv->gs_base_kernel = c->gs_base_kernel;
	pv->gs_base_user = c->gs_base_user;
	set_registers(v, &c->user_regs);
	/* A vCPU without user tables can only be in its kernel. */
	pv->kernel_mode = !!(c->flags & VGCF_IN_KERNEL) || !v->cr3_user;
	if (!v->id) {
		v->domain->vm_assist = c->vm_assist;
		/* Whoever built the domain has wiped its shared_info since it was made. */
		time_update_wallclock(v->domain);
	}
	v->time_generation = 0;
	pv_set_ldt(v, c->ldt_base, (unsigned int)c->ldt_ents);
	v->initialised = true;
	return 0;
}

void pv_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	struct pv_vcpu *pv = &v->pv;

	memset(c, 0, sizeof(*c));
	fpu_export_fxsave(v, c->fpu_ctxt.x);
	c->flags = VGCF_I387_VALID;
	if (pv->kernel_mode)
		c->flags |= VGCF_IN_KERNEL;
	if (pv->failsafe_mask)
		c->flags |= VGCF_failsafe_disables_events;
	if (pv->syscall_mask)
		c->flags |= VGCF_syscall_disables_events;
	if (!(v->pause_flags & (1UL << VPF_DOWN)))
		c->flags |= VGCF_online;
	memcpy(&c->user_regs, &v->regs, sizeof(v->regs));
	c->user_regs.entry_vector = 0;
	c->user_regs.rflags |= (u64)pv->iopl << 12;
	c->user_regs.error_code = 0;
	c->user_regs.ds = pv->ds;
	c->user_regs.es = pv->es;
	c->user_regs.fs = pv->fs;
	c->user_regs.gs = pv->gs;
	/* What the guest pushed as its own ring: kernel mode shows ring 0 selectors to nobody, so none here. */
	for (unsigned int i = 0; i < 256; i++) {
		const struct pv_trap *p = &pv->traps[i];

		c->trap_ctxt[i].vector = (u8)i;
		c->trap_ctxt[i].flags = (u8)(p->dpl | (p->mask_events ? 4 : 0));
		c->trap_ctxt[i].cs = p->cs;
		c->trap_ctxt[i].address = p->address;
	}
	c->ldt_base = pv->ldt_base;
	c->ldt_ents = pv->ldt_ents;
	for (unsigned int i = 0; i < 16 && i * 512U < pv->gdt_ents; i++)
		c->gdt_frames[i] = pv->gdt_frames[i];
	c->gdt_ents = pv->gdt_ents;
	c->kernel_ss = pv->kernel_ss;
	c->kernel_sp = pv->kernel_sp;
	c->ctrlreg[0] = pv->ctrlreg[0];
	c->ctrlreg[4] = pv->ctrlreg[4];
	if (!mfn_eq(v->guest_table, INVALID_MFN))
		c->ctrlreg[3] = v->guest_table.n << PAGE_SHIFT;
	if (!mfn_eq(v->guest_table_user, INVALID_MFN))
		c->ctrlreg[1] = v->guest_table_user.n << PAGE_SHIFT;
	memcpy(c->debugreg, pv->dr, sizeof(pv->dr));
	c->event_callback_eip = pv->event_entry;
	c->failsafe_callback_eip = pv->failsafe_entry;
	c->syscall_callback_eip = pv->syscall_entry;
	c->vm_assist = v->domain->vm_assist;
	c->fs_base = pv->fs_base;
	c->gs_base_kernel = pv->gs_base_kernel;
	c->gs_base_user = pv->gs_base_user;
}
