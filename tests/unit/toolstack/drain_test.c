/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of a suspended domain's disks: a thread is the backend that answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "toolstack/stream/drain.h"
#include "toolstack/stream/stream.h"

#define RINGS 3
#define SOON_MS 10000

/* As io/ring.h of the public interface lays them out. */
static union {
	struct {
		uint32_t req_prod, req_event, rsp_prod, rsp_event;
	} head;
	uint8_t bytes[4096];
} page[RINGS];
static void *rings[RINGS] = {&page[0], &page[1], &page[2]};

static void set(unsigned int i, uint32_t asked, uint32_t answered)
{
	__atomic_store_n(&page[i].head.req_prod, asked, __ATOMIC_SEQ_CST);
	__atomic_store_n(&page[i].head.rsp_prod, answered, __ATOMIC_SEQ_CST);
}

static int reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < RINGS; i++)
		set(i, 7 * i, 7 * i);
	return 0;
}

static void counts(void **state)
{
	(void)state;
	assert_int_equal(ring_unanswered(&page[1]), 0);
	set(1, 40, 8);
	assert_int_equal(ring_unanswered(&page[1]), 32);
	/* The counters go on for ever. */
	set(1, 3, 0xfffffffe);
	assert_int_equal(ring_unanswered(&page[1]), 5);
	/* Where events are wanted is nobody's request. */
	set(1, 9, 9);
	page[1].head.req_event = 10;
	page[1].head.rsp_event = 20;
	assert_int_equal(ring_unanswered(&page[1]), 0);
}

static void empty_ones_take_no_time(void **state)
{
	size_t which;

	(void)state;
	assert_int_equal(rings_drain(rings, RINGS, 0, &which), 0);
	assert_int_equal(rings_drain(rings, 0, 0, &which), 0);
}

static void the_limit_is_kept(void **state)
{
	double start = stream_now();
	size_t which = 9;

	(void)state;
	set(2, 15, 14);
	assert_int_equal(rings_drain(rings, RINGS, 30, &which), -ETIMEDOUT);
	assert_int_equal(which, 2);
	assert_true(stream_now() - start >= 0.03);
	assert_int_equal(rings_drain(rings, RINGS, 0, &which), -ETIMEDOUT);
}

/* Answers them one by one, the last ring first. */
static void *backend(void *arg)
{
	(void)arg;
	for (unsigned int i = RINGS; i-- > 0;)
		while (ring_unanswered(&page[i])) {
			nanosleep(&(struct timespec){0, 300000}, NULL);
			__atomic_fetch_add(&page[i].head.rsp_prod, 1, __ATOMIC_SEQ_CST);
		}
	return NULL;
}

static void all_are_waited_for(void **state)
{
	pthread_t t;
	size_t which;

	(void)state;
	set(0, 2, 0xfffffff0);
	set(2, 64, 32);
	assert_int_equal(pthread_create(&t, NULL, backend, NULL), 0);
	assert_int_equal(rings_drain(rings, RINGS, SOON_MS, &which), 0);
	for (unsigned int i = 0; i < RINGS; i++)
		assert_int_equal(ring_unanswered(rings[i]), 0);
	pthread_join(t, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts, reset),
		cmocka_unit_test_setup(empty_ones_take_no_time, reset),
		cmocka_unit_test_setup(the_limit_is_kept, reset),
		cmocka_unit_test_setup(all_are_waited_for, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
