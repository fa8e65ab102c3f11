/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's console: its page mapped, its event channel bound, bytes moved.
 *
 * The page is the guest's to write at any time; only ring.c touches it. The port of a guest that
 * has more to say than its rate or its turn allows stays masked (`more`), and the loop comes back
 * when there are tokens: the guest waits in front of a full ring, and nobody else notices.
 *
 * Invariant: the port is masked exactly while one of its events is being served or `more` is set.
 */
#include "consoled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/grant_table.h>

#define WARN_EVERY_NS (60 * 1000000000ull)
/* Rings emptied in one turn: 16 KiB. */
#define ROUNDS 8u
/*
 * A guest that writes in small pieces raises an event for each. From the second within this time on they
 * are gathered: its port stays masked for as long, and one look takes what has come.
 */
#define GATHER_NS (5 * 1000000ull)

struct guest *guest_find(const struct daemon *d, domid_t dom)
{
	struct guest *g = d->guests;

	while (g && g->dom != dom)
		g = g->next;
	return g;
}

struct guest *guest_add(struct daemon *d, domid_t dom, const char *name)
{
	struct guest *g = calloc(1, sizeof(*g));
	char log[160];

	if (!g)
		return NULL;
	g->dom = dom;
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->ring_ref = g->remote_port = -1;
	g->listen.fd = g->pty_slave = -1;
	fan_init(&g->out, d->o.history);
	rate_init(&g->rate, d->o.rate, d->o.burst, now_ns());
	snprintf(log, sizeof(log), "guest-%s", g->name);
	log_init(&g->log, &d->policy, log, d->o.stamp_guests);
	g->next = d->guests;
	d->guests = g;
	return g;
}

static int port_set(struct daemon *d, evtchn_port_t port, struct guest *g)
{
	if (port >= d->nr_ports) {
		size_t n = d->nr_ports ? d->nr_ports : 64;
		struct guest **v;

		while (n <= port)
			n *= 2;
		v = realloc(d->by_port, n * sizeof(*v));
		if (!v)
			return -ENOMEM;
		memset(v + d->nr_ports, 0, (n - d->nr_ports) * sizeof(*v));
		d->by_port = v;
		d->nr_ports = n;
	}
	d->by_port[port] = g;
	return 0;
}

static void guest_disconnect(struct daemon *d, struct guest *g)
{
	if (g->remote_port >= 0) {
		d->by_port[g->port] = NULL;
		(void)xc_event_unbind(d->event, g->port);
	}
	if (g->ring && g->granted)
		(void)xc_grant_unmap(d->grant, g->ring);
	else if (g->ring)
		xc_unmap(d->xc, g->ring, 1);
	g->ring = NULL;
	g->ring_ref = g->remote_port = -1;
	g->broken = g->more = false;
}

void guest_remove(struct daemon *d, struct guest *g)
{
	struct guest **p = &d->guests;

	/* Last words: a guest that crashed wrote them just before. */
	if (g->ring && !g->broken) {
		g->rate.per_second = 0;
		guest_service(d, g, false);
	}
	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	guest_disconnect(d, g);
	viewers_close(d, g);
	log_close(&g->log);
	fan_free(&g->out);
	free(g);
}

/*
 * The page is reached by the grant every toolstack makes for us. Where there is none, as its
 * controller we may map the frame itself.
 */
static int ring_map(struct daemon *d, struct guest *g, long ring_ref)
{
	xen_pfn_t frame = ring_ref;

	g->ring = d->grant ? xc_grant_map(d->grant, g->dom, GNTTAB_RESERVED_CONSOLE, PROT_READ | PROT_WRITE)
			   : NULL;
	g->granted = g->ring != NULL;
	if (!g->ring)
		g->ring = xc_map(d->xc, g->dom, PROT_READ | PROT_WRITE, 1, &frame);
	if (!g->ring) {
		say(d, "domain %u: its console page cannot be mapped: %s", g->dom, xc_error(d->xc));
		return -EFAULT;
	}
	return 0;
}

int guest_connect(struct daemon *d, struct guest *g, long ring_ref, long port)
{
	int rc;

	if (g->ring && g->ring_ref == ring_ref && g->remote_port == port)
		return 0;
	guest_disconnect(d, g);
	rc = ring_map(d, g, ring_ref);
	if (rc < 0)
		return rc;
	rc = xc_event_bind_interdomain(d->event, g->dom, port, &g->port);
	if (rc < 0) {
		say(d, "domain %u: its console's event channel %ld cannot be bound: %s%s", g->dom, port,
		    strerror(-rc), rc == -EINVAL ? " (does another console daemon serve it?)" : "");
		goto unmap;
	}
	rc = port_set(d, g->port, g);
	if (rc < 0) {
		(void)xc_event_unbind(d->event, g->port);
		goto unmap;
	}
	g->ring_ref = ring_ref;
	g->remote_port = port;
	/* Binding raises the event: what was written while nobody looked is taken then. */
	return 1;
unmap:
	guest_disconnect(d, g);
	return rc;
}

void guest_rename(struct daemon *d, struct guest *g, const char *name)
{
	char log[160], old[sizeof(g->name)];

	if (!strcmp(g->name, name))
		return;
	memcpy(old, g->name, sizeof(old));
	snprintf(g->name, sizeof(g->name), "%s", name);
	snprintf(log, sizeof(log), "guest-%s", g->name);
	log_rename(&g->log, log);
	viewer_link(d, g, old);
}

static void record(struct daemon *d, struct guest *g, const char *p, size_t n)
{
	int rc;

	(void)fan_put(&g->out, p, n);
	if (!d->o.log_guests)
		return;
	rc = log_write(&g->log, p, n, now_s());
	if (rc < 0 && !g->log_failed)
		say(d, "%s/%s: %s: output is not logged until this is better", d->o.log_dir, g->log.name,
		    strerror(-rc));
	g->log_failed = rc < 0;
}

/* Output as far as the rate allows, and no more than is fair to the other guests; whether anything
 * moved. */
static bool take(struct daemon *d, struct guest *g)
{
	char buf[sizeof(g->ring->out)];
	bool moved = false;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		size_t allowed = rate_allowed(&g->rate, now_ns());
		ssize_t n = ring_take(g->ring, buf, allowed < sizeof(buf) ? allowed : sizeof(buf));

		if (n < 0) {
			say(d,
			    "domain %u (%s): the indices of its console ring make no sense: it has "
			    "no console now",
			    g->dom, g->name);
			g->broken = true;
		}
		if (n <= 0)
			break;
		rate_spend(&g->rate, n);
		record(d, g, buf, n);
		moved = true;
	}
	return moved;
}

static bool give(struct guest *g)
{
	ssize_t n = ring_put(g->ring, g->in, g->in_len);

	if (n <= 0)
		return false;
	g->in_len -= n;
	memmove(g->in, g->in + n, g->in_len);
	return true;
}

uint64_t guest_ready_at(const struct guest *g)
{
	uint64_t rate = rate_ready_at(&g->rate), gather = g->served_ns + GATHER_NS;

	return rate > gather ? rate : gather;
}

static void flood_warn(struct daemon *d, struct guest *g)
{
	uint64_t now = now_ns();

	if (rate_ready_at(&g->rate) <= now || (g->warned_ns && now - g->warned_ns < WARN_EVERY_NS))
		return;
	g->warned_ns = now;
	say(d, "domain %u (%s) floods its console: it is held to %lu KiB a second", g->dom, g->name,
	    (unsigned long)(g->rate.per_second >> 10));
}

void guest_service(struct daemon *d, struct guest *g, bool woken)
{
	bool masked = woken || g->more, moved;
	uint64_t now;

	if (!g->ring || g->broken)
		return;
	if (woken)
		rate_spend(&g->rate, RATE_WAKEUP);
	moved = take(d, g);
	if (g->broken)
		return;
	moved |= give(g);
	if (moved)
		(void)xc_event_notify(d->event, g->port);
	viewers_flush(d, g);
	now = now_ns();
	g->more = masked && (ring_waiting(g->ring) > 0 || rate_allowed(&g->rate, now) == 0 ||
			     (moved && now - g->served_ns < GATHER_NS * 2));
	g->served_ns = now;
	if (g->more)
		flood_warn(d, g);
	else if (masked)
		(void)xc_event_unmask(d->event, g->port);
}

size_t guest_type(struct daemon *d, struct guest *g, const char *p, size_t n)
{
	if (n > sizeof(g->in) - g->in_len)
		n = sizeof(g->in) - g->in_len;
	memcpy(g->in + g->in_len, p, n);
	g->in_len += n;
	if (g->ring && !g->broken && give(g))
		(void)xc_event_notify(d->event, g->port);
	return n;
}

void event_ready(struct daemon *d, struct source *s, uint32_t events)
{
	evtchn_port_t port;

	(void)s;
	(void)events;
	if (xc_event_pending(d->event, &port) < 0)
		return;
	if (d->hv_bound && port == d->hv_port)
		hv_service(d);
	else if (port < d->nr_ports && d->by_port[port])
		guest_service(d, d->by_port[port], true);
	else
		(void)xc_event_unmask(d->event, port);
}
