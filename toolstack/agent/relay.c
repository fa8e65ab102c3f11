/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every turn of the loop does whatever can be done without waiting; only a turn that could do nothing
 * waits in poll. A link may hold bytes that its socket does not show (a TLS record half read), so it is
 * always read until it says -EAGAIN before anybody waits for it.
 *
 * A client's pipes are others' too (a shell's terminal), so they are not made non-blocking: only what
 * poll calls ready is read or written, and never more is written than a ready pipe takes.
 */
#include "relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEADER 4
/* How long the client may take to hang up after the end. */
#define LINGER_MS 10000

enum channel { DATA, ERRORS, STATUS };

/* Where poll looks: the child first, so that what it wrote before its end is seen with its end. */
enum { P_CHILD, P_IN, P_OUT = P_IN + 2, P_NET = P_OUT + 2, NR_P };

struct relay {
	const struct relay_link *net;
	struct relay_ends *e;
	bool server;
	int child_fd;
	bool ended; /* the child */
	struct pollfd p[NR_P];
	/* Outwards: one frame, header included. */
	uint8_t up[HEADER + RELAY_FRAME];
	size_t up_at, up_len;
	unsigned int up_first; /* which of in[] has its turn */
	bool up_last;          /* the frame in `up` is the last */
	bool up_done;          /* and it is on its way, or never will be */
	/* Inwards: bytes as they came, and where in a frame they are. */
	uint8_t down[HEADER + RELAY_FRAME];
	size_t down_at, down_len;
	uint8_t header[HEADER];
	unsigned int header_have;
	enum channel channel;
	uint32_t frame_left;
	bool down_last; /* the status has come */
	bool ending;    /* the connection ended behind what is in `down` */
	bool hung_up;   /* the connection ended */
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool ready(const struct relay *r, unsigned int which)
{
	return r->p[which].fd >= 0 && r->p[which].revents;
}

/* Whether poll was asked about it, or there is nothing to ask about. */
static bool looked_at(const struct relay *r, enum channel c)
{
	return r->p[P_IN + c].fd >= 0 || r->e->in[c] < 0;
}

static void frame(struct relay *r, enum channel c, size_t n)
{
	r->up[0] = c;
	r->up[1] = n >> 16;
	r->up[2] = n >> 8;
	r->up[3] = n;
	r->up_at = 0;
	r->up_len = HEADER + n;
}

/* The steps. 1: something moved; 0: nothing can; negative: the end of it all. */
static int up_fill(struct relay *r)
{
	if (r->up_len || r->up_last)
		return 0;
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int c = (r->up_first + i) % 2;
		ssize_t n;

		if (!ready(r, P_IN + c))
			continue;
		n = read(r->e->in[c], r->up + HEADER, RELAY_FRAME);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		/* Whoever wrote here is gone: an end like any other, and what it means is theirs to tell. */
		if (n <= 0)
			shut(&r->e->in[c]);
		frame(r, c, n > 0 ? n : 0);
		r->up_first = !c;
		return 1;
	}
	if (!r->ended || !looked_at(r, DATA) || !looked_at(r, ERRORS))
		return 0;
	/* It has ended, and its pipes hold nothing more; what it left behind may keep them open. */
	r->up[HEADER] = r->e->status;
	frame(r, STATUS, 1);
	r->up_last = true;
	return 1;
}

static int up_send(struct relay *r)
{
	ssize_t n;

	if (!r->up_len)
		return 0;
	n = r->net->write(r->net->arg, r->up + r->up_at, r->up_len - r->up_at);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0 && r->server)
		return -ECONNRESET;
	if (n <= 0) {
		/* Perhaps the other side ended in order, and its last words can still be read. */
		r->up_len = 0;
		r->up_last = r->up_done = true;
		shut(&r->e->in[DATA]);
		return 1;
	}
	r->up_at += n;
	if (r->up_at == r->up_len) {
		r->up_len = 0;
		r->up_done = r->up_last;
	}
	return 1;
}

static int down_receive(struct relay *r)
{
	ssize_t n = 0;

	if (r->down_len || r->hung_up)
		return 0;
	r->down_at = 0;
	/* A read gives a record at most; a write to the pipe takes many of them. */
	while (!r->ending && r->down_len < sizeof(r->down)) {
		n = r->net->read(r->net->arg, r->down + r->down_len, sizeof(r->down) - r->down_len);
		if (n == -EAGAIN)
			break;
		r->ending = n <= 0;
		r->down_len += n > 0 ? n : 0;
	}
	r->hung_up = r->ending && !r->down_len;
	return r->down_len || r->hung_up;
}

static int header(struct relay *r)
{
	while (r->header_have < HEADER && r->down_len) {
		r->header[r->header_have++] = r->down[r->down_at++];
		r->down_len--;
	}
	if (r->header_have < HEADER)
		return 1;
	r->header_have = 0;
	r->channel = r->header[0];
	r->frame_left = (uint32_t)r->header[1] << 16 | r->header[2] << 8 | r->header[3];
	if (r->channel > (r->server ? DATA : STATUS) || r->frame_left > RELAY_FRAME ||
	    (r->channel == STATUS && r->frame_left != 1))
		return -EPROTO;
	if (!r->frame_left)
		shut(&r->e->out[r->channel]);
	return 1;
}

static int down_deliver(struct relay *r)
{
	size_t len = r->down_len < r->frame_left ? r->down_len : r->frame_left;
	int *to = &r->e->out[r->channel == ERRORS];
	ssize_t n = len;

	if (!r->down_len || r->down_last)
		return 0;
	if (!len)
		return header(r);
	if (r->channel == STATUS) {
		r->e->status = r->down[r->down_at];
		r->down_last = true;
		return 1;
	}
	if (*to >= 0) {
		/* A server's pipe is its own, and says itself when it is full. */
		if (!r->server && !ready(r, P_OUT + r->channel))
			return 0;
		n = write(*to, r->down + r->down_at, r->server || len < PIPE_BUF ? len : PIPE_BUF);
		r->p[P_OUT + r->channel].revents = 0; /* that was what it took */
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		shut(to);
		/* A command that does not read its input is no error: the rest is dropped. */
		return r->server ? 1 : -EPIPE;
	}
	r->down_at += n;
	r->down_len -= n;
	r->frame_left -= n;
	return 1;
}

int child_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int reap(struct relay *r)
{
	if (!ready(r, P_CHILD))
		return 0;
	r->e->status = child_wait(r->e->child);
	r->e->child = 0;
	r->ended = true;
	shut(&r->child_fd);
	return 1;
}

/* Which of the ends are ready now, or become so within the time; negative: none did. */
static int look(struct relay *r, int timeout_ms)
{
	bool data = r->down_len && r->frame_left && r->channel != STATUS, full = r->up_len || r->up_last;
	short net = (r->server ? POLLRDHUP : 0) | (r->down_len ? 0 : POLLIN) | (r->up_len ? POLLOUT : 0);
	struct pollfd p[NR_P];
	int rc;

	p[P_CHILD] = (struct pollfd){r->child_fd, POLLIN, 0};
	for (unsigned int i = 0; i < 2; i++) {
		p[P_IN + i] = (struct pollfd){full ? -1 : r->e->in[i], POLLIN, 0};
		p[P_OUT + i] = (struct pollfd){data && r->channel == i ? r->e->out[i] : -1, POLLOUT, 0};
	}
	/* A server hears of a hang-up at once. A client does not want to before it has read all. */
	p[P_NET] = (struct pollfd){r->hung_up || !net ? -1 : r->net->fd, net, 0};
	rc = poll(p, NR_P, timeout_ms);
	for (unsigned int i = 0; i < NR_P && rc < 0; i++)
		p[i].revents = 0;
	memcpy(r->p, p, sizeof(p));
	if (rc < 0)
		return errno == EINTR ? 0 : -errno;
	/* The input backs up and nobody is there to wait for it. */
	if (r->server && r->down_len && p[P_NET].revents & (POLLRDHUP | POLLHUP | POLLERR))
		r->hung_up = true;
	return rc || timeout_ms <= 0 ? 0 : -ETIMEDOUT;
}

static int turn(struct relay *r)
{
	/* up_fill before reap: what poll found in the pipes was not yet all when the child had not ended. */
	int (*const steps[])(struct relay *) = {up_send, up_fill, down_deliver, down_receive, reap};
	int moved = 0;

	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int rc = steps[i](r);

		if (rc < 0)
			return rc;
		moved |= rc;
	}
	return moved;
}

/* Positive: there is more to do; else what came of it. */
static int over(const struct relay *r)
{
	if (r->server)
		return !r->hung_up ? 1 : r->up_done ? 0 : -ECONNRESET;
	return r->down_last ? 0 : r->hung_up && !r->down_len ? -ECONNRESET : 1;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int carry(struct relay *r)
{
	long end = 0;
	int moved = 0, rc, left;

	while ((rc = over(r)) > 0) {
		left = moved ? 0 : -1;
		/* Once all is said, a client that never hangs up, whatever it sends, is left after a while. */
		if (r->server && r->up_done) {
			end = end ? end : now_ms() + LINGER_MS;
			if (now_ms() >= end)
				return 0;
			left = moved ? 0 : (int)(end - now_ms());
		}
		if ((rc = look(r, left)) < 0 || (rc = turn(r)) < 0)
			break;
		moved = rc;
	}
	/* After our own end it is the client's to hang up, with its end or without. */
	return r->server && r->up_done ? 0 : rc;
}

int relay_run(const struct relay_link *net, struct relay_ends *ends, const void *early, size_t early_len)
{
	struct relay *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (r && early_len <= sizeof(r->down)) {
		r->net = net;
		r->e = ends;
		r->server = ends->child > 0;
		r->child_fd = r->server ? (int)syscall(SYS_pidfd_open, ends->child, 0) : -1;
		r->down_len = early_len;
		if (early_len)
			memcpy(r->down, early, early_len);
		rc = r->server && r->child_fd < 0 ? -errno : carry(r);
		shut(&r->child_fd);
	}
	for (unsigned int i = 0; i < 2; i++) {
		shut(&ends->in[i]);
		shut(&ends->out[i]);
	}
	free(r);
	return rc;
}
