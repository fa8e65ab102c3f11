/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains' rings: mapped by the grant every domain has for its store page (by frame number when it
 * has none), told of by event channels; and the life of domains, told of by VIRQ_DOM_EXC.
 *
 * Invariant: a domain that the store calls introduced has a struct guest as its connection's
 * transport, or its connection has failed.
 */
#include "daemon.h"
#include "memory.h"
#include "serai/xc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>

#define FEATURE_WATCH_DEPTH 4 /* bit 2 of the features a server offers */
#define EVENTS_A_ROUND 16     /* guests that never stop asking do not keep the sockets waiting */

struct guest {
	struct guest *next;
	uint16_t domid;
	struct xenstore_domain_interface *page;
	bool granted;
	evtchn_port_t port; /* ours; 0: none */
	struct ring ring;
};

struct guests {
	struct feed *f;
	struct xc *xc;
	struct xc_event *event;
	struct xc_grant *grant;
	evtchn_port_t exception;
	struct guest *all;
};

int guests_open(struct guests **out, struct feed *f)
{
	struct guests *g = new_zeroed(sizeof(*g));
	int rc = xc_open(&g->xc);

	g->f = f;
	if (!rc)
		rc = xc_event_open(&g->event);
	if (!rc)
		rc = xc_grant_open(&g->grant);
	if (!rc)
		rc = xc_event_bind_virq(g->event, VIRQ_DOM_EXC, &g->exception);
	if (!rc && fcntl(xc_event_fd(g->event), F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		rc = -errno;
	if (rc) {
		log_line(STORE_ERROR, "no domains can be served: %s (another xenstored? not domain 0?)",
			 strerror(-rc));
		guests_close(g);
		return rc;
	}
	*out = g;
	return 0;
}

static void unmap(struct guests *g, struct guest *d)
{
	if (d->granted)
		xc_grant_unmap(g->grant, d->page);
	else if (d->page && d->domid)
		xc_unmap(g->xc, d->page, 1);
	else if (d->page)
		munmap(d->page, XC_PAGE_SIZE);
}

static void forget(struct guests *g, struct guest *d)
{
	struct guest **p;

	for (p = &g->all; *p != d; p = &(*p)->next)
		;
	*p = d->next;
	if (d->port)
		xc_event_unbind(g->event, d->port);
	unmap(g, d);
	free(d);
}

void guests_close(struct guests *g)
{
	if (!g)
		return;
	while (g->all)
		forget(g, g->all);
	xc_grant_close(g->grant);
	xc_event_close(g->event);
	xc_close(g->xc);
	free(g);
}

int guests_fd(const struct guests *g)
{
	return xc_event_fd(g->event);
}

static struct guest *find(const struct guests *g, uint16_t domid)
{
	struct guest *d = g->all;

	while (d && d->domid != domid)
		d = d->next;
	return d;
}

/* The control domain's page, which its kernel shows in /proc/xen. */
static void *map_self(void)
{
	int fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static int self_port(uint32_t *port)
{
	FILE *f = fopen("/proc/xen/xsd_port", "re");
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%u", port);
	fclose(f);
	return n == 1 && *port ? 0 : -ENODEV;
}

static int map(struct guests *g, struct guest *d, uint64_t gfn)
{
	xen_pfn_t frame = gfn;

	if (!d->domid) {
		d->page = map_self();
	} else {
		d->page = xc_grant_map(g->grant, d->domid, GNTTAB_RESERVED_XENSTORE, PROT_READ | PROT_WRITE);
		d->granted = d->page != NULL;
		if (!d->page)
			d->page = xc_map(g->xc, d->domid, PROT_READ | PROT_WRITE, 1, &frame);
	}
	return d->page ? 0 : -EINVAL;
}

static void notify(struct guests *g, const struct guest *d)
{
	if (d->port)
		xc_event_notify(g->event, d->port);
}

static int attach(struct guests *g, uint16_t domid, uint64_t gfn, uint32_t port, struct guest **out)
{
	struct guest *d = new_zeroed(sizeof(*d));
	int rc;

	d->domid = domid;
	rc = map(g, d, gfn);
	if (!rc)
		rc = xc_event_bind_interdomain(g->event, domid, port, &d->port);
	if (rc) {
		log_line(STORE_ERROR,
			 "domain %u: its store ring (frame %#llx, event channel %u) cannot be "
			 "connected: %s",
			 domid, (unsigned long long)gfn, port, strerror(-rc));
		unmap(g, d);
		free(d);
		return rc;
	}
	ring_of_domain(&d->ring, d->page);
	d->page->server_features =
		XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR | FEATURE_WATCH_DEPTH;
	d->next = g->all;
	g->all = d;
	*out = d;
	return 0;
}

int guests_introduce(struct guests *g, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *start)
{
	struct guest *d;
	int rc = attach(g, domid, gfn, port, &d);

	if (rc)
		return rc;
	start->in_pos = d->page->req_cons;
	start->out_pos = d->page->rsp_prod;
	d->page->error = XENSTORE_ERROR_NONE;
	/* The control domain's kernel begins when it is first told. */
	notify(g, d);
	return 0;
}

int guests_rebind(struct guests *g, uint16_t domid, uint32_t port)
{
	struct guest *d = find(g, domid);
	evtchn_port_t now;
	int rc;

	if (!d)
		return -ENOENT;
	if (d->port)
		xc_event_unbind(g->event, d->port);
	d->port = 0;
	rc = xc_event_bind_interdomain(g->event, domid, port, &now);
	if (!rc)
		d->port = now;
	return rc;
}

void guests_release(struct guests *g, uint16_t domid)
{
	struct guest *d = find(g, domid);

	if (d)
		forget(g, d);
}

bool guests_exists(struct guests *g, uint16_t domid)
{
	struct xen_domctl_getdomaininfo info;

	return !xc_domain_info(g->xc, domid, &info);
}

/* The guest wants to begin anew: both streams are empty from here on. */
static void reconnect(struct guests *g, struct conn *c, struct guest *d)
{
	feed_reset(g->f, c, (struct ring_start){0});
	d->page->req_cons = d->page->req_prod = d->page->rsp_cons = d->page->rsp_prod = 0;
	d->page->error = XENSTORE_ERROR_NONE;
	__atomic_store_n(&d->page->connection, XENSTORE_CONNECTED, __ATOMIC_RELEASE);
	notify(g, d);
}

void guests_serve(struct guests *g, struct conn *c)
{
	struct guest *d = c->transport ? c->transport : find(g, c->id);

	if (!d)
		return;
	c->transport = d;
	if (__atomic_load_n(&d->page->connection, __ATOMIC_ACQUIRE) == XENSTORE_RECONNECT)
		reconnect(g, c, d);
	if (serve(g->f, c, &d->ring))
		notify(g, d);
	if (c->error && d->page->error != (uint32_t)c->error) {
		d->page->error = c->error;
		notify(g, d);
	}
}

/* -------- life and death -------- */

#define LIST 256

static int by_domid(const void *a, const void *b)
{
	const struct xen_domctl_getdomaininfo *x = a, *y = b;

	return (x->domain > y->domain) - (x->domain < y->domain);
}

/* Every domain there is, by id; NULL when the hypervisor does not say. */
static struct xen_domctl_getdomaininfo *list_all(struct guests *g, size_t *count)
{
	struct xen_domctl_getdomaininfo *all = NULL;
	size_t n = 0;
	int got;

	do {
		all = grow_array(all, n + LIST, sizeof(*all));
		got = xc_domain_list(g->xc, n ? all[n - 1].domain + 1 : 0, LIST, all + n);
		if (got < 0) {
			log_line(STORE_ERROR, "no list of domains: %s", xc_error(g->xc));
			free(all);
			return NULL;
		}
		n += got;
	} while (got == LIST);
	*count = n;
	return all;
}

static void look_at_domains(struct guests *g)
{
	size_t n;
	struct xen_domctl_getdomaininfo *all = list_all(g, &n);
	struct domain *next;

	for (struct domain *d = g->f->s->domains; all && d; d = next) {
		struct xen_domctl_getdomaininfo key = {.domain = d->domid};
		const struct xen_domctl_getdomaininfo *i = bsearch(&key, all, n, sizeof(*all), by_domid);

		next = d->next;
		if (!d->domid)
			continue;
		if (!i)
			feed_event(g->f, EVENT_GONE, d->domid);
		else if (i->flags & XEN_DOMINF_dying && d->introduced)
			feed_event(g->f, EVENT_DYING, d->domid);
		else if (i->flags & XEN_DOMINF_shutdown && d->introduced && !d->shut_down)
			feed_event(g->f, EVENT_SHUT_DOWN, d->domid);
	}
	free(all);
}

static struct guest *by_port(const struct guests *g, evtchn_port_t port)
{
	struct guest *d = g->all;

	while (d && d->port != port)
		d = d->next;
	return d;
}

void guests_events(struct guests *g)
{
	evtchn_port_t port;

	for (int i = 0; i < EVENTS_A_ROUND && !xc_event_pending(g->event, &port); i++) {
		struct guest *d = by_port(g, port);
		struct conn *c = d ? conn_find(g->f->s, d->domid) : NULL;

		xc_event_unmask(g->event, port);
		if (port == g->exception)
			look_at_domains(g);
		else if (c)
			guests_serve(g, c);
	}
}

void guests_attach(struct guests *g)
{
	struct conn *self = conn_find(g->f->s, 0);
	uint32_t port = 0;

	look_at_domains(g);
	for (struct domain *d = g->f->s->domains; d; d = d->next) {
		struct guest *r = d->introduced ? find(g, d->domid) : NULL;

		if (!d->introduced || r)
			continue;
		if (attach(g, d->domid, d->gfn, d->port, &r)) {
			feed_fail(g->f, d->conn, XENSTORE_ERROR_COMM);
			continue;
		}
		d->conn->transport = r;
		if (r->page->connection != XENSTORE_RECONNECT)
			serve_recover(g->f, d->conn, &r->ring);
		guests_serve(g, d->conn);
		notify(g, r);
	}
	if (!self && !self_port(&port))
		feed_self(g->f, port);
}
