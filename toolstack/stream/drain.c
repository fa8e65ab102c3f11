/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain that suspends leaves what it asked of its disks to this host's backends, and asks for the same again
 * where it resumes. If the domain ran there before they are done, a write of theirs could arrive behind a newer
 * one of its own, at the same place. So the domain is handed over when all its rings are empty:
 *
 *      frontend (suspended)          ring, granted to domain 0             backend
 *      req_prod stands still ----->  | req_prod | ... | rsp_prod |  <----- rsp_prod comes after it
 *
 * The guest writes its half of xenstore and of the ring: who lies there delays its own move, up to the limit.
 */
#include "drain.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xen/io/xenbus.h>

/* A look costs little; nothing tells a third party that a ring has moved. */
#define LOOK_NS 500000
#define QUEUES_MAX 64
/* What a disk has still to do takes no longer, or it is in trouble. */
#define DRAIN_MAX_MS 10000

/* The head of every shared ring, whatever its entries are. */
struct ring_head {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
};

struct rings {
	struct xc_grant *grants;
	void **page;
	char (*disk)[24]; /* whose it is */
	size_t n;
};

uint32_t ring_unanswered(const void *page)
{
	const volatile struct ring_head *h = page;

	return h->req_prod - h->rsp_prod;
}

int rings_drain(void *const *rings, size_t n, int limit_ms, size_t *which)
{
	double until = stream_now() + limit_ms / 1000.0;

	for (*which = 0; *which < n; ++*which)
		while (ring_unanswered(rings[*which])) {
			if (stream_now() >= until)
				return -ETIMEDOUT;
			nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
		}
	return 0;
}

static int ring_add(struct serai *s, domid_t dom, struct rings *r, const char *base, const char *id)
{
	char *ref = store_readf(s->store, 0, "%s/ring-ref", base);
	void *page, *grown;

	/* A ring of several pages: its head is in the first. */
	if (!ref)
		ref = store_readf(s->store, 0, "%s/ring-ref0", base);
	page = ref ? xc_grant_map(r->grants, dom, strtoul(ref, NULL, 10), PROT_READ) : NULL;
	if (ref && !page)
		serai_say(s, "disk %s: its ring cannot be looked at: %s", id, strerror(errno));
	free(ref);
	/* Who has no ring there asks for nothing. */
	if (!page)
		return 0;
	if ((grown = reallocarray(r->page, r->n + 1, sizeof(*r->page)))) {
		r->page = grown;
		if ((grown = reallocarray(r->disk, r->n + 1, sizeof(*r->disk))))
			r->disk = grown;
	}
	if (!grown) {
		xc_grant_unmap(r->grants, page);
		return serai_fail(s, -ENOMEM, "out of memory");
	}
	snprintf(r->disk[r->n], sizeof(*r->disk), "%s", id);
	r->page[r->n++] = page;
	return 0;
}

/* The rings of one disk: one, or one a queue. */
static int disk_add(struct serai *s, domid_t dom, struct rings *r, const char *kind, const char *id)
{
	char *fe = store_readf(s->store, 0, "/local/domain/0/backend/%s/%u/%s/frontend", kind, dom, id);
	char *state = fe ? store_readf(s->store, 0, "%s/state", fe) : NULL, base[200];
	long queues = 1;
	int rc = 0;

	if (state && atoi(state) == XenbusStateConnected) {
		snprintf(base, sizeof(base), "%s/multi-queue-num-queues", fe);
		if (store_read_int(s->store, base, &queues) < 0 || queues < 1 || queues > QUEUES_MAX)
			queues = 1;
		if (queues == 1)
			rc = ring_add(s, dom, r, fe, id);
		for (long q = 0; queues > 1 && q < queues && rc == 0; q++) {
			snprintf(base, sizeof(base), "%s/queue-%ld", fe, q);
			rc = ring_add(s, dom, r, base, id);
		}
	}
	free(state);
	free(fe);
	return rc;
}

static int rings_find(struct serai *s, domid_t dom, struct rings *r)
{
	static const char *const kinds[] = {"vbd", "qdisk"};
	int rc = 0;

	for (unsigned int k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && rc == 0; k++) {
		char path[64], **ids;
		unsigned int n = 0;

		snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u", kinds[k], dom);
		ids = store_directory(s->store, 0, path, &n);
		for (unsigned int i = 0; ids && i < n && rc == 0; i++)
			rc = disk_add(s, dom, r, kinds[k], ids[i]);
		free(ids);
	}
	return rc;
}

int drain_disks(struct serai *s, domid_t dom, int limit_ms)
{
	struct rings r = {0};
	double start = stream_now();
	size_t left = 0;
	int rc = xc_grant_open(&r.grants);

	if (limit_ms > DRAIN_MAX_MS)
		limit_ms = DRAIN_MAX_MS;
	if (rc < 0) {
		fprintf(stderr,
			"domain %u: /dev/xen/gntdev: %s: writes that its disks have not done yet are not "
			"waited for "
			"(modprobe xen-gntdev)\n",
			dom, strerror(-rc));
		return 0;
	}
	rc = rings_find(s, dom, &r);
	if (rc == 0 && (rc = rings_drain(r.page, r.n, limit_ms, &left)) < 0)
		rc = serai_fail(
			s, rc,
			"disk %s of domain %u: %u requests are not done %d ms after the domain was stopped; "
			"is its server or device in trouble?",
			r.disk[left], dom, ring_unanswered(r.page[left]), limit_ms);
	if (rc == 0)
		serai_say(s, "%zu rings of disks empty after %.0f ms", r.n, (stream_now() - start) * 1000);
	for (size_t i = 0; i < r.n; i++)
		xc_grant_unmap(r.grants, r.page[i]);
	xc_grant_close(r.grants);
	free(r.page);
	free(r.disk);
	return rc;
}
