/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sending end of several connections that carry one stream: a pipe's, cut into frames. */
#ifndef SERAI_SPREAD_H
#define SERAI_SPREAD_H

#include "relay.h"
#include "reorder.h"

#include <pthread.h>
#include <stdatomic.h>

struct spread {
	pthread_mutex_t turn; /* whose turn it is to read; protects `next` and `ended` */
	pthread_mutex_t lock; /* protects fd[] */
	int from;             /* the pipe; may be others' too, so it is not made non-blocking */
	int stop;             /* readable once the stream is lost: ends every wait */
	atomic_bool lost;     /* likewise */
	int fd[LANES_MAX];    /* of the lanes that came, to hear when they end; -1: not yet */
	uint64_t next;        /* the number of the next frame */
	bool ended;           /* the pipe */
};

int spread_init(struct spread *s, int from);
void spread_free(struct spread *s);
/*
 * In a thread of its own: this lane's part of the stream, until that ended. 0: to its end, and the other
 * side hung up; -ECONNRESET: it was cut; -ECANCELED: the stream is lost.
 */
int spread_lane(struct spread *s, unsigned int number, const struct relay_link *l);
/* From any thread; never waits. */
void spread_lose(struct spread *s);

#endif
