/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PV builder against a hypervisor of arrays: what the first instruction of a guest would see is found
 * by walking the tables it is given. With SERAI_TEST_KERNEL the same is done to a real bzImage.
 */
#include "fake.h"
#include "serai/xc_build.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/elfnote.h>
#include <xen/grant_table.h>

#define BASE 0xffffffff80000000ull
#define ENTRY (BASE + 0x200100)
#define P2M 0x8000000000ull

/* A small kernel: one segment at 2 MiB with a marker, .bss behind it, and notes. */
static size_t kernel_make(uint8_t *k, bool with_p2m)
{
	Elf64_Ehdr e = {.e_ident = ELFMAG,
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_phoff = sizeof(e),
			.e_ehsize = sizeof(e),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2};
	Elf64_Phdr load = {.p_type = PT_LOAD,
			   .p_offset = 4096,
			   .p_paddr = 0x200000,
			   .p_vaddr = BASE + 0x200000,
			   .p_filesz = 8192,
			   .p_memsz = 5 * 4096};
	Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = 2048};
	const struct {
		uint32_t type;
		uint64_t value;
	} notes[] = {{XEN_ELFNOTE_ENTRY, ENTRY},
		     {XEN_ELFNOTE_VIRT_BASE, BASE},
		     {XEN_ELFNOTE_PADDR_OFFSET, 0},
		     {XEN_ELFNOTE_MOD_START_PFN, 1},
		     {XEN_ELFNOTE_INIT_P2M, P2M}};
	uint8_t *n = k + 2048;

	memset(k, 0, 4096);
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	for (size_t i = 0; i < 4u + with_p2m; i++) {
		const uint32_t h[3] = {4, 8, notes[i].type};

		memcpy(n, h, 12);
		memcpy(n + 12, "Xen", 4);
		memcpy(n + 16, &notes[i].value, 8);
		n += 24;
	}
	note.p_filesz = n - (k + 2048);
	memcpy(k, &e, sizeof(e));
	memcpy(k + sizeof(e), &load, sizeof(load));
	memcpy(k + sizeof(e) + sizeof(load), &note, sizeof(note));
	for (unsigned int i = 0; i < 8192; i++)
		k[4096 + i] = i * 7 + 1;
	return 4096 + 8192;
}

/* Translate a guest virtual address by the tables of vCPU 0; the last entry goes to *pte. */
static uint8_t *walk(struct fake *f, uint64_t va, uint64_t *pte)
{
	xen_pfn_t mfn = xen_cr3_to_pfn(f->vcpu0.ctrlreg[3]);

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t *t = fake_frame(f, mfn);

		assert_non_null(t);
		*pte = t[va >> shift & 511];
		if (!(*pte & 1))
			return NULL;
		mfn = (*pte & 0xffffffffff000) >> 12;
	}
	return (uint8_t *)fake_frame(f, mfn) + (va & 4095);
}

static void check_domain(struct fake *f, const struct xc_build *b, const struct xc_kernel *k)
{
	struct start_info *si;
	uint64_t pte, *list, pt_ro = 0;

	assert_true(f->has_vcpu0);
	assert_int_equal(f->address_size, 64);
	assert_int_equal(f->vcpu0.user_regs.rip, k->entry);
	assert_int_equal(f->mapped, f->unmapped);
	assert_int_equal(f->pins, 1);
	assert_int_equal(f->pinned, xen_cr3_to_pfn(f->vcpu0.ctrlreg[3]));
	/* Every loaded byte is where the kernel was linked to find it, zeroes behind. */
	for (unsigned int s = 0; s < k->nr_seg; s++)
		for (uint64_t o = 0; o < k->seg[s].memsz; o += 1021) {
			uint8_t *p = walk(f, k->virt_base + k->seg[s].paddr - k->paddr_offset + o, &pte);

			assert_non_null(p);
			assert_int_equal(*p, o < k->seg[s].filesz ? k->seg[s].data[o] : 0);
		}
	si = (struct start_info *)walk(f, f->vcpu0.user_regs.rsi, &pte);
	assert_non_null(si);
	assert_string_equal(si->magic, "xen-3.0-x86_64");
	assert_int_equal(si->nr_pages, b->pages);
	assert_int_equal(si->store_mfn, b->store_mfn);
	assert_int_equal(si->store_evtchn, 1);
	assert_int_equal(si->console.domU.evtchn, 2);
	assert_string_equal((char *)si->cmd_line, "console=hvc0");
	assert_int_equal(si->flags, SIF_MOD_START_PFN);
	/* The stack is mapped and writable below rsp. */
	assert_non_null(walk(f, f->vcpu0.user_regs.rsp - 8, &pte));
	assert_true(pte & 2);
	/* Page tables are mapped read-only, all of them. */
	for (uint64_t i = 0; i < si->nr_pt_frames; i++) {
		assert_non_null(walk(f, si->pt_base + i * 4096, &pte));
		pt_ro += !(pte & 2);
	}
	assert_int_equal(pt_ro, si->nr_pt_frames);
	/* The P2M names each frame's machine frame, and the ramdisk is there. */
	for (uint64_t i = 0; i < b->pages; i += 97) {
		list = (uint64_t *)walk(f, si->mfn_list + i * 8, &pte);
		assert_non_null(list);
		assert_non_null(fake_frame(f, *list));
	}
	list = (uint64_t *)walk(f, si->mfn_list + si->mod_start * 8, &pte);
	assert_memory_equal(fake_frame(f, *list), "ramdisk!", 8);
	assert_int_equal(si->mod_len, 8);
}

static void build(const void *image, size_t len, uint64_t pages, bool no_superpages)
{
	struct xc_kernel k;
	struct fake f;
	struct xc *xc = fake_open(&f, pages + 600);
	char why[256];
	struct xc_build b = {.kernel = &k,
			     .ramdisk = "ramdisk!",
			     .ramdisk_len = 8,
			     .cmdline = "console=hvc0",
			     .pages = pages,
			     .max_pages = pages,
			     .vcpus = 1,
			     .store_port = 1,
			     .console_port = 2,
			     .claim = true};

	f.no_superpages = no_superpages;
	assert_int_equal(xc_kernel_parse(image, len, &k, why, sizeof(why)), 0);
	assert_int_equal(xc_kernel_check_pv(&k, why, sizeof(why)), 0);
	if (xc_build_pv(xc, 5, &b))
		fail_msg("%s", xc_error(xc));
	check_domain(&f, &b, &k);
	grant_entry_v1_t *g = (void *)f.grants;

	assert_int_equal(g[GNTTAB_RESERVED_XENSTORE].frame, b.store_mfn);
	assert_int_equal(g[GNTTAB_RESERVED_CONSOLE].flags, GTF_permit_access);
	xc_kernel_free(&k);
	fake_close(&f, xc);
}

static void builds_with_p2m_note(void **state)
{
	uint8_t k[4096 + 8192];

	(void)state;
	build(k, kernel_make(k, true), 4096, false);
	build(k, kernel_make(k, true), 4099, false);
	build(k, kernel_make(k, true), 4096, true);
}

static void builds_without_p2m_note(void **state)
{
	uint8_t k[4096 + 8192];

	(void)state;
	build(k, kernel_make(k, false), 4096, false);
}

static void builds_real_kernel(void **state)
{
	const char *path = getenv("SERAI_TEST_KERNEL");
	FILE *f = path ? fopen(path, "rb") : NULL;
	uint8_t *k;
	size_t n;

	(void)state;
	if (!f)
		skip();
	k = malloc(64 << 20);
	n = fread(k, 1, 64 << 20, f);
	fclose(f);
	build(k, n, 0xc000, false);
	free(k);
}

static void too_small_is_refused(void **state)
{
	uint8_t image[4096 + 8192];
	struct xc_kernel k;
	struct fake f;
	struct xc *xc = fake_open(&f, 1024);
	char why[256];
	struct xc_build b = {.kernel = &k, .pages = 600, .max_pages = 600};

	(void)state;
	assert_int_equal(xc_kernel_parse(image, kernel_make(image, true), &k, why, sizeof(why)), 0);
	assert_int_equal(xc_build_pv(xc, 5, &b), -ENOMEM);
	assert_non_null(strstr(xc_error(xc), "give it more memory"));
	assert_int_equal(f.used, 1);
	fake_close(&f, xc);
}

/* No cut and no flipped byte of an image may do more than be refused. */
static void damaged_images(void **state)
{
	uint8_t good[4096 + 8192], *k;
	size_t n = kernel_make(good, true);
	struct xc_kernel parsed;
	char why[256];
	unsigned int seed = 1;

	(void)state;
	for (size_t len = 0; len < 4200; len += 3) {
		k = malloc(len ? len : 1);
		memcpy(k, good, len);
		if (xc_kernel_parse(k, len, &parsed, why, sizeof(why)) == 0)
			xc_kernel_free(&parsed);
		free(k);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		k = malloc(n);
		memcpy(k, good, n);
		for (unsigned int j = 0; j < 1 + i % 4; j++)
			k[rand_r(&seed) % 2300] = rand_r(&seed);
		if (xc_kernel_parse(k, n, &parsed, why, sizeof(why)) == 0) {
			xc_kernel_check_pv(&parsed, why, sizeof(why));
			xc_kernel_free(&parsed);
		}
		free(k);
	}
}

static void not_kernels(void **state)
{
	struct xc_kernel k;
	char why[256];

	(void)state;
	assert_int_equal(xc_kernel_parse("#!/bin/sh\n", 10, &k, why, sizeof(why)), -ENOEXEC);
	assert_string_equal(why, "neither a bzImage nor an ELF kernel");
	assert_int_equal(xc_kernel_parse("", 0, &k, why, sizeof(why)), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_with_p2m_note), cmocka_unit_test(builds_without_p2m_note),
		cmocka_unit_test(builds_real_kernel),   cmocka_unit_test(too_small_is_refused),
		cmocka_unit_test(damaged_images),       cmocka_unit_test(not_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
