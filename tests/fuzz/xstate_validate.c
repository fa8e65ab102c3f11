/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any image the validator accepts converts, completes and comes back the same, without a
 * byte read or written outside its buffer. Input: permitted, xcr0, accum (8 bytes each), the image.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xstate.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct xstate_leaf leaves[XSTATE_COMPS] = {
	[0] = {0x602e7, 0, 0x2b00, 0}, [1] = {0x1f, 0, 0x1800, 0}, [2] = {256, 576, 0, 0},
	[5] = {64, 1088, 0, 0},        [6] = {512, 1152, 0, 0},    [7] = {1024, 1664, 0, 0},
	[9] = {8, 2688, 0, 0},         [11] = {16, 0, 1, 0},       [12] = {24, 0, 1, 0},
	[17] = {64, 2752, 2, 0},       [18] = {8192, 2816, 6, 0},
};

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xstate_layout l;
	u8 *image, *full, *packed, *again;
	u32 n, fullsize, csize;
	u64 v[3], mask, why;

	if (size < sizeof(v) + 1 || size > 20000)
		return 0;
	if (!l.user)
		xstate_layout_init(&l, leaves, XSTATE_COMPS, 0xffff);
	memcpy(v, data, sizeof(v));
	n = (u32)(size - sizeof(v));
	image = malloc(n); /* exact, so that ASan sees one byte too many */
	memcpy(image, data + sizeof(v), n);

	if (xstate_validate(&l, v[0], v[1], v[2], image, n, &why) == XSTATE_OK) {
		check(xstate_xcr0_valid(v[1]) && !why);
		mask = v[2] | XSTATE_LEGACY;
		fullsize = xstate_size_standard(&l, mask);
		csize = xstate_size_compacted(&l, mask);
		full = malloc(fullsize);
		packed = malloc(csize);
		again = malloc(fullsize);
		xstate_complete(&l, mask, image, n, full, fullsize);
		xstate_normalise(&l, full, fullsize, mask);
		check(xstate_validate(&l, v[0], v[1], v[2], full, fullsize, &why) == XSTATE_OK);
		check(!xstate_compact(&l, full, fullsize, packed, csize, mask));
		check(!xstate_expand(&l, packed, csize, again, fullsize, mask));
		check(!memcmp(full + 32, again + 32, 416 - 32) &&
		      !memcmp(full + 464, again + 464, 512 - 464));
		for (u64 m = mask & ~XSTATE_LEGACY; m; m &= m - 1) {
			const struct xstate_comp *c = &l.comp[__builtin_ctzll(m)];

			check(!memcmp(full + c->offset, again + c->offset, c->size));
		}
		free(full);
		free(packed);
		free(again);
	}
	/* As a compacted image: refused or sound. */
	full = malloc(0x2b00);
	if (n >= XSTATE_MIN_SIZE)
		(void)xstate_expand(&l, image, n, full, 0x2b00, v[0]);
	free(full);
	free(image);
	return 0;
}
