/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store looks at itself: counts against what they count, order against order. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct counts {
	unsigned int total;
	unsigned int *nodes; /* by domain id */
	const char *wrong;
};

static void count_node(void *arg, const char *path, const struct node *n)
{
	struct counts *c = arg;

	(void)path;
	c->total++;
	c->nodes[n->perms.list[0].domid]++;
	for (unsigned int i = 1; i < n->nkids; i++)
		if (strcmp(n->sorted[i - 1]->name, n->sorted[i]->name) >= 0)
			c->wrong = "a node's children are out of order";
	for (unsigned int i = 0; i < n->nkids; i++)
		if (n->order[i]->born < n->born || (i && n->order[i - 1]->born >= n->order[i]->born))
			c->wrong = "a node's children are not in the order of their birth";
}

const char *store_check(const struct store *s)
{
	struct counts c = {.nodes = calloc(1u << 16, sizeof(*c.nodes))};
	char path[PATH_BYTES] = "/";
	unsigned int watches = 0, transactions = 0, conns = 0, owned = 0;

	if (!c.nodes)
		return "out of memory";
	tree_walk(s->root, path, count_node, &c);
	for (const struct domain *d = s->domains; d; d = d->next) {
		owned += d->nodes;
		if (c.nodes[d->domid] != d->nodes)
			c.wrong = "a domain's count of nodes is wrong";
	}
	free(c.nodes);
	for (const struct conn *k = s->conns; k; k = k->next, conns++) {
		for (const struct watch *w = k->watches; w; w = w->next_conn)
			watches++;
		for (const struct transaction *t = k->transactions; t; t = t->next)
			transactions++;
	}
	if (c.total != s->nr_nodes || owned != c.total)
		c.wrong = "the count of nodes is wrong";
	if (watches != s->nr_watches || transactions != s->nr_transactions || conns != s->nr_conns)
		c.wrong = "a count of connections, watches or transactions is wrong";
	return c.wrong;
}
