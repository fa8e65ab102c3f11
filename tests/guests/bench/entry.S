/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shortest handlers there can be: restore rcx and r11, step over the faulting instruction
 * where that is needed, and go back by the hypercall page's iret, which pushes the two again.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

#define IRET	jmp bench_page + __HYPERVISOR_iret * 32

	.text
	.globl	fast_skip0, fast_skip2, fast_skip3, fast_error_skip3, fast_error_skip2, fast_nm
	.globl	fast_syscall_sysret, fast_syscall_iret
/* Traps: the frame's rip is already behind the instruction. */
fast_skip0:
	pop	%rcx
	pop	%r11
	pushq	$0
	IRET
fast_skip2:
	pop	%rcx
	pop	%r11
	addq	$2, (%rsp)
	pushq	$0
	IRET
fast_skip3:
	pop	%rcx
	pop	%r11
	addq	$3, (%rsp)
	pushq	$0
	IRET
/* With an error code in place of the pushed flags word: it becomes that word. */
fast_error_skip2:
	pop	%rcx
	pop	%r11
	movq	$0, (%rsp)
	addq	$2, 8(%rsp)
	IRET
fast_error_skip3:
	pop	%rcx
	pop	%r11
	movq	$0, (%rsp)
	addq	$3, 8(%rsp)
	IRET
fast_syscall_sysret:
	pop	%rcx
	pop	%r11
	pushq	$VGCF_in_syscall
	IRET
fast_syscall_iret:
	pop	%rcx
	pop	%r11
	pushq	$0
	IRET

/* The event upcall: acknowledge the one port in use and return with the mask open. */
	.globl	fast_event, fast_event_word, fast_event_clear
fast_event:
	push	%rax
	mov	shared_info(%rip), %rax
	movb	$0, (%rax)
	movq	$0, 8(%rax)
	mov	fast_event_word(%rip), %rax
	movq	$0, (%rax)
	pop	%rax
	pop	%rcx
	pop	%r11
	pushq	$0
	IRET

/*
 * Call gates like those of a hypercall page, 32 bytes each, so that the guest's part of every
 * row is the same wherever the kernel runs. The one of iret pushes what the others keep.
 */
	.balign	4096
	.globl	bench_page
bench_page:
	number = 0
	.rept	64
	.balign	32
	push	%rcx
	push	%r11
	.if	number == __HYPERVISOR_iret
	push	%rax
	mov	$number, %eax
	syscall
	.else
	mov	$number, %eax
	syscall
	pop	%r11
	pop	%rcx
	ret
	.endif
	number = number + 1
	.endr

	.data
	.balign	8
fast_event_word:
	.quad	0
	.section .note.GNU-stack, "", @progbits
