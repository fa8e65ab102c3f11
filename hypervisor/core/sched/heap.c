/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pairing heap of timers: insertion and looking at the first are constant time, removal is
 * logarithmic (amortised), and nothing is ever allocated.
 *
 *        root                 A node's children hang from child as a list through next; prev leads
 *         | child             back to the left sibling, or to the parent for the first child. No
 *         v                   child expires before its parent.
 *         a <-> b <-> c
 *         |           |
 *         v           v
 *         d <-> e     f
 *
 * Pure; the caller locks.
 */
#include <timer.h>

static inline bool earlier(const struct timer *a, const struct timer *b)
{
	return (s64)(a->expires - b->expires) < 0;
}

/* Makes one heap of two; both are roots (no siblings). */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (earlier(b, a)) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	if (a->child)
		a->child->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* Melds a list of siblings: in pairs from the left, then the pairs from the right. */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b) {
			b->next = b->prev = NULL;
			a = meld(a, b);
		}
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = root ? meld(root, a) : a;
	}
	return root;
}

void timer_heap_insert(struct timer **root, struct timer *t)
{
	t->child = t->next = t->prev = NULL;
	t->queued = true;
	*root = *root ? meld(*root, t) : t;
}

void timer_heap_remove(struct timer **root, struct timer *t)
{
	struct timer *rest = t->child ? meld_siblings(t->child) : NULL;

	if (t == *root) {
		*root = rest;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		if (rest)
			*root = meld(*root, rest);
	}
	t->child = t->next = t->prev = NULL;
	t->queued = false;
}
