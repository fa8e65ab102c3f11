/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiving end of several connections that carry one stream: into a pipe, in order. */
#ifndef SERAI_GATHER_H
#define SERAI_GATHER_H

#include "relay.h"
#include "reorder.h"

#include <pthread.h>

struct gather {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct reorder r;
	uint8_t *data;   /* LANE_FRAME bytes a place; a place's lane alone touches it while it is filled */
	int to;          /* the pipe, ours to close; non-blocking; -1: not yet, or no more */
	int stop;        /* readable once the stream is lost: ends every wait */
	bool open;       /* there was a pipe */
	bool lost;       /* nothing more is delivered */
	bool delivering; /* one lane's thread writes, without the lock */
	bool dropping;   /* nobody reads the pipe */
	unsigned int inside; /* threads in gather_lane */
};

int gather_init(struct gather *g, unsigned int lanes);
void gather_free(struct gather *g);
/* Where to. Lanes may have come already; they wait for it. */
void gather_open(struct gather *g, int to);
/*
 * In a thread of its own: everything that comes over this connection. 0: it said its end;
 * -ECONNRESET: it ended without; -EPROTO: what came is no part of the stream; -ECANCELED: it is lost.
 */
int gather_lane(struct gather *g, const struct relay_link *l);
/* From any thread; never waits. */
void gather_lose(struct gather *g);
/* Lost, if it was not over: all threads have left and the pipe is closed when this returns. */
void gather_end(struct gather *g);

#endif
