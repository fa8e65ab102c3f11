/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon ends at random points and starts again from its file: the store has to be the same to
 * the byte, and so has what each client still has to get. Requests arrive in pieces, answers leave
 * in pieces, snapshots are taken in between.
 */
#include "harness.h"
#include "dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define CONNS 5

static uint32_t seed;
static char dir[] = "/tmp/replay-XXXXXX";

static unsigned int below(unsigned int n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const char *random_request(uint32_t *type, char *out, size_t room)
{
	static const uint32_t types[] = {XS_READ,
					 XS_WRITE,
					 XS_WRITE,
					 XS_MKDIR,
					 XS_RM,
					 XS_DIRECTORY,
					 XS_WATCH,
					 XS_WATCH,
					 XS_UNWATCH,
					 XS_SET_PERMS,
					 XS_GET_PERMS,
					 XS_TRANSACTION_START,
					 XS_TRANSACTION_END,
					 XS_INTRODUCE,
					 XS_RELEASE,
					 XS_CONTROL,
					 XS_DIRECTORY_PART,
					 XS_SET_TARGET};
	static const char *const tails[] = {"", "v", "n0|r5|", "n5|b6|", "t1|", "t2|", "0|", "1|1|", "5|"};
	char path[64] = "";

	*type = types[below(sizeof(types) / sizeof(types[0]))];
	for (unsigned int depth = 1 + below(3); depth--;)
		sprintf(path + strlen(path), "/%c", 'a' + below(4));
	if (*type == XS_INTRODUCE || *type == XS_RELEASE || *type == XS_SET_TARGET)
		snprintf(path, sizeof(path), "%u", 4 + below(3));
	if (*type == XS_CONTROL)
		snprintf(out, room, "%s", below(2) ? "compact|" : "stats|");
	else if (*type == XS_TRANSACTION_START)
		snprintf(out, room, "|");
	else if (*type == XS_TRANSACTION_END)
		snprintf(out, room, "T|");
	else
		snprintf(out, room, "%s|%s", path, tails[below(sizeof(tails) / sizeof(tails[0]))]);
	return out;
}

/* The whole store, as a snapshot's bytes. */
static char *image(const struct store *s, size_t *len)
{
	const struct record *r;
	char name[64], *all = NULL;
	struct journal *j;

	snprintf(name, sizeof(name), "%s/image", dir);
	assert_int_equal(journal_create(&j, name), 0);
	assert_int_equal(dump_write(s, j), 0);
	*len = 0;
	journal_rewind(j);
	while ((r = journal_next(j))) {
		all = realloc(all, *len + r->len + 2);
		memcpy(all + *len, &r->type, 2);
		memcpy(all + *len + 2, r->data, r->len);
		*len += r->len + 2;
	}
	journal_close(j);
	unlink(name);
	return all;
}

static void end_and_start(struct feed *f, struct fixture *x)
{
	char *path = strdup(f->path), *before, *after;
	size_t n, m;
	bool restored;

	before = image(f->s, &n);
	feed_stop(f);
	assert_int_equal(feed_start(f, path, &fake_world, x, &restored), 0);
	assert_true(restored);
	assert_null(store_check(f->s));
	after = image(f->s, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
	free(path);
}

struct stream {
	char bytes[8192];
	size_t len;
};

static void step(struct feed *f, struct stream *pending)
{
	unsigned int i = below(CONNS);
	uint32_t id = i < 3 ? CONN_SOCKET + i : i + 2, type;
	struct conn *c = conn_find(f->s, id);
	struct stream *p = &pending[i];
	char text[128];
	size_t n, len;

	if (!c) {
		p->len = 0;
		if (i < 3)
			feed_open(f, id);
		return;
	}
	if (!p->len) {
		uint32_t tx = c->transactions && below(2) ? c->transactions->id : 0;

		random_request(&type, text, sizeof(text));
		p->len = wire(p->bytes, type, tx, text);
	}
	n = below(3) ? p->len : 1 + below(p->len);
	feed_input(f, c, p->bytes, n);
	memmove(p->bytes, p->bytes + n, p->len - n);
	p->len -= n;
	c = conn_find(f->s, id);
	if (!c)
		return;
	conn_output(c, &len);
	if (len && below(2))
		feed_sent(f, c, 1 + below(len));
	if (i < 3 && below(200) == 0) {
		feed_close(f, c);
		p->len = 0;
	} else if (i >= 3 && below(200) == 0) {
		feed_reset(f, c, (struct ring_start){0});
		p->len = 0;
	}
	if (below(300) == 0)
		feed_event(f, below(3), 4 + below(3));
}

static void ends_anywhere(void **state)
{
	unsigned int doomed = 0;

	(void)state;
	for (unsigned int round = 1; round <= 12; round++) {
		static struct stream pending[CONNS];
		struct fixture x = {0};
		struct feed f;
		char path[64];
		bool restored;

		seed = round * 7919;
		memset(pending, 0, sizeof(pending));
		snprintf(path, sizeof(path), "%s/state", dir);
		unlink(path);
		assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
		assert_false(restored);
		f.s->quota[QUOTA_OUTPUT] = 600;
		feed_compact(&f);
		for (unsigned int i = 0; i < 3000; i++) {
			step(&f, pending);
			if (below(60) == 0)
				end_and_start(&f, &x);
			if (below(150) == 0) {
				assert_int_equal(feed_compact(&f), 0);
				for (struct conn *c = f.s->conns; c; c = c->next)
					for (struct transaction *t = c->transactions; t; t = t->next)
						doomed += t->doomed;
				if (below(2))
					end_and_start(&f, &x);
			}
		}
		feed_stop(&f);
		unlink(path);
	}
	assert_true(doomed > 10);
}

/* A record behind the tail, half written when the process ended, never happened. */
static void torn_record(void **state)
{
	struct fixture x = {0};
	struct feed f;
	struct conn *c;
	char path[64], bytes[64];
	bool restored;
	size_t n = wire(bytes, XS_WRITE, 0, "/a|1");

	(void)state;
	snprintf(path, sizeof(path), "%s/torn", dir);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	c = feed_open(&f, CONN_SOCKET);
	feed_input(&f, c, bytes, n);
	memset(journal_begin(f.j, REC_INPUT, 0, 100), 0xff, 100);
	feed_stop(&f);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	assert_true(restored);
	assert_non_null(tree_find(f.s->root, "/a"));
	assert_null(store_check(f.s));
	feed_stop(&f);
	unlink(path);
}

/* A request in whose middle the process ends every time is given up, with its client. */
static void poison(void **state)
{
	struct fixture x = {0};
	struct feed f;
	struct conn *c;
	char path[64], bytes[64];
	bool restored;
	size_t n = wire(bytes, XS_WRITE, 0, "/a|1");
	char *rec;

	(void)state;
	snprintf(path, sizeof(path), "%s/poison", dir);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	c = feed_open(&f, CONN_SOCKET);
	rec = journal_begin(f.j, REC_INPUT, 0, sizeof(uint32_t) + n);
	memcpy(rec, &c->id, sizeof(c->id));
	memcpy(rec + sizeof(c->id), bytes, n);
	journal_commit(f.j);
	for (int i = 0; i < 3; i++)
		journal_attempt(f.j);
	feed_stop(&f);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	assert_true(restored);
	assert_null(tree_find(f.s->root, "/a"));
	assert_int_not_equal(conn_find(f.s, CONN_SOCKET)->error, 0);
	end_and_start(&f, &x);
	feed_stop(&f);
	unlink(path);
}

static void nonsense(void **state)
{
	struct fixture x = {0};
	struct feed f;
	char path[64], bad[80];
	bool restored;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/nonsense", dir);
	file = fopen(path, "w");
	for (int i = 0; i < 9000; i++)
		fputc(i, file);
	fclose(file);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	assert_false(restored);
	assert_int_equal(x.logged, 1);
	feed_stop(&f);
	snprintf(bad, sizeof(bad), "%s.bad", path);
	assert_int_equal(unlink(bad), 0);
	unlink(path);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_anywhere),
		cmocka_unit_test(torn_record),
		cmocka_unit_test(poison),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
