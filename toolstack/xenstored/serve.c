/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The streams of one connection. Order matters, for the process may end between any two steps:
 * input is written down before the client is told that it was taken; output is in the ring before
 * it is written down as sent. After a restart the positions in the ring decide.
 */
#include "daemon.h"

static bool give(struct feed *f, struct conn *c, struct ring *r)
{
	bool moved = false;

	for (;;) {
		size_t len;
		const void *data = conn_output(c, &len);
		long n;

		if (!len || c->error)
			return moved;
		n = ring_put(r, c->out_pos, data, len);
		if (n < 0)
			feed_fail(f, c, XENSTORE_ERROR_RINGIDX);
		if (n <= 0)
			return moved;
		feed_sent(f, c, n);
		moved = true;
	}
}

static bool take(struct feed *f, struct conn *c, struct ring *r)
{
	char buf[SLOT_IN];
	long n;

	if (c->error || conn_full(f->s, c))
		return false;
	n = ring_peek(r, c->in_pos, buf, sizeof(buf));
	if (n < 0)
		feed_fail(f, c, XENSTORE_ERROR_RINGIDX);
	if (n <= 0)
		return false;
	feed_input(f, c, buf, n);
	ring_taken(r, c->in_pos);
	return true;
}

bool serve(struct feed *f, struct conn *c, struct ring *r)
{
	bool moved = give(f, c, r);

	if (take(f, c, r)) {
		moved = true;
		give(f, c, r);
	}
	return moved;
}

void serve_recover(struct feed *f, struct conn *c, struct ring *r)
{
	uint32_t n = ring_published(r, c->out_pos);
	size_t len;

	conn_output(c, &len);
	if (c->error)
		return;
	ring_taken(r, c->in_pos);
	if (n > len)
		feed_fail(f, c, XENSTORE_ERROR_RINGIDX);
	else if (n)
		feed_sent(f, c, n);
}
