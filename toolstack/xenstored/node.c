/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes as a client sees them: permissions, quotas, and the two trees a request may mean. Changes
 * to the live tree happen in live_*(), which keep the accounts; whoever calls them tells the
 * watches.
 */
#include "store.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -------- the live tree -------- */

void live_create(struct store *s, const char *path, const void *value, size_t len, const struct perms *perms)
{
	tree_create(&s->root, path, value, len, perms, ++s->gen);
	domain_get(s, perms->list[0].domid)->nodes++;
	s->nr_nodes++;
}

void live_set_perms(struct store *s, const char *path, const struct perms *perms)
{
	const struct node *n = tree_find(s->root, path);
	uint16_t before = n->perms.list[0].domid;

	tree_set_perms(&s->root, path, perms, ++s->gen);
	domain_get(s, before)->nodes--;
	domain_get(s, perms->list[0].domid)->nodes++;
}

/* Children first, as they would go one by one. */
static void tell(struct store *s, char *path, const struct node *n, bool top)
{
	size_t len = strlen(path);

	for (unsigned int i = 0; i < n->nkids; i++) {
		size_t name = strlen(n->order[i]->name);

		if (len + 1 + name >= PATH_BYTES)
			continue;
		path[len] = '/';
		memcpy(path + len + 1, n->order[i]->name, name + 1);
		tell(s, path, n->order[i], false);
	}
	path[len] = 0;
	watch_fire(s, path, NULL, &n->perms, !top);
}

void tell_removed(struct store *s, const char *path, const struct node *n)
{
	char buffer[PATH_BYTES];

	strcpy(buffer, path);
	tell(s, buffer, n, true);
}

static void uncount(struct store *s, const struct node *n)
{
	for (unsigned int i = 0; i < n->nkids; i++)
		uncount(s, n->order[i]);
	domain_get(s, n->perms.list[0].domid)->nodes--;
	s->nr_nodes--;
}

void live_remove(struct store *s, const char *path, bool fire)
{
	struct node *held = tree_ref((struct node *)(uintptr_t)tree_find(s->root, path));

	tree_remove(&s->root, path, ++s->gen);
	uncount(s, held);
	if (fire)
		tell_removed(s, path, held);
	tree_unref(held);
}

/* -------- requests -------- */

static const struct node *root_of(const struct store *s, const struct transaction *t)
{
	return t ? t->root : s->root;
}

/* A transaction that found nothing depends on the first missing name, and on what it hangs below.
 */
static int note_missing(struct store *s, struct conn *c, struct transaction *t, const char *path, size_t have)
{
	size_t first = have == 1 ? 1 : have + 1;
	char part[PATH_BYTES];
	int rc;

	if (!t)
		return 0;
	first += strcspn(path + first, "/");
	memcpy(part, path, first);
	part[first] = 0;
	rc = transaction_note(s, c, t, part, ACCESS_EXISTS);
	if (rc)
		return rc;
	part[have] = 0;
	return transaction_note(s, c, t, part, ACCESS_PERMS);
}

int node_get(struct store *s, struct conn *c, struct transaction *t, const char *path, unsigned int need,
	     unsigned int access, const struct node **out)
{
	struct who who = conn_who(c);
	size_t have;
	const struct node *n = tree_nearest(root_of(s, t), path, &have);
	int rc;

	if (path[have] && path[1]) {
		rc = note_missing(s, c, t, path, have);
		if (rc)
			return rc;
		return perms_of(&n->perms, &who) & need ? -ENOENT : -EACCES;
	}
	rc = t ? transaction_note(s, c, t, path, access | ACCESS_PERMS) : 0;
	if (rc)
		return rc;
	if ((perms_of(&n->perms, &who) & need) != need)
		return -EACCES;
	*out = n;
	return 0;
}

static int check_sizes(struct store *s, struct conn *c, const char *path, size_t len)
{
	if (!quota_allows(s, c->domain, QUOTA_NODE_SIZE, len))
		return -ENOSPC;
	if (!quota_allows(s, c->domain, QUOTA_PATH_MAX, strlen(path)))
		return -EINVAL;
	return 0;
}

static void create_one(struct store *s, struct transaction *t, const char *path, const void *value,
		       size_t len, const struct perms *perms)
{
	if (t)
		transaction_change(s, t, CHANGE_CREATE, path, value, len, perms);
	else
		live_create(s, path, value, len, perms);
}

/* The node and whatever is missing above it. */
static int create(struct store *s, struct conn *c, struct transaction *t, const char *path, const void *value,
		  size_t len)
{
	uint16_t me = c->domain->domid;
	size_t have;
	const struct node *near = tree_nearest(root_of(s, t), path, &have);
	unsigned int levels = 0;
	struct perms perms;
	char part[PATH_BYTES];
	int rc = check_sizes(s, c, path, len);

	for (size_t i = have == 1 ? 0 : have; path[i]; i++)
		levels += path[i] == '/';
	if (!rc && !quota_allows(s, c->domain, QUOTA_NODES,
				 c->domain->nodes + (t ? transaction_delta(t, me) : 0) + levels))
		rc = -ENOSPC;
	if (rc)
		return rc;
	perms = perms_copy(&near->perms);
	if (!conn_privileged(c))
		perms.list[0].domid = me;
	memcpy(part, path, strlen(path) + 1);
	for (size_t i = (have == 1 ? 0 : have) + 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		part[i] = 0;
		create_one(s, t, part, "", 0, &perms);
		part[i] = '/';
	}
	create_one(s, t, path, value, len, &perms);
	if (!t)
		watch_fire(s, path, &perms, NULL, false);
	perms_free(&perms);
	return 0;
}

int node_write(struct store *s, struct conn *c, struct transaction *t, const char *path, const void *value,
	       size_t len)
{
	const struct node *n;
	int rc = node_get(s, c, t, path, PERM_WRITE, ACCESS_VALUE, &n);

	if (rc == -ENOENT)
		return create(s, c, t, path, value, len);
	if (!rc)
		rc = check_sizes(s, c, path, len);
	if (rc)
		return rc;
	if (t) {
		transaction_change(s, t, CHANGE_VALUE, path, value, len, NULL);
		return 0;
	}
	tree_set_value(&s->root, path, value, len, ++s->gen);
	watch_fire(s, path, &tree_find(s->root, path)->perms, NULL, false);
	return 0;
}

int node_mkdir(struct store *s, struct conn *c, struct transaction *t, const char *path)
{
	const struct node *n;
	int rc = node_get(s, c, t, path, PERM_WRITE, ACCESS_EXISTS, &n);

	return rc == -ENOENT ? create(s, c, t, path, "", 0) : rc;
}

int node_remove(struct store *s, struct conn *c, struct transaction *t, const char *path)
{
	const struct node *n;
	int rc;

	if (!path[1])
		return -EINVAL;
	rc = node_get(s, c, t, path, PERM_WRITE, ACCESS_EXISTS, &n);
	if (rc == -ENOENT) {
		size_t have;

		tree_nearest(root_of(s, t), path, &have);
		return have == path_parent(path) ? 0 : -ENOENT;
	}
	if (rc)
		return rc;
	if (t)
		transaction_change(s, t, CHANGE_REMOVE, path, NULL, 0, NULL);
	else
		live_remove(s, path, true);
	return 0;
}

int node_set_perms(struct store *s, struct conn *c, struct transaction *t, const char *path,
		   const struct perms *perms)
{
	const struct node *n;
	struct perms before;
	int rc = node_get(s, c, t, path, PERM_WRITE | PERM_OWNER, ACCESS_PERMS, &n);

	if (rc)
		return rc;
	if (!conn_privileged(c) && perms->list[0].domid != n->perms.list[0].domid)
		return -EPERM;
	if (!quota_allows(s, c->domain, QUOTA_PERMISSIONS, perms->n))
		return -ENOSPC;
	if (t) {
		transaction_change(s, t, CHANGE_PERMS, path, NULL, 0, perms);
		return 0;
	}
	before = perms_copy(&n->perms);
	live_set_perms(s, path, perms);
	watch_fire(s, path, perms, &before, false);
	perms_free(&before);
	return 0;
}
