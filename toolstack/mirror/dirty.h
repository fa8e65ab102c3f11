/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which parts of a disk are still to be copied: a bit for each block of 64 KiB. */
#ifndef SERAI_MIRROR_DIRTY_H
#define SERAI_MIRROR_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRTY_BLOCK 65536u

struct dirty {
	uint64_t *map;
	uint64_t size; /* of the disk, bytes */
	uint64_t set;  /* blocks */
};

/* All of it is to be copied. 0, or -ENOMEM. */
int dirty_init(struct dirty *d, uint64_t size);
void dirty_free(struct dirty *d);
void dirty_all(struct dirty *d);
/* Bytes from `at` on were written; what lies outside the disk is ignored. */
void dirty_mark(struct dirty *d, uint64_t at, uint64_t len);
/*
 * The next stretch at or behind *pos, `max` bytes (a multiple of the block) at most: it is taken off the map, and *pos
 * is behind it. False: there is none.
 */
bool dirty_take(struct dirty *d, uint64_t *pos, size_t max, uint64_t *at, size_t *len);
/* Bytes left, whole blocks counted. */
uint64_t dirty_left(const struct dirty *d);

#endif
