/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions against a model that is too simple to be wrong: a list of paths and values, copied
 * whole when a transaction starts.
 *
 *  - inside a transaction every answer is the one the copy gives (a snapshot, and its own changes);
 *  - a transaction that ends well gives, had all of it been asked at its end, the same answers;
 *  - one that ends with EAGAIN was disturbed: somebody changed something since it started.
 */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NODES 64
#define OPS 24
#define CLIENTS 4

struct model {
	struct {
		char path[24], value[12];
		unsigned int born;
	} node[NODES];
	unsigned int n, births;
};

struct op {
	uint32_t type;
	char payload[40], answer[600];
};

struct client {
	struct conn *c;
	uint32_t tx; /* 0: none */
	struct model view;
	struct op op[OPS];
	unsigned int n_ops;
	unsigned int started; /* changes of the live model at the start */
};

static uint32_t seed;

static unsigned int below(unsigned int n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* -------- the model -------- */

static int find(const struct model *m, const char *path)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (!strcmp(m->node[i].path, path))
			return i;
	return -1;
}

static void add(struct model *m, const char *path, const char *value)
{
	snprintf(m->node[m->n].path, sizeof(m->node[0].path), "%s", path);
	snprintf(m->node[m->n].value, sizeof(m->node[0].value), "%s", value);
	m->node[m->n++].born = m->births++;
}

static void make(struct model *m, const char *path, const char *value)
{
	char part[24];

	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (find(m, part) < 0)
			add(m, part, "");
	}
	add(m, path, value);
}

static bool below_or_same(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (!path[n] || path[n] == '/');
}

static const char *model_rm(struct model *m, const char *path)
{
	char parent[24];
	unsigned int kept = 0;

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (find(m, path) < 0)
		return !*parent || find(m, parent) >= 0 ? "OK|" : "ENOENT";
	for (unsigned int i = 0; i < m->n; i++)
		if (!below_or_same(m->node[i].path, path))
			m->node[kept++] = m->node[i];
	m->n = kept;
	return "OK|";
}

/* Children's names in the order of their birth, which is the list's. */
static void model_directory(const struct model *m, const char *path, char *out)
{
	size_t n = strlen(path);

	if (find(m, path) < 0) {
		strcpy(out, "ENOENT");
		return;
	}
	*out = 0;
	for (unsigned int i = 0; i < m->n; i++) {
		const char *p = m->node[i].path;

		if (strlen(p) > n && below_or_same(p, path) && !strchr(p + n + 1, '/')) {
			strcat(out, p + n + 1);
			strcat(out, "|");
		}
	}
}

static void model_ask(struct model *m, uint32_t type, const char *payload, char *out)
{
	char path[24];
	const char *value = strchr(payload, '|') + 1;
	int at;

	snprintf(path, sizeof(path), "%.*s", (int)(value - 1 - payload), payload);
	at = find(m, path);
	strcpy(out, "OK|");
	if (type == XS_READ)
		strcpy(out, at < 0 ? "ENOENT" : m->node[at].value);
	else if (type == XS_DIRECTORY)
		model_directory(m, path, out);
	else if (type == XS_RM)
		strcpy(out, model_rm(m, path));
	else if (at < 0)
		make(m, path, type == XS_WRITE ? value : "");
	else if (type == XS_WRITE)
		strcpy(m->node[at].value, value);
}

/* -------- both -------- */

static void random_op(struct op *o)
{
	static const uint32_t types[] = {XS_READ, XS_READ, XS_WRITE, XS_WRITE, XS_MKDIR, XS_RM, XS_DIRECTORY};
	char path[24] = "";
	unsigned int depth = 1 + below(3);

	while (depth--)
		sprintf(path + strlen(path), "/%c", 'a' + below(3));
	o->type = types[below(sizeof(types) / sizeof(types[0]))];
	if (o->type == XS_WRITE)
		snprintf(o->payload, sizeof(o->payload), "%s|v%u", path, below(50));
	else
		snprintf(o->payload, sizeof(o->payload), "%s|", path);
}

static void finish(struct store *s, struct client *k, struct model *live, unsigned int *changes,
		   unsigned int *ended)
{
	const char *a = ask(s, k->c, XS_TRANSACTION_END, k->tx, "T|");
	struct model then = *live;
	char out[600];

	k->tx = 0;
	if (strcmp(a, "OK|")) {
		assert_string_equal(a, "EAGAIN");
		assert_int_not_equal(k->started, *changes);
		ended[1]++;
		return;
	}
	for (unsigned int i = 0; i < k->n_ops; i++) {
		model_ask(&then, k->op[i].type, k->op[i].payload, out);
		assert_string_equal(out, k->op[i].answer);
	}
	*live = then;
	++*changes;
	ended[0]++;
}

static void one_step(struct store *s, struct client *k, struct model *live, unsigned int *changes,
		     unsigned int *ended)
{
	struct op *o = &k->op[k->n_ops];
	char want[600];

	if (!k->tx && below(4) == 0) {
		k->tx = start(s, k->c);
		assert_int_not_equal(k->tx, 0);
		k->view = *live;
		k->n_ops = 0;
		k->started = *changes;
		return;
	}
	if (k->tx && (k->n_ops == OPS - 1 || below(8) == 0)) {
		finish(s, k, live, changes, ended);
		return;
	}
	if (!k->tx)
		o = &k->op[0];
	random_op(o);
	model_ask(k->tx ? &k->view : live, o->type, o->payload, want);
	snprintf(o->answer, sizeof(o->answer), "%s", ask(s, k->c, o->type, k->tx, o->payload));
	assert_string_equal(o->answer, want);
	if (k->tx)
		k->n_ops++;
	else if (o->type != XS_READ && o->type != XS_DIRECTORY)
		++*changes;
}

static void same_tree(struct store *s, struct conn *c, const struct model *live)
{
	char ask_for[32];

	for (unsigned int i = 0; i < live->n; i++) {
		snprintf(ask_for, sizeof(ask_for), "%s|", live->node[i].path);
		assert_string_equal(ask(s, c, XS_READ, 0, ask_for), live->node[i].value);
	}
	assert_int_equal(s->nr_nodes, live->n + 1);
	assert_null(store_check(s));
}

static void transactions(void **state)
{
	unsigned int ended[2] = {0};

	(void)state;
	for (seed = 1; seed < 400000; seed += 4001) {
		struct fixture x = {0};
		struct store *s = store_new(&fake_world, &x);
		static struct client client[CLIENTS];
		static struct model live;
		unsigned int changes = 0;
		uint32_t was = seed;

		memset(client, 0, sizeof(client));
		memset(&live, 0, sizeof(live));
		for (unsigned int i = 0; i < CLIENTS; i++)
			client[i].c = socket_conn(s, i);
		for (unsigned int i = 0; i < 1500; i++)
			one_step(s, &client[below(CLIENTS)], &live, &changes, ended);
		same_tree(s, client[0].c, &live);
		store_free(s);
		seed = was;
	}
	print_message("%u committed, %u disturbed\n", ended[0], ended[1]);
	assert_true(ended[0] > 1000 && ended[1] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(transactions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
