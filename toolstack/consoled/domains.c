/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which guests there are, and what their nodes say. The hypervisor's list is the truth; xenstore
 * says when to look.
 *
 *   @introduceDomain, @releaseDomain       look at the list
 *   /local/domain/ID/console               ring-ref, port, type, output: read by us; tty: written
 *   /local/domain/ID/name                  the log's name
 *
 * When xenstored goes away the consoles go on; every second we try to come back, and then look at
 * everything.
 */
#include "consoled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define RETRY_NS 1000000000ull
#define LIST 128

static long node_number(struct daemon *d, domid_t dom, const char *key)
{
	char *t = store_readf(d->store, 0, "/local/domain/%u/console/%s", dom, key), *end;
	long v = -1;

	if (t && *t) {
		v = strtol(t, &end, 10);
		if (*end || v < 0)
			v = -1;
	}
	free(t);
	return v;
}

static bool node_is(struct daemon *d, domid_t dom, const char *key, const char *value)
{
	char *t = store_readf(d->store, 0, "/local/domain/%u/console/%s", dom, key);
	bool is = t && !strcmp(t, value);

	free(t);
	return is;
}

static void announce(struct daemon *d, struct guest *g)
{
	char tty[64], path[64];
	char *output = store_readf(d->store, 0, "/local/domain/%u/console/output", g->dom);
	int rc;

	/* The socket first: who waits for the terminal's name may take either. */
	rc = viewer_listen(d, g);
	if (rc < 0)
		say(d, "domain %u: no socket in " CONSOLED_SOCKET_DIR ": %s", g->dom, strerror(-rc));
	if (!output || !*output || !strcmp(output, "pty")) {
		rc = viewer_pty(d, g, tty, sizeof(tty));
		snprintf(path, sizeof(path), "/local/domain/%u/console/tty", g->dom);
		if (rc >= 0)
			rc = store_write(d->store, 0, path, tty);
		if (rc < 0)
			say(d, "domain %u: no terminal: %s", g->dom, strerror(-rc));
	}
	free(output);
}

/* Nodes may come one by one: until ring and port are both there, there is nothing to do. */
static void guest_look(struct daemon *d, struct guest *g)
{
	char *name = store_readf(d->store, 0, "/local/domain/%u/name", g->dom);
	long ring, port;

	if (name && *name)
		guest_rename(d, g, name);
	free(name);
	if (node_is(d, g->dom, "type", "ioemu"))
		return; /* QEMU serves that one */
	ring = node_number(d, g->dom, "ring-ref");
	port = node_number(d, g->dom, "port");
	if (ring >= 0 && port > 0 && guest_connect(d, g, ring, port) > 0)
		announce(d, g);
}

static void guest_watch(struct daemon *d, domid_t dom, bool on)
{
	static const char *const keys[] = {"console", "name"};
	char path[64], token[16];

	snprintf(token, sizeof(token), "%u", dom);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/%s", dom, keys[i]);
		if (on)
			(void)store_watch(d->store, path, token);
		else
			(void)store_unwatch(d->store, path, token);
	}
}

static void guest_appeared(struct daemon *d, domid_t dom)
{
	char *name = store_readf(d->store, 0, "/local/domain/%u/name", dom), number[16];
	struct guest *g;

	snprintf(number, sizeof(number), "%u", dom);
	g = guest_add(d, dom, name && *name ? name : number);
	free(name);
	if (!g)
		return;
	guest_watch(d, dom, true);
	guest_look(d, g);
}

/* Bring our list in line with the hypervisor's. Both are short; neither is sorted by us. */
static void domains_look(struct daemon *d)
{
	struct xen_domctl_getdomaininfo info[LIST];
	uint8_t alive[DOMID_FIRST_RESERVED / 8] = {0};
	struct guest *g, *next;
	unsigned int first = 0;
	int n;

	do {
		n = xc_domain_list(d->xc, first, LIST, info);
		if (n < 0) {
			say(d, "no list of domains: %s", xc_error(d->xc));
			return;
		}
		for (int i = 0; i < n; i++) {
			domid_t dom = info[i].domain;

			first = dom + 1u;
			if (dom == 0 || dom >= DOMID_FIRST_RESERVED || (info[i].flags & XEN_DOMINF_dying))
				continue;
			alive[dom / 8] |= 1u << dom % 8;
			g = guest_find(d, dom);
			if (!g)
				guest_appeared(d, dom);
			else if (!g->ring)
				guest_look(d, g);
		}
	} while (n == LIST);
	for (g = d->guests; g; g = next) {
		next = g->next;
		if (alive[g->dom / 8] & 1u << g->dom % 8)
			continue;
		guest_watch(d, g->dom, false);
		guest_remove(d, g);
	}
}

void store_lost(struct daemon *d)
{
	say(d, "xenstored went away; consoles go on, new guests wait until it is back");
	(void)source_arm(d, &d->store_src, 0);
	store_close(d->store);
	d->store = NULL;
	d->store_retry_ns = now_ns() + RETRY_NS;
}

int store_connect(struct daemon *d)
{
	int rc = store_open(&d->store);

	if (rc < 0) {
		d->store = NULL;
		d->store_retry_ns = now_ns() + RETRY_NS;
		return rc;
	}
	d->store_src = (struct source){.fd = store_fd(d->store), .ready = store_ready};
	rc = source_arm(d, &d->store_src, EPOLLIN);
	if (rc == 0)
		rc = store_watch(d->store, "@introduceDomain", "domains");
	if (rc == 0)
		rc = store_watch(d->store, "@releaseDomain", "domains");
	if (rc < 0) {
		store_lost(d);
		return rc;
	}
	for (struct guest *g = d->guests; g; g = g->next)
		guest_watch(d, g->dom, true);
	domains_look(d);
	viewer_tidy(d);
	return 0;
}

void store_ready(struct daemon *d, struct source *s, uint32_t events)
{
	char *path, *token;
	int rc = 0;

	(void)s;
	(void)events;
	/* Events that arrived between requests are in the client's queue: empty it, or nobody wakes
	 * us for them. */
	while (d->store && (rc = store_event(d->store, 0, &path, &token)) > 0) {
		size_t n = strlen(path);

		if (!strcmp(token, "domains")) {
			domains_look(d);
		} else if (n < 4 || strcmp(path + n - 4, "/tty")) {
			struct guest *g = guest_find(d, strtoul(token, NULL, 10));

			if (g)
				guest_look(d, g);
		}
		free(path);
	}
	if (rc < 0)
		store_lost(d);
}
