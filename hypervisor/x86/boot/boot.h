/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the boot loader handed over, and the memory the boot code works with. */
#ifndef SERAI_X86_BOOT_H
#define SERAI_X86_BOOT_H

#include <types.h>

struct boot_module {
	paddr_t start, end;
	const char *cmdline; /* mapped */
};
#define MAX_BOOT_MODULES 8

struct boot_info {
	char loader[64];
	char cmdline[1024];
	struct boot_module modules[MAX_BOOT_MODULES];
	unsigned int nr_modules;
	paddr_t rsdp; /* 0: search */
	paddr_t efi_systab;
};
extern struct boot_info boot_info;
extern paddr_t image_load_base;

void multiboot_parse(u32 magic, paddr_t info);
void memory_map_add(paddr_t start, paddr_t end, u32 type);
void memory_map_finish(void);
/* Maps all RAM at the direct map and the image with its final permissions; picks early page space. */
void boot_memory_init(void);
void boot_protect_image(void);
/* Marks [start, end) as not to be used for early pages, nor given to the allocator. */
void boot_reserve(paddr_t start, paddr_t end);
/* Gives a boot_reserve()d range (a module) to the allocator once it is no longer needed. */
void boot_release(paddr_t start, paddr_t end);
void build_dom0(void);
void idt_early_load(void);

/* dom0's kernel: x86/boot/payload.c unpacks, x86/boot/kernel_elf.c understands. */
struct kernel_image {
	const u8 *elf;
	size_t size;
	bool allocated;
};
/* bzImage or ELF at p -> ELF. panics with cause and remedy when it is neither. */
void kernel_unpack(const u8 *p, size_t size, struct kernel_image *out);

#endif
