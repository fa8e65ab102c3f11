/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways in and out.
 *
 * From a guest, %rsp arrives at the end of the running vCPU's struct regs (TSS.RSP0, or the syscall stub),
 * so the pushes fill v->regs in place; then %rsp moves to the CPU's main stack. From the hypervisor itself
 * the frame is on the stack in use. Interrupts are off from entry to exit.
 *
 *      v->regs    r15 ... rdi | err,vec | rip cs rflags rsp ss || stack_top  vcpu_info  ...
 *                 ^ pushed by us         ^ pushed by the CPU   ^ %rsp on entry
 *
 * Register use after entry from a guest: %rbx = &v->regs throughout.
 *
 * With Meltdown isolation the guest's CR3 maps, of all this, .entry.text, the stub and its data, the IST stacks and
 * v->regs at another address (v->entry_regs). Each place where CR3 has to change is an instruction of five bytes
 * or more that x86/cpu/spec.c then replaces by a jump to its longer form; without isolation nothing is added.
 */
#include <asm_offsets.h>

#define ENTRY_SYSCALL 0x100
#define ENTRY_SYSENTER 0x101
#define SEL_GUEST_CS64 0xe033
#define SEL_GUEST_DS 0xe02b
#define X86_EFLAGS_IF 0x200

	.section .entry.text, "ax"
	.code64

	.macro PUSH_REGS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro POP_REGS_TO_RAX
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	.endm

/*
 * A place that Meltdown isolation changes: the code up to XPTI_SITE_END is left out and what follows it, out of line, is
 * run instead.
 */
	.macro XPTI_SITE
681:
	.endm
	.macro XPTI_SITE_END
682:	.if 682b - 681b < 5
	.error "no room for a jump"
	.endif
	.pushsection .xpti_sites, "a"
	.long 681b - .
	.long 683f - .
	.popsection
	.subsection 1
683:
	.endm
	.macro XPTI_DONE
	jmp 682b
	.previous
	.endm

/* %rbx = the frame where the guest's root shows it. From here on the hypervisor's root (%rbp is lost) and &v->regs. */
	.macro XPTI_COME_IN
	movq V_CR3_FULL(%rbx), %rbp
	testq %rbp, %rbp
	jz 684f
	movq %rbp, %cr3
684:	movq V_SELF_REGS(%rbx), %rbx
	movq V_STACK_TOP(%rbx), %rsp
	.endm

/* All registers saved: %rbx = &v->regs, %rsp = top of the main stack. Of the guest's values only those in %rbp are
 * lost. */
	.macro ENTER_HYPERVISOR
	XPTI_SITE
	movq %rsp, %rbx
	movq V_STACK_TOP(%rsp), %rsp
	XPTI_SITE_END
	movq %rsp, %rbx
	XPTI_COME_IN
	XPTI_DONE
	.endm

/* movq %rbx, %rsp, long enough for a jump. */
	.macro LONG_MOVE_RBX_TO_RSP
	.byte 0x48, 0x8d, 0xa3, 0, 0, 0, 0
	.endm

/*
 * On the way in, all registers saved: 32 return predictions of our own, so that no RET of ours uses one a guest
 * left. Jumped over unless x86/cpu/spec.c takes the jump away. Changes only %rsp (and puts it back).
 */
	.macro SPEC_ENTRY
661:	.byte 0xe9
	.long 662f - 661b - 5
	.rept 32
	call 663f
	int3
663:
	.endr
	addq $256, %rsp
662:
	.pushsection .spec_rsb, "a"
	.long 661b - .
	.popsection
	.endm

/* On the way out, before the guest's registers are loaded: VERW clears CPU buffers where that is needed. */
	.macro SPEC_EXIT
664:	.byte 0x0f, 0x1f, 0x80, 0, 0, 0, 0
	.pushsection .spec_verw, "a"
	.long 664b - .
	.popsection
	.endm

/* ---- exceptions and interrupts ---- */

	.balign 16
common_entry:
	cld
	testb $3, R_CS - R_ERR(%rsp)
	jz from_hypervisor
	PUSH_REGS
	ENTER_HYPERVISOR
	SPEC_ENTRY
	movq %rbx, %rdi
	xorl %ebp, %ebp
	call trap_from_guest
	/* fall through */

/* %rbx = &v->regs of the running vCPU, %rsp = top of the main stack. */
	.globl ret_to_guest
ret_to_guest:
	cmpl $0, CI_SOFTIRQ(%rsp)
	jne do_guest_work
	cmpq $0, V_ASYNC(%rbx)
	jne do_guest_work
	movq V_VCPU_INFO(%rbx), %rax
	cmpb $0, (%rax)		/* evtchn_upcall_pending */
	jne check_events
restore_guest:
	XPTI_SITE
	LONG_MOVE_RBX_TO_RSP
	XPTI_SITE_END
1:	movq CI_XPTI_CR3(%rsp), %rax
	cmpq $XPTI_NOT_ISOLATED_ASM, %rax
	jb 2f
	je 3f
	movq %cr3, %rcx
	movq %rcx, V_CR3_FULL(%rbx)
	movq V_ENTRY_REGS(%rbx), %rsp
	movq %rax, %cr3
	jmp 4f
2:	call xpti_prepare
	jmp 1b
3:	movq %rbx, %rsp
4:	XPTI_DONE
	SPEC_EXIT
	POP_REGS_TO_RAX
	cmpl $ENTRY_SYSCALL, R_VEC - R_R11(%rsp)
	je restore_by_sysret
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $8, %rsp
	.globl guest_iret
guest_iret:
	iretq

/* Entered by SYSCALL, so rcx and r11 are the guest's to lose. Only the flat 64-bit code segment and a canonical
 * lower-half or upper-half RIP go this way: SYSRET with a non-canonical RCX faults in ring 0 with the
 * guest's stack pointer on Intel CPUs (SDM vol. 2, SYSRET). */
restore_by_sysret:
	movq R_RIP - R_R11(%rsp), %rcx
	cmpw $SEL_GUEST_CS64, R_CS - R_R11(%rsp)
	jne 2f
	cmpw $SEL_GUEST_DS, R_SS - R_R11(%rsp)
	jne 2f
	movq %rcx, %r11
	sarq $47, %r11
	incl %r11d
	cmpl $1, %r11d
	ja 2f
	movq R_RFLAGS - R_R11(%rsp), %r11
	movq R_R10 - R_R11(%rsp), %r10
	movq R_R9 - R_R11(%rsp), %r9
	movq R_R8 - R_R11(%rsp), %r8
	movq R_RAX - R_R11(%rsp), %rax
	movq R_RDX - R_R11(%rsp), %rdx
	movq R_RSI - R_R11(%rsp), %rsi
	movq R_RDI - R_R11(%rsp), %rdi
	movq R_RSP - R_R11(%rsp), %rsp
	sysretq
2:	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $8, %rsp
	jmp guest_iret

check_events:
	cmpb $0, 1(%rax)	/* evtchn_upcall_mask */
	jne restore_guest
	movq %rbx, %rdi
	call pv_deliver_events
	jmp ret_to_guest

do_guest_work:
	movq %rbx, %rdi
	call guest_exit_work
	jmp ret_to_guest

/* From the hypervisor: the frame stays on this stack. */
	.balign 16
from_hypervisor:
	PUSH_REGS
	movq %rsp, %rdi
	leaq guest_iret(%rip), %rax
	cmpq %rax, R_RIP(%rsp)
	je iret_fixup
	movq %rsp, %rbx
	andq $-16, %rsp
	call trap_from_hypervisor
	movq %rbx, %rsp
restore_self:
	POP_REGS_TO_RAX
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $8, %rsp
	iretq

/*
 * The IRET into the guest faulted: the frame it was to load is bad, and that is the guest's doing. The CPU
 * pushed the fault's own frame right below v->regs.rip, %rsp aligned down to 16 (IRET does not switch stacks
 * within ring 0), so that frame and the registers just pushed reach 48 bytes below v->regs, into iret_slack. The
 * guest's registers are moved up to where they belong, top first, since the areas overlap.
 */
iret_fixup:
	movl R_ERR(%rsp), %esi	/* error code of the fault */
	movl R_VEC(%rsp), %edx
	leaq 48(%rsp), %rbx	/* &v->regs */
	movl $14, %ecx
1:	movq (%rsp,%rcx,8), %rax
	movq %rax, (%rbx,%rcx,8)
	decl %ecx
	jns 1b
	movl $0, R_ERR(%rbx)
	movl $0, R_VEC(%rbx)
	XPTI_SITE
	movq V_STACK_TOP(%rbx), %rsp
	XPTI_SITE_END
	XPTI_COME_IN
	XPTI_DONE
	movq %rbx, %rdi
	xorl %ebp, %ebp
	call pv_iret_failed
	jmp ret_to_guest

/*
 * IST entries: #DB, #DF, NMI, #MC. Always on their own stack. The handler returns the frame to go on with:
 * NULL to return as we came, or &v->regs when the guest's frame was moved there.
 *
 * They come at any instruction, with any root loaded: %r12 keeps which, and the handler runs on the hypervisor's own.
 */
	.balign 16
ist_entry:
	cld
	PUSH_REGS
	XPTI_SITE
	movq %rsp, %rdi
	movq %rsp, %rbx
	XPTI_SITE_END
	movq %rsp, %rdi
	movq %rsp, %rbx
	movq %cr3, %r12
	movq xpti_idle_cr3(%rip), %rax
	movq %rax, %cr3
	XPTI_DONE
	call trap_ist
	testq %rax, %rax
	jnz 1f
	XPTI_SITE
	LONG_MOVE_RBX_TO_RSP
	XPTI_SITE_END
	movq %rbx, %rsp
	movq %r12, %cr3
	XPTI_DONE
	jmp restore_self
1:	XPTI_SITE
	movq %rax, %rbx
	movq V_STACK_TOP(%rbx), %rsp
	XPTI_SITE_END
	movq %rax, %rbx
	movq V_CR3_FULL(%rbx), %rcx
	testq %rcx, %rcx
	cmovzq %r12, %rcx
	movq %rcx, %cr3
	movq V_STACK_TOP(%rbx), %rsp
	XPTI_DONE
	movq %rbx, %rdi
	xorl %ebp, %ebp
	call trap_from_guest
	jmp ret_to_guest

	.macro STUB vec
	.balign 16
	.if (\vec == 8) || (\vec >= 10 && \vec <= 14) || (\vec == 17) || (\vec == 21)
	.else
	pushq $0
	.endif
	movl $\vec, 4(%rsp)
	.if (\vec == 1) || (\vec == 2) || (\vec == 8) || (\vec == 18)
	jmp ist_entry
	.else
	jmp common_entry
	.endif
	.endm

	.balign 16
	.globl trap_stubs
trap_stubs:
	.altmacro
	.set v, 0
	.rept 256
	STUB %v
	.set v, v + 1
	.endr
	.noaltmacro

/* ---- syscall ---- */

/* The per-CPU stub (x86/cpu/desc.c) has switched to the end of v->regs and pushed SS and the user's RSP. */
	.balign 64
	.globl syscall_entry
syscall_entry:
	pushq %r11
	pushq $SEL_GUEST_CS64
	pushq %rcx
	pushq $0
	movl $ENTRY_SYSCALL, 4(%rsp)
	PUSH_REGS
	ENTER_HYPERVISOR
	SPEC_ENTRY
	xorl %ebp, %ebp
	cmpb $0, V_KERNEL_MODE(%rbx)
	je syscall_bounce
	cmpq $NR_HYPERCALLS_ASM, %rax
	jae bad_hypercall
	/* A mispredicted bound must not read past the table: clamp the index (Spectre v1). */
	sbbq %r12, %r12
	andq %r12, %rax
	leaq hypercall_table(%rip), %r12
	movq %r10, %rcx
	movq (%r12,%rax,8), %rax
	call __x86_indirect_thunk_rax
	movq %rax, R_RAX(%rbx)
	jmp ret_to_guest
bad_hypercall:
	movq $-38, R_RAX(%rbx)	/* -ENOSYS */
	jmp ret_to_guest

/* A SYSCALL of the guest's user code: enter the guest kernel at its registered callback. */
	.balign 16
syscall_bounce:
	movq %rbx, %rdi
	call pv_syscall_bounce
	jmp ret_to_guest

	.balign 64
	.globl syscall32_entry
syscall32_entry:
	pushq %r11
	pushq $0xe023
	pushq %rcx
	pushq $0
	movl $ENTRY_SYSENTER, 4(%rsp)	/* never back by SYSRET */
	PUSH_REGS
	ENTER_HYPERVISOR
	SPEC_ENTRY
	xorl %ebp, %ebp
	movq %rbx, %rdi
	call pv_syscall32_bounce
	jmp ret_to_guest

/* SYSENTER: the CPU loaded RSP from the MSR (the end of v->regs) and kept nothing of the user's. */
	.balign 64
	.globl sysenter_entry
sysenter_entry:
	pushq $SEL_GUEST_DS
	pushq $0
	pushfq
	pushq $3
	pushq $0
	pushq $0
	movl $ENTRY_SYSENTER, 4(%rsp)
	cld
	PUSH_REGS
	ENTER_HYPERVISOR
	SPEC_ENTRY
	xorl %ebp, %ebp
	movq %rbx, %rdi
	call pv_sysenter_bounce
	jmp ret_to_guest

/* resume_guest(regs): leaves whatever ran on this stack behind. Called by context_switch(). */
	.globl resume_guest
resume_guest:
	movq %rdi, %rbx
	movq V_STACK_TOP(%rbx), %rsp
	xorl %ebp, %ebp
	jmp ret_to_guest

/* run_on_empty_stack(fn): the idle loop's start. */
	.globl run_on_empty_stack
run_on_empty_stack:
	orq $(STACK_SIZE_ASM - 1), %rsp
	subq $(CPU_INFO_SIZE - 1), %rsp
	xorl %ebp, %ebp
	movq %rdi, %rax
	call __x86_indirect_thunk_rax
	ud2

/* ---- indirect-branch thunks: retpolines (Intel, "Retpoline: A Branch Target Injection Mitigation") ---- */
	.macro THUNK reg
	.balign 32
	.globl __x86_indirect_thunk_\reg
__x86_indirect_thunk_\reg:
	call 2f
1:	pause
	lfence
	jmp 1b
2:	movq %\reg, (%rsp)
	ret
	.endm
	.balign 32
	.globl spec_thunks
spec_thunks:
	.irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	THUNK \reg
	.endr
	.globl __llvm_retpoline_r11
__llvm_retpoline_r11:
	jmp __x86_indirect_thunk_r11

/* Read while the guest's root is loaded, so it lies with the code. */
	.balign 8
	.globl xpti_idle_cr3, spec_verw_selector
xpti_idle_cr3:
	.quad 0
spec_verw_selector:
	.short 0xe010
