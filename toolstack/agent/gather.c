/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread a connection, which is what costs: each decrypts what comes over its own, straight into the
 * place where the frame waits for its turn (reorder.h), and whoever brings the one that all wait for
 * writes it to the pipe, and what comes after it.
 *
 * What it holds is LANE_WINDOW frames a connection, however slow one of them is or the command that
 * reads: a frame that has no place yet stays in its connection, and TCP makes its sender wait.
 *
 * `lock` protects everything but the data of a place that is being filled or written.
 */
#include "gather.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int gather_init(struct gather *g, unsigned int lanes)
{
	memset(g, 0, sizeof(*g));
	reorder_init(&g->r, lanes * LANE_WINDOW);
	g->to = -1;
	g->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->stop < 0)
		return -errno;
	g->data = malloc((size_t)lanes * LANE_WINDOW * LANE_FRAME);
	if (!g->data) {
		close(g->stop);
		return -ENOMEM;
	}
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->moved, NULL);
	return 0;
}

void gather_free(struct gather *g)
{
	pthread_cond_destroy(&g->moved);
	pthread_mutex_destroy(&g->lock);
	free(g->data);
	close(g->stop);
}

void gather_open(struct gather *g, int to)
{
	pthread_mutex_lock(&g->lock);
	g->to = to;
	g->open = true;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
}

static void lose(struct gather *g)
{
	g->lost = true;
	/* A counter that is full is readable too. */
	(void)!write(g->stop, &(uint64_t){1}, sizeof(uint64_t));
	pthread_cond_broadcast(&g->moved);
}

void gather_lose(struct gather *g)
{
	pthread_mutex_lock(&g->lock);
	lose(g);
	pthread_mutex_unlock(&g->lock);
}

static void shut(struct gather *g)
{
	if (g->to >= 0)
		close(g->to);
	g->to = -1;
}

void gather_end(struct gather *g)
{
	pthread_mutex_lock(&g->lock);
	lose(g);
	while (g->inside)
		pthread_cond_wait(&g->moved, &g->lock);
	shut(g);
	pthread_mutex_unlock(&g->lock);
}

static int wait_for(const struct gather *g, int fd, short events)
{
	struct pollfd p[2] = {{fd, events, 0}, {g->stop, POLLIN, 0}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return p[1].revents ? -ECANCELED : 0;
}

/* A connection may hold what its socket does not show: it is read until it says -EAGAIN. */
static int get(const struct gather *g, const struct relay_link *l, uint8_t *to, size_t len)
{
	while (len) {
		ssize_t n = l->read(l->arg, to, len);
		int rc = n == -EAGAIN ? wait_for(g, l->fd, POLLIN) : n <= 0 ? -ECONNRESET : 0;

		if (rc < 0)
			return rc;
		to += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	return 0;
}

static int put(const struct gather *g, int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		int rc = n >= 0 || errno == EINTR ? 0 : errno == EAGAIN ? wait_for(g, fd, POLLOUT) : -EPIPE;

		if (rc < 0)
			return rc;
		p += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	return 0;
}

/* With the lock, which is let go while a frame is written; nobody else gets at its place or the pipe. */
static void deliver(struct gather *g)
{
	unsigned int place;
	uint32_t len;

	if (g->delivering)
		return;
	g->delivering = true;
	while (!g->lost && reorder_ready(&g->r, &place, &len)) {
		int rc = 0;

		pthread_mutex_unlock(&g->lock);
		if (!g->dropping)
			rc = put(g, g->to, g->data + (size_t)place * LANE_FRAME, len);
		pthread_mutex_lock(&g->lock);
		/* A command that does not read its input is no error: the rest is dropped. */
		g->dropping |= rc == -EPIPE;
		if (rc < 0 && rc != -EPIPE)
			break;
		reorder_advance(&g->r);
		pthread_cond_broadcast(&g->moved);
	}
	if (reorder_over(&g->r))
		shut(g);
	g->delivering = false;
}

/* A place for the frame, or the end of the lane: 1. */
static int claim(struct gather *g, const struct lane_frame *f)
{
	int rc = 0;

	pthread_mutex_lock(&g->lock);
	while (!g->lost && (!g->open || (rc = reorder_claim(&g->r, f)) == -EAGAIN))
		pthread_cond_wait(&g->moved, &g->lock);
	if (g->lost)
		rc = -ECANCELED;
	else if (rc == 1) {
		/* It may be all that was missing; and what waits for a place beyond it waits in vain. */
		deliver(g);
		pthread_cond_broadcast(&g->moved);
	}
	pthread_mutex_unlock(&g->lock);
	return rc;
}

static int lane(struct gather *g, const struct relay_link *l)
{
	uint8_t header[LANE_HEADER];
	struct lane_frame f;
	int rc;

	while ((rc = get(g, l, header, sizeof(header))) == 0) {
		lane_header_get(header, &f);
		if ((rc = claim(g, &f)) ||
		    (rc = get(g, l, g->data + f.number % g->r.window * LANE_FRAME, f.len)))
			break;
		pthread_mutex_lock(&g->lock);
		reorder_filled(&g->r, f.number);
		deliver(g);
		pthread_mutex_unlock(&g->lock);
	}
	return rc == 1 ? 0 : rc;
}

int gather_lane(struct gather *g, const struct relay_link *l)
{
	int rc;

	pthread_mutex_lock(&g->lock);
	g->inside++;
	pthread_mutex_unlock(&g->lock);
	rc = lane(g, l);
	pthread_mutex_lock(&g->lock);
	g->inside--;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
	return rc;
}
