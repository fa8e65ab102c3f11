/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains: their life as the store sees it, and what they are allowed. */
#include "store.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct domain *domain_find(const struct store *s, uint16_t domid)
{
	struct domain *d = s->by_domid[domid % DOMAIN_BUCKETS];

	while (d && d->domid != domid)
		d = d->next_hash;
	return d;
}

struct domain *domain_get(struct store *s, uint16_t domid)
{
	struct domain *d = domain_find(s, domid), **p;

	if (d)
		return d;
	d = new_zeroed(sizeof(*d));
	d->domid = d->target = domid;
	for (p = &s->domains; *p && (*p)->domid < domid; p = &(*p)->next)
		;
	d->next = *p;
	*p = d;
	d->next_hash = s->by_domid[domid % DOMAIN_BUCKETS];
	s->by_domid[domid % DOMAIN_BUCKETS] = d;
	return d;
}

/* An account nothing needs any more. */
static void forget(struct store *s, struct domain *d)
{
	struct domain **p;

	if (!d->domid || d->introduced || d->nodes)
		return;
	for (p = &s->domains; *p && *p != d; p = &(*p)->next)
		;
	*p = d->next;
	for (p = &s->by_domid[d->domid % DOMAIN_BUCKETS]; *p && *p != d; p = &(*p)->next_hash)
		;
	*p = d->next_hash;
	free(d);
}

unsigned int domain_quota(const struct store *s, const struct domain *d, enum quota q)
{
	return d->own_quota[q] ? d->quota[q] : s->quota[q];
}

int quota_find(const char *name)
{
	for (int q = 0; q < QUOTA_COUNT; q++)
		if (!strcmp(quota_names[q], name))
			return q;
	return -ENOENT;
}

bool quota_allows(struct store *s, struct domain *d, enum quota q, unsigned int want)
{
	unsigned int limit = domain_quota(s, d, q);

	if (!d->domid || !limit || want <= limit)
		return true;
	s->refusals++;
	/* The first refusal, the tenth, the hundredth, ... are worth a line. */
	d->refused[q]++;
	for (uint64_t n = 1; n <= d->refused[q]; n *= 10)
		if (n == d->refused[q])
			store_log(s, STORE_NOTE,
				  "domain %u: request refused, %u is over its limit of %u %s "
				  "(refused %llu times; raise it with: xenstore-control quota set "
				  "%s N %u)",
				  d->domid, want, limit, quota_names[q], (unsigned long long)n,
				  quota_names[q], d->domid);
	return false;
}

int domain_introduce(struct store *s, uint16_t domid, uint64_t gfn, uint32_t port)
{
	struct domain *d = domain_find(s, domid);
	struct ring_start start = {0};
	int rc;

	if (d && d->introduced) {
		rc = s->world->rebind(s->ctx, domid, port);
		if (!rc)
			d->port = port;
		return rc;
	}
	rc = s->world->introduce(s->ctx, domid, gfn, port, &start);
	if (rc)
		return rc;
	d = domain_get(s, domid);
	d->introduced = true;
	d->shut_down = false;
	d->gfn = gfn;
	d->port = port;
	d->conn = conn_new(s, domid, domid, start);
	s->world->ready(s->ctx, d->conn);
	watch_fire_special(s, "@introduceDomain", domid);
	return 0;
}

static void disconnect(struct store *s, struct domain *d)
{
	d->introduced = false;
	s->world->release(s->ctx, d->domid);
	conn_free(s, d->conn);
	d->conn = NULL;
}

int domain_release(struct store *s, uint16_t domid)
{
	struct domain *d = domain_find(s, domid);

	if (!domid)
		return -EINVAL;
	if (!d || !d->introduced)
		return -ENOENT;
	disconnect(s, d);
	domain_gone(s, domid);
	return 0;
}

void domain_shut_down(struct store *s, uint16_t domid)
{
	struct domain *d = domain_find(s, domid);

	if (!d || !d->introduced || d->shut_down)
		return;
	d->shut_down = true;
	watch_fire_special(s, "@releaseDomain", domid);
}

void domain_dying(struct store *s, uint16_t domid)
{
	struct domain *d = domain_find(s, domid);

	if (!d || !d->introduced)
		return;
	disconnect(s, d);
	watch_fire_special(s, "@releaseDomain", domid);
}

/* -------- what a domain leaves behind -------- */

struct sweep {
	uint16_t domid;
	char **own, **named; /* paths it owns; paths that have an entry for it */
	size_t n_own, n_named;
};

static char **keep(char **list, size_t *n, const char *path)
{
	if (!(*n & (*n - 1)))
		list = grow_array(list, *n ? *n * 2 : 1, sizeof(*list));
	list[(*n)++] = copy_text(path);
	return list;
}

static void sweep_visit(void *arg, const char *path, const struct node *n)
{
	struct sweep *w = arg;

	if (n->perms.list[0].domid == w->domid) {
		w->own = keep(w->own, &w->n_own, path);
		return;
	}
	for (size_t i = 1; i < n->perms.n; i++) {
		if (n->perms.list[i].domid == w->domid) {
			w->named = keep(w->named, &w->n_named, path);
			return;
		}
	}
}

static void strip(struct store *s, const char *path, uint16_t domid)
{
	const struct node *n = tree_find(s->root, path);
	struct perms p;

	if (!n)
		return;
	p = perms_copy(&n->perms);
	if (perms_strip(&p, domid))
		live_set_perms(s, path, &p);
	perms_free(&p);
}

/* Its nodes go, with what is below them, and nobody who gets its id next inherits a right. */
static void sweep_nodes(struct store *s, uint16_t domid)
{
	struct sweep w = {.domid = domid};
	char path[PATH_BYTES] = "/";

	tree_walk(s->root, path, sweep_visit, &w);
	for (size_t i = 0; i < w.n_own; i++) {
		if (w.own[i][1] && tree_find(s->root, w.own[i]))
			live_remove(s, w.own[i], true);
		free(w.own[i]);
	}
	for (size_t i = 0; i < w.n_named; i++) {
		strip(s, w.named[i], domid);
		free(w.named[i]);
	}
	free(w.own);
	free(w.named);
	perms_strip(&s->introduce_perms, domid);
	perms_strip(&s->release_perms, domid);
}

void domain_gone(struct store *s, uint16_t domid)
{
	struct domain *d = domain_find(s, domid);

	if (!domid)
		return;
	if (d && d->introduced)
		disconnect(s, d);
	sweep_nodes(s, domid);
	watch_fire_special(s, "@releaseDomain", domid);
	for (struct domain *o = s->domains; o; o = o->next)
		if (o->target == domid && o->domid != domid)
			o->target = o->domid;
	if (d)
		forget(s, d);
}
