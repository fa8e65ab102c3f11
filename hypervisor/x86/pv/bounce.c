/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounce: entering the guest kernel at one of its handlers (docs/abi/traps.md, syscall.md, upcalls.md).
 *
 * The frame on the guest kernel's stack, which is 16-byte aligned above it; from %rsp upwards:
 *
 *	rcx, r11, [error code], rip, cs | saved upcall mask << 32, rflags, rsp, ss
 *
 * rcx and r11 stand there because a kernel leaves by the iret hypercall, whose SYSCALL instruction destroys
 * both. For a syscall they are the user's RIP and RFLAGS, as SYSCALL left them, on the stack and in the
 * registers: nothing here writes regs->rcx or regs->r11.
 */
#include "../entry/traps.h"
#include <event.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <time.h>
#include <uaccess.h>

struct frame_words {
	u64 rcx, r11;
	u64 words[6]; /* with or without the error code in front */
};

#define BOUNCE_FLAGS_CLEAR (X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF)

static void dump_guest_state(struct vcpu *v)
{
	printk(XLOG_GUEST "d%uv%u: virtual %s mode\n", v->domain->id, v->id,
	       v->pv.kernel_mode ? "kernel" : "user");
}

/* Where the new frame ends, switching to the kernel stack and page tables when user code was running. */
static u64 bounce_stack(struct vcpu *v, struct regs *r)
{
	u64 sp = r->rsp;

	if (!v->pv.kernel_mode) {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp;
	}
	return sp & ~15UL;
}

/*
 * Builds the frame and points regs at the handler. mask: the handler runs with upcalls masked. Returns false
 * when the guest has no handler or its stack cannot be written: the caller decides what that means.
 */
static inline bool bounce_to(struct vcpu *v, struct regs *r, u64 handler, bool mask, bool has_error,
			     u32 error)
{
	struct vcpu_info *vi = v->vcpu_info;
	bool was_kernel = v->pv.kernel_mode;
	u8 masked = vi->evtchn_upcall_mask;
	u64 flags = r->rflags & ~(X86_EFLAGS_IF | X86_EFLAGS_IOPL);
	u64 cs = r->cs, sp, size, f[8];
	unsigned int n = 0;

	if (unlikely(!handler))
		return false;
	sp = bounce_stack(v, r);
	if (!masked)
		flags |= X86_EFLAGS_IF;
	/* The guest kernel runs in ring 3 and thinks it is in ring 0. */
	if (was_kernel)
		cs &= ~3UL;
	cs |= (u64)masked << 32;

	f[n++] = r->rcx;
	f[n++] = r->r11;
	if (has_error)
		f[n++] = error;
	f[n++] = r->rip;
	f[n++] = cs;
	f[n++] = flags;
	f[n++] = r->rsp;
	f[n++] = r->ss;
	size = n * 8;
	sp -= size;
	if (unlikely(!guest_range_ok(sp, size) || raw_copy_to_guest(sp, f, size)))
		return false;
	if (mask)
		vi->evtchn_upcall_mask = 1;
	r->entry_vector = 0;
	r->rsp = sp;
	r->ss = SEL_GUEST_DS;
	r->cs = SEL_GUEST_CS64;
	r->rip = handler;
	r->rflags = (r->rflags & ~BOUNCE_FLAGS_CLEAR) | X86_EFLAGS_IF;
	return true;
}

static void bounce_failed(struct vcpu *v, const char *what)
{
	dump_guest_state(v);
	domain_crash(v->domain, "no usable handler or kernel stack for %s", what);
}

static inline bool vector_has_error(u8 vec)
{
	return vec < 32 && ((1U << vec) & 0x00227d00U);
}

void pv_inject_exception(struct vcpu *v, u8 vector, u32 error_code)
{
	const struct pv_trap *t = &v->pv.traps[vector];

	if (unlikely(!bounce_to(v, &v->regs, t->address, t->mask_events, vector_has_error(vector),
				error_code))) {
		printk(XLOG_GUEST "d%uv%u: vector %u at %04x:%016lx, error %#x, cr2 %016lx\n", v->domain->id,
		       v->id, vector, v->regs.cs, v->regs.rip, error_code, (u64)v->vcpu_info->arch.cr2);
		bounce_failed(v, "an exception");
	}
}

void pv_inject_page_fault(struct vcpu *v, u32 error_code, u64 addr)
{
	/* The machine's U bit says ring 3, where the guest kernel runs too: say what the guest expects. */
	error_code &= ~PFEC_USER;
	if (!v->pv.kernel_mode)
		error_code |= PFEC_USER;
	v->vcpu_info->arch.cr2 = addr;
	pv_inject_exception(v, X86_EXC_PF, error_code);
}

void pv_deliver_events(struct regs *r)
{
	struct vcpu *v = regs_to_vcpu(r);

	/* An upcall always masks further ones: the callback's flag cannot ask otherwise. */
	if (unlikely(!bounce_to(v, r, v->pv.event_entry, true, false, 0)))
		bounce_failed(v, "an event upcall");
}

void pv_syscall_bounce(struct regs *r)
{
	struct vcpu *v = regs_to_vcpu(r);

	if (unlikely(!bounce_to(v, r, v->pv.syscall_entry, v->pv.syscall_mask, false, 0)))
		bounce_failed(v, "a syscall");
}

void pv_syscall32_bounce(struct regs *r)
{
	struct vcpu *v = regs_to_vcpu(r);

	if (v->pv.syscall32_entry) {
		if (!bounce_to(v, r, v->pv.syscall32_entry, v->pv.syscall32_mask, false, 0))
			bounce_failed(v, "a 32-bit syscall");
		return;
	}
	/* No callback: the instruction is undefined, as on a CPU without it. */
	r->rip -= 2;
	pv_inject_exception(v, X86_EXC_UD, 0);
}

void pv_sysenter_bounce(struct regs *r)
{
	struct vcpu *v = regs_to_vcpu(r);

	/* SYSENTER cleared IF and TF and saved nothing; the frame carries what the ABI promises: rip 0, cs 3, the
	 * flat data segment with rsp 0, and RFLAGS with IF as user code had it. */
	r->rflags |= X86_EFLAGS_IF;
	if (v->pv.sysenter_entry) {
		if (!bounce_to(v, r, v->pv.sysenter_entry, v->pv.sysenter_mask, false, 0))
			bounce_failed(v, "sysenter");
		return;
	}
	pv_inject_exception(v, X86_EXC_GP, 0);
}

/*
 * A data segment register could not be loaded on the way to the guest: the failsafe callback, with the frame as
 * it stood; ds, es, fs, gs as they should have been lead the frame by the ABI.
 */
static bool failsafe_frame(struct vcpu *v, struct regs *r)
{
	const u16 *due = v->pv.failsafe_selectors;
	u64 sel[4] = {due[0], due[1], due[2], due[3]};
	u64 sp, frame[2];

	if (!bounce_to(v, r, v->pv.failsafe_entry, v->pv.failsafe_mask, false, 0))
		return false;
	/* rcx, r11 stay first; the selectors go between them and rip. */
	sp = r->rsp;
	if (raw_copy_from_guest(frame, sp, sizeof(frame)))
		return false;
	if (!guest_range_ok(sp - sizeof(sel), sizeof(sel)) ||
	    raw_copy_to_guest(sp - sizeof(sel), frame, sizeof(frame)) ||
	    raw_copy_to_guest(sp - sizeof(sel) + sizeof(frame), sel, sizeof(sel)))
		return false;
	r->rsp = sp - sizeof(sel);
	return true;
}

/*
 * IRET could not load what v->regs describes (a selector the guest's tables do not back, a bad RIP): the exception
 * is the guest's, raised by the return, with the frame it was to go to.
 */
void pv_iret_failed(struct regs *r, u32 error_code, u32 vector)
{
	struct vcpu *v = regs_to_vcpu(r);

	u64 addr = read_cr2();

	if (vector != X86_EXC_PF)
		pv_inject_exception(v, (u8)vector, error_code);
	/* A selector of an LDT page that does not show yet: now it does, and the return is tried again. */
	else if (!pv_handle_page_fault(r, addr, error_code))
		pv_inject_page_fault(v, error_code, addr);
}

/* An NMI for the guest (VCPUOP_send_nmi, XEN_DOMCTL_sendtrigger) waits until none is in service. */
void pv_async_work(struct vcpu *v)
{
	const struct pv_trap *nmi = &v->pv.traps[X86_EXC_NMI];

	v->async_pending = 0;
	if (unlikely(v->pv.failsafe_due)) {
		v->pv.failsafe_due = false;
		if (v->pv.failsafe_entry && !failsafe_frame(v, &v->regs))
			bounce_failed(v, "a segment register that does not load");
	}
	if (!v->nmi_pending)
		return;
	v->nmi_pending = false;
	if (nmi->address && !bounce_to(v, &v->regs, nmi->address, nmi->mask_events, false, 0))
		bounce_failed(v, "an NMI");
}
