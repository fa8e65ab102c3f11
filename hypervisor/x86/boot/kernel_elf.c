/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF-64 program headers and Xen notes (docs/abi/start-of-day.md). The file is not trusted to be sane. */
#include "kernel_elf.h"
#include <lib.h>
#include <xen/elfnote.h>
#include <xen/features.h>

struct elf64_hdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf64_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_note {
	u32 namesz, descsz, type;
};
#define PT_LOAD 1
#define PT_NOTE 4
#define EM_X86_64 62

static u64 note_value(const u8 *desc, u32 size)
{
	u64 v = 0;

	memcpy(&v, desc, size < 8 ? size : 8);
	return v;
}

static void parse_note(const struct elf_note *n, const u8 *desc, struct kernel_info *k, bool *xen)
{
	*xen = true;
	switch (n->type) {
	case XEN_ELFNOTE_ENTRY:
		k->entry = note_value(desc, n->descsz);
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		k->virt_base = note_value(desc, n->descsz);
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		k->paddr_offset = note_value(desc, n->descsz);
		break;
	case XEN_ELFNOTE_INIT_P2M:
		k->init_p2m = note_value(desc, n->descsz);
		k->has_init_p2m = true;
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		k->hypercall_page = note_value(desc, n->descsz);
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		k->mod_start_pfn = note_value(desc, n->descsz);
		break;
	case XEN_ELFNOTE_GUEST_OS:
		memcpy(k->guest_os, desc, min(n->descsz, (u32)sizeof(k->guest_os) - 1));
		break;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		k->can_be_dom0 = note_value(desc, n->descsz) & BIT(XENFEAT_dom0);
		break;
	default:
		break;
	}
}

static void parse_notes(const u8 *p, u64 size, struct kernel_info *k, bool *xen)
{
	u64 pos = 0;

	while (size - pos >= sizeof(struct elf_note)) {
		const struct elf_note *n = (const void *)(p + pos);
		u64 name = pos + sizeof(*n), desc = name + ROUND_UP((u64)n->namesz, 4UL);
		u64 next = desc + ROUND_UP((u64)n->descsz, 4UL);

		if (desc > size || n->descsz > size - desc)
			return;
		if (n->namesz == 4 && !memcmp(p + name, "Xen", 4))
			parse_note(n, p + desc, k, xen);
		if (next > size)
			return;
		pos = next;
	}
}

static const char *add_segment(const u8 *elf, size_t size, const struct elf64_phdr *ph, struct kernel_info *k)
{
	if (ph->offset > size || ph->filesz > size - ph->offset)
		return "truncated: a segment lies beyond the end of the file";
	if (ph->memsz < ph->filesz || ph->paddr + ph->memsz < ph->paddr || ph->memsz > (1UL << 30))
		return "a segment's sizes make no sense";
	if (k->nr_segments == KERNEL_MAX_SEGMENTS)
		return "too many segments";
	k->seg[k->nr_segments].phys = ph->paddr;
	k->seg[k->nr_segments].data = elf + ph->offset;
	k->seg[k->nr_segments].file_size = ph->filesz;
	k->seg[k->nr_segments++].mem_size = ph->memsz;
	k->phys_start = min(k->phys_start, ph->paddr);
	k->phys_end = max(k->phys_end, ph->paddr + ph->memsz);
	return NULL;
}

const char *kernel_parse(const u8 *elf, size_t size, struct kernel_info *k)
{
	const struct elf64_hdr *h = (const void *)elf;
	const struct elf64_phdr *ph;
	const char *why;
	bool xen = false;

	memset(k, 0, sizeof(*k));
	k->phys_start = ~0UL;
	if (size < sizeof(*h) || memcmp(elf, "\177ELF", 4))
		return "not an ELF file";
	if (h->ident[4] != 2 || h->machine != EM_X86_64)
		return "not a 64-bit x86 kernel";
	if (h->phentsize != sizeof(*ph) || h->phoff > size || h->phnum > 64 ||
	    h->phnum * sizeof(*ph) > size - h->phoff)
		return "its program headers are damaged";
	ph = (const void *)(elf + h->phoff);
	k->entry = h->entry;
	for (unsigned int i = 0; i < h->phnum; i++) {
		if (ph[i].type == PT_NOTE && ph[i].offset <= size && ph[i].filesz <= size - ph[i].offset)
			parse_notes(elf + ph[i].offset, ph[i].filesz, k, &xen);
		if (ph[i].type != PT_LOAD)
			continue;
		why = add_segment(elf, size, &ph[i], k);
		if (why)
			return why;
	}
	if (!k->nr_segments)
		return "it has nothing to load";
	if (!xen)
		return "it has no Xen ELF notes: not a PV kernel (CONFIG_XEN_PV)";
	if (!k->virt_base)
		return "its VIRT_BASE note is missing";
	/* Physical addresses in the file count from PADDR_OFFSET. */
	for (unsigned int i = 0; i < k->nr_segments; i++)
		k->seg[i].phys -= k->paddr_offset;
	k->phys_start -= k->paddr_offset;
	k->phys_end -= k->paddr_offset;
	if (k->phys_end > (1UL << 31) || k->entry < k->virt_base + k->phys_start ||
	    k->entry >= k->virt_base + k->phys_end)
		return "its entry point or size is out of range";
	if (k->hypercall_page &&
	    (k->hypercall_page & ~PAGE_MASK || k->hypercall_page < k->virt_base + k->phys_start ||
	     k->hypercall_page - k->virt_base + PAGE_SIZE > k->phys_end))
		return "its hypercall page is not a page of its own";
	return NULL;
}
