/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop. epoll_wait() is asked for one event at a time: a callback may close any other
 * source, and the kernel forgets a closed one's events, where a batch already fetched would not.
 */
#include "consoled.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int64_t now_s(void)
{
	return time(NULL);
}

void say(const struct daemon *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (d->o.foreground) {
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
	} else {
		vsyslog(LOG_NOTICE, fmt, ap);
	}
	va_end(ap);
}

int source_arm(struct daemon *d, struct source *s, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};
	int op = !s->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (events == s->events)
		return 0;
	if (epoll_ctl(d->epoll, op, s->fd, &e) < 0)
		return -errno;
	s->events = events;
	return 0;
}

void source_close(struct daemon *d, struct source *s)
{
	if (s->fd < 0)
		return;
	(void)source_arm(d, s, 0);
	close(s->fd);
	s->fd = -1;
}

/* Milliseconds until the first thing that happens by itself; -1: nothing does. */
static int next_timeout(const struct daemon *d, uint64_t now)
{
	uint64_t at = d->store ? UINT64_MAX : d->store_retry_ns;

	for (const struct guest *g = d->guests; g; g = g->next)
		if (g->more && guest_ready_at(g) < at)
			at = guest_ready_at(g);
	if (at == UINT64_MAX)
		return -1;
	return at <= now ? 0 : (int)((at - now + 999999) / 1000000);
}

static void timers(struct daemon *d, uint64_t now)
{
	for (struct guest *g = d->guests; g; g = g->next)
		if (g->more && guest_ready_at(g) <= now)
			guest_service(d, g, false);
	if (!d->store && d->store_retry_ns <= now && store_connect(d) == 0)
		say(d, "xenstored is back");
}

int daemon_loop(struct daemon *d)
{
	while (!d->stop) {
		struct epoll_event e;
		int n = epoll_wait(d->epoll, &e, 1, next_timeout(d, now_ns()));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			struct source *s = e.data.ptr;

			s->ready(d, s, e.events);
		}
		timers(d, now_ns());
		/* Requests made by the callback may have brought watch events along. */
		if (d->store)
			store_ready(d, &d->store_src, EPOLLIN);
	}
	return 0;
}
