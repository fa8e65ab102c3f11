/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The token bucket. Time comes as an argument; it never goes back (CLOCK_MONOTONIC). */
#include "rate.h"

#define SECOND 1000000000ull
/* A limited guest is served again when a ring's worth of tokens is there. */
#define WORTH 2048u

void rate_init(struct rate *r, uint64_t per_second, uint64_t burst, uint64_t now_ns)
{
	r->per_second = per_second;
	r->burst = burst < WORTH ? WORTH : burst;
	r->tokens = r->burst;
	r->last_ns = now_ns;
}

size_t rate_allowed(struct rate *r, uint64_t now_ns)
{
	uint64_t gap = now_ns - r->last_ns, full;

	if (!r->per_second)
		return SIZE_MAX;
	/* A gap that fills the bucket is cut first, so that the product below cannot overflow. */
	full = (r->burst - r->tokens) / r->per_second + 1;
	if (gap / SECOND >= full) {
		r->tokens = r->burst;
		r->last_ns = now_ns;
		return r->tokens;
	}
	full = gap / SECOND * r->per_second + gap % SECOND * r->per_second / SECOND;
	if (full) {
		/* Time that made no whole token yet stays on the account. */
		r->last_ns += full * SECOND / r->per_second;
		r->tokens = r->tokens + full > r->burst ? r->burst : r->tokens + full;
	}
	return r->tokens;
}

void rate_spend(struct rate *r, size_t n)
{
	if (r->per_second)
		r->tokens -= n > r->tokens ? r->tokens : n;
}

uint64_t rate_ready_at(const struct rate *r)
{
	uint64_t missing = r->tokens >= WORTH ? 0 : WORTH - r->tokens;

	return r->per_second ? r->last_ns + missing * SECOND / r->per_second : r->last_ns;
}
