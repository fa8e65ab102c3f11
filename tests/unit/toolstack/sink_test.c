/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into a sink comes out of a source; what was damaged on the way does not. */
#include "toolstack/stream/peer.h"
#include "toolstack/stream/sink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE (700u << 10)

static uint8_t data[SIZE], back[SIZE];

/* A file of SIZE bytes, every other page of them zero, through a sink; its length on the wire. */
static FILE *written(uint64_t *sent)
{
	FILE *f = tmpfile();
	struct sink k;
	unsigned int seed = 7;

	assert_non_null(f);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = i >> 12 & 1 ? rand_r(&seed) : 0;
	assert_int_equal(sink_open(&k, fileno(f), true, 0), 0);
	for (size_t at = 0; at < SIZE; at += 7000) {
		size_t n = SIZE - at < 7000 ? SIZE - at : 7000;
		struct iovec v[2] = {{data + at, n / 3}, {data + at + n / 3, n - n / 3}};

		assert_int_equal(sink_writev(&k, v, 2), 0);
	}
	assert_int_equal(sink_finish(&k), 0);
	*sent = k.sent;
	sink_close(&k);
	return f;
}

static int read_back(FILE *f, size_t piece)
{
	struct source k;
	int rc = 0;

	assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
	assert_int_equal(source_open(&k, fileno(f)), 0);
	memset(back, 0xa5, SIZE);
	for (size_t at = 0; at < SIZE && rc == 0; at += piece)
		rc = source_read(&k, back + at, SIZE - at < piece ? SIZE - at : piece);
	source_close(&k);
	return rc;
}

static void round_trip(void **state)
{
	uint64_t sent;
	FILE *f = written(&sent);

	(void)state;
	assert_true(sent < SIZE * 6 / 10);
	assert_int_equal(lseek(fileno(f), 0, SEEK_END), sent);
	for (size_t piece = 1000; piece < 400000; piece *= 7) {
		assert_int_equal(read_back(f, piece), 0);
		assert_memory_equal(data, back, SIZE);
	}
	fclose(f);
}

static void cut_short(void **state)
{
	uint64_t sent;
	FILE *f = written(&sent);

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ftruncate(fileno(f), sent * (20 - i) / 21), 0);
		assert_int_equal(read_back(f, 4096), -EPIPE);
	}
	fclose(f);
}

/* zstd's checksum is at the end of a frame, so damage may show only there, but it shows. */
static void damaged(void **state)
{
	uint64_t sent;
	unsigned int seed = 11;

	(void)state;
	for (int i = 0; i < 50; i++) {
		FILE *f = written(&sent);
		off_t at = rand_r(&seed) % sent;
		uint8_t b;
		int rc;

		assert_int_equal(pread(fileno(f), &b, 1, at), 1);
		b ^= 1u << rand_r(&seed) % 8;
		assert_int_equal(pwrite(fileno(f), &b, 1, at), 1);
		rc = read_back(f, 4096);
		assert_true(rc < 0 || memcmp(data, back, SIZE) == 0);
		fclose(f);
	}
}

static void paced(void **state)
{
	FILE *f = tmpfile();
	struct iovec v = {data, 300000};
	struct timespec a, b;
	struct sink k;

	(void)state;
	assert_int_equal(sink_open(&k, fileno(f), false, 1000000), 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(sink_writev(&k, &v, 1), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	/* 0.3 s at that rate, of which 0.1 s may come in a burst. */
	assert_true(b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9 > 0.19);
	move_cancelled = 1;
	v = (struct iovec){data, 1000};
	assert_int_equal(sink_writev(&k, &v, 1), -ECANCELED);
	move_cancelled = 0;
	sink_close(&k);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(damaged),
		cmocka_unit_test(paced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
