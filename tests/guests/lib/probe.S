/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe(in, out, code): every register loaded from `in`, a jump to `code`, and at probe_done
 * every register stored before anything else is touched. All stores are relative to %rip, so
 * none of the registers is needed to reach memory. Not re-entrant, one vCPU only.
 *
 * struct regs: rax rbx rcx rdx rsi rdi rbp rsp r8..r15 rflags, eight bytes each.
 */
	.text
	.globl	probe, probe_done
probe:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushf
	mov	%rsi, probe_out(%rip)
	mov	%rdx, probe_code(%rip)
	mov	%rsp, probe_rsp(%rip)
	cmpq	$0, 0x38(%rdi)
	je	1f
	mov	0x38(%rdi), %rsp
1:	push	0x80(%rdi)
	popf
	mov	0x00(%rdi), %rax
	mov	0x08(%rdi), %rbx
	mov	0x10(%rdi), %rcx
	mov	0x18(%rdi), %rdx
	mov	0x20(%rdi), %rsi
	mov	0x30(%rdi), %rbp
	mov	0x40(%rdi), %r8
	mov	0x48(%rdi), %r9
	mov	0x50(%rdi), %r10
	mov	0x58(%rdi), %r11
	mov	0x60(%rdi), %r12
	mov	0x68(%rdi), %r13
	mov	0x70(%rdi), %r14
	mov	0x78(%rdi), %r15
	mov	0x28(%rdi), %rdi
	jmp	*probe_code(%rip)

probe_done:
	mov	%rax, regs + 0x00(%rip)
	mov	%rbx, regs + 0x08(%rip)
	mov	%rcx, regs + 0x10(%rip)
	mov	%rdx, regs + 0x18(%rip)
	mov	%rsi, regs + 0x20(%rip)
	mov	%rdi, regs + 0x28(%rip)
	mov	%rbp, regs + 0x30(%rip)
	mov	%rsp, regs + 0x38(%rip)
	mov	%r8,  regs + 0x40(%rip)
	mov	%r9,  regs + 0x48(%rip)
	mov	%r10, regs + 0x50(%rip)
	mov	%r11, regs + 0x58(%rip)
	mov	%r12, regs + 0x60(%rip)
	mov	%r13, regs + 0x68(%rip)
	mov	%r14, regs + 0x70(%rip)
	mov	%r15, regs + 0x78(%rip)
	mov	probe_rsp(%rip), %rsp
	pushf
	pop	regs + 0x80(%rip)
	popf
	cld
	lea	regs(%rip), %rsi
	mov	probe_out(%rip), %rdi
	mov	$17, %ecx
	rep movsq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.globl	probe_call
/* A piece of code for probe(): calls %rax with %rdi as its argument. */
probe_call:
	call	*%rax
	jmp	probe_done

	.bss
	.balign	8
probe_out:
	.skip	8
probe_code:
	.skip	8
	.globl	probe_rsp
probe_rsp:
	.skip	8
regs:
	.skip	17 * 8

	.section .note.GNU-stack, "", @progbits
