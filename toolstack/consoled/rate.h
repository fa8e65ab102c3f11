/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a guest's output is taken a second: a bucket of tokens, one a byte. A guest that
 * writes faster finds its ring full and waits; nothing is thrown away, and the daemon's time
 * belongs to all.
 */
#ifndef SERAI_CONSOLED_RATE_H
#define SERAI_CONSOLED_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Waking the daemon costs a guest as much as this many bytes, so that events without bytes are
 * limited too. */
#define RATE_WAKEUP 16u

struct rate {
	uint64_t per_second, burst; /* bytes; per_second 0: no limit */
	uint64_t tokens;
	uint64_t last_ns;
};

void rate_init(struct rate *r, uint64_t per_second, uint64_t burst, uint64_t now_ns);
/* How many bytes may be taken at `now`. */
size_t rate_allowed(struct rate *r, uint64_t now_ns);
void rate_spend(struct rate *r, size_t n);
/* When there will be enough tokens again to be worth a wake-up. */
uint64_t rate_ready_at(const struct rate *r);

#endif
