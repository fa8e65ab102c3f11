/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker: the store, the domains and the keeper's slots, in one loop. It may end at any point;
 * the next one goes on from the state file.
 */
#include "daemon.h"
#include "memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct worker {
	struct feed feed;
	struct guests *guests; /* NULL: no domains */
	struct front *front;
	const struct handles *h;
	uint32_t *ready; /* connections that may have something to move */
	size_t n_ready, room_ready;
	bool ring_keeper, compact;
	int stop; /* exit status, -1: not yet */
};

/* -------- what the store asks -------- */

static void on_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	log_line(level, "%s", text);
}

static bool on_exists(void *ctx, uint16_t domid)
{
	struct worker *w = ctx;

	return w->guests && guests_exists(w->guests, domid);
}

static int on_introduce(void *ctx, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *start)
{
	struct worker *w = ctx;

	return w->guests ? guests_introduce(w->guests, domid, gfn, port, start) : -EINVAL;
}

static int on_rebind(void *ctx, uint16_t domid, uint32_t port)
{
	struct worker *w = ctx;

	return w->guests ? guests_rebind(w->guests, domid, port) : -EINVAL;
}

static void on_release(void *ctx, uint16_t domid)
{
	struct worker *w = ctx;

	if (w->guests)
		guests_release(w->guests, domid);
}

static void on_ready(void *ctx, struct conn *c)
{
	struct worker *w = ctx;

	if (c->queued)
		return;
	c->queued = true;
	if (w->n_ready == w->room_ready) {
		w->room_ready = w->room_ready ? w->room_ready * 2 : 64;
		w->ready = grow_array(w->ready, w->room_ready, sizeof(*w->ready));
	}
	w->ready[w->n_ready++] = c->id;
}

static char *live_update(struct worker *w, const char *args, size_t len)
{
	const char *what = args, *file;

	if (!len)
		return NULL;
	file = len > 3 && !args[2] ? args + 3 : "";
	if (!strcmp(what, "-a"))
		w->front->update[0] = 0;
	else if (!strcmp(what, "-f") && strlen(file) < sizeof(w->front->update)) {
		if (access(file, X_OK))
			return copy_text("File not accessible.");
		strcpy(w->front->update, file);
	} else if (!strcmp(what, "-s"))
		w->stop = WORKER_UPDATE;
	else
		return NULL;
	return copy_text("OK");
}

static char *on_control(void *ctx, const char *command, const char *args, size_t len)
{
	struct worker *w = ctx;
	const struct store *s = w->feed.s;

	if (!strcmp(command, "live-update"))
		return live_update(w, args, len);
	if (!strcmp(command, "logfile"))
		return len && *args && !log_file_set(args) ? copy_text("OK") : NULL;
	if (!strcmp(command, "compact")) {
		w->compact = true;
		return copy_text("OK");
	}
	if (len && *args && log_file_set(args))
		return NULL;
	log_line(STORE_NOTE, "%u nodes, %u connections, %u watches, %u transactions; state file %zu bytes",
		 s->nr_nodes, s->nr_conns, s->nr_watches, s->nr_transactions,
		 w->feed.j ? journal_size(w->feed.j) : 0);
	return copy_text("OK");
}

static const struct world world = {
	.log = on_log,
	.domain_exists = on_exists,
	.introduce = on_introduce,
	.rebind = on_rebind,
	.release = on_release,
	.ready = on_ready,
	.control = on_control,
};

/* -------- sockets -------- */

static uint32_t state_of(const struct slot *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

static void tell_keeper(struct worker *w, const struct slot *s)
{
	news_put(w->front->for_keeper, s - w->front->slot);
	w->ring_keeper = true;
}

static void slot_serve(struct worker *w, struct conn *c, struct slot *s)
{
	struct ring r;
	size_t left;

	slot_ring(s, &r);
	if (serve(&w->feed, c, &r))
		tell_keeper(w, s);
	conn_output(c, &left);
	if (left && !c->error) {
		/* Say so first, look again afterwards: the keeper does it the other way round. */
		__atomic_store_n(&s->want_out, 1, __ATOMIC_SEQ_CST);
		if (c->out_pos - __atomic_load_n(&s->out_cons, __ATOMIC_SEQ_CST) < SLOT_OUT)
			on_ready(w, c); /* the others first */
	}
	if (__atomic_exchange_n(&s->want_in, 0, __ATOMIC_SEQ_CST))
		tell_keeper(w, s);
}

static void slot_close(struct worker *w, struct conn *c, struct slot *s)
{
	feed_close(&w->feed, c);
	__atomic_store_n(&s->state, SLOT_DONE, __ATOMIC_RELEASE);
	tell_keeper(w, s);
}

static void slot_look(struct worker *w, struct slot *s)
{
	uint32_t state = state_of(s);
	struct conn *c;

	if (state != SLOT_OPEN && state != SLOT_HUNG_UP)
		return;
	c = conn_find(w->feed.s, s->id);
	if (!c && s->in_cons) {
		/* Of a connection that is not there any more something was taken: a worker that was killed had
		 * ended it, and had not said so. */
		__atomic_store_n(&s->state, SLOT_DONE, __ATOMIC_RELEASE);
		tell_keeper(w, s);
		return;
	}
	if (!c)
		c = feed_open(&w->feed, s->id);
	c->transport = s;
	slot_serve(w, c, s);
	/* What a client said before it hung up still counts; the answers are for nobody. */
	while (state == SLOT_HUNG_UP && !c->error && s->in_prod != c->in_pos) {
		struct ring r;
		char buf[SLOT_IN];
		long n;

		slot_ring(s, &r);
		n = ring_peek(&r, c->in_pos, buf, sizeof(buf));
		if (n <= 0)
			break;
		feed_input(&w->feed, c, buf, n);
		ring_taken(&r, c->in_pos);
	}
	if (state == SLOT_HUNG_UP || c->error)
		slot_close(w, c, s);
}

static void slots_look(struct worker *w)
{
	uint32_t from = 0;
	int i;

	while ((i = news_take(w->front->for_worker, &from)) >= 0)
		slot_look(w, &w->front->slot[i]);
}

/* After a start: what the last one had taken note of, or was about to tell, nobody knows. */
static void slots_look_again(struct worker *w)
{
	for (uint32_t i = 0; i < w->front->high && i < SLOTS; i++) {
		news_put(w->front->for_worker, i);
		news_put(w->front->for_keeper, i);
	}
	slots_look(w);
}

/* After a start: sockets the keeper still has go on, the others are closed. */
static void slots_attach(struct worker *w)
{
	struct store *s = w->feed.s;
	uint32_t top = CONN_SOCKET;

	for (uint32_t i = 0; i < w->front->high && i < SLOTS; i++) {
		struct slot *p = &w->front->slot[i];
		struct conn *c = conn_find(s, p->id);
		struct ring r;

		if (!w->front->next_id || !c || (state_of(p) != SLOT_OPEN && state_of(p) != SLOT_HUNG_UP))
			continue;
		c->transport = p;
		slot_ring(p, &r);
		serve_recover(&w->feed, c, &r);
	}
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (c->id >= top)
			top = c->id + 1;
		if (c->id >= CONN_SOCKET && !c->transport)
			feed_close(&w->feed, c);
	}
	if (!w->front->next_id)
		__atomic_store_n(&w->front->next_id, top, __ATOMIC_RELEASE);
}

/* -------- the loop -------- */

/*
 * Those that were ready when it began. Serving one makes it ready again as long as it goes on asking,
 * and the rest of the loop has its turn in between: sockets, events, the state file.
 */
static void serve_ready(struct worker *w)
{
	size_t n = w->n_ready;

	for (size_t i = 0; i < n; i++) {
		struct conn *c = conn_find(w->feed.s, w->ready[i]);

		if (!c)
			continue;
		c->queued = false;
		if (c->id < CONN_SOCKET) {
			if (w->guests)
				guests_serve(w->guests, c);
		} else if (c->transport) {
			slot_look(w, c->transport);
		}
	}
	w->n_ready -= n;
	if (w->n_ready)
		memmove(w->ready, w->ready + n, w->n_ready * sizeof(*w->ready));
}

static void settle(struct worker *w)
{
	uint64_t one = 1;

	serve_ready(w);
	if (w->compact) {
		w->compact = false;
		feed_compact(&w->feed);
	}
	feed_tidy(&w->feed);
	if (w->ring_keeper && write(w->h->to_keeper, &one, sizeof(one)) == sizeof(one))
		w->ring_keeper = false;
}

static void watch_fd(int ep, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void loop(struct worker *w)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), sig = signals();
	struct epoll_event e[8];

	watch_fd(ep, sig);
	watch_fd(ep, w->h->to_worker);
	watch_fd(ep, w->h->alive);
	if (w->guests)
		watch_fd(ep, guests_fd(w->guests));
	slots_look_again(w);
	w->ring_keeper = true;
	settle(w);
	while (w->stop < 0) {
		int n = epoll_wait(ep, e, 8, w->n_ready ? 0 : -1);

		for (int i = 0; i < n; i++) {
			uint64_t count;

			if (e[i].data.fd == sig || e[i].data.fd == w->h->alive)
				w->stop = WORKER_STOP;
			else if (w->guests && e[i].data.fd == guests_fd(w->guests))
				guests_events(w->guests);
			else if (read(w->h->to_worker, &count, sizeof(count)) == sizeof(count))
				slots_look(w);
		}
		settle(w);
	}
	close(sig);
	close(ep);
}

static void apply_options(struct worker *w, const struct options *o)
{
	w->feed.s->trace |= o->trace;
	for (int q = 0; q < QUOTA_COUNT; q++)
		if (o->quota_given[q])
			w->feed.s->quota[q] = o->quota[q];
}

int worker_run(const struct options *o, struct front *front, const struct handles *h)
{
	struct worker w = {.front = front, .h = h, .stop = -1};
	char path[4096];
	bool restored;
	uint64_t one = 1;
	int rc;

	prctl(PR_SET_NAME, "xenstored-work", 0, 0, 0);
	snprintf(path, sizeof(path), "%s/state", o->rundir);
	if (!o->no_domains && guests_open(&w.guests, &w.feed))
		return WORKER_REFUSED;
	if (o->fresh && !front->next_id)
		unlink(path);
	rc = feed_start(&w.feed, path, &world, &w, &restored);
	if (rc) {
		log_line(STORE_ERROR, "%s: %s", path, strerror(-rc));
		return WORKER_REFUSED;
	}
	if (!restored)
		apply_options(&w, o);
	if (!restored && feed_compact(&w.feed))
		return WORKER_REFUSED;
	log_line(STORE_NOTE, "%s: %u nodes, %u watches, %u connections", restored ? "restored" : "new store",
		 w.feed.s->nr_nodes, w.feed.s->nr_watches, w.feed.s->nr_conns);
	slots_attach(&w);
	if (w.guests)
		guests_attach(w.guests);
	__atomic_store_n(&front->ready, 1, __ATOMIC_RELEASE);
	if (write(h->to_keeper, &one, sizeof(one)) < 0)
		return WORKER_REFUSED;
	loop(&w);
	if (feed_compact(&w.feed))
		log_line(STORE_ERROR, "no last snapshot; the state file is as good without");
	feed_stop(&w.feed);
	guests_close(w.guests);
	free(w.ready);
	return w.stop;
}
