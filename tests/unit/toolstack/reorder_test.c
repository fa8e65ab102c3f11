/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stream over several connections: the order of its frames, and, over sockets, all of its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toolstack/agent/gather.h"
#include "toolstack/agent/spread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int claim(struct reorder *r, uint64_t number, uint32_t len)
{
	return reorder_claim(r, &(struct lane_frame){number, len});
}

/* Claimed and filled; its length is its number and 1, so that the order shows. */
static int bring(struct reorder *r, uint64_t number)
{
	int rc = claim(r, number, number + 1);

	if (rc == 0)
		reorder_filled(r, number);
	return rc;
}

/* What can be delivered, which has to be the numbers from `from` on; how far it went. */
static uint64_t drain(struct reorder *r, uint64_t from)
{
	unsigned int place;
	uint32_t len;

	for (; reorder_ready(r, &place, &len); reorder_advance(r), from++) {
		assert_int_equal(len, from + 1);
		assert_int_equal(place, from % r->window);
	}
	return from;
}

static void header(void **state)
{
	static const struct lane_frame frames[] = {
		{0, 0}, {1, LANE_FRAME}, {0x0123456789abcdef, 0x01234567}, {UINT64_MAX, UINT32_MAX}};
	static const uint8_t want[] = {1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67};
	uint8_t bytes[LANE_HEADER];
	struct lane_frame f;

	(void)state;
	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		lane_header_put(bytes, &frames[i]);
		lane_header_get(bytes, &f);
		assert_int_equal(f.number, frames[i].number);
		assert_int_equal(f.len, frames[i].len);
	}
	lane_header_put(bytes, &frames[2]);
	assert_memory_equal(bytes, want, sizeof(want));
}

/* Every order in which so many frames can come, those without room coming again. */
#define ORDERED 6

static void in_order(unsigned int window, const unsigned int *order)
{
	unsigned int left[ORDERED + 1], n = ORDERED + 1;
	uint64_t at = 0;
	struct reorder r;

	reorder_init(&r, window);
	memcpy(left, order, sizeof(left));
	for (unsigned int round = 0; n; round++) {
		unsigned int kept = 0;

		assert_in_range(round, 0, ORDERED + 1);
		for (unsigned int i = 0; i < n; i++) {
			int rc = left[i] == ORDERED ? claim(&r, ORDERED, 0) : bring(&r, left[i]);

			assert_true(rc == (left[i] == ORDERED) || rc == -EAGAIN);
			if (rc == -EAGAIN)
				left[kept++] = left[i];
			at = drain(&r, at);
			assert_int_equal(reorder_over(&r), at == ORDERED && r.total == ORDERED);
		}
		n = kept;
	}
	assert_true(reorder_over(&r));
}

static void permute(unsigned int *order, unsigned int at)
{
	if (at == ORDERED + 1)
		for (unsigned int window = 1; window <= ORDERED + 1; window++)
			in_order(window, order);
	for (unsigned int i = at; i <= ORDERED; i++) {
		unsigned int t = order[at];

		order[at] = order[i];
		order[i] = t;
		permute(order, at + 1);
		order[i] = order[at];
		order[at] = t;
	}
}

static void every_order(void **state)
{
	unsigned int order[ORDERED + 1];

	(void)state;
	for (unsigned int i = 0; i <= ORDERED; i++)
		order[i] = i;
	permute(order, 0);
}

/* Every way to share frames between three lanes: none waits for ever, whichever moves first. */
static void no_deadlock(void **state)
{
	enum { FRAMES = 7, LANES = 3, WAYS = 2187 };

	(void)state;
	for (unsigned int way = 0; way < WAYS; way++)
		for (unsigned int window = 1; window <= LANES; window++) {
			unsigned int lane[FRAMES], w = way, brought = 0;
			bool there[FRAMES] = {false}, moved = true;
			uint64_t at = 0;
			struct reorder r;

			reorder_init(&r, window);
			for (unsigned int i = 0; i < FRAMES; i++, w /= LANES)
				lane[i] = w % LANES;
			while (brought < FRAMES) {
				assert_true(moved);
				moved = false;
				/* The last lane first: it has the least right to go first. */
				for (int l = LANES - 1; l >= 0; l--) {
					unsigned int i = 0;

					while (i < FRAMES && (there[i] || lane[i] != (unsigned int)l))
						i++;
					if (i == FRAMES || bring(&r, i) < 0)
						continue;
					there[i] = moved = true;
					brought++;
				}
				at = drain(&r, at);
			}
			assert_int_equal(at, FRAMES);
		}
}

static void twice(void **state)
{
	struct reorder r;

	(void)state;
	reorder_init(&r, 4);
	assert_int_equal(claim(&r, 1, 5), 0);
	assert_int_equal(claim(&r, 1, 5), -EPROTO); /* while it comes */
	reorder_filled(&r, 1);
	assert_int_equal(claim(&r, 1, 5), -EPROTO); /* while it waits */
	assert_int_equal(claim(&r, 0, 1), 0);
	reorder_filled(&r, 0);
	reorder_advance(&r);
	assert_int_equal(claim(&r, 0, 1), -EPROTO); /* when it is gone */
	reorder_advance(&r);
	assert_int_equal(claim(&r, 1, 5), -EPROTO);
	assert_int_equal(claim(&r, 5, 5), 0); /* the same place, the next time round */
}

static void sizes(void **state)
{
	struct reorder r;

	(void)state;
	reorder_init(&r, 4);
	assert_int_equal(claim(&r, 0, LANE_FRAME), 0);
	assert_int_equal(claim(&r, 1, LANE_FRAME + 1), -EPROTO);
	assert_int_equal(claim(&r, 1, UINT32_MAX), -EPROTO);
	assert_int_equal(claim(&r, 3, 1), 0);
	assert_int_equal(claim(&r, 4, 1), -EAGAIN);
	assert_int_equal(claim(&r, UINT64_MAX, 1), -EPROTO);
	assert_int_equal(claim(&r, UINT64_MAX - 1, 1), -EAGAIN);
}

static void the_end(void **state)
{
	struct reorder r;

	(void)state;
	reorder_init(&r, 4);
	assert_int_equal(bring(&r, 1), 0);
	assert_int_equal(bring(&r, 2), 0);
	assert_int_equal(claim(&r, UINT64_MAX, 0), -EPROTO);
	assert_int_equal(claim(&r, 2, 0), -EPROTO); /* before what has come */
	assert_int_equal(claim(&r, 0, 0), -EPROTO);
	assert_int_equal(claim(&r, 3, 0), 1);
	assert_int_equal(claim(&r, 3, 0), 1);       /* each lane says it */
	assert_int_equal(claim(&r, 4, 0), -EPROTO); /* the same */
	assert_int_equal(bring(&r, 3), -EPROTO);
	assert_int_equal(bring(&r, 9), -EPROTO); /* even without room */
	assert_false(reorder_over(&r));          /* the gap is open */
	assert_int_equal(bring(&r, 0), 0);
	assert_false(reorder_over(&r));
	assert_int_equal(drain(&r, 0), 3);
	assert_true(reorder_over(&r));
	assert_int_equal(claim(&r, 2, 0), -EPROTO); /* behind what has gone */
	reorder_init(&r, 1);
	assert_false(reorder_over(&r));
	assert_int_equal(claim(&r, 0, 0), 1); /* an empty stream */
	assert_true(reorder_over(&r));
}

/* Socket pairs for connections, pipes at both ends, and every thread there is. */
#define STREAM (24u << 20)

struct path {
	struct gather gather;
	struct spread spread;
	unsigned int lanes;
	int near[LANES_MAX], far[LANES_MAX];
	int in[2], out[2];
	pthread_t threads[2 * LANES_MAX], writer;
	int sent[LANES_MAX], got[LANES_MAX];
	unsigned int seed;
};

struct end {
	struct path *p;
	unsigned int number;
};

static ssize_t sock_read(void *arg, void *buf, size_t len)
{
	ssize_t n = recv(*(int *)arg, buf, len, 0);

	return n < 0 ? errno == EAGAIN ? -EAGAIN : -ECONNRESET : n;
}

static ssize_t sock_write(void *arg, const void *buf, size_t len)
{
	ssize_t n = send(*(int *)arg, buf, len, MSG_NOSIGNAL);

	return n < 0 ? errno == EAGAIN ? -EAGAIN : -ECONNRESET : n;
}

static void *send_lane(void *arg)
{
	struct end *e = arg;
	int *fd = &e->p->near[e->number];

	e->p->sent[e->number] =
		spread_lane(&e->p->spread, e->number, &(struct relay_link){fd, *fd, sock_read, sock_write});
	if (e->p->sent[e->number] < 0)
		spread_lose(&e->p->spread);
	shutdown(*fd, SHUT_RDWR);
	free(e);
	return NULL;
}

static void *receive_lane(void *arg)
{
	struct end *e = arg;
	int *fd = &e->p->far[e->number];

	e->p->got[e->number] =
		gather_lane(&e->p->gather, &(struct relay_link){fd, *fd, sock_read, sock_write});
	if (e->p->got[e->number] < 0)
		gather_lose(&e->p->gather);
	shutdown(*fd, SHUT_RDWR);
	free(e);
	return NULL;
}

static uint8_t byte_at(size_t at)
{
	return at ^ at >> 8 ^ at >> 16 ^ at % 251;
}

/* Writes of all sizes, until all is written or nobody reads it. */
static void *write_stream(void *arg)
{
	static uint8_t buf[300000];
	struct path *p = arg;

	for (size_t at = 0, n; at < STREAM; at += n) {
		ssize_t k;

		n = 1 + rand_r(&p->seed) % (rand_r(&p->seed) % 3 ? sizeof(buf) : 100);
		n = n < STREAM - at ? n : STREAM - at;
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(at + i);
		k = write(p->in[1], buf, n);
		if (k <= 0)
			break;
		n = k;
	}
	close(p->in[1]);
	return NULL;
}

static void spawn(struct path *p, unsigned int slot, void *(*f)(void *))
{
	struct end *e = malloc(sizeof(*e));

	assert_non_null(e);
	*e = (struct end){p, slot % LANES_MAX};
	assert_int_equal(pthread_create(&p->threads[slot], NULL, f, e), 0);
}

static struct path *path_start(unsigned int lanes)
{
	struct path *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->lanes = p->seed = lanes;
	assert_int_equal(pipe2(p->in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(p->out, O_CLOEXEC), 0);
	fcntl(p->out[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(gather_init(&p->gather, lanes), 0);
	assert_int_equal(spread_init(&p->spread, p->in[0]), 0);
	for (unsigned int i = 0; i < lanes; i++) {
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
		p->near[i] = fd[0];
		p->far[i] = fd[1];
		spawn(p, i, send_lane);
		spawn(p, LANES_MAX + i, receive_lane);
	}
	assert_int_equal(pthread_create(&p->writer, NULL, write_stream, p), 0);
	/* Frames have come before there is anywhere to put them. */
	gather_open(&p->gather, p->out[1]);
	return p;
}

/* How much of the stream arrives in order until its end, or `until` of it. */
static size_t take(struct path *p, size_t until)
{
	static uint8_t buf[65536];
	size_t at = 0;
	ssize_t n;

	while (at < until && (n = read(p->out[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			if (buf[i] != byte_at(at))
				fail_msg("byte %zu is another", at);
	return at;
}

/* Everybody ends; whether all said that all is well. */
static bool path_end(struct path *p)
{
	bool good = true;

	for (unsigned int i = 0; i < p->lanes; i++) {
		pthread_join(p->threads[i], NULL);
		pthread_join(p->threads[LANES_MAX + i], NULL);
		good &= p->sent[i] == 0 && p->got[i] == 0;
		close(p->near[i]);
		close(p->far[i]);
	}
	gather_end(&p->gather);
	close(p->in[0]);
	pthread_join(p->writer, NULL);
	gather_free(&p->gather);
	spread_free(&p->spread);
	close(p->out[0]);
	free(p);
	return good;
}

static void intact(void **state)
{
	static const unsigned int lanes[] = {2, 3, 4, 16};

	(void)state;
	for (unsigned int i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
		struct path *p = path_start(lanes[i]);

		assert_int_equal(take(p, SIZE_MAX), STREAM);
		assert_true(path_end(p));
	}
}

static void one_lost(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct path *p = path_start(4);
		size_t n = take(p, STREAM / 2);

		shutdown(p->far[i], SHUT_RDWR);
		/* No wait is without end, and the end is not taken for that of the stream. */
		gather_lose(&p->gather);
		assert_in_range(n, STREAM / 2, STREAM - 1);
		assert_false(path_end(p));
	}
}

static void nobody_reads(void **state)
{
	struct path *p = path_start(4);

	(void)state;
	take(p, 1);
	close(p->out[0]);
	p->out[0] = -1;
	assert_true(path_end(p)); /* the rest was dropped */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header), cmocka_unit_test(every_order), cmocka_unit_test(no_deadlock),
		cmocka_unit_test(twice),  cmocka_unit_test(sizes),       cmocka_unit_test(the_end),
		cmocka_unit_test(intact), cmocka_unit_test(one_lost),    cmocka_unit_test(nobody_reads),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("toolstack/agent/reorder", tests, NULL, NULL);
}
