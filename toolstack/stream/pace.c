/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pace.h"

/* A round of fewer pages says little about the link. */
#define TELLING_PAGES 256

void pace_round(struct pace *p, uint64_t sent, double seconds, uint64_t left)
{
	if (sent > TELLING_PAGES || p->rounds == 0)
		p->rate = sent / (seconds + 1e-6);
	if (p->rounds++ == 0 || left < p->best - p->best / 8) {
		p->best = left;
		p->stuck = 0;
	} else {
		p->stuck++;
	}
	p->left = left;
	p->down_ms = left / (p->rate + 1) * 1000;
}

enum pace_next pace_next(const struct pace *p, const struct save_options *o, double elapsed)
{
	unsigned int max = o->max_rounds ? o->max_rounds : PACE_MAX_ROUNDS;

	/* Suspending and building it over there come on top: half of a strict budget is theirs. */
	if (p->down_ms < (o->downtime_strict ? o->downtime_ms / 2 : o->downtime_ms))
		return PACE_STOP;
	if (o->timeout_s && elapsed > o->timeout_s)
		return PACE_LATE;
	/* Who is strict and gave a time waits that long for the guest to write less. */
	if (p->rounds < max && (p->stuck < PACE_STUCK_ROUNDS || (o->downtime_strict && o->timeout_s)))
		return PACE_MORE;
	return o->downtime_strict ? PACE_UNFIT : PACE_STOP;
}
