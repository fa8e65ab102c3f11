/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiboot 1 and 2 information structures (GNU Multiboot Specification 0.6.96 and 2.0). */
#include "boot.h"
#include <lib.h>
#include <mm.h>

struct boot_info boot_info;

#define MB1_BOOT_MAGIC 0x2badb002U
#define MB2_BOOT_MAGIC 0x36d76289U

struct mb1_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	u32 mmap_length, mmap_addr, drives_length, drives_addr, config_table, loader_name;
};
struct mb1_mod {
	u32 start, end, cmdline, pad;
};
struct mb1_mmap {
	u32 size;
	u64 addr, len;
	u32 type;
} __packed;

struct mb2_tag {
	u32 type, size;
};
struct mb2_mmap_entry {
	u64 addr, len;
	u32 type, zero;
};

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MEMINFO = 4,
	MB2_MMAP = 6,
	MB2_EFI64 = 12,
	MB2_ACPI_OLD = 14,
	MB2_ACPI_NEW = 15,
};

static void copy_string(char *dst, size_t size, const char *src)
{
	size_t n = strnlen(src, size - 1);

	memcpy(dst, src, n);
	dst[n] = 0;
}

static void add_module(paddr_t start, paddr_t end, const char *cmdline)
{
	struct boot_module *m;

	if (boot_info.nr_modules == MAX_BOOT_MODULES)
		return;
	m = &boot_info.modules[boot_info.nr_modules++];
	m->start = start;
	m->end = end;
	m->cmdline = cmdline;
}

static void parse_mb1(const struct mb1_info *mi)
{
	const struct mb1_mod *mod = paddr_to_virt(mi->mods_addr);

	if (mi->flags & BIT(2))
		copy_string(boot_info.cmdline, sizeof(boot_info.cmdline), paddr_to_virt(mi->cmdline));
	if (mi->flags & BIT(9))
		copy_string(boot_info.loader, sizeof(boot_info.loader), paddr_to_virt(mi->loader_name));
	if (mi->flags & BIT(3))
		for (u32 i = 0; i < mi->mods_count; i++)
			add_module(mod[i].start, mod[i].end,
				   mod[i].cmdline ? paddr_to_virt(mod[i].cmdline) : "");
	if (!(mi->flags & BIT(6)))
		panic("The boot loader gave no memory map");
	for (u32 off = 0; off < mi->mmap_length;) {
		const struct mb1_mmap *e = paddr_to_virt(mi->mmap_addr + off);

		memory_map_add(e->addr, e->addr + e->len, e->type);
		off += e->size + 4;
	}
}

static void parse_mb2_mmap(const struct mb2_tag *t)
{
	const u8 *p = (const u8 *)t;
	u32 entry_size = *(const u32 *)(p + 8);

	for (u32 off = 16; off + entry_size <= t->size; off += entry_size) {
		const struct mb2_mmap_entry *e = (const void *)(p + off);

		memory_map_add(e->addr, e->addr + e->len, e->type);
	}
}

static void parse_mb2(paddr_t info)
{
	const u8 *base = paddr_to_virt(info);
	u32 total = *(const u32 *)base;

	for (u32 off = 8; off + sizeof(struct mb2_tag) <= total;) {
		const struct mb2_tag *t = (const void *)(base + off);
		const u8 *p = (const u8 *)t;

		switch (t->type) {
		case MB2_END:
			return;
		case MB2_CMDLINE:
			copy_string(boot_info.cmdline, sizeof(boot_info.cmdline), (const char *)p + 8);
			break;
		case MB2_LOADER:
			copy_string(boot_info.loader, sizeof(boot_info.loader), (const char *)p + 8);
			break;
		case MB2_MODULE:
			add_module(*(const u32 *)(p + 8), *(const u32 *)(p + 12), (const char *)p + 16);
			break;
		case MB2_MMAP:
			parse_mb2_mmap(t);
			break;
		case MB2_EFI64:
			boot_info.efi_systab = *(const u64 *)(p + 8);
			break;
		case MB2_ACPI_OLD:
			if (!boot_info.rsdp)
				boot_info.rsdp = info + off + 8;
			break;
		case MB2_ACPI_NEW:
			boot_info.rsdp = info + off + 8;
			break;
		default:
			break;
		}
		off += ROUND_UP(t->size, 8U);
	}
}

/* The information lies in RAM the map calls usable: what is kept is copied or reserved here. */
static void reserve_strings(void)
{
	static char texts[MAX_BOOT_MODULES][1024];

	for (unsigned int i = 0; i < boot_info.nr_modules; i++) {
		copy_string(texts[i], sizeof(texts[i]), boot_info.modules[i].cmdline);
		boot_info.modules[i].cmdline = texts[i];
		boot_reserve(boot_info.modules[i].start, boot_info.modules[i].end);
	}
}

void multiboot_parse(u32 magic, paddr_t info)
{
	static u8 rsdp_copy[64];

	if (magic == MB1_BOOT_MAGIC)
		parse_mb1(paddr_to_virt(info));
	else if (magic == MB2_BOOT_MAGIC)
		parse_mb2(info);
	else
		panic("Not started by a multiboot loader (magic %#x): use GRUB's multiboot2 command", magic);
	if (boot_info.rsdp) {
		memcpy(rsdp_copy, paddr_to_virt(boot_info.rsdp), 36);
		boot_info.rsdp = image_load_base + ((u64)rsdp_copy - IMAGE_VIRT);
	}
	reserve_strings();
}
