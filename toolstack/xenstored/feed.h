/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the store, written down before it happens. A record goes to the journal first,
 * then the store acts; what the store asks of the world meanwhile is written down with the answer.
 * Read again from the start, the same records and the same answers make the same store, and the
 * place where each client's streams stand says what it has been sent already.
 */
#ifndef XENSTORED_FEED_H
#define XENSTORED_FEED_H

#include "journal.h"
#include "store.h"

enum feed_event { EVENT_SHUT_DOWN, EVENT_DYING, EVENT_GONE };

struct feed {
	struct store *s;
	struct journal *j; /* NULL: nothing is written down */
	char *path;
	size_t snapshot; /* bytes of the file that are no journal */
	bool replaying;
	const struct world *world; /* the real one */
	void *ctx;
};

/*
 * The store that `path` holds, or a new one. *restored tells which. path may be NULL.
 * What the world has to do with domains that are back is up to the caller.
 */
int feed_start(struct feed *f, const char *path, const struct world *world, void *ctx, bool *restored);
void feed_stop(struct feed *f);
/* Write a new snapshot in the state file's place. */
int feed_compact(struct feed *f);
/* To be called when nothing is being worked on: room for the next requests, snapshots now and then.
 */
void feed_tidy(struct feed *f);

void feed_input(struct feed *f, struct conn *c, const void *data, size_t len);
void feed_sent(struct feed *f, struct conn *c, size_t len);
struct conn *feed_open(struct feed *f, uint32_t id);
void feed_close(struct feed *f, struct conn *c);
void feed_reset(struct feed *f, struct conn *c, struct ring_start start);
void feed_fail(struct feed *f, struct conn *c, int error);
/* The control domain's own kernel. */
int feed_self(struct feed *f, uint32_t port);
void feed_event(struct feed *f, enum feed_event what, uint16_t domid);

#endif
