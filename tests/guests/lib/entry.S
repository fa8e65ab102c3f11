/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry points of the kernel. The hypervisor leaves, lowest address first,
 *
 *	rcx  r11  [error]  rip  cs  rflags  rsp  ss
 *
 * and every stub makes of it a struct trap_frame:
 *
 *	struct regs (17)  vector  rcx  r11  error  rip  cs  rflags  rsp  ss
 *
 * The way back is the iret hypercall, whose frame is rax r11 rcx flags rip ...: the four words
 * vector, rcx, r11, error are rewritten in place.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

	.text
/* Gives a frame without error code a zero one. On entry: vector rcx r11 rip ... */
entry_plain:
	push	%rax
	push	%rax
	mov	0x10(%rsp), %rax
	mov	%rax, 0x08(%rsp)
	mov	0x18(%rsp), %rax
	mov	%rax, 0x10(%rsp)
	mov	0x20(%rsp), %rax
	mov	%rax, 0x18(%rsp)
	movq	$0, 0x20(%rsp)
	pop	%rax
/* On entry: vector rcx r11 error rip ... */
entry_error:
	pushf
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rsp
	push	%rbp
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rbx
	push	%rax
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	cld
	call	trap_dispatch
	mov	%rbx, %rsp
	.globl	trap_return
trap_return:
	pop	%rax
	pop	%rbx
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%rbp
	add	$8, %rsp
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$8, %rsp
	mov	%rax, 0x00(%rsp)
	mov	0x08(%rsp), %rax
	mov	0x10(%rsp), %rcx
	mov	%rcx, 0x08(%rsp)
	mov	%rax, 0x10(%rsp)
	movq	$0, 0x18(%rsp)
	mov	$__HYPERVISOR_iret, %eax
	syscall
	ud2

/* Thirty-two exception stubs of sixteen bytes, then the int 0x80 one. */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	vector = 0
	.rept	32
	.balign	16
	pushq	$vector
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 30
	jmp	entry_error
	.else
	jmp	entry_plain
	.endif
	vector = vector + 1
	.endr

.macro	stub name number
	.globl	\name
	.balign	16
\name:
	pushq	$\number
	jmp	entry_plain
.endm
	stub	trap_int80, 0x80
	stub	trap_int30, 0x30
	stub	entry_syscall, 0x100
	stub	entry_syscall32, 0x101
	stub	entry_sysenter, 0x102
	stub	entry_event, 0x200
	stub	entry_nmi, 0x201

/*
 * The failsafe callback: loading a segment register on the way back to the guest failed. Its
 * frame has the selectors before rip: rcx r11 ds es fs gs rip cs rflags rsp ss.
 */
	.globl	entry_failsafe, failsafe_selectors
	.balign	16
entry_failsafe:
	push	%rax
	mov	0x18(%rsp), %rax
	mov	%rax, failsafe_selectors + 0x00(%rip)
	mov	0x20(%rsp), %rax
	mov	%rax, failsafe_selectors + 0x08(%rip)
	mov	0x28(%rsp), %rax
	mov	%rax, failsafe_selectors + 0x10(%rip)
	mov	0x30(%rsp), %rax
	mov	%rax, failsafe_selectors + 0x18(%rip)
	/* Close the gap: rcx and r11 move up to touch rip. */
	mov	0x10(%rsp), %rax
	mov	%rax, 0x30(%rsp)
	mov	0x08(%rsp), %rax
	mov	%rax, 0x28(%rsp)
	pop	%rax
	lea	0x20(%rsp), %rsp
	pushq	$0x202
	jmp	entry_plain

/*
 * user_enter(const struct regs *, struct iret_context *): the iret hypercall with the registers
 * given; comes back through user_leave with the caller's registers as they were.
 */
	.globl	user_enter
user_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, user_rsp(%rip)
	mov	%rsi, %rsp
	mov	0x08(%rdi), %rbx
	mov	0x18(%rdi), %rdx
	mov	0x20(%rdi), %rsi
	mov	0x30(%rdi), %rbp
	mov	0x40(%rdi), %r8
	mov	0x48(%rdi), %r9
	mov	0x50(%rdi), %r10
	mov	0x60(%rdi), %r12
	mov	0x68(%rdi), %r13
	mov	0x70(%rdi), %r14
	mov	0x78(%rdi), %r15
	mov	0x28(%rdi), %rdi
	mov	$__HYPERVISOR_iret, %eax
	syscall
	ud2

	.globl	user_leave
user_leave:
	mov	user_rsp(%rip), %rsp
	pushq	$2
	popf
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.bss
	.balign	8
user_rsp:
	.skip	8
failsafe_selectors:
	.skip	32

	.section .note.GNU-stack, "", @progbits
