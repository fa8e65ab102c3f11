/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader to boot_main(): multiboot 1 and 2 headers, and the way from 32-bit protected mode
 * to the hypervisor's addresses in long mode.
 *
 * The code before long mode finds its own load address (multiboot 2 may move the image) in %ebp and
 * reaches everything relative to it:  phys(sym) = %ebp + (sym - image_start) = %ebp + rel_sym.
 *
 *   boot_l4  [0]   -> boot_l3_low    identity, first 4 GiB   (also slot 262: the direct map)
 *            [261] -> boot_l3_image  the image at IMAGE_VIRT
 */

#include <asm_offsets.h>

/* Offsets from the image's start, made by image.lds. */
#define REL(sym) rel_##sym
#define MB2_MAGIC 0xe85250d6
#define MB2_LEN (mb2_end - mb2_start)

	.section .boot.header, "ax"
	.code32
	.globl image_base_label
image_base_label:
	.balign 8
mb2_start:
	.long MB2_MAGIC, 0, MB2_LEN, -(MB2_MAGIC + MB2_LEN)
	/* information request: command line, memory map, modules, ACPI 1 and 2, EFI system table (64) */
	.balign 8
	.short 1, 0
	.long 2f - 1f + 8
1:	.long 1, 3, 6
2:	.balign 8
	.short 1, 1
	.long 2f - 1f + 8
1:	.long 12, 14, 15
2:	.balign 8
	/* address: the same flat description as multiboot 1's */
	/* entry */
	.short 3, 0
	.long 12
	.long start_phys
	.balign 8
	/* modules page aligned */
	.short 6, 0
	.long 8
	/* relocatable: anywhere below 4 GiB, 2 MiB aligned, lowest preferred */
	.balign 8
	.short 10, 1
	.long 24
	.long 0x200000, 0xbfffffff, 0x200000, 1
	.balign 8
	.short 0, 0
	.long 8
mb2_end:

	.balign 4
mb1:
	/* flags: page-aligned modules, memory information, address fields */
	.set MB1_FLAGS, 0x00010003
	.long 0x1badb002, MB1_FLAGS, -(0x1badb002 + MB1_FLAGS)
	.long load_phys_start + (mb1 - image_base_label)
	.long load_phys_start, load_phys_data_end, load_phys_bss_end, start_phys

	.section .boot.text, "ax"
	.code32
	.globl start
start:
	cld
	cli
	/* A usable stack for one call: behind the boot information nothing else is known to be free, so the
	 * return address goes into the image's own bss, whose address is not known yet. The loader's %esp
	 * is undefined: use the multiboot information's reserved first words instead. */
	movl %eax, %edi
	movl %ebx, %esi
	movl (%ebx), %edx
	leal 4(%ebx), %esp
	call here
	.globl here
here:	popl %ebp
	movl %edx, (%ebx)
	subl $REL(here), %ebp
	leal REL(boot_stack_end)(%ebp), %esp

	/* bss: multiboot 2 loaders and -kernel clear it, but nothing here depends on that */
	movl %edi, %ebx
	movl %esi, %edx
	leal REL(bss_start)(%ebp), %edi
	leal REL(bss_end)(%ebp), %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl
	movl %edx, %esi
	movl %ebx, %edi

	/* long mode at all? */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode

	/* four L2 pages of 2 MiB mappings: the first 4 GiB */
	leal REL(boot_l2_low)(%ebp), %ebx
	movl $0x83, %eax
	xorl %ecx, %ecx
1:	movl %eax, (%ebx,%ecx,8)
	movl $0, 4(%ebx,%ecx,8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $2048, %ecx
	jne 1b
	leal REL(boot_l3_low)(%ebp), %edx
	leal 3(%ebx), %eax
	xorl %ecx, %ecx
1:	movl %eax, (%edx,%ecx,8)
	addl $0x1000, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 1b
	/* the image: 8 x 2 MiB from the load address */
	leal REL(boot_l2_image)(%ebp), %ebx
	leal 0x83(%ebp), %eax
	xorl %ecx, %ecx
1:	movl %eax, (%ebx,%ecx,8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $8, %ecx
	jne 1b
	leal REL(boot_l3_image)(%ebp), %eax
	leal 3(%ebx), %ecx
	movl %ecx, 321*8(%eax)
	leal REL(boot_l4)(%ebp), %ebx
	leal 3(%edx), %ecx
	movl %ecx, (%ebx)
	movl %ecx, 262*8(%ebx)
	leal 3(%eax), %ecx
	movl %ecx, 261*8(%ebx)

	movl %cr4, %eax
	orl $0x6a0, %eax /* PAE, PGE; OSFXSR, OSXMMEXCPT: the decompressors use SSE */
	movl %eax, %cr4
	movl %ebx, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x101, %eax /* LME, SCE */
	movl $0x80000001, %eax
	movl %esi, %ebx
	pushl %ebx
	cpuid
	movl %edx, %esi
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x101, %eax
	btl $20, %esi
	jnc 1f
	orl $0x800, %eax /* NXE */
1:	wrmsr
	popl %esi
	movl $0x80050033, %eax /* PG WP NE ET MP PE */
	movl %eax, %cr0
	leal REL(boot_gdt32)(%ebp), %eax
	movl %eax, REL(boot_gdtr32)+2(%ebp)
	lgdt REL(boot_gdtr32)(%ebp)
	leal REL(long_mode_low)(%ebp), %eax
	pushl $8
	pushl %eax
	lretl

no_long_mode:
	leal REL(no_long_mode_text)(%ebp), %esi
	movl $0x3fd, %edx
1:	lodsb
	testb %al, %al
	jz 3f
	movb %al, %bl
2:	movw $0x3fd, %dx
	inb %dx, %al
	testb $0x20, %al
	jz 2b
	movw $0x3f8, %dx
	movb %bl, %al
	outb %al, %dx
	jmp 1b
3:	hlt
	jmp 3b

	.code64
	.globl long_mode_low
long_mode_low:
	movabsq $long_mode_high, %rax
	jmp *%rax
long_mode_high:
	lgdt boot_gdtr(%rip)
	movl $0xe010, %eax
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	leaq boot_cpu_stack + 0x8000 - CPU_INFO_SIZE(%rip), %rsp
	pushq $0xe008
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
1:	movl %edi, %edi
	movl %esi, %esi
	movl %ebp, %edx
	xorl %ebp, %ebp
	call boot_main
	ud2

	.section .rodata.boot, "a"
	.globl no_long_mode_text
no_long_mode_text:
	.asciz "Serai: this CPU has no long mode; a 64-bit CPU is needed.\r\n"
	.balign 8
	.globl boot_gdt32
boot_gdt32:
	.quad 0
	.quad 0x00af9a000000ffff
	.data
	.globl boot_gdtr32
boot_gdtr32:
	.short 15
	.long 0
	.long 0
	.balign 8
	/* The selectors the hypervisor uses for good: the table starts 0xe000 before its first used entry. */
	.globl boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 0xe008: code, ring 0, 64 bit */
	.quad 0x00cf93000000ffff /* 0xe010: data, ring 0 */
	.quad 0
boot_gdtr:
	.short 0xe01f
	.quad boot_gdt - 0xe000

	.section .bss.stack, "aw", @nobits
	.globl boot_cpu_stack
boot_cpu_stack:
	.skip 0x8000
	.bss
	.balign 4096
	.globl boot_l4
boot_l4: .skip 4096
	.globl boot_l3_low
boot_l3_low: .skip 4096
	.globl boot_l3_image
boot_l3_image: .skip 4096
	.globl boot_l2_image
boot_l2_image: .skip 4096
	.globl boot_l2_low
boot_l2_low: .skip 4 * 4096
	.skip 64
	.skip 192
	.globl boot_stack_end
boot_stack_end:
