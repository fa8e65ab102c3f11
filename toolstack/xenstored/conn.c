/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: bytes in become messages, messages out become bytes.
 *
 * Invariant: in_pos and out_pos count the bytes of the client's two streams, modulo 2^32 as its
 * ring does; in_pos includes what lies in `in`, out_pos is the place of the first byte in `out`.
 */
#include "store.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct conn *conn_new(struct store *s, uint32_t id, uint16_t domid, struct ring_start start)
{
	struct conn *c = new_zeroed(sizeof(*c));

	c->id = id;
	c->domain = domain_get(s, domid);
	c->next_tx = 1;
	c->in_pos = start.in_pos;
	c->out_pos = start.out_pos;
	c->next = s->conns;
	s->conns = c;
	c->next_hash = s->by_id[id % CONN_BUCKETS];
	s->by_id[id % CONN_BUCKETS] = c;
	s->nr_conns++;
	return c;
}

static void drop_state(struct store *s, struct conn *c)
{
	watch_remove_all(s, c);
	transaction_drop_all(s, c);
	c->in_len = c->out_len = c->out_head = 0;
	c->missed = false;
}

void conn_free(struct store *s, struct conn *c)
{
	struct conn **p;

	drop_state(s, c);
	for (p = &s->conns; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	for (p = &s->by_id[c->id % CONN_BUCKETS]; *p != c; p = &(*p)->next_hash)
		;
	*p = c->next_hash;
	s->nr_conns--;
	free(c->out);
	free(c);
}

struct conn *conn_find(const struct store *s, uint32_t id)
{
	struct conn *c = s->by_id[id % CONN_BUCKETS];

	while (c && c->id != id)
		c = c->next_hash;
	return c;
}

void conn_reset(struct store *s, struct conn *c, struct ring_start start)
{
	drop_state(s, c);
	c->error = XENSTORE_ERROR_NONE;
	c->in_pos = start.in_pos;
	c->out_pos = start.out_pos;
}

void conn_fail(struct store *s, struct conn *c, int error)
{
	if (c->error)
		return;
	store_log(s, STORE_NOTE, "domain %u%s: connection stopped, error %d", c->domain->domid,
		  c->id >= CONN_SOCKET ? " (socket)" : "", error);
	drop_state(s, c);
	c->error = error;
	s->world->ready(s->ctx, c);
}

struct who conn_who(const struct conn *c)
{
	return (struct who){
		.domid = c->domain->domid, .target = c->domain->target, .all = conn_privileged(c)};
}

/* Moves up to `want - in_len` bytes into the buffer; true when it then holds `want`. */
static bool gather(struct conn *c, const char **data, size_t *len, size_t want)
{
	size_t n = want - c->in_len < *len ? want - c->in_len : *len;

	memcpy(c->in + c->in_len, *data, n);
	c->in_len += n;
	*data += n;
	*len -= n;
	return c->in_len == want;
}

void conn_input(struct store *s, struct conn *c, const void *data, size_t len)
{
	const char *p = data;

	c->in_pos += len;
	while (!c->error) {
		struct xsd_sockmsg h;
		char body[XENSTORE_PAYLOAD_MAX + 1];

		if (c->in_len < sizeof(h) && !gather(c, &p, &len, sizeof(h)))
			return;
		memcpy(&h, c->in, sizeof(h));
		if (h.len > XENSTORE_PAYLOAD_MAX) {
			conn_fail(s, c, XENSTORE_ERROR_PROTO);
			return;
		}
		if (!gather(c, &p, &len, sizeof(h) + h.len))
			return;
		memcpy(body, c->in + sizeof(h), h.len);
		body[h.len] = 0;
		c->in_len = 0;
		request_handle(s, c, &h, body);
	}
}

const void *conn_output(const struct conn *c, size_t *len)
{
	*len = c->out_len;
	return c->out_len ? c->out + c->out_head : NULL;
}

static void append(struct conn *c, const void *p, size_t len)
{
	if (c->out_head + c->out_len + len > c->out_room) {
		if (c->out_len)
			memmove(c->out, c->out + c->out_head, c->out_len);
		c->out_head = 0;
		if (c->out_len + len > c->out_room) {
			c->out_room = (c->out_len + len) * 2;
			c->out = grow_array(c->out, c->out_room, 1);
		}
	}
	if (len)
		memcpy(c->out + c->out_head + c->out_len, p, len);
	c->out_len += len;
}

void conn_queue(struct store *s, struct conn *c, const struct xsd_sockmsg *h, const void *body)
{
	if (c->error)
		return;
	append(c, h, sizeof(*h));
	append(c, body, h->len);
	s->world->ready(s->ctx, c);
}

bool conn_full(const struct store *s, const struct conn *c)
{
	unsigned int limit = domain_quota(s, c->domain, QUOTA_OUTPUT);

	return limit && c->out_len >= limit;
}

static void queue_event(struct store *s, struct conn *c, const char *path, const char *token)
{
	char body[XENSTORE_PAYLOAD_MAX];
	size_t p = strlen(path) + 1, t = strlen(token) + 1;
	struct xsd_sockmsg h = {.type = XS_WATCH_EVENT, .len = p + t};

	if (p + t > sizeof(body))
		return; /* the request that made the watch was no longer, its events may be */
	memcpy(body, path, p);
	memcpy(body + p, token, t);
	conn_queue(s, c, &h, body);
}

void conn_event(struct store *s, struct watch *w, const char *path)
{
	if (conn_full(s, w->conn)) {
		w->missed = w->conn->missed = true;
		return;
	}
	queue_event(s, w->conn, path, w->token);
}

void conn_sent(struct store *s, struct conn *c, size_t len)
{
	unsigned int limit = domain_quota(s, c->domain, QUOTA_OUTPUT);

	c->out_head += len;
	c->out_len -= len;
	c->out_pos += len;
	if (!c->out_len)
		c->out_head = 0;
	if (!c->missed || (limit && c->out_len > limit / 2))
		return;
	c->missed = false;
	for (struct watch *w = c->watches; w; w = w->next_conn) {
		if (w->missed) {
			w->missed = false;
			queue_event(s, c, w->given, w->token);
		}
	}
}
