/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every compression a Linux kernel or ramdisk may use, each through its own library, which is opened for the
 * occasion. All of them write into one growing buffer that stops at a limit, so a small file cannot claim all memory.
 */
#include "serai/xc_image.h"
#include "../late.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

LATE_NOTE(zlib, "libz.so.1", "kernels packed with gzip");
LATE_NOTE(lzma, "liblzma.so.5", "kernels packed with xz or lzma");
LATE_NOTE(bzip2, "libbz2.so.1.0", "kernels packed with bzip2");
LATE_NOTE(zstd, "libzstd.so.1", "kernels packed with zstd");
LATE_NOTE(lz4, "liblz4.so.1", "kernels packed with lz4");
LATE_NOTE(lzo, "liblzo2.so.2", "kernels packed with lzop");

struct sink {
	uint8_t *p;
	size_t used, size, limit;
};

/* Make room for at least one more byte (and, if possible, `want`). */
static int sink_grow(struct sink *s, size_t want)
{
	size_t size = s->size ? s->size * 2 : 1u << 20;
	uint8_t *p;

	if (size < s->used + want)
		size = s->used + want;
	if (size > s->limit)
		size = s->limit;
	if (size <= s->used)
		return -EFBIG;
	p = realloc(s->p, size);
	if (!p)
		return -ENOMEM;
	s->p = p;
	s->size = size;
	return 0;
}

struct zlib {
	__typeof__(inflateInit2_) *inflateInit2_;
	__typeof__(inflate) *inflate;
	__typeof__(inflateEnd) *inflateEnd;
};

static int zlib_run(const struct zlib *l, const uint8_t *in, size_t len, struct sink *s)
{
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)in, .avail_in = len};
	int rc = 0, zr = Z_OK;

	/* +16: gzip framing */
	if (l->inflateInit2_(&z, 15 + 16, ZLIB_VERSION, (int)sizeof(z)) != Z_OK)
		return -ENOMEM;
	while (zr != Z_STREAM_END) {
		if (s->used == s->size && (rc = sink_grow(s, 1)))
			break;
		z.next_out = s->p + s->used;
		z.avail_out = s->size - s->used;
		zr = l->inflate(&z, Z_NO_FLUSH);
		s->used = z.next_out - s->p;
		if (zr != Z_OK && zr != Z_STREAM_END && !(zr == Z_BUF_ERROR && z.avail_out == 0)) {
			rc = -EBADMSG;
			break;
		}
	}
	l->inflateEnd(&z);
	return rc;
}

static int with_zlib(const uint8_t *in, size_t len, struct sink *s)
{
	struct zlib l = {0};
	const struct late names[] = {LATE(&l, inflateInit2_), LATE(&l, inflate), LATE(&l, inflateEnd)};
	void *handle;
	int rc = late_open("libz.so.1", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = zlib_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

struct lzma {
	__typeof__(lzma_auto_decoder) *lzma_auto_decoder;
	__typeof__(lzma_code) *lzma_code;
	__typeof__(lzma_end) *lzma_end;
};

/* Both .xz and the older .lzma; what follows the stream (the size word of a bzImage) is ignored. */
static int lzma_run(const struct lzma *l, const uint8_t *in, size_t len, struct sink *s)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret zr = LZMA_OK;
	int rc = 0;

	if (l->lzma_auto_decoder(&z, 512u << 20, 0) != LZMA_OK)
		return -ENOMEM;
	z.next_in = in;
	z.avail_in = len;
	while (zr != LZMA_STREAM_END) {
		if (s->used == s->size && (rc = sink_grow(s, 1)))
			break;
		z.next_out = s->p + s->used;
		z.avail_out = s->size - s->used;
		zr = l->lzma_code(&z, LZMA_RUN);
		s->used = z.next_out - s->p;
		if (zr != LZMA_OK && zr != LZMA_STREAM_END && !(zr == LZMA_BUF_ERROR && !z.avail_out)) {
			rc = -EBADMSG;
			break;
		}
	}
	l->lzma_end(&z);
	return rc;
}

static int with_lzma(const uint8_t *in, size_t len, struct sink *s)
{
	struct lzma l = {0};
	const struct late names[] = {LATE(&l, lzma_auto_decoder), LATE(&l, lzma_code), LATE(&l, lzma_end)};
	void *handle;
	int rc = late_open("liblzma.so.5", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = lzma_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

struct bzip2 {
	__typeof__(BZ2_bzDecompressInit) *BZ2_bzDecompressInit;
	__typeof__(BZ2_bzDecompress) *BZ2_bzDecompress;
	__typeof__(BZ2_bzDecompressEnd) *BZ2_bzDecompressEnd;
};

static int bzip2_run(const struct bzip2 *l, const uint8_t *in, size_t len, struct sink *s)
{
	bz_stream z = {.next_in = (char *)(uintptr_t)in, .avail_in = len};
	int rc = 0, zr = BZ_OK;

	if (l->BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return -ENOMEM;
	while (zr != BZ_STREAM_END) {
		if (s->used == s->size && (rc = sink_grow(s, 1)))
			break;
		z.next_out = (char *)s->p + s->used;
		z.avail_out = s->size - s->used;
		zr = l->BZ2_bzDecompress(&z);
		s->used = (uint8_t *)z.next_out - s->p;
		if ((zr != BZ_OK && zr != BZ_STREAM_END) || (zr == BZ_OK && z.avail_in == 0 && z.avail_out)) {
			rc = -EBADMSG;
			break;
		}
	}
	l->BZ2_bzDecompressEnd(&z);
	return rc;
}

static int with_bzip2(const uint8_t *in, size_t len, struct sink *s)
{
	struct bzip2 l = {0};
	const struct late names[] = {LATE(&l, BZ2_bzDecompressInit), LATE(&l, BZ2_bzDecompress),
				     LATE(&l, BZ2_bzDecompressEnd)};
	void *handle;
	int rc = late_open("libbz2.so.1.0", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = bzip2_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

struct zstd {
	__typeof__(ZSTD_createDCtx) *ZSTD_createDCtx;
	__typeof__(ZSTD_freeDCtx) *ZSTD_freeDCtx;
	__typeof__(ZSTD_decompressStream) *ZSTD_decompressStream;
	__typeof__(ZSTD_isError) *ZSTD_isError;
};

static int zstd_run(const struct zstd *l, const uint8_t *in, size_t len, struct sink *s)
{
	ZSTD_DCtx *d = l->ZSTD_createDCtx();
	ZSTD_inBuffer i = {in, len, 0};
	size_t zr = 1;
	int rc = 0;

	if (!d)
		return -ENOMEM;
	while (zr != 0) {
		size_t before = i.pos, had = s->used;

		if (s->used == s->size && (rc = sink_grow(s, 1)))
			break;
		ZSTD_outBuffer o = {s->p, s->size, s->used};

		zr = l->ZSTD_decompressStream(d, &o, &i);
		s->used = o.pos;
		if (l->ZSTD_isError(zr) || (zr && i.pos == before && s->used == had && s->used < s->size)) {
			rc = -EBADMSG;
			break;
		}
	}
	l->ZSTD_freeDCtx(d);
	return rc;
}

static int with_zstd(const uint8_t *in, size_t len, struct sink *s)
{
	struct zstd l = {0};
	const struct late names[] = {LATE(&l, ZSTD_createDCtx), LATE(&l, ZSTD_freeDCtx),
				     LATE(&l, ZSTD_decompressStream), LATE(&l, ZSTD_isError)};
	void *handle;
	int rc = late_open("libzstd.so.1", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = zstd_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

struct lz4 {
	__typeof__(LZ4_decompress_safe) *LZ4_decompress_safe;
};

/* The legacy lz4 framing of kernel images: magic, then (length, block) pairs of up to 8 MiB each. */
static int lz4_run(const struct lz4 *l, const uint8_t *in, size_t len, struct sink *s)
{
	const size_t block = 8u << 20;
	size_t at = 4;

	while (len - at >= 4) {
		uint32_t n = le32(in + at);
		int rc, got;

		at += 4;
		if (n == 0x184c2102) /* concatenated frame */
			continue;
		if (n > len - at)
			break; /* the size word at the end of a bzImage payload */
		if (s->size - s->used < block && (rc = sink_grow(s, block)))
			return rc;
		got = l->LZ4_decompress_safe((const char *)in + at, (char *)s->p + s->used, n,
					     s->size - s->used > block ? block : s->size - s->used);
		if (got < 0)
			return -EBADMSG;
		s->used += got;
		at += n;
	}
	return s->used ? 0 : -EBADMSG;
}

static int with_lz4(const uint8_t *in, size_t len, struct sink *s)
{
	struct lz4 l = {0};
	const struct late names[] = {LATE(&l, LZ4_decompress_safe)};
	void *handle;
	int rc = late_open("liblz4.so.1", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = lz4_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

struct lzo {
	__typeof__(lzo1x_decompress_safe) *lzo1x_decompress_safe;
};

/*
 * The lzop container: 9 bytes of magic; versions, method, flags; name; checksum; then blocks of
 * { uncompressed size, compressed size, checksums..., data } until a zero size.
 */
static int lzo_run(const struct lzo *l, const uint8_t *in, size_t len, struct sink *s)
{
	size_t at = 9;
	uint32_t flags;

	if (len < 9 + 2 + 2 + 2 + 1 + 1 + 4 + 4 + 4 + 4 + 1 + 4)
		return -EBADMSG;
	uint16_t version = in[9] << 8 | in[10];

	at += version >= 0x940 ? 8 : 5; /* version, library version, [needed version,] method[, level] */
	flags = be32(in + at);
	at += 4 + (flags & 0x800 ? 4 : 0);        /* filter */
	at += 4 + 4 + (version >= 0x940 ? 4 : 0); /* mode, mtime */
	if (at >= len || at + 1 + in[at] + 4 > len)
		return -EBADMSG;
	at += 1 + in[at] + 4; /* name, header checksum */
	while (len - at >= 4) {
		uint32_t out = be32(in + at), n;
		lzo_uint got;
		int rc;

		if (out == 0)
			return 0;
		if (len - at < 8)
			return -EBADMSG;
		n = be32(in + at + 4);
		at += 8;
		at += 4 * (!!(flags & 1) + !!(flags & 0x100)); /* checksums of the output */
		if (n < out)
			at += 4 * (!!(flags & 2) + !!(flags & 0x200)); /* and of the input */
		if (at > len || n > len - at || out > 64u << 20)
			return -EBADMSG;
		if (s->size - s->used < out && (rc = sink_grow(s, out)))
			return rc;
		if (s->size - s->used < out)
			return -EFBIG;
		got = out;
		if (n == out)
			memcpy(s->p + s->used, in + at, n);
		else if (l->lzo1x_decompress_safe(in + at, n, s->p + s->used, &got, NULL) != LZO_E_OK)
			return -EBADMSG;
		s->used += got;
		at += n;
	}
	return -EBADMSG;
}

static int with_lzo(const uint8_t *in, size_t len, struct sink *s)
{
	struct lzo l = {0};
	const struct late names[] = {LATE(&l, lzo1x_decompress_safe)};
	void *handle;
	int rc = late_open("liblzo2.so.2", names, COUNT(names), &handle);

	if (rc < 0)
		return rc;
	rc = lzo_run(&l, in, len, s);
	dlclose(handle);
	return rc;
}

static const struct {
	const char *name;
	const char *magic;
	size_t len;
	int (*run)(const uint8_t *in, size_t len, struct sink *s);
} formats[] = {
	{"gzip", "\x1f\x8b", 2, with_zlib},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 6, with_lzma},
	{"lzma", "\x5d\x00\x00", 3, with_lzma},
	{"bzip2", "BZh", 3, with_bzip2},
	{"zstd", "\x28\xb5\x2f\xfd", 4, with_zstd},
	{"lz4", "\x02\x21\x4c\x18", 4, with_lz4},
	{"lzo", "\x89LZO\0\r\n\x1a\n", 9, with_lzo},
};

int xc_decompress(const void *in, size_t len, size_t limit, void **out, size_t *out_len, const char **kind)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct sink s = {.limit = limit};
		int rc;

		if (len < formats[i].len || memcmp(in, formats[i].magic, formats[i].len))
			continue;
		*kind = formats[i].name;
		rc = formats[i].run(in, len, &s);
		if (rc < 0) {
			free(s.p);
			return rc;
		}
		*out = s.p;
		*out_len = s.used;
		return 0;
	}
	*kind = "none";
	return -ENOTSUP;
}
