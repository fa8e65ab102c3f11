/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stream of output, any number of readers. The last `limit` bytes are kept; a reader is nothing
 * but a position in the stream, so a slow one costs nobody anything: when it has fallen behind what
 * is kept, it is told how much it lost and goes on with the oldest byte there is.
 */
#ifndef SERAI_CONSOLED_FAN_H
#define SERAI_CONSOLED_FAN_H

#include <stddef.h>
#include <stdint.h>

struct fan {
	char *data;
	size_t size, limit; /* allocated; size grows up to limit, both powers of two */
	uint64_t end;       /* bytes ever written: the position after the newest */
};

/* `limit` is rounded down to a power of two, at least 4096. */
void fan_init(struct fan *f, size_t limit);
void fan_free(struct fan *f);
/* Without memory to grow, older bytes are forgotten sooner. -ENOMEM only if nothing could be kept
 * at all. */
int fan_put(struct fan *f, const char *p, size_t n);
/* The oldest position that is still kept. */
uint64_t fan_start(const struct fan *f);
/*
 * A piece of the stream at *pos, in place and contiguous (so perhaps not all there is); *n is its
 * length, 0 at the end. *lost says how many bytes were gone; *pos is moved past them, not past the
 * piece.
 */
const char *fan_peek(const struct fan *f, uint64_t *pos, size_t *n, uint64_t *lost);
/* Where a new reader starts who wants to see about `n` bytes of what was: at the start of a line.
 */
uint64_t fan_recent(const struct fan *f, size_t n);

#endif
