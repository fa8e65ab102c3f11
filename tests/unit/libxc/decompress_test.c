/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every compression, against data the format's own tool or library made. */
#include "serai/xc_image.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4hc.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define SIZE (3u << 20)

static uint8_t *plain;
static uint8_t packed[4u << 20];

static void check(size_t n, const char *name)
{
	const char *kind;
	size_t len;
	void *out;

	/* Four bytes of a bzImage's size word follow the stream. */
	memset(packed + n, 0x55, 4);
	assert_int_equal(xc_decompress(packed, n + 4, 1 << 24, &out, &len, &kind), 0);
	assert_string_equal(kind, name);
	assert_int_equal(len, SIZE);
	assert_memory_equal(out, plain, SIZE);
	free(out);
	/* A limit below the size, and a cut in the middle, are errors, not crashes. */
	assert_int_not_equal(xc_decompress(packed, n, SIZE / 2, &out, &len, &kind), 0);
	assert_int_not_equal(xc_decompress(packed, n / 2, 1 << 24, &out, &len, &kind), 0);
}

static void t_gzip(void **state)
{
	z_stream z = {.next_in = plain, .avail_in = SIZE, .next_out = packed, .avail_out = sizeof(packed)};

	(void)state;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	check(z.total_out, "gzip");
	deflateEnd(&z);
}

static void t_xz(void **state)
{
	size_t n = 0;

	(void)state;
	assert_int_equal(
		lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, plain, SIZE, packed, &n, sizeof(packed)),
		LZMA_OK);
	check(n, "xz");
}

static void t_lzma(void **state)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma o;

	(void)state;
	lzma_lzma_preset(&o, 1);
	assert_int_equal(lzma_alone_encoder(&z, &o), LZMA_OK);
	z.next_in = plain;
	z.avail_in = SIZE;
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	check(z.total_out, "lzma");
	lzma_end(&z);
}

static void t_bzip2(void **state)
{
	unsigned int n = sizeof(packed);

	(void)state;
	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)packed, &n, (char *)plain, SIZE, 9, 0, 0), BZ_OK);
	check(n, "bzip2");
}

static void t_zstd(void **state)
{
	(void)state;
	check(ZSTD_compress(packed, sizeof(packed), plain, SIZE, 3), "zstd");
}

static void t_lz4(void **state)
{
	uint32_t n = LZ4_compress_HC((char *)plain, (char *)packed + 8, SIZE, sizeof(packed) - 16, 3);
	const char *kind;
	size_t len;
	void *out;

	(void)state;
	memcpy(packed, "\x02\x21\x4c\x18", 4);
	memcpy(packed + 4, &n, 4);
	memset(packed + 8 + n, 0xff, 4);
	assert_int_equal(xc_decompress(packed, 8 + n + 4, 1 << 24, &out, &len, &kind), 0);
	assert_int_equal(len, SIZE);
	assert_memory_equal(out, plain, SIZE);
	free(out);
}

static void t_unknown(void **state)
{
	const char *kind;
	size_t len;
	void *out;

	(void)state;
	assert_int_equal(xc_decompress("plain text", 10, 100, &out, &len, &kind), -ENOTSUP);
	assert_string_equal(kind, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_gzip),    cmocka_unit_test(t_xz),   cmocka_unit_test(t_lzma),
		cmocka_unit_test(t_bzip2),   cmocka_unit_test(t_zstd), cmocka_unit_test(t_lz4),
		cmocka_unit_test(t_unknown),
	};
	unsigned int seed = 7;
	int rc;

	plain = malloc(SIZE);
	for (unsigned int i = 0; i < SIZE; i++)
		plain[i] = i & 1 ? (unsigned int)rand_r(&seed) % 17 : i >> 12;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(plain);
	return rc;
}
