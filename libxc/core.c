/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Core dumps of PV domains: an ELF core file with the section layout that crash(8) and gdbsx-style
 * tools read.
 *
 *   ELF header | section headers | .note.Xen | .xen_prstatus (vCPUs) | .xen_shared_info |
 *   .xen_p2m { pfn, machine frame } | .xen_pages | string table
 */
#include "xc_internal.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { S_NULL, S_STR, S_NOTE, S_PRSTATUS, S_SHARED, S_P2M, S_PAGES, S_COUNT };

static const char strings[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_p2m\0.xen_pages";
static const uint32_t string_at[S_COUNT] = {0, 1, 11, 21, 35, 52, 61};

#define NOTE_DUMPCORE_NONE 0x2000000
#define NOTE_DUMPCORE_HEADER 0x2000001
#define NOTE_DUMPCORE_VERSION 0x2000003
#define MAGIC_PV 0xF00FEBEDull

struct core_notes {
	struct {
		uint32_t namesz, descsz, type;
		char name[4];
	} none;
	struct {
		uint32_t namesz, descsz, type;
		char name[4];
		uint64_t magic, vcpus, pages, page_size;
	} header;
	struct {
		uint32_t namesz, descsz, type;
		char name[4];
		uint64_t version;
	} version;
} __attribute__((packed));

static int put(struct xc *xc, int fd, const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		ssize_t w = write(fd, c, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return xc_fail(xc, -errno, "cannot write the core file: %s", strerror(errno));
		c += w;
		n -= w;
	}
	return 0;
}

static int write_pages(struct xc *xc, domid_t dom, int fd, uint64_t n, const uint64_t (*list)[2],
		       void (*progress)(void *, uint64_t, uint64_t), void *arg)
{
	enum { BATCH = 1024 };
	xen_pfn_t gfn[BATCH];
	static const char zero[XC_PAGE_SIZE];
	int err[BATCH], rc = 0;

	for (uint64_t at = 0; at < n && rc >= 0; at += BATCH) {
		size_t k = n - at < BATCH ? n - at : BATCH;
		char *m;

		for (size_t i = 0; i < k; i++)
			gfn[i] = list[at + i][1];
		m = xc_map_some(xc, dom, PROT_READ, k, gfn, err);
		if (!m)
			return -EFAULT;
		for (size_t i = 0; i < k && rc >= 0; i++)
			rc = put(xc, fd, err[i] ? zero : m + i * XC_PAGE_SIZE, XC_PAGE_SIZE);
		xc_unmap(xc, m, k);
		if (progress)
			progress(arg, at + k, n);
	}
	return rc;
}

static int write_vcpus(struct xc *xc, domid_t dom, int fd, unsigned int vcpus)
{
	vcpu_guest_context_t *c = malloc(sizeof(*c));
	int rc = c ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < vcpus && rc >= 0; i++) {
		rc = xc_vcpu_get_context(xc, dom, i, c);
		if (rc >= 0)
			rc = put(xc, fd, c, sizeof(*c));
	}
	free(c);
	return rc;
}

static int write_shared(struct xc *xc, domid_t dom, int fd, xen_pfn_t gfn)
{
	void *s = xc_map(xc, dom, PROT_READ, 1, &gfn);
	int rc;

	if (!s)
		return -EFAULT;
	rc = put(xc, fd, s, XC_PAGE_SIZE);
	xc_unmap(xc, s, 1);
	return rc;
}

static void sections_fill(Elf64_Shdr s[S_COUNT], unsigned int vcpus, uint64_t pages)
{
	const uint64_t size[S_COUNT] = {0,
					sizeof(strings),
					sizeof(struct core_notes),
					(uint64_t)vcpus * sizeof(vcpu_guest_context_t),
					XC_PAGE_SIZE,
					pages * 16,
					pages * XC_PAGE_SIZE};
	const uint64_t entsize[S_COUNT] = {0,  0,           0, sizeof(vcpu_guest_context_t), XC_PAGE_SIZE,
					   16, XC_PAGE_SIZE};
	uint64_t at = sizeof(Elf64_Ehdr) + S_COUNT * sizeof(Elf64_Shdr);

	memset(s, 0, S_COUNT * sizeof(*s));
	for (unsigned int i = 1; i < S_COUNT; i++) {
		if (i == S_PAGES)
			at = (at + XC_PAGE_SIZE - 1) & ~(uint64_t)(XC_PAGE_SIZE - 1);
		s[i].sh_name = string_at[i];
		s[i].sh_type = i == S_STR ? SHT_STRTAB : i == S_NOTE ? SHT_NOTE : SHT_PROGBITS;
		s[i].sh_offset = at;
		s[i].sh_size = size[i];
		s[i].sh_entsize = entsize[i];
		s[i].sh_addralign = i == S_PAGES ? XC_PAGE_SIZE : i == S_STR ? 1 : 8;
		at += size[i];
	}
}

static int write_head(struct xc *xc, int fd, const Elf64_Shdr *s, unsigned int vcpus, uint64_t pages)
{
	Elf64_Ehdr e = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_shoff = sizeof(e),
			.e_ehsize = sizeof(e),
			.e_shentsize = sizeof(*s),
			.e_shnum = S_COUNT,
			.e_shstrndx = S_STR};
	struct core_notes n = {
		.none = {4, 0, NOTE_DUMPCORE_NONE, "Xen"},
		.header = {4, 32, NOTE_DUMPCORE_HEADER, "Xen", MAGIC_PV, vcpus, pages, XC_PAGE_SIZE},
		.version = {4, 8, NOTE_DUMPCORE_VERSION, "Xen", 1},
	};
	int rc;

	if ((rc = put(xc, fd, &e, sizeof(e))) < 0 || (rc = put(xc, fd, s, S_COUNT * sizeof(*s))) < 0 ||
	    (rc = put(xc, fd, strings, sizeof(strings))) < 0)
		return rc;
	return put(xc, fd, &n, sizeof(n));
}

int xc_dump_core(struct xc *xc, domid_t dom, int fd, const uint64_t (*list)[2], uint64_t n,
		 void (*progress)(void *, uint64_t, uint64_t), void *arg)
{
	static const char pad[XC_PAGE_SIZE];
	struct xen_domctl_getdomaininfo info;
	Elf64_Shdr s[S_COUNT];
	uint64_t end;
	int rc = xc_domain_info(xc, dom, &info);

	if (rc < 0)
		return rc;
	if (info.flags & XEN_DOMINF_hvm_guest)
		return xc_fail(xc, -EOPNOTSUPP, "domain %u is not a PV domain", dom);
	sections_fill(s, info.max_vcpu_id + 1, n);
	end = s[S_P2M].sh_offset + s[S_P2M].sh_size;
	if ((rc = write_head(xc, fd, s, info.max_vcpu_id + 1, n)) < 0 ||
	    (rc = write_vcpus(xc, dom, fd, info.max_vcpu_id + 1)) < 0 ||
	    (rc = write_shared(xc, dom, fd, info.shared_info_frame)) < 0 ||
	    (rc = put(xc, fd, list, n * sizeof(*list))) < 0 ||
	    (rc = put(xc, fd, pad, s[S_PAGES].sh_offset - end)) < 0)
		return rc;
	return write_pages(xc, dom, fd, n, list, progress, arg);
}
