/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The example of docs/porting.md: notes, first instruction, event entry. */
#define __ASSEMBLY__
#include <xen/elfnote.h>
#include <xen/xen.h>

/* [notes] */
#define NOTE(type, ...)	\
	.balign	4;	\
	.long	4, 2f - 1f, type; \
	.asciz	"Xen";	\
1:	__VA_ARGS__;	\
2:	.balign	4

	.section .notes, "a", @note
	NOTE(XEN_ELFNOTE_GUEST_OS, .asciz "example")
	NOTE(XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0")
	NOTE(XEN_ELFNOTE_LOADER, .asciz "generic")
	NOTE(XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000)
	NOTE(XEN_ELFNOTE_PADDR_OFFSET, .quad 0)
	NOTE(XEN_ELFNOTE_ENTRY, .quad _start)
	NOTE(XEN_ELFNOTE_PAE_MODE, .asciz "yes")
	/* Room for being the control domain too; privileged kernels say that they can be one. */
	NOTE(XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables")
	NOTE(XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << 11)
/* [end] */

/* [start] */
	.section .text.start, "ax"
	.globl	_start
_start:
	cld
	lea	stack_top(%rip), %rsp
	mov	%rsi, %rdi
	call	example_main
	ud2

	.bss
	.balign	16
	.skip	16384
stack_top:
/* [end] */

/* [event] */
	.text
	.globl	event_entry
event_entry:				/* rcx r11 rip cs rflags rsp ss */
	pop	%rcx
	pop	%r11
	pushq	$0			/* flags of the iret frame */
	push	%rcx
	push	%r11
	push	%rax			/* rax r11 rcx flags rip ... */
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r8
	push	%r9
	push	%r10
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	cld
	call	event_upcall
	mov	%rbp, %rsp
	pop	%rbp
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdx
	pop	%rsi
	pop	%rdi
	mov	$__HYPERVISOR_iret, %eax
	syscall
/* [end] */

	.section .note.GNU-stack, "", @progbits
