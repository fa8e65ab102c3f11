/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store as a whole: made, ended, and its log. */
#include "store.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

const char *const quota_names[QUOTA_COUNT] = {
	[QUOTA_NODES] = "nodes",
	[QUOTA_WATCHES] = "watches",
	[QUOTA_TRANSACTIONS] = "transactions",
	[QUOTA_TX_NODES] = "transaction-nodes",
	[QUOTA_NODE_SIZE] = "node-size",
	[QUOTA_PERMISSIONS] = "permissions",
	[QUOTA_PATH_MAX] = "path-max",
	[QUOTA_OUTPUT] = "output",
};

/* What Xen's own daemon starts with, `output` apart. */
static const unsigned int quota_defaults[QUOTA_COUNT] = {
	[QUOTA_NODES] = 1000,
	[QUOTA_WATCHES] = 128,
	[QUOTA_TRANSACTIONS] = 10,
	[QUOTA_TX_NODES] = 1024,
	[QUOTA_NODE_SIZE] = 2048,
	[QUOTA_PERMISSIONS] = 5,
	[QUOTA_PATH_MAX] = XENSTORE_REL_PATH_MAX,
	[QUOTA_OUTPUT] = 65536,
};

struct store *store_new(const struct world *world, void *ctx)
{
	struct store *s = new_zeroed(sizeof(*s));

	s->world = world;
	s->ctx = ctx;
	s->root = tree_new(0);
	s->introduce_perms = perms_one(0, 0);
	s->release_perms = perms_one(0, 0);
	s->nr_nodes = 1;
	for (int q = 0; q < QUOTA_COUNT; q++)
		s->quota[q] = quota_defaults[q];
	domain_get(s, 0)->nodes = 1;
	return s;
}

void store_free(struct store *s)
{
	while (s->conns)
		conn_free(s, s->conns);
	while (s->domains) {
		struct domain *d = s->domains;

		s->domains = d->next;
		free(d);
	}
	tree_unref(s->root);
	perms_free(&s->introduce_perms);
	perms_free(&s->release_perms);
	free(s);
}

void store_log(struct store *s, enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (level == STORE_TRACE && !s->trace)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->world->log(s->ctx, level, text);
}
