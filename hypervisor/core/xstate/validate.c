/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is an image from outside (a stream, the control domain) one that XRSTOR accepts and the domain may
 * hold? Everything XRSTOR raises #GP for is found here (SDM vol. 1, 13.8.1). Pure.
 */
#include <lib.h>
#include <xstate.h>

static const char *const names[XSTATE_VERDICTS] = {
	[XSTATE_OK] = "ok",
	[XSTATE_TOO_SMALL] = "image shorter than the legacy area",
	[XSTATE_TRUNCATED] = "image ends before a component in use",
	[XSTATE_BAD_XCR0] = "XCR0 breaks the architecture's rules",
	[XSTATE_NOT_PERMITTED] = "features outside the domain's permitted set",
	[XSTATE_BV_BEYOND] = "XSTATE_BV outside the accumulated XCR0",
	[XSTATE_BAD_XCOMP] = "not in the standard format",
	[XSTATE_BAD_HEADER] = "reserved header bytes set",
	[XSTATE_BAD_MXCSR] = "reserved MXCSR bits set",
	[XSTATE_BAD_TAG] = "x87 word-size tag not 0, 4 or 8",
};

const char *xstate_verdict_name(enum xstate_verdict v)
{
	return (unsigned int)v < XSTATE_VERDICTS ? names[v] : "unknown";
}

static const char *const components[] = {
	"x87",   "SSE",   "AVX",   "BNDREGS", "BNDCSR", "opmask", "ZMM_Hi256", "Hi16_ZMM", "PT",       "PKRU",
	"PASID", "CET_U", "CET_S", "HDC",     "UINTR",  "LBR",    "HWP",       "TILECFG",  "TILEDATA", "APX",
};

const char *xstate_component_name(unsigned int nr)
{
	if (nr < ARRAY_SIZE(components))
		return components[nr];
	return nr == XSTATE_NR_LWP ? "LWP" : "unknown";
}

static enum xstate_verdict refuse(u64 *culprit, u64 bits, enum xstate_verdict v)
{
	if (culprit)
		*culprit = bits;
	return v;
}

static enum xstate_verdict check_header(const struct xstate_layout *l, u64 permitted, u64 accum,
					const struct xstate_header *h, u32 size, u64 *culprit)
{
	if (h->xcomp_bv)
		return refuse(culprit, h->xcomp_bv, XSTATE_BAD_XCOMP);
	for (unsigned int i = 0; i < ARRAY_SIZE(h->reserved); i++)
		if (h->reserved[i])
			return refuse(culprit, h->reserved[i], XSTATE_BAD_HEADER);
	if (h->xstate_bv & ~permitted)
		return refuse(culprit, h->xstate_bv & ~permitted, XSTATE_NOT_PERMITTED);
	if (h->xstate_bv & ~accum)
		return refuse(culprit, h->xstate_bv & ~accum, XSTATE_BV_BEYOND);
	if (xstate_size_standard(l, h->xstate_bv) > size)
		return refuse(culprit, h->xstate_bv, XSTATE_TRUNCATED);
	return XSTATE_OK;
}

enum xstate_verdict xstate_validate(const struct xstate_layout *l, u64 permitted, u64 xcr0, u64 xcr0_accum,
				    const void *image, u32 size, u64 *culprit)
{
	const struct xstate_area *a = image;
	u64 outside;

	/* Code uses x87 and XMM registers whatever XCR0 says: every image may hold them. */
	permitted = (permitted & l->user) | XSTATE_LEGACY;
	outside = (xcr0 | xcr0_accum) & ~permitted;

	refuse(culprit, 0, XSTATE_OK);
	if (size < XSTATE_LEGACY_SIZE)
		return refuse(culprit, size, XSTATE_TOO_SMALL);
	if (outside)
		return refuse(culprit, outside, XSTATE_NOT_PERMITTED);
	/* xcr0_accum is a union of XCR0 values and need not be one itself, but holds XCR0. */
	if (!xstate_xcr0_valid(xcr0) || (xcr0 & ~xcr0_accum))
		return refuse(culprit, xcr0, XSTATE_BAD_XCR0);
	if (a->mxcsr & ~l->mxcsr_mask)
		return refuse(culprit, a->mxcsr & ~l->mxcsr_mask, XSTATE_BAD_MXCSR);
	if (a->word_size != 0 && a->word_size != 4 && a->word_size != 8)
		return refuse(culprit, a->word_size, XSTATE_BAD_TAG);
	if (size < XSTATE_MIN_SIZE) /* FXSAVE only: no header to look at */
		return XSTATE_OK;
	return check_header(l, permitted, xcr0_accum | XSTATE_LEGACY, &a->hdr, size, culprit);
}

void xstate_complete(const struct xstate_layout *l, u64 mask, const void *image, u32 size, void *dst,
		     u32 dst_size)
{
	struct xstate_area *d = dst;
	bool legacy_only = size < XSTATE_MIN_SIZE;

	xstate_init_image(l, dst, dst_size, mask);
	memcpy(dst, image, legacy_only ? XSTATE_LEGACY_SIZE : min(size, dst_size));
	if (legacy_only)
		d->hdr.xstate_bv = XSTATE_LEGACY;
	d->mxcsr_mask = l->mxcsr_mask;
}
