/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots. Written and read in an order that makes every list come back in its own: nodes parents
 * first and siblings by birth, watches by serial number.
 */
#include "dump.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct store_image {
	uint64_t requests, refusals, conflicts;
	uint32_t quota[QUOTA_COUNT];
	uint32_t trace, n_introduce, n_release; /* two lists of permissions follow */
};

struct domain_image {
	uint16_t domid, target;
	uint8_t introduced, shut_down, own_quota[QUOTA_COUNT];
	uint32_t port, quota[QUOTA_COUNT];
	uint64_t gfn, refused[QUOTA_COUNT];
};

struct node_image {
	uint64_t born, value_gen, perms_gen, kids_gen;
	uint32_t path, len, n_perms, pad; /* permissions, the path with its NUL, the value */
};

struct conn_image {
	uint32_t id, next_tx, in_pos, out_pos, in_len, out_len;
	int32_t error;
	uint16_t domid;
	uint8_t missed, pad;
};

struct watch_image {
	uint64_t serial;
	uint32_t conn;
	int32_t depth;
	uint32_t missed, given, path, token; /* lengths, with NULs */
};

struct transaction_image {
	uint32_t conn, id;
};

/* Counters that reading the rest has moved. */
struct end_image {
	uint64_t gen, watch_serial;
};

static int put(struct journal *j, enum record_type type, const void *image, size_t len,
	       const void *const part[3], const size_t part_len[3])
{
	size_t total = len + part_len[0] + part_len[1] + part_len[2];
	int rc = journal_reserve(j, total + 64);
	char *p;

	if (rc)
		return rc;
	p = journal_begin(j, type, 0, total);
	memcpy(p, image, len);
	p += len;
	for (int i = 0; i < 3; i++) {
		if (part_len[i])
			memcpy(p, part[i], part_len[i]);
		p += part_len[i];
	}
	journal_commit(j);
	return 0;
}

static const void *const no_part[3];
static const size_t no_len[3];

static int put_store(const struct store *s, struct journal *j)
{
	struct store_image i = {.requests = s->requests,
				.refusals = s->refusals,
				.conflicts = s->conflicts,
				.trace = s->trace,
				.n_introduce = s->introduce_perms.n,
				.n_release = s->release_perms.n};
	const void *part[3] = {s->introduce_perms.list, s->release_perms.list, NULL};
	size_t len[3] = {s->introduce_perms.n * sizeof(struct perm), s->release_perms.n * sizeof(struct perm),
			 0};

	memcpy(i.quota, s->quota, sizeof(i.quota));
	return put(j, REC_STORE, &i, sizeof(i), part, len);
}

static int put_domain(const struct domain *d, struct journal *j)
{
	struct domain_image i = {.domid = d->domid,
				 .target = d->target,
				 .introduced = d->introduced,
				 .shut_down = d->shut_down,
				 .port = d->port,
				 .gfn = d->gfn};

	for (int q = 0; q < QUOTA_COUNT; q++)
		i.own_quota[q] = d->own_quota[q];
	memcpy(i.quota, d->quota, sizeof(i.quota));
	memcpy(i.refused, d->refused, sizeof(i.refused));
	return put(j, REC_DOMAIN, &i, sizeof(i), no_part, no_len);
}

struct node_writer {
	struct journal *j;
	int rc;
};

static void put_node(void *arg, const char *path, const struct node *n)
{
	struct node_writer *w = arg;
	struct node_image i = {.born = n->born,
			       .value_gen = n->value_gen,
			       .perms_gen = n->perms_gen,
			       .kids_gen = n->kids_gen,
			       .path = strlen(path) + 1,
			       .len = n->len,
			       .n_perms = n->perms.n};
	const void *part[3] = {n->perms.list, path, n->value};
	size_t len[3] = {n->perms.n * sizeof(struct perm), i.path, n->len};

	if (!w->rc)
		w->rc = put(w->j, REC_NODE, &i, sizeof(i), part, len);
}

static int put_conn(const struct conn *c, struct journal *j)
{
	struct conn_image i = {.id = c->id,
			       .next_tx = c->next_tx,
			       .in_pos = c->in_pos,
			       .out_pos = c->out_pos,
			       .in_len = c->in_len,
			       .out_len = c->out_len,
			       .error = c->error,
			       .domid = c->domain->domid,
			       .missed = c->missed};
	const void *part[3] = {c->in, c->out_len ? c->out + c->out_head : NULL, NULL};
	size_t len[3] = {c->in_len, c->out_len, 0};

	return put(j, REC_CONN, &i, sizeof(i), part, len);
}

/* Last first: each is read back to the front of the list. */
static int put_conns(const struct store *s, struct journal *j)
{
	const struct conn **all = new_array(s->nr_conns, sizeof(*all));
	size_t n = 0;
	int rc = 0;

	for (const struct conn *c = s->conns; c; c = c->next)
		all[n++] = c;
	while (n && !rc)
		rc = put_conn(all[--n], j);
	free(all);
	return rc;
}

static int put_watch(const struct watch *w, struct journal *j)
{
	struct watch_image i = {.serial = w->serial,
				.conn = w->conn->id,
				.depth = w->depth,
				.missed = w->missed,
				.given = strlen(w->given) + 1,
				.path = strlen(w->path) + 1,
				.token = strlen(w->token) + 1};
	const void *part[3] = {w->given, w->path, w->token};
	size_t len[3] = {i.given, i.path, i.token};

	return put(j, REC_WATCH, &i, sizeof(i), part, len);
}

static int by_serial(const void *a, const void *b)
{
	const struct watch *x = *(struct watch *const *)a, *y = *(struct watch *const *)b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}

static int put_watches(const struct store *s, struct journal *j)
{
	struct watch **all = new_array(s->nr_watches, sizeof(*all));
	size_t n = 0;
	int rc = 0;

	for (const struct conn *c = s->conns; c; c = c->next)
		for (struct watch *w = c->watches; w; w = w->next_conn)
			all[n++] = w;
	qsort(all, n, sizeof(*all), by_serial);
	for (size_t i = 0; i < n && !rc; i++)
		rc = put_watch(all[i], j);
	free(all);
	return rc;
}

static int put_transactions(const struct conn *c, const struct transaction *t, struct journal *j)
{
	struct transaction_image i = {.conn = c->id};
	int rc;

	if (!t)
		return 0;
	i.id = t->id;
	rc = put_transactions(c, t->next, j);
	return rc ? rc : put(j, REC_TRANSACTION, &i, sizeof(i), no_part, no_len);
}

int dump_write(const struct store *s, struct journal *j)
{
	struct end_image end = {.gen = s->gen, .watch_serial = s->watch_serial};
	struct node_writer w = {.j = j};
	char path[PATH_BYTES] = "/";
	int rc = put_store(s, j);

	for (const struct domain *d = s->domains; d && !rc; d = d->next)
		rc = put_domain(d, j);
	if (rc)
		return rc;
	tree_walk(s->root, path, put_node, &w);
	rc = w.rc;
	if (!rc)
		rc = put_conns(s, j);
	if (!rc)
		rc = put_watches(s, j);
	for (const struct conn *c = s->conns; c && !rc; c = c->next)
		rc = put_transactions(c, c->transactions, j);
	return rc ? rc : put(j, REC_END, &end, sizeof(end), no_part, no_len);
}

void dump_taken(struct store *s)
{
	for (struct conn *c = s->conns; c; c = c->next)
		for (struct transaction *t = c->transactions; t; t = t->next)
			transaction_doom(s, t);
}

/* -------- back -------- */

static int get_store(struct store *s, const char *p, size_t len)
{
	struct store_image i;
	size_t a, b;

	if (len < sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	a = i.n_introduce * sizeof(struct perm);
	b = i.n_release * sizeof(struct perm);
	if (!a || !b || len != sizeof(i) + a + b)
		return -EINVAL;
	s->requests = i.requests;
	s->refusals = i.refusals;
	s->conflicts = i.conflicts;
	s->trace = i.trace;
	memcpy(s->quota, i.quota, sizeof(i.quota));
	perms_free(&s->introduce_perms);
	perms_free(&s->release_perms);
	s->introduce_perms = (struct perms){copy_bytes(p + sizeof(i), a), i.n_introduce};
	s->release_perms = (struct perms){copy_bytes(p + sizeof(i) + a, b), i.n_release};
	return 0;
}

static int get_domain(struct store *s, const char *p, size_t len)
{
	struct domain_image i;
	struct domain *d;

	if (len != sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	d = domain_get(s, i.domid);
	d->target = i.target;
	d->introduced = i.introduced;
	d->shut_down = i.shut_down;
	d->port = i.port;
	d->gfn = i.gfn;
	for (int q = 0; q < QUOTA_COUNT; q++)
		d->own_quota[q] = i.own_quota[q];
	memcpy(d->quota, i.quota, sizeof(i.quota));
	memcpy(d->refused, i.refused, sizeof(i.refused));
	return 0;
}

static int get_node(struct store *s, const char *p, size_t len)
{
	struct node_image i;
	struct perms perms;
	struct node *n;
	const char *path, *value;
	size_t parent;

	if (len < sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	if (!i.n_perms || !i.path ||
	    len != sizeof(i) + (uint64_t)i.n_perms * sizeof(struct perm) + i.path + i.len)
		return -EINVAL;
	perms = (struct perms){copy_bytes(p + sizeof(i), i.n_perms * sizeof(struct perm)), i.n_perms};
	path = p + sizeof(i) + i.n_perms * sizeof(struct perm);
	value = path + i.path;
	if (path[i.path - 1] || *path != '/') {
		perms_free(&perms);
		return -EINVAL;
	}
	if (path[1]) {
		const struct node *above = tree_nearest(s->root, path, &parent);
		uint64_t kids_gen = above->kids_gen;

		if (parent == path_parent(path))
			live_create(s, path, value, i.len, &perms);
		/* Its children were there before it was written down. */
		((struct node *)(uintptr_t)above)->kids_gen = kids_gen;
	} else {
		tree_set_value(&s->root, path, value, i.len, 0);
		live_set_perms(s, path, &perms);
	}
	perms_free(&perms);
	n = tree_own(&s->root, path);
	if (!n)
		return -EINVAL;
	n->born = i.born;
	n->value_gen = i.value_gen;
	n->perms_gen = i.perms_gen;
	n->kids_gen = i.kids_gen;
	return 0;
}

static int get_conn(struct store *s, const char *p, size_t len)
{
	struct conn_image i;
	struct conn *c;

	if (len < sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	if (len != sizeof(i) + (uint64_t)i.in_len + i.out_len || i.in_len > sizeof(c->in))
		return -EINVAL;
	c = conn_new(s, i.id, i.domid, (struct ring_start){i.in_pos, i.out_pos});
	c->next_tx = i.next_tx;
	c->error = i.error;
	c->missed = i.missed;
	c->in_len = i.in_len;
	memcpy(c->in, p + sizeof(i), i.in_len);
	c->out = copy_bytes(p + sizeof(i) + i.in_len, i.out_len);
	c->out_len = c->out_room = i.out_len;
	if (i.id < CONN_SOCKET)
		c->domain->conn = c;
	return 0;
}

static int get_watch(struct store *s, const char *p, size_t len)
{
	const char *given, *path, *token;
	struct watch_image i;
	struct watch *w;
	struct conn *c;

	if (len < sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	if (len != sizeof(i) + (uint64_t)i.given + i.path + i.token || !i.given || !i.path || !i.token)
		return -EINVAL;
	given = p + sizeof(i);
	path = given + i.given;
	token = path + i.path;
	c = conn_find(s, i.conn);
	if (!c || given[i.given - 1] || path[i.path - 1] || token[i.token - 1])
		return -EINVAL;
	w = watch_new(s, c, given, path, token, i.depth);
	w->serial = i.serial;
	w->missed = i.missed;
	return 0;
}

static int get_transaction(struct store *s, const char *p, size_t len)
{
	struct transaction_image i;
	struct conn *c;

	if (len != sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	c = conn_find(s, i.conn);
	if (!c)
		return -EINVAL;
	transaction_doomed(s, c, i.id);
	return 0;
}

static int get_end(struct store *s, const char *p, size_t len)
{
	struct end_image i;

	if (len != sizeof(i))
		return -EINVAL;
	memcpy(&i, p, sizeof(i));
	s->gen = i.gen;
	s->watch_serial = i.watch_serial;
	return 0;
}

int dump_read(struct store *s, const struct record *r)
{
	switch (r->type) {
	case REC_STORE:
		return get_store(s, r->data, r->len);
	case REC_DOMAIN:
		return get_domain(s, r->data, r->len);
	case REC_NODE:
		return get_node(s, r->data, r->len);
	case REC_CONN:
		return get_conn(s, r->data, r->len);
	case REC_WATCH:
		return get_watch(s, r->data, r->len);
	case REC_TRANSACTION:
		return get_transaction(s, r->data, r->len);
	case REC_END:
		return get_end(s, r->data, r->len);
	default:
		return -EINVAL;
	}
}
