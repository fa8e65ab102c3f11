/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layout arithmetic, XCR0 and XFD rules, and the image validator: every verdict, and no fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <xerrno.h>

#include "hostcpu.h"

/* Sapphire Rapids, as CPUID reports it, and a made-up supervisor and align64 mix. */
static const struct xstate_leaf spr[XSTATE_COMPS] = {
	[0] = {0x602e7, 0, 0x2b00, 0}, [1] = {0x1f, 0, 0x1900, 0}, [2] = {256, 576, 0, 0},
	[5] = {64, 1088, 0, 0},        [6] = {512, 1152, 0, 0},    [7] = {1024, 1664, 0, 0},
	[8] = {128, 0, 1, 0},          [9] = {8, 2688, 0, 0},      [11] = {16, 0, 1, 0},
	[12] = {24, 0, 1, 0},          [17] = {64, 2752, 2, 0},    [18] = {8192, 2816, 6, 0},
};

static struct xstate_layout l;

static void layout_from_leaves(void **state)
{
	(void)state;
	assert_int_equal(l.user, 0x602e7);
	assert_int_equal(l.supervisor, 0x1900);
	assert_int_equal(l.xfd, XSTATE_TILEDATA);
	assert_int_equal(xstate_size_standard(&l, 0), 576);
	assert_int_equal(xstate_size_standard(&l, 7), 832);
	assert_int_equal(xstate_size_standard(&l, XSTATE_PKRU | 3), 2696);
	assert_int_equal(xstate_size_standard(&l, l.user), 0x2b00);
	/* PKRU's 8 bytes, then CET's 16 and 24, then the tiles on a boundary of 64. */
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 9), 576);
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 11), 584);
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 12), 600);
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 17), 640);
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 18), 704);
	assert_int_equal(xstate_offset_compacted(&l, 0x61a03, 7), 0);
	assert_int_equal(xstate_size_compacted(&l, 0x61a03), 704 + 8192);
}

/* Supervisor components and holes in a compacted image do not disturb the user ones. */
static void expand_past_supervisor(void **state)
{
	static u8 src[16384], dst[16384], back[16384];
	struct xstate_area *a = (void *)src;
	u64 xcomp = 0x61a03;

	(void)state;
	a->hdr.xcomp_bv = xcomp | XSTATE_COMPACTED;
	a->hdr.xstate_bv = XSTATE_PKRU | XSTATE_CET_U | XSTATE_TILEDATA;
	memset(src + 576, 0x11, 8);
	memset(src + 584, 0x22, 16);
	memset(src + 704, 0x33, 8192);
	assert_int_equal(xstate_expand(&l, src, sizeof(src), dst, 0x2b00, l.user), 0);
	a = (void *)dst;
	assert_int_equal(a->hdr.xstate_bv, XSTATE_PKRU | XSTATE_TILEDATA);
	assert_int_equal(dst[2688], 0x11);
	assert_int_equal(dst[2695], 0x11);
	assert_int_equal(dst[2816], 0x33);
	assert_int_equal(a->fcw, XSTATE_FCW_INIT);
	assert_int_equal(xstate_compact(&l, dst, 0x2b00, back, sizeof(back), xcomp), 0);
	assert_int_equal(back[576], 0x11);
	assert_int_equal(back[584], 0); /* CET is not in a standard image */
	assert_memory_equal(back + 704, src + 704, 8192);

	assert_int_equal(xstate_expand(&l, src, 8000, dst, 0x2b00, l.user), -EINVAL);
	assert_int_equal(xstate_expand(&l, src, sizeof(src), dst, 2696, l.user), -E2BIG);
	a = (void *)src;
	a->hdr.xcomp_bv &= ~XSTATE_COMPACTED;
	assert_int_equal(xstate_expand(&l, src, sizeof(src), dst, 0x2b00, l.user), -EINVAL);
	a->hdr.xcomp_bv = xcomp | XSTATE_COMPACTED | 1ULL << 40;
	assert_int_equal(xstate_expand(&l, src, sizeof(src), dst, 0x2b00, l.user), -EINVAL);
}

static bool xcr0_reference(u64 v)
{
	bool sse = v & 2, avx = v & 4, k = v & 0x20, zh = v & 0x40, hz = v & 0x80;
	bool mpx = v & 0x18, apx = v & 1 << 19;

	if (!(v & 1) || (v & ~0x4000000000ae02ffULL & 0x1fd00ULL))
		return false;
	if (avx && !sse)
		return false;
	if (((v & 8) != 0) != ((v & 16) != 0))
		return false;
	if ((k || zh || hz) && !(k && zh && hz && avx))
		return false;
	if (((v & 1 << 17) != 0) != ((v & 1 << 18) != 0))
		return false;
	return !(mpx && apx);
}

/* All values of the 20 low bits, against the manual's rules written another way. */
static void xcr0_exhaustive(void **state)
{
	u64 v, valid = 0;

	(void)state;
	for (v = 0; v < 1ULL << 20; v++) {
		u64 t = xstate_xcr0_trim(v);

		assert_int_equal(xstate_xcr0_valid(v), xcr0_reference(v));
		valid += xstate_xcr0_valid(v);
		assert_true(xstate_xcr0_valid(t));
		assert_int_equal(t & ~v & ~1ULL, 0);
		if (xstate_xcr0_valid(v))
			assert_int_equal(t, v);
	}
	assert_true(valid > 20);
	assert_int_equal(xstate_xsetbv_check(7, 7), 0);
	assert_int_equal(xstate_xsetbv_check(7, 3), 0);
	assert_int_equal(xstate_xsetbv_check(3, 7), -EINVAL);
	assert_int_equal(xstate_xsetbv_check(7, 5), -EINVAL);
	assert_int_equal(xstate_xsetbv_check(~0ULL, 1ULL << 63 | 7), -EINVAL);
}

static void xfd_rules(void **state)
{
	(void)state;
	assert_int_equal(xstate_xfd_check(&l, 0x602e7, XSTATE_TILEDATA), 0);
	assert_int_equal(xstate_xfd_check(&l, 0x2e7, XSTATE_TILEDATA), -EINVAL);
	assert_int_equal(xstate_xfd_check(&l, 0x602e7, XSTATE_TILECFG), -EINVAL);
	assert_int_equal(xstate_xfd_check(&l, 0x2e7, 0), 0);
	assert_int_equal(xstate_xfd_disabled(&l, 0x602e7, XSTATE_TILEDATA), XSTATE_TILEDATA);
	assert_int_equal(xstate_xfd_disabled(&l, 7, XSTATE_TILEDATA), 0);
}

static void verdicts(void **state)
{
	static u8 image[16384];
	struct xstate_area *a = (void *)image;
	u32 full = xstate_size_standard(&l, 0xe7);
	u64 why;

#define V(xcr0, accum, size) xstate_validate(&l, 0x2e7, xcr0, accum, image, size, &why)
	(void)state;
	xstate_init_image(&l, image, full, 0xe7);
	assert_int_equal(V(0xe7, 0xe7, full), XSTATE_OK);
	assert_int_equal(V(7, 0xe7, full), XSTATE_OK);
	assert_int_equal(V(3, 3, 512), XSTATE_OK);
	assert_int_equal(V(3, 3, 511), XSTATE_TOO_SMALL);
	assert_int_equal(V(0x602e7, 0x602e7, full), XSTATE_NOT_PERMITTED);
	assert_int_equal(why, XSTATE_AMX);
	assert_int_equal(V(5, 7, full), XSTATE_BAD_XCR0);
	assert_int_equal(V(7, 3, full), XSTATE_BAD_XCR0);
	a->hdr.xstate_bv = 0xe7;
	assert_int_equal(V(7, 7, full), XSTATE_BV_BEYOND);
	assert_int_equal(why, XSTATE_AVX512);
	assert_int_equal(V(0xe7, 0xe7, full - 1), XSTATE_TRUNCATED);
	a->hdr.xstate_bv = 3; /* partial: nothing beyond the header is in use */
	assert_int_equal(V(0xe7, 0xe7, 576), XSTATE_OK);
	a->hdr.xstate_bv = 1ULL << 40;
	assert_int_equal(V(7, 7, full), XSTATE_NOT_PERMITTED);
	a->hdr.xstate_bv = 3;
	a->hdr.xcomp_bv = XSTATE_COMPACTED | 3;
	assert_int_equal(V(7, 7, full), XSTATE_BAD_XCOMP);
	a->hdr.xcomp_bv = 0;
	a->hdr.reserved[5] = 1ULL << 63;
	assert_int_equal(V(7, 7, full), XSTATE_BAD_HEADER);
	a->hdr.reserved[5] = 0;
	a->mxcsr = 0x10000;
	assert_int_equal(V(7, 7, full), XSTATE_BAD_MXCSR);
	a->mxcsr = XSTATE_MXCSR_INIT;
	a->word_size = 2;
	assert_int_equal(V(7, 7, full), XSTATE_BAD_TAG);
	a->word_size = 4;
	assert_int_equal(V(7, 7, full), XSTATE_OK);
	for (int v = 0; v < XSTATE_VERDICTS; v++)
		assert_non_null(xstate_verdict_name((enum xstate_verdict)v));
	assert_string_equal(xstate_verdict_name((enum xstate_verdict)99), "unknown");
}

/* FXSAVE-only and short images become full ones that validate again. */
static void old_images(void **state)
{
	static u8 image[4096], full[4096];
	struct xstate_area *a = (void *)image, *f = (void *)full;
	u64 why;

	(void)state;
	memset(image, 0, sizeof(image));
	a->fcw = 0x27f;
	a->mxcsr = 0x1fa0;
	memset(a->xmm, 0x77, 256);
	memset(full, 0xa5, sizeof(full));
	xstate_complete(&l, 0xe7, image, 512, full, xstate_size_standard(&l, 0xe7));
	assert_int_equal(f->fcw, 0x27f);
	assert_int_equal(f->hdr.xstate_bv, 3);
	assert_int_equal(xstate_word_size(f), 8);
	assert_int_equal(full[576], 0);
	assert_int_equal(xstate_validate(&l, 0xe7, 0xe7, 0xe7, full, xstate_size_standard(&l, 0xe7), &why),
			 XSTATE_OK);

	a->hdr.xstate_bv = 7;
	memset(image + 576, 0x99, 256);
	xstate_complete(&l, 0xe7, image, 832, full, xstate_size_standard(&l, 0xe7));
	assert_int_equal(f->hdr.xstate_bv, 7);
	assert_int_equal(full[576 + 255], 0x99);
	assert_int_equal(full[1088], 0);

	/* XSAVEOPT's leftovers go, what is in use stays. */
	f->hdr.xstate_bv = 4;
	f->word_size = 4;
	xstate_normalise(&l, full, sizeof(full), 0xe7);
	assert_int_equal(f->fcw, XSTATE_FCW_INIT);
	assert_int_equal(f->xmm[0][0], 0);
	assert_int_equal(f->word_size, 0);
	assert_int_equal(full[576], 0x99);
}

/* With XCR0 = 1 a guest may use XMM registers all the same: they are carried, and accepted back. */
static void legacy_needs_no_permission(void **state)
{
	static u8 image[576], full[4096], packed[4096], again[4096];
	const u64 xcr0s[] = {XSTATE_X87, XSTATE_X87 | XSTATE_PKRU};
	struct xstate_area *a = (void *)image;
	u64 why;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		u64 xcr0 = xcr0s[i], mask = xcr0 | XSTATE_LEGACY;
		u32 size = xstate_size_standard(&l, mask), csize = xstate_size_compacted(&l, mask);

		memset(image, 0, sizeof(image));
		a->mxcsr = XSTATE_MXCSR_INIT;
		memset(a->xmm, 0x77, sizeof(a->xmm));
		assert_int_equal(xstate_validate(&l, xcr0, xcr0, xcr0, image, 512, &why), XSTATE_OK);
		xstate_complete(&l, mask, image, 512, full, size);
		assert_int_equal(xstate_validate(&l, xcr0, xcr0, xcr0, full, size, &why), XSTATE_OK);
		assert_int_equal(xstate_compact(&l, full, size, packed, csize, mask), 0);
		assert_int_equal(xstate_expand(&l, packed, csize, again, size, mask), 0);
		assert_memory_equal(again + 160, a->xmm, sizeof(a->xmm));
	}
	/* What the layout does not know is in no permitted set, whatever the caller says. */
	assert_int_equal(xstate_validate(&l, ~0ULL, 1, 1 | 1ULL << 40, image, 512, &why),
			 XSTATE_NOT_PERMITTED);
	assert_int_equal(why, 1ULL << 40);
}

static int setup(void **state)
{
	(void)state;
	xstate_layout_init(&l, spr, XSTATE_COMPS, 0xffff);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_from_leaves),
		cmocka_unit_test(expand_past_supervisor),
		cmocka_unit_test(xcr0_exhaustive),
		cmocka_unit_test(xfd_rules),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(old_images),
		cmocka_unit_test(legacy_needs_no_permission),
	};

	return cmocka_run_group_tests_name("xstate rules", tests, setup, NULL);
}
