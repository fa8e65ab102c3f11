/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose turn it is: the whole worker, with a guest that has its next request in its ring before the
 * worker has looked away from the last. Sockets, signals and the state file must have their turns.
 *
 * libxc is not here; what the worker calls of it is below, and is where the guest lives.
 */
#include "daemon.h"
#include "harness.h"
#include "serai/xc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xen/event_channel.h>
#include <cmocka.h>

enum { GUEST = 1, PORT = 9, PATIENCE = 64, FIRST = 100, END = 20000 };

static struct {
	struct xenstore_domain_interface page;
	int device;    /* the event-channel device */
	bool pending;  /* the guest's event */
	uint32_t asks; /* requests of the guest */
} guest;

static struct {
	struct front *front;
	struct handles h;
	int alive_end;
	uint32_t heard;           /* bytes of answers */
	uint32_t asked, answered; /* at which of the guest's requests */
	uint32_t told_to_stop;    /* likewise */
} client;

/* -------- the guest, and the client beside it -------- */

static void client_asks(uint32_t type, const char *payload)
{
	struct slot *s = &client.front->slot[0];
	char buf[128];
	size_t n = wire(buf, type, 0, payload);
	uint64_t one = 1;

	for (size_t i = 0; i < n; i++)
		s->in[(s->in_prod + i) & (SLOT_IN - 1)] = buf[i];
	s->in_prod += n;
	news_put(client.front->for_worker, 0);
	assert_int_equal(write(client.h.to_worker, &one, sizeof(one)), sizeof(one));
}

static void guest_asks(void)
{
	char buf[64];
	size_t n = wire(buf, XS_READ, 0, "/tool|");
	uint64_t one = 1;

	guest.page.rsp_cons = guest.page.rsp_prod;
	if (++guest.asks > END || guest.page.req_cons != guest.page.req_prod)
		return;
	for (size_t i = 0; i < n; i++)
		guest.page.req[MASK_XENSTORE_IDX(guest.page.req_prod + i)] = buf[i];
	guest.page.req_prod += n;
	guest.pending = true;
	assert_int_equal(write(guest.device, &one, sizeof(one)), sizeof(one));
}

/* Something that happens while the guest goes on asking. */
static void meanwhile(void)
{
	struct slot *s = &client.front->slot[0];

	if (guest.asks == FIRST) {
		client.heard = s->out_prod;
		client.asked = guest.asks;
		client_asks(XS_READ, "/tool/xenstored|");
	}
	if (client.asked && !client.answered && s->out_prod != client.heard) {
		client.answered = guest.asks;
		client.told_to_stop = guest.asks;
		close(client.alive_end);
	}
	if (guest.asks == END && !client.told_to_stop)
		close(client.alive_end); /* nobody else would */
}

int xc_event_notify(struct xc_event *e, evtchn_port_t port)
{
	(void)e;
	assert_int_equal(port, PORT);
	guest_asks();
	meanwhile();
	return 0;
}

int xc_event_pending(struct xc_event *e, evtchn_port_t *port)
{
	uint64_t count;

	(void)e;
	if (!guest.pending) {
		if (read(guest.device, &count, sizeof(count)) < 0)
			return -errno;
		return -EAGAIN;
	}
	guest.pending = false;
	*port = PORT;
	return 0;
}

/* -------- the rest of libxc -------- */

int xc_event_open(struct xc_event **out)
{
	*out = NULL;
	guest.device = eventfd(0, EFD_NONBLOCK);
	return 0;
}

void xc_event_close(struct xc_event *e)
{
	(void)e;
	close(guest.device);
}

int xc_event_fd(const struct xc_event *e)
{
	(void)e;
	return guest.device;
}

int xc_event_bind_virq(struct xc_event *e, unsigned int virq, evtchn_port_t *port)
{
	(void)e, (void)virq;
	*port = PORT + 1;
	return 0;
}

int xc_event_bind_interdomain(struct xc_event *e, domid_t dom, evtchn_port_t remote, evtchn_port_t *port)
{
	(void)e, (void)dom, (void)remote;
	*port = PORT;
	return 0;
}

int xc_event_unbind(struct xc_event *e, evtchn_port_t port)
{
	(void)e, (void)port;
	return 0;
}

int xc_event_unmask(struct xc_event *e, evtchn_port_t port)
{
	(void)e, (void)port;
	return 0;
}

int xc_open(struct xc **out)
{
	*out = NULL;
	return 0;
}

void xc_close(struct xc *xc)
{
	(void)xc;
}

const char *xc_error(const struct xc *xc)
{
	(void)xc;
	return "nothing";
}

void *xc_map(struct xc *xc, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn)
{
	(void)xc, (void)dom, (void)prot, (void)n, (void)gfn;
	return NULL;
}

void xc_unmap(struct xc *xc, void *p, size_t pages)
{
	(void)xc, (void)p, (void)pages;
}

int xc_domain_list(struct xc *xc, domid_t first, unsigned int max, struct xen_domctl_getdomaininfo *info)
{
	(void)xc, (void)max;
	if (first > GUEST)
		return 0;
	*info = (struct xen_domctl_getdomaininfo){.domain = GUEST};
	return 1;
}

int xc_domain_info(struct xc *xc, domid_t dom, struct xen_domctl_getdomaininfo *info)
{
	return xc_domain_list(xc, dom, 1, info) == 1 ? 0 : -ESRCH;
}

int xc_grant_open(struct xc_grant **out)
{
	*out = NULL;
	return 0;
}

void xc_grant_close(struct xc_grant *g)
{
	(void)g;
}

void *xc_grant_map(struct xc_grant *g, domid_t dom, uint32_t ref, int prot)
{
	(void)g, (void)dom, (void)ref, (void)prot;
	return &guest.page;
}

int xc_grant_unmap(struct xc_grant *g, void *p)
{
	(void)g, (void)p;
	return 0;
}

/* -------- the tests -------- */

/* A worker's surroundings: a directory, a front with one client's slot, and the pipe whose end is the keeper's. */
static struct place {
	char dir[32];
	struct options o;
	int alive;
} place;

static int begin(void **state)
{
	char path[64];
	int ends[2];

	(void)state;
	memset(&client, 0, sizeof(client));
	memset(&guest, 0, sizeof(guest));
	place = (struct place){.dir = "/tmp/fair-XXXXXX", .o.rundir = place.dir};
	assert_non_null(mkdtemp(place.dir));
	snprintf(path, sizeof(path), "%s/log", place.dir);
	assert_int_equal(log_file_set(path), 0);
	assert_int_equal(pipe(ends), 0);
	place.alive = ends[0];
	client.alive_end = ends[1];
	client.h = (struct handles){.alive = ends[0],
				    .to_worker = eventfd(0, EFD_NONBLOCK),
				    .to_keeper = eventfd(0, EFD_NONBLOCK)};
	client.front = calloc(1, sizeof(*client.front));
	assert_non_null(client.front);
	client.front->high = 1;
	client.front->slot[0].state = SLOT_OPEN;
	client.front->slot[0].id = CONN_SOCKET;
	return 0;
}

static int end(void **state)
{
	static const char *const files[] = {"log", "state"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", place.dir, files[i]);
		unlink(path);
	}
	rmdir(place.dir);
	free(client.front);
	close(client.h.to_worker);
	close(client.h.to_keeper);
	close(place.alive);
	return 0;
}

static void turns(void **state)
{
	(void)state;
	client_asks(XS_INTRODUCE, "1|5|7|"); /* from which on the guest asks */

	assert_int_equal(worker_run(&place.o, client.front, &client.h), WORKER_STOP);

	assert_in_range(client.answered, FIRST, FIRST + PATIENCE);
	assert_in_range(guest.asks, client.told_to_stop, client.told_to_stop + PATIENCE);
}

/* The keeper's word that a client left does not undo the worker's that it is done with him. */
static void done_is_done(void **state)
{
	static struct slot s;

	(void)state;
	s.state = SLOT_OPEN;
	assert_true(slot_hang_up(&s));
	assert_int_equal(s.state, SLOT_HUNG_UP);
	s.state = SLOT_DONE;
	assert_false(slot_hang_up(&s));
	assert_int_equal(s.state, SLOT_DONE);
}

/*
 * A worker ended a connection and was killed before it had said so: what the client had asked is not done again by
 * the next one, to whom that connection is none.
 */
static void ended_once(void **state)
{
	struct slot *s = &client.front->slot[0];

	(void)state;
	client.front->next_id = CONN_SOCKET + 1;
	client_asks(XS_READ, "/tool/xenstored|");
	s->in_cons = s->in_prod;
	close(client.alive_end); /* it ends when it has looked */

	assert_int_equal(worker_run(&place.o, client.front, &client.h), WORKER_STOP);

	assert_int_equal(s->state, SLOT_DONE);
	assert_int_equal(s->out_prod, 0);
}

/* A slot that has news again while the others are looked at: it waits for the next look. */
static void news_in_turn(void **state)
{
	uint64_t news[SLOTS / 64] = {0};
	static const int slots[] = {0, 3, 63, 64, SLOTS - 1};
	uint32_t from = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		news_put(news, slots[i]);
	for (int look = 0; look < 2; look++) {
		for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
			assert_int_equal(news_take(news, &from), slots[i]);
			news_put(news, slots[i]);
		}
		assert_int_equal(news_take(news, &from), -1);
		assert_int_equal(news_take(news, &from), -1);
		from = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(turns, begin, end),
					   cmocka_unit_test(news_in_turn), cmocka_unit_test(done_is_done),
					   cmocka_unit_test_setup_teardown(ended_once, begin, end)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
