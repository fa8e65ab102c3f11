/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "feed.h"
#include "dump.h"
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPACT_AT (8u << 20) /* bytes of journal after which a quiet moment is used */
#define COMPACT_MUST (32u << 20)
#define AHEAD (2u << 20) /* more than the work of one round of the loop */
#define POISON 3         /* ends of the process in the middle of one record */

/* -------- the world, with its answers written down -------- */

struct answer {
	int32_t rc;
	struct ring_start start;
};

/* The answer given the last time, when there was a last time. */
static bool recorded(struct feed *f, const void **data, size_t *len)
{
	const struct record *r;

	if (!f->replaying)
		return false;
	r = journal_next(f->j);
	if (!r) {
		/* The process ended between the question and the answer: ask now. */
		f->replaying = false;
		return false;
	}
	if (r->type != REC_ANSWER) {
		f->world->log(f->ctx, STORE_ERROR, "state file: a record out of place");
		abort();
	}
	*data = r->data;
	*len = r->len;
	return true;
}

static void record(struct feed *f, enum record_type type, uint16_t aux, const void *data, size_t len)
{
	if (!f->j)
		return;
	memcpy(journal_begin(f->j, type, aux, len), data, len);
	journal_commit(f->j);
}

static void log_through(void *ctx, enum log_level level, const char *text)
{
	struct feed *f = ctx;

	if (!f->replaying)
		f->world->log(f->ctx, level, text);
}

static int ask(struct feed *f, struct answer *a)
{
	const void *data;
	size_t len;

	if (!recorded(f, &data, &len) || len != sizeof(*a))
		return -1;
	memcpy(a, data, sizeof(*a));
	return 0;
}

static bool exists_through(void *ctx, uint16_t domid)
{
	struct feed *f = ctx;
	struct answer a = {0};

	if (ask(f, &a)) {
		a.rc = f->world->domain_exists(f->ctx, domid);
		record(f, REC_ANSWER, 0, &a, sizeof(a));
	}
	return a.rc;
}

static int introduce_through(void *ctx, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *start)
{
	struct feed *f = ctx;
	struct answer a = {0};

	if (ask(f, &a)) {
		a.rc = f->world->introduce(f->ctx, domid, gfn, port, &a.start);
		record(f, REC_ANSWER, 0, &a, sizeof(a));
	}
	*start = a.start;
	return a.rc;
}

static int rebind_through(void *ctx, uint16_t domid, uint32_t port)
{
	struct feed *f = ctx;
	struct answer a = {0};

	if (ask(f, &a)) {
		a.rc = f->world->rebind(f->ctx, domid, port);
		record(f, REC_ANSWER, 0, &a, sizeof(a));
	}
	return a.rc;
}

static void release_through(void *ctx, uint16_t domid)
{
	struct feed *f = ctx;

	if (!f->replaying)
		f->world->release(f->ctx, domid);
}

static void ready_through(void *ctx, struct conn *c)
{
	struct feed *f = ctx;

	if (!f->replaying)
		f->world->ready(f->ctx, c);
}

static char *control_through(void *ctx, const char *command, const char *args, size_t len)
{
	struct feed *f = ctx;
	const void *data;
	size_t n;
	char *answer;

	if (recorded(f, &data, &n))
		return n ? copy_bytes(data, n) : NULL;
	answer = f->world->control(f->ctx, command, args, len);
	record(f, REC_ANSWER, 0, answer ? answer : "", answer ? strlen(answer) + 1 : 0);
	return answer;
}

static const struct world through = {
	.log = log_through,
	.domain_exists = exists_through,
	.introduce = introduce_through,
	.rebind = rebind_through,
	.release = release_through,
	.ready = ready_through,
	.control = control_through,
};

/* -------- records -------- */

struct conn_record {
	uint32_t id;
	struct ring_start start;
};

/* Act on a record, now or again. */
static void act(struct feed *f, enum record_type type, unsigned int aux, const char *data, size_t len)
{
	struct store *s = f->s;
	struct conn_record k = {0};
	struct conn *c;

	memcpy(&k, data, len < sizeof(k) ? len : sizeof(k));
	c = conn_find(s, k.id);
	switch (type) {
	case REC_INPUT:
		if (c)
			conn_input(s, c, data + sizeof(k.id), len - sizeof(k.id));
		break;
	case REC_SENT:
		if (c && k.start.in_pos <= c->out_len)
			conn_sent(s, c, k.start.in_pos);
		break;
	case REC_OPEN:
		conn_new(s, k.id, 0, k.start);
		break;
	case REC_CLOSE:
		if (c)
			conn_free(s, c);
		break;
	case REC_RESET:
		if (c)
			conn_reset(s, c, k.start);
		break;
	case REC_FAIL:
		if (c)
			conn_fail(s, c, aux);
		break;
	case REC_SELF:
		domain_introduce(s, 0, 0, k.id);
		break;
	case REC_EVENT:
		if (aux == EVENT_SHUT_DOWN)
			domain_shut_down(s, k.id);
		else if (aux == EVENT_DYING)
			domain_dying(s, k.id);
		else
			domain_gone(s, k.id);
		break;
	default:
		break;
	}
}

static void happen(struct feed *f, enum record_type type, unsigned int aux, const void *data, size_t len)
{
	record(f, type, aux, data, len);
	if (f->j)
		journal_attempt(f->j);
	act(f, type, aux, data, len);
	if (f->j)
		journal_done(f->j);
}

void feed_input(struct feed *f, struct conn *c, const void *data, size_t len)
{
	char buffer[sizeof(uint32_t) + 16384];

	while (len && !c->error) {
		size_t n = len < 16384 ? len : 16384;

		memcpy(buffer, &c->id, sizeof(c->id));
		memcpy(buffer + sizeof(c->id), data, n);
		happen(f, REC_INPUT, 0, buffer, sizeof(c->id) + n);
		data = (const char *)data + n;
		len -= n;
	}
}

void feed_sent(struct feed *f, struct conn *c, size_t len)
{
	struct conn_record k = {.id = c->id, .start.in_pos = len};

	happen(f, REC_SENT, 0, &k, sizeof(k));
}

struct conn *feed_open(struct feed *f, uint32_t id)
{
	struct conn_record k = {.id = id};

	happen(f, REC_OPEN, 0, &k, sizeof(k));
	return conn_find(f->s, id);
}

void feed_close(struct feed *f, struct conn *c)
{
	struct conn_record k = {.id = c->id};

	happen(f, REC_CLOSE, 0, &k, sizeof(k));
}

void feed_reset(struct feed *f, struct conn *c, struct ring_start start)
{
	struct conn_record k = {.id = c->id, .start = start};

	happen(f, REC_RESET, 0, &k, sizeof(k));
}

void feed_fail(struct feed *f, struct conn *c, int error)
{
	struct conn_record k = {.id = c->id};

	happen(f, REC_FAIL, error, &k, sizeof(k));
}

int feed_self(struct feed *f, uint32_t port)
{
	struct conn_record k = {.id = port};

	happen(f, REC_SELF, 0, &k, sizeof(k));
	return conn_find(f->s, 0) ? 0 : -EIO;
}

void feed_event(struct feed *f, enum feed_event what, uint16_t domid)
{
	struct conn_record k = {.id = domid};

	happen(f, REC_EVENT, what, &k, sizeof(k));
}

/* -------- start, snapshots -------- */

static int read_snapshot(struct feed *f)
{
	const struct record *r;
	int rc;

	while ((r = journal_next(f->j))) {
		rc = dump_read(f->s, r);
		if (rc || r->type == REC_END)
			return rc;
	}
	return -EINVAL;
}

/* A record that has ended the process again and again is left out, and whoever sent it is cut off.
 */
static void skip(struct feed *f, struct record *r)
{
	struct conn *c;
	uint32_t id;

	memcpy(&id, r->data, sizeof(id));
	r->type = REC_SKIPPED;
	c = conn_find(f->s, id);
	f->replaying = false;
	store_log(f->s, STORE_ERROR, "connection %#x: its last request ended the daemon %d times; skipped",
		  id, POISON);
	if (c)
		feed_fail(f, c, XENSTORE_ERROR_COMM);
	f->replaying = true;
}

static int replay(struct feed *f)
{
	const struct record *r;
	int rc;

	f->replaying = true;
	journal_rewind(f->j);
	rc = read_snapshot(f);
	while (!rc && (r = journal_next(f->j))) {
		bool suspect = journal_suspect(f->j);

		if (suspect && journal_attempt(f->j) >= POISON && r->type == REC_INPUT)
			skip(f, (struct record *)(uintptr_t)r);
		else
			act(f, r->type, r->aux, r->data, r->len);
		if (suspect)
			journal_done(f->j);
	}
	f->replaying = false;
	return rc;
}

int feed_compact(struct feed *f)
{
	char name[4096];
	struct journal *j;
	int rc;

	if (!f->path)
		return 0;
	snprintf(name, sizeof(name), "%s.new", f->path);
	rc = journal_create(&j, name);
	if (rc)
		return rc;
	rc = dump_write(f->s, j);
	if (!rc)
		rc = journal_reserve(j, AHEAD);
	if (!rc)
		rc = journal_rename(j, f->path);
	if (rc) {
		journal_close(j);
		unlink(name);
		return rc;
	}
	dump_taken(f->s);
	journal_close(f->j);
	f->j = j;
	f->snapshot = journal_size(j);
	return 0;
}

void feed_tidy(struct feed *f)
{
	size_t size;

	if (!f->j)
		return;
	size = journal_size(f->j) - f->snapshot;
	if (size > COMPACT_MUST || (size > COMPACT_AT && !f->s->nr_transactions)) {
		int rc = feed_compact(f);

		if (rc)
			store_log(f->s, STORE_ERROR, "no new snapshot in %s: %s", f->path, strerror(-rc));
	}
	while (journal_reserve(f->j, AHEAD)) {
		store_log(f->s, STORE_ERROR, "%s cannot grow: no memory or space; requests wait", f->path);
		sleep(1);
	}
}

static void first_nodes(struct feed *f)
{
	struct perms p = perms_one(0, 0);

	live_create(f->s, "/tool", "", 0, &p);
	live_create(f->s, "/tool/xenstored", "", 0, &p);
	perms_free(&p);
}

int feed_start(struct feed *f, const char *path, const struct world *world, void *ctx, bool *restored)
{
	int rc = -ENOENT;

	*f = (struct feed){.world = world, .ctx = ctx, .path = path ? copy_text(path) : NULL};
	f->s = store_new(&through, f);
	*restored = false;
	if (path)
		rc = journal_open(&f->j, path);
	if (!rc)
		rc = replay(f);
	if (!rc) {
		*restored = true;
		return 0;
	}
	if (f->j) {
		journal_close(f->j);
		f->j = NULL;
	}
	if (rc != -ENOENT) {
		char bad[4096];

		store_free(f->s);
		f->s = store_new(&through, f);
		snprintf(bad, sizeof(bad), "%s.bad", path);
		rename(path, bad);
		store_log(f->s, STORE_ERROR, "%s makes no sense; kept as %s, starting empty", path, bad);
	}
	first_nodes(f);
	return feed_compact(f);
}

void feed_stop(struct feed *f)
{
	store_free(f->s);
	journal_close(f->j);
	free(f->path);
}
