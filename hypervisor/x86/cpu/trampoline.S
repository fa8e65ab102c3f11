/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an application processor begins: the start-up IPI puts it in real mode at AP_TRAMPOLINE, whither this
 * page has been copied. All addresses are relative to that place; the words at the end are filled in by
 * the boot CPU. Real mode -> long mode in one step: PAE, EFER.LME, then PE and PG together (SDM vol. 3,
 * 9.8.5 allows it with a page table that maps this page at its own address).
 */
#include <smp.h>

#define HERE(sym) ((sym) - ap_trampoline + AP_TRAMPOLINE)

	.section .rodata.trampoline, "a"
	.globl ap_trampoline, ap_trampoline_end, ap_tramp_cr3, ap_tramp_entry, ap_tramp_stack, ap_tramp_efer
	.code16
ap_trampoline:
	cli
	cld
	xor %ax, %ax
	mov %ax, %ds
	lgdtl HERE(tramp_gdtr)
	mov $0xa0, %eax /* PAE, PGE */
	mov %eax, %cr4
	mov HERE(ap_tramp_cr3), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or HERE(ap_tramp_efer), %eax
	wrmsr
	mov $0x80000011, %eax /* PG, ET, PE */
	mov %eax, %cr0
	ljmpl $0x08, $HERE(long_mode)

	.code64
long_mode:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov HERE(ap_tramp_stack), %rsp
	xor %ebp, %ebp
	mov HERE(ap_tramp_entry), %rax
	jmp *%rax

	.balign 16
tramp_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
tramp_gdtr:
	.word . - tramp_gdt - 1
	.long HERE(tramp_gdt)
	.balign 8
ap_tramp_cr3:
	.quad 0
ap_tramp_stack:
	.quad 0
ap_tramp_entry:
	.quad 0
ap_tramp_efer:
	.long 0x100 /* LME; NXE and SCE as the boot CPU has them */
ap_trampoline_end:
	.section .note.GNU-stack, "", @progbits
