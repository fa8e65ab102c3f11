/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions. One starts as two references to the live tree: `base` stays as it was, `root` takes
 * the transaction's own changes. `accesses` is what its client has seen or changed; when it ends,
 * each of those is compared between base and the live tree, by generation. Nothing differs: the
 * changes are made again on the live tree, as if all had happened just now. Something does: EAGAIN.
 *
 * Different clients that create different nodes in one directory do not disturb each other: a list
 * of children is compared only for who has asked for it.
 */
#include "store.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct access {
	char *path;
	unsigned int what; /* ACCESS_* */
};

struct change {
	enum change_kind kind;
	char *path;
	void *value;
	size_t len;
	struct perms perms;
	bool first; /* of its path: watches are told once, of the outcome */
};

static struct transaction *begin(struct store *s, struct conn *c, uint32_t id)
{
	struct transaction *t = new_zeroed(sizeof(*t));

	t->id = id;
	t->base = tree_ref(s->root);
	t->root = tree_ref(s->root);
	t->next = c->transactions;
	c->transactions = t;
	c->n_transactions++;
	s->nr_transactions++;
	return t;
}

int transaction_start(struct store *s, struct conn *c, uint32_t *id)
{
	if (!quota_allows(s, c->domain, QUOTA_TRANSACTIONS, c->n_transactions + 1))
		return -ENOSPC;
	while (!c->next_tx || transaction_find(c, c->next_tx))
		c->next_tx++;
	*id = c->next_tx++;
	begin(s, c, *id);
	return 0;
}

void transaction_doomed(struct store *s, struct conn *c, uint32_t id)
{
	begin(s, c, id)->doomed = true;
}

struct transaction *transaction_find(struct conn *c, uint32_t id)
{
	struct transaction *t = c->transactions;

	while (t && t->id != id)
		t = t->next;
	return t;
}

/* Everything it has seen and done. */
static void empty(struct transaction *t)
{
	for (size_t i = 0; i < t->n_accesses; i++)
		free(t->accesses[i].path);
	for (size_t i = 0; i < t->n_changes; i++) {
		free(t->changes[i].path);
		free(t->changes[i].value);
		perms_free(&t->changes[i].perms);
	}
	t->n_accesses = t->n_changes = t->n_delta = 0;
	tree_unref(t->base);
	tree_unref(t->root);
}

static void destroy(struct store *s, struct conn *c, struct transaction *t)
{
	struct transaction **p;

	for (p = &c->transactions; *p != t; p = &(*p)->next)
		;
	*p = t->next;
	c->n_transactions--;
	s->nr_transactions--;
	empty(t);
	free(t->accesses);
	free(t->changes);
	free(t->delta);
	free(t);
}

void transaction_doom(struct store *s, struct transaction *t)
{
	empty(t);
	t->base = tree_ref(s->root);
	t->root = tree_ref(s->root);
	t->doomed = true;
}

void transaction_drop_all(struct store *s, struct conn *c)
{
	while (c->transactions)
		destroy(s, c, c->transactions);
}

int transaction_note(struct store *s, struct conn *c, struct transaction *t, const char *path,
		     unsigned int access)
{
	size_t low = 0, high = t->n_accesses;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = strcmp(t->accesses[mid].path, path);

		if (!d) {
			t->accesses[mid].what |= access;
			return 0;
		}
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!quota_allows(s, c->domain, QUOTA_TX_NODES, t->n_accesses + 1))
		return -ENOSPC;
	if (t->n_accesses == t->room_accesses) {
		t->room_accesses = t->room_accesses ? t->room_accesses * 2 : 8;
		t->accesses = grow_array(t->accesses, t->room_accesses, sizeof(*t->accesses));
	}
	memmove(t->accesses + low + 1, t->accesses + low, (t->n_accesses - low) * sizeof(*t->accesses));
	t->accesses[low] = (struct access){.path = copy_text(path), .what = access};
	t->n_accesses++;
	return 0;
}

static int *delta_of(struct transaction *t, uint16_t domid)
{
	size_t i = 0;

	while (i < t->n_delta && t->delta[i].domid != domid)
		i++;
	if (i == t->n_delta) {
		t->delta = grow_array(t->delta, ++t->n_delta, sizeof(*t->delta));
		t->delta[i].domid = domid;
		t->delta[i].nodes = 0;
	}
	return &t->delta[i].nodes;
}

int transaction_delta(const struct transaction *t, uint16_t domid)
{
	for (size_t i = 0; i < t->n_delta; i++)
		if (t->delta[i].domid == domid)
			return t->delta[i].nodes;
	return 0;
}

static void uncount(struct transaction *t, const struct node *n)
{
	for (unsigned int i = 0; i < n->nkids; i++)
		uncount(t, n->sorted[i]);
	--*delta_of(t, n->perms.list[0].domid);
}

/* The change, on the transaction's own tree. */
static void apply_here(struct store *s, struct transaction *t, const struct change *c)
{
	const struct node *was = tree_find(t->root, c->path);
	uint16_t owner = c->perms.list ? c->perms.list[0].domid : 0;

	if (c->kind == CHANGE_CREATE) {
		tree_create(&t->root, c->path, c->value, c->len, &c->perms, ++s->gen);
		++*delta_of(t, owner);
		return;
	}
	if (!was)
		return; /* the request would have been refused */
	if (c->kind == CHANGE_VALUE) {
		tree_set_value(&t->root, c->path, c->value, c->len, ++s->gen);
	} else if (c->kind == CHANGE_PERMS) {
		--*delta_of(t, was->perms.list[0].domid);
		++*delta_of(t, owner);
		tree_set_perms(&t->root, c->path, &c->perms, ++s->gen);
	} else {
		uncount(t, was);
		tree_remove(&t->root, c->path, ++s->gen);
	}
}

void transaction_change(struct store *s, struct transaction *t, enum change_kind kind, const char *path,
			const void *value, size_t len, const struct perms *perms)
{
	struct change *c;

	if (t->n_changes == t->room_changes) {
		t->room_changes = t->room_changes ? t->room_changes * 2 : 8;
		t->changes = grow_array(t->changes, t->room_changes, sizeof(*t->changes));
	}
	c = &t->changes[t->n_changes++];
	*c = (struct change){.kind = kind, .path = copy_text(path), .len = len};
	c->value = copy_bytes(value, len);
	if (perms)
		c->perms = perms_copy(perms);
	apply_here(s, t, c);
}

/* Has what the client knew of this path become untrue? */
static bool differs(const struct node *then, const struct node *now, unsigned int what)
{
	if (then == now)
		return false;
	if (!then || !now || then->born != now->born)
		return true;
	return (what & ACCESS_VALUE && then->value_gen != now->value_gen) ||
	       (what & ACCESS_PERMS && then->perms_gen != now->perms_gen) ||
	       (what & ACCESS_KIDS && then->kids_gen != now->kids_gen);
}

static bool conflicts(const struct store *s, const struct transaction *t)
{
	if (t->base == s->root)
		return false;
	for (size_t i = 0; i < t->n_accesses; i++) {
		const struct access *a = &t->accesses[i];

		if (differs(tree_find(t->base, a->path), tree_find(s->root, a->path), a->what))
			return true;
	}
	return false;
}

static int by_path_then_time(const void *a, const void *b)
{
	const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
	int d = strcmp(x->path, y->path);

	return d ? d : (x > y) - (x < y);
}

static void mark_first(struct transaction *t)
{
	struct change **order = new_array(t->n_changes, sizeof(*order));

	for (size_t i = 0; i < t->n_changes; i++)
		order[i] = &t->changes[i];
	qsort(order, t->n_changes, sizeof(*order), by_path_then_time);
	for (size_t i = 0; i < t->n_changes; i++)
		order[i]->first = !i || strcmp(order[i]->path, order[i - 1]->path);
	free(order);
}

static void apply_live(struct store *s, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_VALUE:
		tree_set_value(&s->root, c->path, c->value, c->len, ++s->gen);
		break;
	case CHANGE_CREATE:
		live_create(s, c->path, c->value, c->len, &c->perms);
		break;
	case CHANGE_PERMS:
		live_set_perms(s, c->path, &c->perms);
		break;
	case CHANGE_REMOVE:
		live_remove(s, c->path, false);
		break;
	}
}

static void commit(struct store *s, struct transaction *t)
{
	struct node *before = tree_ref(s->root);

	mark_first(t);
	for (size_t i = 0; i < t->n_changes; i++)
		apply_live(s, &t->changes[i]);
	for (size_t i = 0; i < t->n_changes; i++) {
		const struct change *c = &t->changes[i];
		const struct node *now = tree_find(s->root, c->path), *then = tree_find(before, c->path);

		if (now && c->first)
			watch_fire(s, c->path, &now->perms, then ? &then->perms : NULL, false);
		if (then && c->kind == CHANGE_REMOVE)
			tell_removed(s, c->path, then);
	}
	tree_unref(before);
}

int transaction_end(struct store *s, struct conn *c, struct transaction *t, bool do_commit)
{
	int rc = 0;

	if (do_commit && (t->doomed || conflicts(s, t))) {
		s->conflicts++;
		rc = -EAGAIN;
	} else if (do_commit) {
		int more = transaction_delta(t, c->domain->domid);

		if (more > 0 && !quota_allows(s, c->domain, QUOTA_NODES, c->domain->nodes + more))
			rc = -ENOSPC;
		else
			commit(s, t);
	}
	destroy(s, c, t);
	return rc;
}
