/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a disk is still to be copied, against an array of flags; and the kernel's record of writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/blktrace_api.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/mirror/dirty.h"
#include "toolstack/mirror/trace.h"

#define KIB 1024ull
#define BLOCKS 300u
#define SIZE (BLOCKS * DIRTY_BLOCK - 40 * KIB) /* the last block is a part of one */

static bool model[BLOCKS];

static void model_mark(uint64_t at, uint64_t len)
{
	for (uint64_t i = at; i < at + len && i < SIZE; i += 512)
		model[i / DIRTY_BLOCK] = true;
	if (len && at + len - 1 < SIZE)
		model[(at + len - 1) / DIRTY_BLOCK] = true;
}

static unsigned int model_count(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BLOCKS; i++)
		n += model[i];
	return n;
}

static void against_flags(void **state)
{
	struct dirty d;

	(void)state;
	srandom(1);
	assert_int_equal(dirty_init(&d, SIZE), 0);
	memset(model, 1, sizeof(model));
	for (unsigned int round = 0; round < 2000; round++) {
		uint64_t pos = 0, at, end = 0;
		size_t len, max = DIRTY_BLOCK * (1 + random() % 9);

		assert_int_equal(dirty_left(&d), (uint64_t)model_count() * DIRTY_BLOCK);
		while (dirty_take(&d, &pos, max, &at, &len)) {
			assert_true(at >= end && at % DIRTY_BLOCK == 0 && len > 0 && len <= max &&
				    at + len <= SIZE);
			for (uint64_t b = end / DIRTY_BLOCK; b < at / DIRTY_BLOCK; b++)
				assert_false(model[b]);
			for (uint64_t b = at / DIRTY_BLOCK; b <= (at + len - 1) / DIRTY_BLOCK; b++)
				assert_true(model[b]);
			end = pos;
		}
		for (uint64_t b = end / DIRTY_BLOCK; b < BLOCKS; b++)
			assert_false(model[b]);
		assert_int_equal(dirty_left(&d), 0);
		memset(model, 0, sizeof(model));
		for (long i = random() % 20; i > 0; i--) {
			uint64_t from = random() % (SIZE + DIRTY_BLOCK), n = random() % (5 * DIRTY_BLOCK);

			dirty_mark(&d, from, n);
			model_mark(from, n);
		}
	}
	dirty_free(&d);
}

static void ends(void **state)
{
	struct dirty d;
	uint64_t pos = 0, at;
	size_t len;

	(void)state;
	assert_int_equal(dirty_init(&d, 512), 0);
	assert_true(dirty_take(&d, &pos, DIRTY_BLOCK, &at, &len));
	assert_int_equal(at, 0);
	assert_int_equal(len, 512);
	dirty_mark(&d, 512, 512);
	dirty_mark(&d, ~0ull, ~0ull);
	dirty_mark(&d, 0, 0);
	assert_int_equal(dirty_left(&d), 0);
	dirty_mark(&d, 511, ~0ull);
	assert_int_equal(dirty_left(&d), DIRTY_BLOCK);
	dirty_free(&d);
}

/* -------- the kernel's record -------- */

#define PARTITION (2048 * 512ull)

static size_t event(char *to, uint32_t kind, uint64_t at, uint32_t bytes, uint16_t more)
{
	struct blk_io_trace e = {.magic = BLK_IO_TRACE_MAGIC | BLK_IO_TRACE_VERSION,
				 .sector = at / 512,
				 .bytes = bytes,
				 .action = __BLK_TA_COMPLETE | kind << BLK_TC_SHIFT,
				 .pdu_len = more};

	memcpy(to, &e, sizeof(e));
	memset(to + sizeof(e), 0x5a, more);
	return sizeof(e) + more;
}

/* The marks are exactly those of blocks[], -1 at its end. */
static void marked(struct dirty *d, const int *block)
{
	uint64_t pos = 0, at;
	size_t len;

	for (; *block >= 0; block++) {
		assert_true(dirty_take(d, &pos, DIRTY_BLOCK, &at, &len));
		assert_int_equal(at, (uint64_t)*block * DIRTY_BLOCK);
	}
	assert_false(dirty_take(d, &pos, DIRTY_BLOCK, &at, &len));
}

static int clean(void **state)
{
	static struct dirty d;
	uint64_t pos = 0, at;
	size_t len;

	assert_int_equal(dirty_init(&d, SIZE), 0);
	while (dirty_take(&d, &pos, SIZE, &at, &len))
		;
	*state = &d;
	return 0;
}

static int clean_end(void **state)
{
	dirty_free(*state);
	return 0;
}

static void writes_count(void **state)
{
	char buf[1024];
	size_t n = event(buf, BLK_TC_WRITE | BLK_TC_COMPLETE, 3 * DIRTY_BLOCK - 512, 1024, 0);

	n += event(buf + n, BLK_TC_READ | BLK_TC_COMPLETE, 9 * DIRTY_BLOCK, 4096, 0);
	n += event(buf + n, BLK_TC_DISCARD | BLK_TC_WRITE | BLK_TC_COMPLETE, 20 * DIRTY_BLOCK,
		   2 * DIRTY_BLOCK, 8);
	n += event(buf + n, BLK_TC_NOTIFY | BLK_TC_WRITE, 30 * DIRTY_BLOCK, 4096, 16);
	n += event(buf + n, BLK_TC_WRITE | BLK_TC_FLUSH | BLK_TC_COMPLETE, 40 * DIRTY_BLOCK, 0, 0);
	n += event(buf + n, BLK_TC_WRITE | BLK_TC_COMPLETE, 50 * DIRTY_BLOCK, 512, 3);
	assert_int_equal(trace_feed(*state, 0, 0, buf, n), n);
	marked(*state, (const int[]){2, 3, 20, 21, 50, -1});
}

/* Of an event that has not all come, nothing is taken. */
static void in_parts(void **state)
{
	char buf[256];
	size_t first = event(buf, BLK_TC_WRITE, 0, 512, 5),
	       n = first + event(buf + first, BLK_TC_WRITE, DIRTY_BLOCK, 512, 20);

	for (size_t cut = first; cut < n; cut++)
		assert_int_equal(trace_feed(*state, 0, 0, buf, cut), first);
	marked(*state, (const int[]){0, -1});
	assert_int_equal(trace_feed(*state, 0, 0, buf + first, n - first), n - first);
	marked(*state, (const int[]){1, -1});
}

static void of_a_partition(void **state)
{
	char buf[512];
	size_t n = event(buf, BLK_TC_WRITE, PARTITION + 5 * DIRTY_BLOCK, 512, 0);

	n += event(buf + n, BLK_TC_WRITE, PARTITION - 1024, 1024, 0);        /* before it */
	n += event(buf + n, BLK_TC_WRITE, PARTITION - 1024, 2048, 0);        /* over its start */
	n += event(buf + n, BLK_TC_WRITE, PARTITION + SIZE + 1024, 4096, 0); /* behind it */
	assert_int_equal(trace_feed(*state, PARTITION, 0, buf, n), n);
	marked(*state, (const int[]){0, 5, -1});
}

/* A device made of bios: an event has the end of a write, and of its length only that it is no larger than this. */
static void of_bios(void **state)
{
	char buf[512];
	uint64_t back = 2 * DIRTY_BLOCK;
	size_t n = event(buf, BLK_TC_WRITE, 10 * DIRTY_BLOCK + 512, 512, 0);

	n += event(buf + n, BLK_TC_WRITE, DIRTY_BLOCK, 0, 0); /* all of it was done when that was asked */
	n += event(buf + n, BLK_TC_READ, 40 * DIRTY_BLOCK, 512, 0);
	assert_int_equal(trace_feed(*state, 0, back, buf, n), n);
	marked(*state, (const int[]){0, 8, 9, 10, -1});
	n = event(buf, BLK_TC_WRITE, PARTITION + DIRTY_BLOCK, 512, 0);
	n += event(buf + n, BLK_TC_WRITE, PARTITION + 20 * DIRTY_BLOCK, 4 * DIRTY_BLOCK,
		   0); /* larger all the same */
	assert_int_equal(trace_feed(*state, PARTITION, back, buf, n), n);
	marked(*state, (const int[]){0, 1, 20, 21, 22, 23, -1});
	n = event(buf, BLK_TC_DISCARD | BLK_TC_WRITE, 3 * DIRTY_BLOCK, 512, 0);
	assert_int_equal(trace_feed(*state, 0, back, buf, n), n);
	marked(*state, (const int[]){0, 1, 2, 3, -1});
}

static void not_a_record(void **state)
{
	char buf[64] = {0};

	assert_int_equal(trace_feed(*state, 0, 0, buf, sizeof(buf)), -EPROTO);
}

/* Where nothing can be followed, that is said. */
static void no_record(void **state)
{
	struct trace t;
	struct dirty d;
	char why[200];

	(void)state;
	assert_int_equal(trace_start(&t, "/nowhere", 0, why, sizeof(why)), -ENOTBLK);
	assert_int_equal(dirty_init(&d, SIZE), 0);
	assert_int_equal(trace_collect(&t, &d), 0);
	trace_stop(&t);
	dirty_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_flags),
		cmocka_unit_test(ends),
		cmocka_unit_test_setup_teardown(writes_count, clean, clean_end),
		cmocka_unit_test_setup_teardown(in_parts, clean, clean_end),
		cmocka_unit_test_setup_teardown(of_a_partition, clean, clean_end),
		cmocka_unit_test_setup_teardown(of_bios, clean, clean_end),
		cmocka_unit_test_setup_teardown(not_a_record, clean, clean_end),
		cmocka_unit_test(no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
