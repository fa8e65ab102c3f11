/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bzImage and ELF parsing. A bzImage (Linux, Documentation/x86/boot: protocol 2.08 and later) carries a
 * compressed ELF file:
 *
 *   0      0x1f1                 (setup_sects + 1) * 512      + payload_offset
 *   | ...  | setup header  ...   | protected-mode code ...    | payload (payload_length) |
 *
 * The ELF file's notes (owner "Xen") describe the PV entry; see guest-headers/xen/elfnote.h.
 */
#include "serai/xc_image.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/elfnote.h>

static int fail(char *why, size_t len, int err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int fail(char *why, size_t len, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return err;
}

/* Is [off, off + n) inside a file of `len` bytes? */
static bool inside(uint64_t off, uint64_t n, uint64_t len)
{
	return off <= len && n <= len - off;
}

static void note_string(char *dst, size_t size, const uint8_t *desc, uint32_t n)
{
	size_t k = n < size - 1 ? n : size - 1;

	memcpy(dst, desc, k);
	dst[k] = 0;
}

static uint64_t note_number(const uint8_t *desc, uint32_t n)
{
	uint64_t v = 0;

	memcpy(&v, desc, n < 8 ? n : 8);
	return v;
}

static void note_apply(struct xc_kernel *k, uint32_t type, const uint8_t *desc, uint32_t n)
{
	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		k->entry = note_number(desc, n);
		k->has_entry = true;
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		k->hypercall_page = note_number(desc, n);
		k->has_hypercall_page = true;
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		k->virt_base = note_number(desc, n);
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		k->paddr_offset = note_number(desc, n);
		break;
	case XEN_ELFNOTE_HV_START_LOW:
		k->hv_start_low = note_number(desc, n);
		break;
	case XEN_ELFNOTE_INIT_P2M:
		k->init_p2m = note_number(desc, n);
		k->has_init_p2m = true;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		k->mod_start_pfn = note_number(desc, n) == 1;
		break;
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		k->suspend_cancel = note_number(desc, n) == 1;
		break;
	case XEN_ELFNOTE_PHYS32_ENTRY:
		k->phys32_entry = note_number(desc, n);
		k->has_phys32_entry = true;
		break;
	case XEN_ELFNOTE_GUEST_OS:
		note_string(k->guest_os, sizeof(k->guest_os), desc, n);
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		note_string(k->guest_version, sizeof(k->guest_version), desc, n);
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		note_string(k->xen_version, sizeof(k->xen_version), desc, n);
		break;
	case XEN_ELFNOTE_LOADER:
		note_string(k->loader, sizeof(k->loader), desc, n);
		break;
	case XEN_ELFNOTE_PAE_MODE:
		note_string(k->pae, sizeof(k->pae), desc, n);
		break;
	case XEN_ELFNOTE_FEATURES:
		note_string(k->features, sizeof(k->features), desc, n);
		break;
	}
}

/* Walk notes: { namesz, descsz, type, name (padded to 4), desc (padded to 4) }. */
static void notes_parse(struct xc_kernel *k, const uint8_t *p, uint64_t len)
{
	uint64_t at = 0;

	while (inside(at, 12, len)) {
		uint32_t h[3];
		uint64_t name = at + 12, desc;

		memcpy(h, p + at, 12);
		desc = name + ((uint64_t)h[0] + 3) / 4 * 4;
		if (!inside(name, h[0], len) || !inside(desc, h[1], len))
			return;
		if (h[0] == 4 && !memcmp(p + name, "Xen", 4))
			note_apply(k, h[2], p + desc, h[1]);
		at = desc + ((uint64_t)h[1] + 3) / 4 * 4;
	}
}

/* Some linkers leave the notes in sections only. */
static void sections_notes(struct xc_kernel *k, const uint8_t *p, size_t len, const Elf64_Ehdr *e)
{
	for (unsigned int i = 0; i < e->e_shnum; i++) {
		Elf64_Shdr s;

		if (!inside(e->e_shoff, ((uint64_t)i + 1) * sizeof(s), len))
			return;
		memcpy(&s, p + e->e_shoff + i * sizeof(s), sizeof(s));
		if (s.sh_type == SHT_NOTE && inside(s.sh_offset, s.sh_size, len))
			notes_parse(k, p + s.sh_offset, s.sh_size);
	}
}

static int elf_parse(const uint8_t *p, size_t len, struct xc_kernel *k, char *why, size_t why_len)
{
	Elf64_Ehdr e;

	if (len < sizeof(e))
		return fail(why, why_len, -ENOEXEC, "the ELF header is cut short");
	memcpy(&e, p, sizeof(e));
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_machine != EM_X86_64)
		return fail(why, why_len, -ENOEXEC, "the kernel is not a 64-bit x86 program");
	if (e.e_phentsize != sizeof(Elf64_Phdr) ||
	    !inside(e.e_phoff, (uint64_t)e.e_phnum * sizeof(Elf64_Phdr), len))
		return fail(why, why_len, -ENOEXEC, "the program headers lie outside the file");
	k->pstart = ~0ull;
	for (unsigned int i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr h;
		struct xc_segment *s = &k->seg[k->nr_seg];

		memcpy(&h, p + e.e_phoff + i * sizeof(h), sizeof(h));
		if (h.p_type == PT_NOTE && inside(h.p_offset, h.p_filesz, len))
			notes_parse(k, p + h.p_offset, h.p_filesz);
		if (h.p_type != PT_LOAD || h.p_memsz == 0)
			continue;
		if (!inside(h.p_offset, h.p_filesz, len) || h.p_filesz > h.p_memsz ||
		    h.p_memsz > XC_IMAGE_LIMIT || h.p_paddr > UINT64_MAX - h.p_memsz)
			return fail(why, why_len, -ENOEXEC, "segment %u lies outside the file", i);
		if (k->nr_seg == XC_IMAGE_MAX_SEGMENTS)
			return fail(why, why_len, -ENOEXEC, "more than %u segments", XC_IMAGE_MAX_SEGMENTS);
		*s = (struct xc_segment){h.p_paddr, h.p_memsz, h.p_filesz, p + h.p_offset};
		if (s->paddr < k->pstart)
			k->pstart = s->paddr;
		if (s->paddr + s->memsz > k->pend)
			k->pend = s->paddr + s->memsz;
		k->nr_seg++;
	}
	if (!k->nr_seg || k->pend - k->pstart > XC_IMAGE_LIMIT)
		return fail(why, why_len, -ENOEXEC, "no loadable segments, or far apart");
	if (!k->guest_os[0] && !k->has_entry)
		sections_notes(k, p, len, &e);
	return 0;
}

/* The compressed ELF inside a bzImage; the whole file when it is none. */
static int bzimage_payload(const uint8_t *p, size_t len, const uint8_t **payload, size_t *payload_len,
			   char *why, size_t why_len)
{
	uint32_t offset, length;
	unsigned long long at;

	*payload = p;
	*payload_len = len;
	if (len < 0x250 || memcmp(p + 0x202, "HdrS", 4))
		return 0;
	if ((p[0x206] | p[0x207] << 8) < 0x208)
		return fail(why, why_len, -ENOEXEC,
			    "a bzImage of boot protocol %x.%02x: too old, 2.08 is needed", p[0x207],
			    p[0x206]);
	memcpy(&offset, p + 0x248, 4);
	memcpy(&length, p + 0x24c, 4);
	at = ((p[0x1f1] ? p[0x1f1] : 4) + 1) * 512ull + offset;
	if (!inside(at, length, len))
		return fail(why, why_len, -ENOEXEC,
			    "the bzImage is cut short: its payload ends at %llu, the file at %zu",
			    at + length, len);
	*payload = p + at;
	*payload_len = length;
	return 1;
}

int xc_kernel_parse(const void *image, size_t len, struct xc_kernel *k, char *why, size_t why_len)
{
	const uint8_t *p;
	size_t n;
	int rc;

	memset(k, 0, sizeof(*k));
	k->compression = "none";
	rc = bzimage_payload(image, len, &p, &n, why, why_len);
	if (rc < 0)
		return rc;
	if (n < 4 || memcmp(p, ELFMAG, SELFMAG)) {
		rc = xc_decompress(p, n, XC_IMAGE_LIMIT, &k->owned, &n, &k->compression);
		if (rc == -ENOTSUP)
			return fail(why, why_len, -ENOEXEC, "neither a bzImage nor an ELF kernel");
		if (rc == -ELIBACC)
			return fail(why, why_len, rc, "the library that unpacks %s is not installed",
				    k->compression);
		if (rc < 0)
			return fail(why, why_len, rc, "the %s data is damaged: %s", k->compression,
				    strerror(-rc));
		p = k->owned;
		k->owned_len = n;
		if (n < 4 || memcmp(p, ELFMAG, SELFMAG)) {
			xc_kernel_free(k);
			return fail(why, why_len, -ENOEXEC,
				    "the compressed image does not hold an ELF kernel");
		}
	}
	rc = elf_parse(p, n, k, why, why_len);
	if (rc < 0)
		xc_kernel_free(k);
	return rc;
}

void xc_kernel_free(struct xc_kernel *k)
{
	free(k->owned);
	k->owned = NULL;
}

int xc_kernel_check_pv(const struct xc_kernel *k, char *why, size_t why_len)
{
	if (!k->has_entry)
		return fail(why, why_len, -ENOEXEC,
			    k->has_phys32_entry
				    ? "the kernel can start as a PVH guest only (it has no PV entry note)"
				    : "the kernel has no Xen notes: it was built without CONFIG_XEN_PV");
	if (k->xen_version[0] && strncmp(k->xen_version, "xen-3.", 6))
		return fail(why, why_len, -ENOEXEC, "the kernel asks for interface \"%s\"", k->xen_version);
	if (k->loader[0] && strcmp(k->loader, "generic"))
		return fail(why, why_len, -ENOEXEC, "the kernel asks for the \"%s\" loader", k->loader);
	if (strstr(k->features, "!auto_translated_physmap"))
		return fail(why, why_len, -ENOEXEC, "the kernel insists on a translated physical map");
	if (k->virt_base & 0xfff)
		return fail(why, why_len, -ENOEXEC, "VIRT_BASE is not page-aligned");
	if (k->pstart < k->paddr_offset)
		return fail(why, why_len, -ENOEXEC, "segments lie below PADDR_OFFSET");
	return 0;
}
