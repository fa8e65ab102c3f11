/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoled's pure half: rings a guest can spoil, the fan-out buffer, rates. */
#include "toolstack/consoled/fan.h"
#include "toolstack/consoled/rate.h"
#include "toolstack/consoled/ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull

static char byte_at(uint64_t pos)
{
	return (char)(pos * 31 + (pos >> 8));
}

/* A guest that writes and a daemon that reads, in every combination of chunk sizes and across the
 * wrap of indices. */
static void ring_output(void **state)
{
	struct xencons_interface r;
	uint64_t put = 0, got = 0;
	char buf[sizeof(r.out)];

	(void)state;
	memset(&r, 0, sizeof(r));
	r.out_prod = r.out_cons = 0u - 5000;
	for (unsigned int step = 1; step < 3000; step++) {
		size_t n = step * 7 % 700, room = sizeof(r.out) - (put - got);
		ssize_t t;

		for (size_t i = 0; i < n && i < room; i++, put++)
			r.out[MASK_XENCONS_IDX(r.out_prod++, r.out)] = byte_at(put);
		assert_int_equal(ring_waiting(&r), put - got);
		t = ring_take(&r, buf, step * 13 % 900);
		assert_true(t >= 0 && (size_t)t <= step * 13 % 900);
		for (ssize_t i = 0; i < t; i++, got++)
			assert_int_equal(buf[i], byte_at(got));
	}
	assert_true(got > 100000);
}

static void ring_input(void **state)
{
	struct xencons_interface r;
	char text[3000];

	(void)state;
	memset(&r, 0, sizeof(r));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = byte_at(i);
	r.in_prod = r.in_cons = 0xfffffe00;
	assert_int_equal(ring_put(&r, text, sizeof(text)), 1024);
	assert_int_equal(ring_put(&r, text, 1), 0);
	r.in_cons += 100;
	assert_int_equal(ring_put(&r, text + 1024, 200), 100);
	for (uint32_t i = 100; i < 1124; i++)
		assert_int_equal(r.in[MASK_XENCONS_IDX(0xfffffe00 + i, r.in)], text[i]);
}

/* Indices that cannot be: answered, and nothing outside the ring touched (the sanitizers look). */
static void ring_spoilt(void **state)
{
	struct xencons_interface *r = calloc(1, sizeof(*r));
	static const uint32_t bad[] = {2049, 4096, 0x80000000, 0xffffffff};
	char buf[4096];

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r->out_cons = 77;
		r->out_prod = 77 + bad[i];
		assert_int_equal(ring_take(r, buf, sizeof(buf)), -EPROTO);
		assert_int_equal(ring_waiting(r), -EPROTO);
		assert_int_equal(r->out_cons, 77);
		r->in_cons = 5;
		r->in_prod = 5 + bad[i];
		assert_int_equal(ring_put(r, buf, 10), -EPROTO);
	}
	r->out_prod = 77 + 2048;
	assert_int_equal(ring_take(r, buf, sizeof(buf)), 2048);
	free(r);
}

static void fan_fill(struct fan *f, size_t n)
{
	char buf[333];

	while (n) {
		size_t k = n < sizeof(buf) ? n : sizeof(buf);

		for (size_t i = 0; i < k; i++)
			buf[i] = byte_at(f->end + i);
		assert_int_equal(fan_put(f, buf, k), 0);
		n -= k;
	}
}

/* Read up to `max` bytes and compare; returns what was lost. */
static uint64_t fan_follow(const struct fan *f, uint64_t *pos, size_t max)
{
	uint64_t lost, all = 0;
	size_t n;

	while (max) {
		const char *p = fan_peek(f, pos, &n, &lost);

		all += lost;
		if (!n)
			break;
		if (n > max)
			n = max;
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], byte_at(*pos + i));
		*pos += n;
		max -= n;
	}
	return all;
}

static void fan_readers(void **state)
{
	uint64_t fast = 0, slow = 0, lost = 0;
	struct fan f;

	(void)state;
	fan_init(&f, 20000);
	assert_int_equal(f.limit, 16384);
	assert_int_equal(f.size, 0); /* a silent guest costs nothing */
	for (int i = 0; i < 500; i++) {
		fan_fill(&f, 100 + i % 900);
		assert_int_equal(fan_follow(&f, &fast, SIZE_MAX), 0);
		assert_int_equal(fast, f.end);
		if (i % 10 == 0)
			lost += fan_follow(&f, &slow, 1000);
	}
	assert_int_equal(f.size, 16384);
	assert_true(lost > 100000);
	/* What a reader saw and what it lost is all there was. */
	assert_true(slow >= fan_start(&f) - 16384 && slow <= f.end);
	assert_int_equal(f.end - fan_start(&f), 16384);
	fan_free(&f);
}

static void fan_large_write(void **state)
{
	char *big = malloc(100000);
	uint64_t pos = 0, lost;
	struct fan f;
	size_t n;

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < 100000; i++)
		big[i] = byte_at(i);
	fan_init(&f, 4096);
	assert_int_equal(fan_put(&f, big, 100000), 0);
	assert_non_null(fan_peek(&f, &pos, &n, &lost));
	assert_int_equal(lost, 100000 - 4096);
	assert_int_equal(fan_follow(&f, &pos, SIZE_MAX), 0);
	assert_int_equal(pos, 100000);
	fan_free(&f);
	free(big);
}

static void fan_history(void **state)
{
	struct fan f;
	size_t n;
	uint64_t pos, lost;
	const char *p;

	(void)state;
	fan_init(&f, 4096);
	assert_int_equal(fan_recent(&f, 100), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(fan_put(&f, "0123456\n", 8), 0);
	pos = fan_recent(&f, 100);
	assert_true(f.end - pos <= 100 && f.end - pos > 90);
	p = fan_peek(&f, &pos, &n, &lost);
	assert_int_equal(*p, '0'); /* a whole line */
	/* Shorter than what was asked for: all of it. */
	assert_int_equal(fan_recent(&f, 1 << 20), fan_start(&f));
	fan_free(&f);
}

static void rate_limits(void **state)
{
	uint64_t now = 5 * SECOND, taken = 0, start;
	struct rate r;

	(void)state;
	rate_init(&r, 100000, 50000, now);
	assert_int_equal(rate_allowed(&r, now), 50000);
	rate_spend(&r, 50000);
	assert_int_equal(rate_allowed(&r, now), 0);
	assert_true(rate_ready_at(&r) > now);
	/* A flood for ten seconds, looked at every 333 ns: what was allowed is ten seconds' worth,
	 * to a byte. */
	start = now;
	while (now < start + 10 * SECOND) {
		size_t n;

		now += 333;
		n = rate_allowed(&r, now);
		rate_spend(&r, n);
		taken += n;
	}
	assert_in_range(taken, 999999, 1000001);
	/* A long silence fills the bucket and not more; so does one that would overflow. */
	assert_int_equal(rate_allowed(&r, now + 3600 * SECOND), 50000);
	rate_spend(&r, 60000);
	assert_int_equal(rate_allowed(&r, UINT64_MAX), 50000);
}

static void rate_wakes_in_time(void **state)
{
	struct rate r;
	uint64_t at;

	(void)state;
	rate_init(&r, 1000, 4096, 0);
	rate_spend(&r, 4096);
	at = rate_ready_at(&r);
	assert_int_equal(at, 2048 * SECOND / 1000);
	assert_true(rate_allowed(&r, at - SECOND / 100) < 2048);
	assert_int_equal(rate_allowed(&r, at), 2048);
	assert_true(rate_ready_at(&r) <= at);
	rate_init(&r, 0, 0, 7);
	rate_spend(&r, 1 << 30);
	assert_int_equal(rate_allowed(&r, 8), SIZE_MAX);
	assert_int_equal(rate_ready_at(&r), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_output),     cmocka_unit_test(ring_input),
		cmocka_unit_test(ring_spoilt),     cmocka_unit_test(fan_readers),
		cmocka_unit_test(fan_large_write), cmocka_unit_test(fan_history),
		cmocka_unit_test(rate_limits),     cmocka_unit_test(rate_wakes_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
