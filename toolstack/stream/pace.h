/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to stop a guest whose dirty pages are being sent round after round: when the rest fits into the downtime asked
 * for, or when further rounds do not help. A guest that writes as fast as the link carries leaves as much after every
 * round; sending that again and again costs bandwidth and gains nothing.
 */
#ifndef SERAI_STREAM_PACE_H
#define SERAI_STREAM_PACE_H

#include "stream.h"

#define PACE_MAX_ROUNDS 30
/* So many rounds in a row that left no less than an earlier one did (an eighth less counts): more will not help. */
#define PACE_STUCK_ROUNDS 3

struct pace {
	double rate;         /* pages a second over the link */
	double down_ms;      /* how long the pages that are dirty now would take */
	uint64_t left, best; /* pages dirty now, and after the best round so far */
	unsigned int rounds, stuck;
};

enum pace_next {
	PACE_STOP, /* the guest: the rest goes while it stands */
	PACE_MORE,
	PACE_LATE,  /* the time for all of it is over: give up */
	PACE_UNFIT, /* it writes too fast for the limit: give up */
};

/* A round is over: the pages that went and how long it took, and those that are dirty since. */
void pace_round(struct pace *p, uint64_t sent, double seconds, uint64_t left);
/* What then, so many seconds after the beginning. */
enum pace_next pace_next(const struct pace *p, const struct save_options *o, double elapsed);

#endif
