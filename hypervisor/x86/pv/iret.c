/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_iret: how a PV kernel returns from a handler (docs/abi/iret.md). The frame at the kernel's
 * %rsp:  rax, r11, rcx, flags, rip, cs, rflags, rsp, ss.
 */
#include <hypercall.h>
#include <mm.h>
#include <pv.h>
#include <uaccess.h>

long do_iret(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;
	struct regs *r = &v->regs;
	struct iret_context f;

	if (unlikely(!guest_range_ok(r->rsp, sizeof(f)) || raw_copy_from_guest(&f, r->rsp, sizeof(f)))) {
		domain_crash(v->domain, "iret hypercall: frame at %016lx is not readable", r->rsp);
		return 0;
	}
	if ((f.cs & 3) == 3) {
		if (unlikely(!v->cr3_user)) {
			domain_crash(v->domain, "iret hypercall to user mode without user page tables");
			return 0;
		}
		pv_toggle_mode(v);
	}
	r->rip = f.rip;
	r->cs = (u16)(f.cs | 3);
	r->rflags = (f.rflags & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | X86_EFLAGS_MBS;
	r->rsp = f.rsp;
	r->ss = (u16)(f.ss | 3);
	if (!(f.flags & VGCF_IN_SYSCALL)) {
		r->entry_vector = 0;
		r->r11 = f.r11;
		r->rcx = f.rcx;
	}
	v->vcpu_info->evtchn_upcall_mask = !(f.rflags & X86_EFLAGS_IF);
	return (long)f.rax;
}
