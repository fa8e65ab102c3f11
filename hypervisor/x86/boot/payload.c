/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a module to an ELF image: plain ELF, or a bzImage whose payload is found by its setup header
 * (Linux Documentation/x86/boot.rst, protocol 2.08) and unpacked by the library its magic names.
 *
 * The libraries are the host's static ones. They are ordinary user code: they want malloc, a stack protector
 * canary behind FS, and SSE. All three exist during boot only; nothing of this runs once dom0 does.
 */
#include "boot.h"
#include <cpu.h>
#include <lib.h>
#include <lz4.h>
#include <lzma.h>
#include <mm.h>
#include <zlib.h>
#include <zstd.h>

struct setup_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize;
	u16 ram_size, vid_mode, root_dev, boot_flag, jump;
	char magic[4];
	u16 version;
} __packed;
#define SETUP_HEADER_AT 0x1f1
#define PAYLOAD_OFFSET_AT 0x248
#define PAYLOAD_LENGTH_AT 0x24c

static u32 read32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

/* ---- what the libraries call ---- */

void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void free(void *p);
void __stack_chk_fail(void);
u64 ZSTD_trace_decompress_begin(const void *ctx);
void ZSTD_trace_decompress_end(u64 ctx, const void *trace);

void *malloc(size_t n)
{
	return hv_zalloc(n);
}
void *calloc(size_t n, size_t size)
{
	return size && n > SIZE_MAX / size ? NULL : hv_zalloc(n * size);
}
void free(void *p)
{
	if (p)
		hv_free(p);
}
void __stack_chk_fail(void)
{
	panic("stack overrun while unpacking dom0's kernel");
}

/* libzstd's tracing hooks: context 0 means nobody listens, so the second is never called. */
u64 ZSTD_trace_decompress_begin(const void *ctx)
{
	return 0;
}
void ZSTD_trace_decompress_end(u64 ctx, const void *trace)
{
}

/* ---- formats: each returns NULL or why it failed ---- */

static const char *unpack_xz(const u8 *in, size_t n, u8 *out, size_t size)
{
	u64 limit = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;
	lzma_ret r = lzma_stream_buffer_decode(&limit, 0, NULL, in, &in_pos, n, out, &out_pos, size);

	if (r == LZMA_MEM_ERROR)
		return "not enough memory for its dictionary";
	if (r == LZMA_BUF_ERROR)
		return "truncated, or longer than its trailer says";
	return r == LZMA_OK && out_pos == size ? NULL : "corrupt xz data";
}

static const char *unpack_lzma(const u8 *in, size_t n, u8 *out, size_t size)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret r = lzma_alone_decoder(&s, UINT64_MAX);

	if (r != LZMA_OK)
		return "not enough memory";
	s.next_in = in;
	s.avail_in = n;
	s.next_out = out;
	s.avail_out = size;
	r = lzma_code(&s, LZMA_FINISH);
	lzma_end(&s);
	return !s.avail_out && (r == LZMA_STREAM_END || r == LZMA_OK) ? NULL : "corrupt lzma data";
}

static const char *unpack_gzip(const u8 *in, size_t n, u8 *out, size_t size)
{
	z_stream s = {.next_in = (u8 *)in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)size};
	int r;

	if (inflateInit2(&s, 16 + MAX_WBITS) != Z_OK)
		return "not enough memory";
	r = inflate(&s, Z_FINISH);
	inflateEnd(&s);
	return r == Z_STREAM_END && !s.avail_out ? NULL : "corrupt gzip data";
}

static const char *unpack_zstd(const u8 *in, size_t n, u8 *out, size_t size)
{
	ZSTD_DCtx *c = ZSTD_createDCtx();
	size_t frame, r;

	if (!c)
		return "not enough memory";
	frame = ZSTD_findFrameCompressedSize(in, n);
	r = ZSTD_isError(frame) ? frame : ZSTD_decompressDCtx(c, out, size, in, frame);
	ZSTD_freeDCtx(c);
	return !ZSTD_isError(r) && r == size ? NULL : "corrupt zstd data";
}

/* The legacy frame the kernel uses: magic, then blocks of a length and that many bytes. */
static const char *unpack_lz4(const u8 *in, size_t n, u8 *out, size_t size)
{
	size_t pos = 4, done = 0;

	while (pos + 4 <= n && done < size) {
		u32 len = read32(in + pos);
		int r;

		pos += 4;
		if (len > n - pos)
			return "truncated lz4 data";
		r = LZ4_decompress_safe((const char *)in + pos, (char *)out + done, (int)len,
					(int)min(size - done, (size_t)INT_MAX));
		if (r < 0)
			return "corrupt lz4 data";
		done += (size_t)r;
		pos += len;
	}
	return done == size ? NULL : "truncated lz4 data";
}

static const struct format {
	const char *name, *magic;
	unsigned int magic_len;
	const char *(*unpack)(const u8 *in, size_t n, u8 *out, size_t size);
} formats[] = {
	{"gzip", "\x1f\x8b", 2, unpack_gzip},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 5, unpack_xz},
	{"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd},
	{"lz4", "\x02\x21\x4c\x18", 4, unpack_lz4},
	{"lzma", "\x5d\x00\x00", 3, unpack_lzma},
};

static void unpack(const struct format *f, const u8 *in, size_t n, struct kernel_image *out)
{
	static u8 fs_area[64] __aligned(64); /* FS:0x28 is the libraries' stack canary */
	size_t size = read32(in + n - 4);    /* every format ends with the unpacked size */
	const char *why;
	u8 *buf;

	if (size < 4096 || size > (512UL << 20))
		panic("dom0 kernel: the %s payload claims %lu bytes unpacked: the file is damaged or "
		      "truncated",
		      f->name, size);
	buf = hv_zalloc(size);
	if (!buf)
		panic("dom0 kernel: no memory to unpack it: give the machine more memory (it takes %lu MiB)",
		      size >> 20);
	wrmsr(MSR_FS_BASE, (u64)fs_area);
	why = f->unpack(in, n, buf, size);
	wrmsr(MSR_FS_BASE, 0);
	if (why)
		panic("dom0 kernel: cannot unpack the %s payload: %s. Copy the kernel anew", f->name, why);
	out->elf = buf;
	out->size = size;
	out->allocated = true;
}

void kernel_unpack(const u8 *p, size_t size, struct kernel_image *out)
{
	const struct setup_header *h = (const void *)(p + SETUP_HEADER_AT);
	size_t offset, length;
	const u8 *payload;

	if (size >= 4 && !memcmp(p, "\177ELF", 4)) {
		*out = (struct kernel_image){p, size, false};
		return;
	}
	if (size < 1024 || memcmp(h->magic, "HdrS", 4))
		panic("dom0 kernel: neither an ELF file nor a bzImage (module 1 must be the kernel)");
	if (h->version < 0x208)
		panic("dom0 kernel: boot protocol %x.%02x is too old, 2.08 is needed", h->version >> 8,
		      h->version & 0xff);
	offset = ((size_t)h->setup_sects + 1) * 512 + read32(p + PAYLOAD_OFFSET_AT);
	length = read32(p + PAYLOAD_LENGTH_AT);
	if (offset >= size || length > size - offset || length < 16)
		panic("dom0 kernel: truncated: payload at %lu, %lu bytes, in a file of %lu", offset, length,
		      size);
	payload = p + offset;
	if (!memcmp(payload, "\177ELF", 4)) {
		*out = (struct kernel_image){payload, length, false};
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++)
		if (!memcmp(payload, formats[i].magic, formats[i].magic_len)) {
			unpack(&formats[i], payload, length, out);
			return;
		}
	panic("dom0 kernel: unknown payload compression (%02x %02x %02x %02x); known are gzip, xz, zstd, "
	      "lz4, lzma",
	      payload[0], payload[1], payload[2], payload[3]);
}
