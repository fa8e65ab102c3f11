/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches, by the path they are on: a change looks up its own path and each one above it, so that
 * what others watch elsewhere costs nothing.
 */
#include "store.h"
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct watch **bucket(struct store *s, const char *path, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)path[i]) * 16777619u;
	return &s->by_path[h % WATCH_BUCKETS];
}

static struct watch *find(struct conn *c, const char *path, const char *token)
{
	struct watch *w = c->watches;

	while (w && (strcmp(w->path, path) || strcmp(w->token, token)))
		w = w->next_conn;
	return w;
}

struct watch *watch_new(struct store *s, struct conn *c, const char *given, const char *path,
			const char *token, int depth)
{
	struct watch *w = new_zeroed(sizeof(*w)), **at;

	w->conn = c;
	w->serial = ++s->watch_serial;
	w->path = copy_text(path);
	w->given = copy_text(given);
	w->token = copy_text(token);
	w->depth = depth;
	/* Later ones are told later: both lists are in order of creation. */
	for (at = bucket(s, path, strlen(path)); *at; at = &(*at)->next_path)
		;
	*at = w;
	for (at = &c->watches; *at; at = &(*at)->next_conn)
		;
	*at = w;
	c->domain->watches++;
	s->nr_watches++;
	return w;
}

int watch_add(struct store *s, struct conn *c, const char *given, const char *path, const char *token,
	      int depth, struct watch **out)
{
	if (find(c, path, token))
		return -EEXIST;
	if (!quota_allows(s, c->domain, QUOTA_WATCHES, c->domain->watches + 1))
		return -E2BIG;
	*out = watch_new(s, c, given, path, token, depth);
	return 0;
}

/* Out of the list of its path; out of its connection's already. */
static void destroy(struct store *s, struct watch *w)
{
	struct watch **p;

	for (p = bucket(s, w->path, strlen(w->path)); *p && *p != w; p = &(*p)->next_path)
		;
	*p = w->next_path;
	w->conn->domain->watches--;
	s->nr_watches--;
	free(w->path);
	free(w->given);
	free(w->token);
	free(w);
}

int watch_remove(struct store *s, struct conn *c, const char *path, const char *token)
{
	struct watch *w = find(c, path, token), **p;

	if (!w)
		return -ENOENT;
	for (p = &c->watches; *p && *p != w; p = &(*p)->next_conn)
		;
	*p = w->next_conn;
	destroy(s, w);
	return 0;
}

void watch_remove_all(struct store *s, struct conn *c)
{
	while (c->watches) {
		struct watch *w = c->watches;

		c->watches = w->next_conn;
		destroy(s, w);
	}
}

static bool readable(const struct perms *p, const struct who *who)
{
	return p && perms_of(p, who) & PERM_READ;
}

/* The form of the path the client asked with. */
static const char *as_given(const struct watch *w, const char *path)
{
	bool relative = *w->given != '/' && *w->given != '@';

	return relative ? path + strlen(w->path) - strlen(w->given) : path;
}

struct firing {
	const char *path;
	const struct perms *now, *before, *parent;
};

static void fire_at(struct store *s, const struct firing *f, size_t len)
{
	for (struct watch *w = *bucket(s, f->path, len); w; w = w->next_path) {
		unsigned int levels;
		struct who who;

		if (strncmp(w->path, f->path, len) || w->path[len])
			continue;
		path_within(f->path, w->path, &levels);
		if (w->depth >= 0 && levels > (unsigned int)w->depth)
			continue;
		who = conn_who(w->conn);
		if (readable(f->now, &who) || readable(f->before, &who) || readable(f->parent, &who))
			conn_event(s, w, as_given(w, f->path));
	}
}

void watch_fire(struct store *s, const char *path, const struct perms *now, const struct perms *before,
		bool exact)
{
	struct firing f = {.path = path, .now = now, .before = before};
	size_t len = path_parent(path);

	if (!s->nr_watches)
		return;
	if (len) {
		char *above = copy_bytes(path, len);
		const struct node *n = tree_find(s->root, above);

		f.parent = n ? &n->perms : NULL;
		free(above);
	}
	if (!exact) {
		fire_at(s, &f, 1);
		for (size_t i = 1; path[i]; i++)
			if (path[i] == '/')
				fire_at(s, &f, i);
	}
	if (exact || path[1])
		fire_at(s, &f, strlen(path));
}

static void fire_special_at(struct store *s, const char *path, const char *plain, const char *full,
			    const struct perms *p)
{
	for (struct watch *w = *bucket(s, path, strlen(path)); w; w = w->next_path) {
		struct who who = conn_who(w->conn);

		if (!strcmp(w->path, path) && readable(p, &who))
			conn_event(s, w, w->depth == 1 || path == full ? full : plain);
	}
}

void watch_fire_special(struct store *s, const char *name, uint16_t domid)
{
	const struct perms *p = name[1] == 'i' ? &s->introduce_perms : &s->release_perms;
	char full[32];

	snprintf(full, sizeof(full), "%s/%u", name, domid);
	fire_special_at(s, name, name, full, p);
	fire_special_at(s, full, name, full, p);
}
