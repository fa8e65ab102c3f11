/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the compacted and the standard format. Pure.
 *
 * The two differ in more than offsets. In the standard format MXCSR stands outside the components:
 * XRSTOR loads it whenever SSE or AVX is asked for, whatever XSTATE_BV says. In the compacted format
 * it is part of component 1. So an image with initial XMM registers and a changed MXCSR has
 * XSTATE_BV[1] clear in one format and set in the other.
 *
 * The software bytes 464..511, with the word-size tag, go along in both directions.
 */
#include <lib.h>
#include <xerrno.h>
#include <xstate.h>

#define X87_HEAD 24U /* FCW up to FDP */
#define ST_AT 32U
#define XMM_AT 160U
#define SW_AT 464U

static void copy_x87(u8 *dst, const u8 *src)
{
	memcpy(dst, src, X87_HEAD);
	memcpy(dst + ST_AT, src + ST_AT, XMM_AT - ST_AT);
}

static void init_x87(u8 *dst)
{
	memset(dst, 0, X87_HEAD);
	memset(dst + ST_AT, 0, XMM_AT - ST_AT);
	memcpy(dst, &(u16){XSTATE_FCW_INIT}, 2);
}

static void copy_legacy(const struct xstate_layout *l, struct xstate_area *dst, const struct xstate_area *src,
			u64 bv)
{
	memset(dst, 0, XSTATE_MIN_SIZE);
	if (bv & XSTATE_X87)
		copy_x87((u8 *)dst, (const u8 *)src);
	else
		init_x87((u8 *)dst);
	if (bv & XSTATE_SSE)
		memcpy(dst->xmm, src->xmm, sizeof(dst->xmm));
	dst->mxcsr = XSTATE_MXCSR_INIT;
	dst->mxcsr_mask = l->mxcsr_mask;
	memcpy((u8 *)dst + SW_AT, (const u8 *)src + SW_AT, XSTATE_LEGACY_SIZE - SW_AT);
}

/* The selectors and tag of an x87 component in init state mean nothing: do not carry them on. */
static void settle_tag(struct xstate_area *a)
{
	if (!(a->hdr.xstate_bv & XSTATE_X87))
		a->word_size = 0;
}

int xstate_expand(const struct xstate_layout *l, const void *src, u32 src_size, void *dst, u32 dst_size,
		  u64 want)
{
	const struct xstate_area *s = src;
	struct xstate_area *d = dst;
	u64 xcomp = s->hdr.xcomp_bv & ~XSTATE_COMPACTED;
	u64 bv = s->hdr.xstate_bv, user = want & l->user, m;

	if (src_size < XSTATE_MIN_SIZE || dst_size < XSTATE_MIN_SIZE)
		return -ENOSPC;
	if (!(s->hdr.xcomp_bv & XSTATE_COMPACTED) || (bv & ~xcomp) || (xcomp & ~(l->user | l->supervisor)) ||
	    xstate_size_compacted(l, xcomp) > src_size)
		return -EINVAL;
	if (xstate_size_standard(l, user) > dst_size)
		return -E2BIG;

	copy_legacy(l, d, s, bv & user);
	if (bv & user & XSTATE_SSE)
		d->mxcsr = s->mxcsr;
	d->hdr.xstate_bv = bv & user;
	settle_tag(d);

	memset((u8 *)dst + XSTATE_MIN_SIZE, 0, dst_size - XSTATE_MIN_SIZE);
	for (m = user & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);
		u8 *to = (u8 *)dst + l->comp[i].offset;

		if (bv >> i & 1)
			memcpy(to, (const u8 *)src + xstate_offset_compacted(l, xcomp, i), l->comp[i].size);
		else
			xstate_init_component(l, i, to);
	}
	return 0;
}

int xstate_compact(const struct xstate_layout *l, const void *src, u32 src_size, void *dst, u32 dst_size,
		   u64 xcomp_bv)
{
	const struct xstate_area *s = src;
	struct xstate_area *d = dst;
	u64 xcomp = xcomp_bv & ~XSTATE_COMPACTED, bv, m;

	if (src_size < XSTATE_MIN_SIZE || dst_size < XSTATE_MIN_SIZE)
		return -ENOSPC;
	if (s->hdr.xcomp_bv || (s->hdr.xstate_bv & ~l->user) || (xcomp & ~(l->user | l->supervisor)) ||
	    xstate_size_standard(l, s->hdr.xstate_bv & xcomp) > src_size)
		return -EINVAL;
	if (xstate_size_compacted(l, xcomp) > dst_size)
		return -E2BIG;

	bv = s->hdr.xstate_bv & xcomp;
	copy_legacy(l, d, s, bv);
	if (xcomp & XSTATE_SSE) {
		d->mxcsr = s->mxcsr;
		if (s->mxcsr != XSTATE_MXCSR_INIT)
			bv |= XSTATE_SSE;
	}
	d->hdr.xstate_bv = bv;
	d->hdr.xcomp_bv = xcomp | XSTATE_COMPACTED;
	settle_tag(d);

	memset((u8 *)dst + XSTATE_MIN_SIZE, 0, dst_size - XSTATE_MIN_SIZE);
	for (m = bv & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		memcpy((u8 *)dst + xstate_offset_compacted(l, xcomp, i), (const u8 *)src + l->comp[i].offset,
		       l->comp[i].size);
	}
	return 0;
}

void xstate_init_component(const struct xstate_layout *l, unsigned int nr, void *component)
{
	switch (nr) {
	case XSTATE_NR_X87:
		init_x87(component);
		break;
	case XSTATE_NR_SSE:
		memset((u8 *)component + XMM_AT, 0, 256);
		break;
	default:
		/* Every component defined so far starts as zeros (SDM vol. 1, 13.6). */
		memset(component, 0, l->comp[nr].size);
		break;
	}
}

void xstate_init_image(const struct xstate_layout *l, void *image, u32 size, u64 mask)
{
	struct xstate_area *a = image;

	memset(image, 0, size);
	a->fcw = XSTATE_FCW_INIT;
	a->mxcsr = XSTATE_MXCSR_INIT;
	a->mxcsr_mask = l->mxcsr_mask;
	for (u64 m = mask & l->user & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		if (l->comp[i].offset + l->comp[i].size <= size)
			xstate_init_component(l, i, (u8 *)image + l->comp[i].offset);
	}
}

void xstate_normalise(const struct xstate_layout *l, void *image, u32 size, u64 mask)
{
	struct xstate_area *a = image;
	u64 bv = a->hdr.xstate_bv;

	if (!(bv & XSTATE_X87))
		init_x87(image);
	if (!(bv & XSTATE_SSE))
		memset(a->xmm, 0, sizeof(a->xmm));
	settle_tag(a);
	for (u64 m = mask & l->user & ~bv & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);

		if (l->comp[i].offset + l->comp[i].size <= size)
			xstate_init_component(l, i, (u8 *)image + l->comp[i].offset);
	}
}
