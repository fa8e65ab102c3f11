/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer: kernel images, bzImage and ELF, with every decompressor behind them. */
#include "serai/xc_image.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xc_kernel k;
	const char *kind;
	char why[256];
	size_t len;
	void *out;

	if (xc_kernel_parse(data, size, &k, why, sizeof(why)) == 0) {
		volatile uint8_t sum = 0;

		xc_kernel_check_pv(&k, why, sizeof(why));
		for (unsigned int i = 0; i < k.nr_seg; i++)
			for (uint64_t o = 0; o < k.seg[i].filesz; o += 64)
				sum += k.seg[i].data[o];
		xc_kernel_free(&k);
	}
	if (xc_decompress(data, size, 1 << 22, &out, &len, &kind) == 0)
		free(out);
	return 0;
}
