/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of nodes: lookup, copy on write, change. See tree.h for the invariant. */
#include "tree.h"
#include "memory.h"
#include "path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct node *node_new(const char *name, size_t name_len)
{
	struct node *n = new_zeroed(sizeof(*n));

	n->refs = 1;
	n->name = copy_bytes(name, name_len);
	n->value = copy_bytes("", 0);
	return n;
}

struct node *tree_new(uint16_t owner)
{
	struct node *n = node_new("", 0);

	n->perms = perms_one(owner, 0);
	return n;
}

struct node *tree_ref(struct node *root)
{
	root->refs++;
	return root;
}

void tree_unref(struct node *n)
{
	if (!n || --n->refs)
		return;
	for (unsigned int i = 0; i < n->nkids; i++)
		tree_unref(n->sorted[i]);
	free(n->sorted);
	free(n->order);
	free(n->name);
	free(n->value);
	perms_free(&n->perms);
	free(n);
}

static struct node *node_copy(const struct node *n)
{
	struct node *c = new_zeroed(sizeof(*c));

	*c = *n;
	c->refs = 1;
	c->name = copy_text(n->name);
	c->value = copy_bytes(n->value, n->len);
	c->perms = perms_copy(&n->perms);
	c->room = n->nkids;
	c->sorted = new_array(n->nkids, sizeof(*c->sorted));
	c->order = new_array(n->nkids, sizeof(*c->order));
	for (unsigned int i = 0; i < n->nkids; i++) {
		c->sorted[i] = tree_ref(n->sorted[i]);
		c->order[i] = n->order[i];
	}
	return c;
}

/* Compares a node's name with the len bytes at name. */
static int name_compare(const struct node *n, const char *name, size_t len)
{
	int d = strncmp(n->name, name, len);

	return d ? d : n->name[len] != 0;
}

/* Where the child is in `sorted`, or would be. */
static bool kid_place(const struct node *n, const char *name, size_t len, unsigned int *place)
{
	unsigned int low = 0, high = n->nkids;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		int d = name_compare(n->sorted[mid], name, len);

		if (!d) {
			*place = mid;
			return true;
		}
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*place = low;
	return false;
}

/* The next name on a path: "/a/b" gives "a" and moves on to "/b". False at the end. */
static bool step(const char **path, const char **name, size_t *len)
{
	const char *p = *path + (**path == '/');

	if (!*p)
		return false;
	*name = p;
	*len = strcspn(p, "/");
	*path = p + *len;
	return true;
}

const struct node *tree_nearest(const struct node *root, const char *path, size_t *len)
{
	const char *at = path, *name;
	const struct node *n = root;
	unsigned int place;
	size_t l;

	*len = 1;
	while (step(&at, &name, &l) && kid_place(n, name, l, &place)) {
		n = n->sorted[place];
		*len = at - path;
	}
	return n;
}

const struct node *tree_find(const struct node *root, const char *path)
{
	size_t len;
	const struct node *n = tree_nearest(root, path, &len);

	return path[len] && path[1] ? NULL : n;
}

static unsigned int order_place(const struct node *n, const struct node *kid)
{
	unsigned int i = 0;

	while (n->order[i] != kid)
		i++;
	return i;
}

static struct node *own(struct node **slot)
{
	struct node *shared = *slot;

	if (shared->refs > 1) {
		*slot = node_copy(shared);
		tree_unref(shared);
	}
	return *slot;
}

struct node *tree_own(struct node **root, const char *path)
{
	const char *at = path, *name;
	struct node *n;
	unsigned int place;
	size_t len;

	if (!tree_find(*root, path))
		return NULL;
	n = own(root);
	while (step(&at, &name, &len)) {
		struct node *kid, *mine;

		kid_place(n, name, len, &place);
		kid = n->sorted[place];
		mine = own(&n->sorted[place]);
		if (mine != kid)
			n->order[order_place(n, kid)] = mine;
		n = mine;
	}
	return n;
}

static struct node *own_parent(struct node **root, const char *path, const char **name)
{
	size_t len = path_parent(path);
	char *parent = copy_bytes(path, len);
	struct node *n = tree_own(root, parent);

	free(parent);
	*name = strrchr(path, '/') + 1;
	return n;
}

void tree_create(struct node **root, const char *path, const void *value, size_t len,
		 const struct perms *perms, uint64_t gen)
{
	const char *name;
	struct node *parent = own_parent(root, path, &name), *n;
	unsigned int place;

	kid_place(parent, name, strlen(name), &place);
	if (parent->nkids == parent->room) {
		parent->room = parent->room ? parent->room * 2 : 4;
		parent->sorted = grow_array(parent->sorted, parent->room, sizeof(*parent->sorted));
		parent->order = grow_array(parent->order, parent->room, sizeof(*parent->order));
	}
	n = node_new(name, strlen(name));
	free(n->value);
	n->value = copy_bytes(value, len);
	n->len = len;
	n->perms = perms_copy(perms);
	n->born = n->value_gen = n->perms_gen = n->kids_gen = gen;
	memmove(parent->sorted + place + 1, parent->sorted + place,
		(parent->nkids - place) * sizeof(*parent->sorted));
	parent->sorted[place] = n;
	parent->order[parent->nkids++] = n;
	parent->kids_gen = gen;
}

void tree_set_value(struct node **root, const char *path, const void *value, size_t len, uint64_t gen)
{
	struct node *n = tree_own(root, path);
	void *copy = copy_bytes(value, len);

	free(n->value);
	n->value = copy;
	n->len = len;
	n->value_gen = gen;
}

void tree_set_perms(struct node **root, const char *path, const struct perms *perms, uint64_t gen)
{
	struct node *n = tree_own(root, path);
	struct perms copy = perms_copy(perms);

	perms_free(&n->perms);
	n->perms = copy;
	n->perms_gen = gen;
}

void tree_remove(struct node **root, const char *path, uint64_t gen)
{
	const char *name;
	struct node *parent = own_parent(root, path, &name), *n;
	unsigned int place, at;

	if (!parent || !kid_place(parent, name, strlen(name), &place))
		return;
	n = parent->sorted[place];
	at = order_place(parent, n);
	parent->nkids--;
	memmove(parent->sorted + place, parent->sorted + place + 1,
		(parent->nkids - place) * sizeof(*parent->sorted));
	memmove(parent->order + at, parent->order + at + 1, (parent->nkids - at) * sizeof(*parent->order));
	parent->kids_gen = gen;
	tree_unref(n);
}

void tree_walk(const struct node *n, char *path, tree_visit visit, void *arg)
{
	size_t len = strlen(path), base = len == 1 ? 0 : len;

	visit(arg, path, n);
	for (unsigned int i = 0; i < n->nkids; i++) {
		size_t name = strlen(n->order[i]->name);

		if (base + 1 + name >= PATH_BYTES)
			continue; /* no request can name it, so none made it */
		path[base] = '/';
		memcpy(path + base + 1, n->order[i]->name, name + 1);
		tree_walk(n->order[i], path, visit, arg);
	}
	path[len] = 0;
}
