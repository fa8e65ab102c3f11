/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry point and the notes that describe the image to the domain builder. The registers of the
 * very first instruction are kept in start_of_day, for docs/abi/start-of-day.md.
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>

	.section .text.start, "ax"
	.globl _start
_start:
	mov	%rax, start_of_day + 0x00(%rip)
	mov	%rbx, start_of_day + 0x08(%rip)
	mov	%rcx, start_of_day + 0x10(%rip)
	mov	%rdx, start_of_day + 0x18(%rip)
	mov	%rsi, start_of_day + 0x20(%rip)
	mov	%rdi, start_of_day + 0x28(%rip)
	mov	%rbp, start_of_day + 0x30(%rip)
	mov	%rsp, start_of_day + 0x38(%rip)
	mov	%r8,  start_of_day + 0x40(%rip)
	mov	%r9,  start_of_day + 0x48(%rip)
	mov	%r10, start_of_day + 0x50(%rip)
	mov	%r11, start_of_day + 0x58(%rip)
	mov	%r12, start_of_day + 0x60(%rip)
	mov	%r13, start_of_day + 0x68(%rip)
	mov	%r14, start_of_day + 0x70(%rip)
	mov	%r15, start_of_day + 0x78(%rip)
	pushf
	pop	start_of_day + 0x80(%rip)
	mov	%cs, %eax
	mov	%rax, start_of_day + 0x88(%rip)
	mov	%ss, %eax
	mov	%rax, start_of_day + 0x90(%rip)
	mov	%ds, %eax
	mov	%rax, start_of_day + 0x98(%rip)
	mov	%es, %eax
	mov	%rax, start_of_day + 0xa0(%rip)
	mov	%fs, %eax
	mov	%rax, start_of_day + 0xa8(%rip)
	mov	%gs, %eax
	mov	%rax, start_of_day + 0xb0(%rip)
	mov	%rsi, start_info(%rip)
	lea	boot_stack_top(%rip), %rsp
	xor	%ebp, %ebp
	call	guest_main
1:	jmp	1b

	.data
	.balign	8
	.globl	start_of_day, start_info
start_of_day:
	.fill	23, 8, 0
start_info:
	.quad	0

	.bss
	.balign	4096
	.globl	boot_stack, boot_stack_top, hypercall_page
boot_stack:
	.skip	32768
boot_stack_top:
hypercall_page:
	.skip	4096

/* One note: owner "Xen", a type, and either a string or a 64-bit value. */
#define NOTE(type, ...)			\
	.balign	4;			\
	.long	4, 2f - 1f, type;	\
	.asciz	"Xen";			\
1:	__VA_ARGS__;			\
2:	.balign	4

	.section .notes, "a", @note
	NOTE(XEN_ELFNOTE_GUEST_OS, .asciz "serai-test")
	NOTE(XEN_ELFNOTE_GUEST_VERSION, .asciz "1")
	NOTE(XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0")
	NOTE(XEN_ELFNOTE_LOADER, .asciz "generic")
	NOTE(XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000)
	NOTE(XEN_ELFNOTE_PADDR_OFFSET, .quad 0)
	NOTE(XEN_ELFNOTE_ENTRY, .quad _start)
	NOTE(XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page)
	NOTE(XEN_ELFNOTE_PAE_MODE, .asciz "yes")
	NOTE(XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb")
	NOTE(XEN_ELFNOTE_SUPPORTED_FEATURES, .long (1 << 0) | (1 << 11))

	.section .note.GNU-stack, "", @progbits
