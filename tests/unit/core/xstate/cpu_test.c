/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversion against the CPU itself: for random states and every mask with holes, the CPU's XSAVEC
 * image converted equals its XSAVE image, the other way round too, and what we compact the CPU
 * restores. SERAI_LONG=1 runs more than ten million cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hostcpu.h"

struct buffers {
	u8 orig[IMAGE_MAX], image[IMAGE_MAX], std[IMAGE_MAX], compact[IMAGE_MAX];
	u8 ours[IMAGE_MAX], again[IMAGE_MAX];
};

static struct hostcpu host;
static struct buffers *buf;

#define MASK(m) "movl %k[" #m "], %%eax\n\tmovq %[" #m "], %%rdx\n\tshrq $32, %%rdx\n\t"

/* The compiler must not use a vector register between the instructions, so it is one statement. */
static void cpu_save_both(u64 rfbm)
{
	__asm__ volatile(MASK(all) "xsave64 %[orig]\n\t"
				   "xrstor64 %[image]\n\t" MASK(rfbm) "xsave64 %[std]\n\t"
								      "xsavec64 %[compact]\n\t" MASK(
									      all) "xrstor64 %[orig]"
			 : [orig] "+m"(buf->orig), [std] "+m"(buf->std), [compact] "+m"(buf->compact)
			 : [image] "m"(buf->image), [all] "r"(host.xcr0), [rfbm] "r"(rfbm)
			 : "rax", "rdx");
}

/* What the CPU makes of an image of ours: restore all of rfbm from it, save it in standard format. */
static void cpu_restore_and_save(u64 rfbm)
{
	__asm__ volatile(
		MASK(all) "xsave64 %[orig]\n\t" MASK(rfbm) "xrstor64 %[ours]\n\t"
							   "xsave64 %[again]\n\t" MASK(all) "xrstor64 %[orig]"
		: [orig] "+m"(buf->orig), [again] "+m"(buf->again)
		: [ours] "m"(buf->ours), [all] "r"(host.xcr0), [rfbm] "r"(rfbm)
		: "rax", "rdx");
}

static bool component_equal(unsigned int i, const u8 *x, const u8 *y)
{
	const struct xstate_comp *c = &host.layout.comp[i];

	if (i == XSTATE_NR_X87)
		return !memcmp(x, y, 24) && !memcmp(x + 32, y + 32, 128);
	if (i == XSTATE_NR_SSE)
		return !memcmp(x + 160, y + 160, 256) && !memcmp(x + 24, y + 24, 4);
	return !memcmp(x + c->offset, y + c->offset, c->size);
}

static void compare_standard(const char *what, u64 mask, u64 bv, const u8 *x, const u8 *y)
{
	for (u64 m = mask; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		if (!component_equal(i, x, y))
			fail_msg("%s: component %u differs, mask %#lx in use %#lx", what, i,
				 (unsigned long)mask, (unsigned long)bv);
	}
}

static bool component_initial(unsigned int i, const u8 *image)
{
	static u8 initial[IMAGE_MAX];

	xstate_init_image(&host.layout, initial, sizeof(initial), host.xcr0);
	if (i == XSTATE_NR_SSE) /* MXCSR is compared elsewhere */
		return !memcmp(image + 160, initial + 160, 256);
	return component_equal(i, image, initial);
}

/*
 * XSTATE_BV of both formats agree, but for SSE with initial registers and a changed MXCSR; and a CPU may
 * call a component in use that is in its initial state (after an interrupt, say), in one of them only.
 */
static void compare_bv(u64 rfbm, u64 std_bv, u64 compact_bv, const u8 *std)
{
	u32 mxcsr = ((const struct xstate_area *)std)->mxcsr;

	if ((rfbm & XSTATE_SSE) && mxcsr != XSTATE_MXCSR_INIT)
		std_bv |= XSTATE_SSE;
	for (u64 m = std_bv ^ compact_bv; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		if (!component_initial(i, std))
			fail_msg("XSTATE_BV %#lx and %#lx, component %u in use", (unsigned long)std_bv,
				 (unsigned long)compact_bv, i);
	}
}

static void one_case(u64 rfbm, u64 bv, u64 *seed)
{
	const struct xstate_area *std = (void *)buf->std, *cpt = (void *)buf->compact;
	const struct xstate_area *ours = (void *)buf->ours;
	u32 csize = xstate_size_compacted(&host.layout, rfbm);
	u32 ssize = xstate_size_standard(&host.layout, rfbm);
	u64 both;

	host_random_image(&host, buf->image, bv, seed);
	memset(buf->std, 0, sizeof(buf->std));
	memset(buf->compact, 0, sizeof(buf->compact));
	cpu_save_both(rfbm);

	assert_int_equal(cpt->hdr.xcomp_bv, rfbm | XSTATE_COMPACTED);
	compare_bv(rfbm, std->hdr.xstate_bv, cpt->hdr.xstate_bv, buf->std);

	/* Stale bytes must not show through. */
	memset(buf->ours, 0xa5, ssize);
	assert_int_equal(xstate_expand(&host.layout, buf->compact, csize, buf->ours, ssize, rfbm), 0);
	compare_standard("expand", rfbm, bv, buf->ours, buf->std);

	memset(buf->ours, 0xa5, sizeof(buf->ours));
	assert_int_equal(xstate_compact(&host.layout, buf->std, ssize, buf->ours, csize, rfbm), 0);
	compare_bv(rfbm, ours->hdr.xstate_bv, cpt->hdr.xstate_bv, buf->std);
	both = ours->hdr.xstate_bv & cpt->hdr.xstate_bv;
	assert_int_equal(ours->hdr.xcomp_bv, cpt->hdr.xcomp_bv);
	for (u64 m = both & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);
		u32 at = xstate_offset_compacted(&host.layout, rfbm, i);

		assert_memory_equal(buf->ours + at, buf->compact + at, host.layout.comp[i].size);
	}
	compare_standard("compact", both & XSTATE_LEGACY, bv, buf->ours, buf->compact);

	memset(buf->again, 0, sizeof(buf->again));
	cpu_restore_and_save(rfbm);
	compare_standard("restored", rfbm, bv, buf->again, buf->std);
}

/* The n-th subset of mask. */
static u64 subset(u64 mask, u64 n)
{
	u64 r = 0;

	for (; mask; mask &= mask - 1, n >>= 1)
		if (n & 1)
			r |= mask & -mask;
	return r;
}

/* Tile data in use needs a tile configuration in use. */
static bool legal_bv(u64 bv)
{
	return !(bv & XSTATE_TILEDATA) || (bv & XSTATE_TILECFG);
}

static void every_mask_with_holes(void **state)
{
	unsigned int comps = (unsigned int)__builtin_popcountll(host.xcr0);
	u64 subsets = 1ULL << comps, cases = 0, seed, want;

	(void)state;
	if (!host.xsavec) {
		print_message("no XSAVEC on this CPU\n");
		skip();
	}
	seed = getenv("SERAI_SEED") ? strtoull(getenv("SERAI_SEED"), NULL, 0) : 0x5e7a15e7a1ULL;
	want = getenv("SERAI_LONG") ? 10000000 : subsets * subsets;
	do {
		for (u64 r = 0; r < subsets; r++)
			for (u64 b = 0; b < subsets; b++) {
				u64 bv = subset(host.xcr0, b);

				if (!legal_bv(bv))
					continue;
				one_case(subset(host.xcr0, r), bv, &seed);
				cases++;
			}
	} while (cases < want && cases);
	print_message("XCR0 %#lx: %lu cases, every mask and every set in use\n", (unsigned long)host.xcr0,
		      (unsigned long)cases);
}

/* Sizes we compute are the ones the CPU reports for its XCR0. */
static void sizes_match_cpuid(void **state)
{
	u32 a, b, c, d;

	(void)state;
	__cpuid_count(0xd, 0, a, b, c, d);
	assert_int_equal(b, xstate_size_standard(&host.layout, host.xcr0));
	if (host.xsavec) {
		__cpuid_count(0xd, 1, a, b, c, d);
		/* With XSAVES the leaf counts IA32_XSS, which the kernel owns: at least ours. */
		assert_true(b >= xstate_size_compacted(&host.layout, host.xcr0));
	}
}

static int setup(void **state)
{
	(void)state;
	if (!host_probe(&host)) {
		print_message("no XSAVE on this machine: nothing to compare with\n");
		exit(77);
	}
	buf = aligned_alloc(64, sizeof(*buf));
	if (!buf)
		return -1;
	memset(buf, 0, sizeof(*buf));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(buf);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_match_cpuid),
		cmocka_unit_test(every_mask_with_holes),
	};

	return cmocka_run_group_tests_name("xstate against the CPU", tests, setup, teardown);
}
