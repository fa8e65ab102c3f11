/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the components of an image lie, and how large an image is. Pure. */
#include <lib.h>
#include <xstate.h>

/* A component in the standard format ends well below this on any CPU; larger values are nonsense. */
#define OFFSET_MAX 0x100000U

static bool comp_sane(const struct xstate_comp *c)
{
	if (!c->size || c->size > OFFSET_MAX)
		return false;
	return c->supervisor || (c->offset >= XSTATE_MIN_SIZE && c->offset <= OFFSET_MAX);
}

void xstate_layout_init(struct xstate_layout *l, const struct xstate_leaf *leaf, unsigned int n,
			u32 mxcsr_mask)
{
	u64 user, supervisor;
	unsigned int i;

	memset(l, 0, sizeof(*l));
	l->mxcsr_mask = mxcsr_mask ? mxcsr_mask : XSTATE_MXCSR_MASK_DEFAULT;
	l->user = XSTATE_LEGACY;
	if (n < 2)
		return;

	user = leaf[0].a | (u64)leaf[0].d << 32;
	supervisor = leaf[1].c | (u64)leaf[1].d << 32;
	for (i = 2; i < n && i < XSTATE_COMPS; i++) {
		struct xstate_comp c = {
			.size = leaf[i].a,
			.offset = leaf[i].b,
			.supervisor = leaf[i].c & 1,
			.align64 = leaf[i].c & 2,
			.xfd = leaf[i].c & 4,
		};
		u64 bit = 1ULL << i;

		if (!comp_sane(&c) || !((c.supervisor ? supervisor : user) & bit))
			continue;
		if (c.supervisor)
			c.offset = 0;
		l->comp[i] = c;
		*(c.supervisor ? &l->supervisor : &l->user) |= bit;
		l->xfd |= c.xfd ? bit : 0;
	}
}

u32 xstate_size_standard(const struct xstate_layout *l, u64 mask)
{
	u32 size = XSTATE_MIN_SIZE;

	for (u64 m = mask & l->user & ~XSTATE_LEGACY; m; m &= m - 1) {
		const struct xstate_comp *c = &l->comp[__builtin_ctzll(m)];

		size = max(size, c->offset + c->size);
	}
	return size;
}

/* Offset of nr among xcomp_bv, or the size of them all for nr == XSTATE_COMPS. */
static u32 compacted_walk(const struct xstate_layout *l, u64 xcomp_bv, unsigned int nr)
{
	u64 m = xcomp_bv & (l->user | l->supervisor) & ~XSTATE_LEGACY;
	u32 at = XSTATE_MIN_SIZE;

	for (; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);
		const struct xstate_comp *c = &l->comp[i];

		if (c->align64)
			at = ROUND_UP(at, 64U);
		if (i >= nr)
			return i == nr ? at : 0;
		at += c->size;
	}
	return nr == XSTATE_COMPS ? at : 0;
}

u32 xstate_size_compacted(const struct xstate_layout *l, u64 mask)
{
	return compacted_walk(l, mask, XSTATE_COMPS);
}

u32 xstate_offset_compacted(const struct xstate_layout *l, u64 xcomp_bv, unsigned int nr)
{
	return nr >= 2 && nr < XSTATE_COMPS ? compacted_walk(l, xcomp_bv, nr) : 0;
}
