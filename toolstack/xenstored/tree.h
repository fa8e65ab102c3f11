/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of nodes, copied on write.
 *
 *	live ──► root ──► local ──► domain ──► 1 2 3 ...        a snapshot is one more reference
 *	          ▲                                              to a root; nodes it shares with
 *	snapshot ─┘                                              the live tree are copied when
 *	                                                         the live tree changes them
 *
 * Invariant: a node is changed only through tree_own(), which makes sure that nothing but the tree
 * at hand reaches it. Every change takes a new generation from the caller; a node keeps the
 * generation of its birth and of the last change of its value, permissions and list of children,
 *and so two trees can be compared node by node.
 *
 * Children are found by binary search in `sorted`; `order` has them as they were created, which is
 * the order clients see.
 */
#ifndef XENSTORED_TREE_H
#define XENSTORED_TREE_H

#include "perm.h"

struct node {
	unsigned int refs;
	unsigned int nkids, room;
	struct node **sorted, **order;
	char *name; /* "" for the root */
	void *value;
	size_t len;
	struct perms perms;
	uint64_t born, value_gen, perms_gen, kids_gen;
};

struct node *tree_new(uint16_t owner);
struct node *tree_ref(struct node *root);
void tree_unref(struct node *n);

/* NULL when there is none; path is absolute. */
const struct node *tree_find(const struct node *root, const char *path);
/* The deepest node on the way to path; *len receives the length of its path (1 for the root). */
const struct node *tree_nearest(const struct node *root, const char *path, size_t *len);
/* The node, ready to be changed; *root may be replaced. NULL when there is none. */
struct node *tree_own(struct node **root, const char *path);

/* The parent has to exist and the child not to. perms is copied. */
void tree_create(struct node **root, const char *path, const void *value, size_t len,
		 const struct perms *perms, uint64_t gen);
void tree_set_value(struct node **root, const char *path, const void *value, size_t len, uint64_t gen);
void tree_set_perms(struct node **root, const char *path, const struct perms *perms, uint64_t gen);
/* With everything below it. Not the root. */
void tree_remove(struct node **root, const char *path, uint64_t gen);

/*
 * Calls visit for a node and everything below it, parents first. `path` is a buffer of PATH_BYTES
 * that holds the node's path and is extended on the way down.
 */
typedef void (*tree_visit)(void *arg, const char *path, const struct node *n);
void tree_walk(const struct node *n, char *path, tree_visit visit, void *arg);

#endif
