/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t blocks(const struct dirty *d)
{
	return d->size / DIRTY_BLOCK + (d->size % DIRTY_BLOCK != 0);
}

static bool is_set(const struct dirty *d, uint64_t b)
{
	return d->map[b / 64] >> b % 64 & 1;
}

int dirty_init(struct dirty *d, uint64_t size)
{
	*d = (struct dirty){.size = size};
	d->map = calloc(blocks(d) / 64 + 1, sizeof(*d->map));
	if (!d->map)
		return -ENOMEM;
	dirty_all(d);
	return 0;
}

void dirty_free(struct dirty *d)
{
	free(d->map);
	d->map = NULL;
}

void dirty_all(struct dirty *d)
{
	dirty_mark(d, 0, d->size);
}

void dirty_mark(struct dirty *d, uint64_t at, uint64_t len)
{
	if (at >= d->size || !len)
		return;
	if (len > d->size - at)
		len = d->size - at;
	for (uint64_t b = at / DIRTY_BLOCK; b <= (at + len - 1) / DIRTY_BLOCK; b++) {
		d->set += !is_set(d, b);
		d->map[b / 64] |= 1ull << b % 64;
	}
}

bool dirty_take(struct dirty *d, uint64_t *pos, size_t max, uint64_t *at, size_t *len)
{
	uint64_t n = blocks(d), b = *pos / DIRTY_BLOCK, first;

	while (b < n && !is_set(d, b))
		b += d->map[b / 64] >> b % 64 ? 1 : 64 - b % 64;
	if (b >= n)
		return false;
	for (first = b; b < n && is_set(d, b) && (b - first + 1) * DIRTY_BLOCK <= max; b++) {
		d->map[b / 64] &= ~(1ull << b % 64);
		d->set--;
	}
	*at = first * DIRTY_BLOCK;
	*pos = b * DIRTY_BLOCK;
	*len = (*pos < d->size ? *pos : d->size) - *at;
	return true;
}

uint64_t dirty_left(const struct dirty *d)
{
	return d->set * DIRTY_BLOCK;
}
