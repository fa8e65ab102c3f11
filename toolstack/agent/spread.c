/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread a connection: each takes its turn to read what the pipe has, as one frame with the next
 * number (reorder.h), and then encrypts and sends it while the others take theirs. A connection that is
 * slow takes fewer turns. What is held is one frame a connection.
 *
 * Whoever has the turn also listens to the others' connections; who sends listens to its own.
 */
#include "spread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { P_STOP, P_PIPE, P_LANES };

int spread_init(struct spread *s, int from)
{
	memset(s, 0, sizeof(*s));
	s->from = from;
	s->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->stop < 0)
		return -errno;
	for (unsigned int i = 0; i < LANES_MAX; i++)
		s->fd[i] = -1;
	pthread_mutex_init(&s->turn, NULL);
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

void spread_free(struct spread *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->turn);
	close(s->stop);
}

void spread_lose(struct spread *s)
{
	atomic_store(&s->lost, true);
	/* A counter that is full is readable too. */
	(void)!write(s->stop, &(uint64_t){1}, sizeof(uint64_t));
}

static int wait_any(const struct spread *s, struct pollfd *p, unsigned int n)
{
	int rc;

	while ((rc = poll(p, n, -1)) < 0 && errno == EINTR)
		;
	return rc < 0 ? -errno : atomic_load(&s->lost) ? -ECANCELED : 0;
}

/* With the turn: until the pipe can be read. */
static int wait_pipe(struct spread *s)
{
	struct pollfd p[P_LANES + LANES_MAX] = {{s->stop, POLLIN, 0}, {s->from, POLLIN, 0}};
	int rc;

	pthread_mutex_lock(&s->lock);
	for (unsigned int i = 0; i < LANES_MAX; i++)
		p[P_LANES + i] = (struct pollfd){s->fd[i], POLLRDHUP, 0};
	pthread_mutex_unlock(&s->lock);
	rc = wait_any(s, p, P_LANES + LANES_MAX);
	for (unsigned int i = 0; i < LANES_MAX && rc == 0; i++)
		if (p[P_LANES + i].revents)
			rc = -ECONNRESET;
	return rc;
}

/* A frame's number and data; without data, the end. */
static int take(struct spread *s, struct lane_frame *f, uint8_t *data)
{
	ssize_t n = 0;
	int rc = 0;

	pthread_mutex_lock(&s->turn);
	while (!s->ended && (rc = wait_pipe(s)) == 0) {
		n = read(s->from, data, LANE_FRAME);
		if (n > 0 || (errno != EAGAIN && errno != EINTR) || n == 0)
			break;
	}
	/* Whoever wrote here is gone: an end like any other, and what it means is theirs to tell. */
	s->ended |= rc == 0 && n <= 0;
	*f = (struct lane_frame){s->next, n > 0 ? n : 0};
	s->next += rc == 0 && n > 0;
	pthread_mutex_unlock(&s->turn);
	return rc;
}

static int put(const struct spread *s, const struct relay_link *l, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = l->write(l->arg, p, len);
		struct pollfd w[2] = {{s->stop, POLLIN, 0}, {l->fd, POLLOUT, 0}};
		int rc = n == -EAGAIN ? wait_any(s, w, 2) : n <= 0 ? -ECONNRESET : 0;

		if (rc < 0)
			return rc;
		p += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	return 0;
}

/* Closing at once could reset the connection, and what is still on its way would be lost. */
static int hung_up(const struct spread *s, const struct relay_link *l)
{
	uint8_t rest[64];
	ssize_t n;

	while ((n = l->read(l->arg, rest, sizeof(rest))) == -EAGAIN) {
		struct pollfd w[2] = {{s->stop, POLLIN, 0}, {l->fd, POLLIN, 0}};
		int rc = wait_any(s, w, 2);

		if (rc < 0)
			return rc;
	}
	return n > 0 ? -EPROTO : 0;
}

int spread_lane(struct spread *s, unsigned int number, const struct relay_link *l)
{
	uint8_t *buf = malloc(LANE_HEADER + LANE_FRAME);
	struct lane_frame f = {0, 1};
	int rc = buf ? 0 : -ENOMEM;

	pthread_mutex_lock(&s->lock);
	s->fd[number] = l->fd;
	pthread_mutex_unlock(&s->lock);
	while (rc == 0 && f.len) {
		rc = take(s, &f, buf + LANE_HEADER);
		if (rc == 0) {
			lane_header_put(buf, &f);
			rc = put(s, l, buf, LANE_HEADER + f.len);
		}
	}
	free(buf);
	return rc < 0 ? rc : hung_up(s, l);
}
