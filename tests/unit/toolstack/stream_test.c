/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stream reader and the translation of page tables. */
#include "toolstack/stream/format.h"
#include "toolstack/stream/pte.h"
#include "toolstack/stream/reader.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#include <cmocka.h>

struct buf {
	uint8_t *p;
	size_t n, at;
};

static int buf_read(void *arg, void *to, size_t n)
{
	struct buf *b = arg;

	if (n > b->n - b->at)
		return -EPIPE;
	if (n)
		memcpy(to, b->p + b->at, n);
	b->at += n;
	return 0;
}

static void add(struct buf *b, const void *p, size_t n)
{
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* What pages hold: no two are alike. */
static uint8_t pattern(unsigned int i)
{
	return i / PAGE_BYTES * 17 + i % 251 + 1;
}

static void record(struct buf *b, uint32_t type, const void *p, uint32_t n)
{
	const struct record_header h = {type, n};
	static const char zero[8];

	add(b, &h, sizeof(h));
	add(b, p, n);
	add(b, zero, -n & 7);
}

/* A good stream of a guest with 4 pages, in a container. */
static void make(struct buf *b, uint32_t version)
{
	static uint8_t body[16384];
	const struct container_header c = {htobe64(CONTAINER_IDENT), htobe32(2), 0};
	const struct stream_header h = {
		.marker = STREAM_MARKER, .ident = htobe32(STREAM_IDENT), .version = htobe32(version)};
	const struct domain_header d = {DOMAIN_PV, 12, 0, 4, 17};
	const struct pv_info info = {8, 4, {0}};
	const struct tsc_record tsc = {0, 2000000, 1, 1, 0};
	const uint64_t p2m[2] = {3ull << 32, 2};
	const uint64_t pages[5] = {4, 0, 1 | (uint64_t)PAGE_L1 << 60, 2, 3 | (uint64_t)PAGE_XTAB << 60};

	b->n = b->at = 0;
	memset(body, 0, sizeof(body));
	add(b, &c, sizeof(c));
	record(b, CREC_LIBXC, NULL, 0);
	add(b, &h, sizeof(h));
	add(b, &d, sizeof(d));
	record(b, REC_PV_INFO, &info, sizeof(info));
	if (version >= 3) {
		record(b, REC_CPUID_POLICY, body, 48);
		record(b, REC_STATIC_DATA_END, NULL, 0);
	}
	record(b, REC_PV_P2M_FRAMES, p2m, sizeof(p2m));
	memcpy(body, pages, sizeof(pages));
	for (unsigned int i = 0; i < 3 * PAGE_BYTES; i++)
		body[sizeof(pages) + i] = pattern(i);
	record(b, REC_PAGE_DATA, body, sizeof(pages) + 3 * PAGE_BYTES);
	memset(body, 0, sizeof(body));
	record(b, REC_TSC_INFO, &tsc, sizeof(tsc));
	record(b, REC_SHARED_INFO, body, 4096);
	record(b, REC_PV_VCPU_BASIC, body, 8 + sizeof(struct vcpu_guest_context));
	record(b, 0x12345 | RECORD_OPTIONAL, body, 5);
	record(b, REC_END, NULL, 0);
	record(b, CREC_END, NULL, 0);
}

static int count(void *arg, uint32_t type, const void *body, uint32_t len)
{
	(void)type;
	(void)body;
	(void)len;
	++*(unsigned int *)arg;
	return 0;
}

/* Places for pages: four in a row, so that some are read into at once and some are not. */
static uint8_t place[4 * PAGE_BYTES];

static int places(void *arg, const uint64_t *words, uint32_t n, void **to)
{
	unsigned int k = 0;

	(void)arg;
	assert_in_range(n, 1, PAGE_BATCH);
	for (uint32_t i = 0; i < n; i++)
		if (page_has_data(words[i] >> PAGE_TYPE_SHIFT)) {
			to[k] = place + k % 4 * PAGE_BYTES;
			k++;
		}
	return 0;
}

static int placed(void *arg)
{
	return count(arg, REC_PAGE_DATA, NULL, 0);
}

static int run_with(struct buf *b, struct stream_reader *r, unsigned int *seen,
		    const struct stream_visitor *v)
{
	memset(r, 0, sizeof(*r));
	*seen = 0;
	r->read = buf_read;
	r->arg = b;
	b->at = 0;
	return container_read(r, v);
}

/* As a restorer reads it and as a checker does: one may find another fault first, but both find one or none. */
static int run(struct buf *b, struct stream_reader *r, unsigned int *seen)
{
	const struct stream_visitor whole = {.record = count, .arg = seen};
	const struct stream_visitor apart = {.record = count, .arg = seen, .pages = places, .placed = placed};
	int rc = run_with(b, r, seen, &apart);
	unsigned int n = *seen;

	if (rc == 0) {
		assert_int_equal(run_with(b, r, seen, &whole), 0);
		assert_int_equal(*seen, n);
		return 0;
	}
	rc = run_with(b, r, seen, &whole);
	assert_true(rc < 0);
	return rc;
}

static uint8_t store[65536];
static struct buf b = {.p = store};
static struct stream_reader r;
static unsigned int seen;

static void good(void **state)
{
	(void)state;
	make(&b, 3);
	memset(place, 0, sizeof(place));
	assert_int_equal(run(&b, &r, &seen), 0);
	for (unsigned int i = 0; i < 3 * PAGE_BYTES; i++)
		assert_int_equal(place[i], pattern(i));
	assert_int_equal(seen, 10);
	assert_int_equal(r.offset, b.n);
	make(&b, 2);
	assert_int_equal(run(&b, &r, &seen), 0);
	assert_int_equal(seen, 8);
}

static void every_cut(void **state)
{
	size_t whole;

	(void)state;
	make(&b, 3);
	whole = b.n;
	for (size_t n = 0; n < whole; n += n < 700 ? 1 : 13) {
		b.n = n;
		assert_int_equal(run(&b, &r, &seen), -EPIPE);
		assert_true(strstr(r.error, "ends inside") != NULL);
	}
}

/* Damage to headers and records is refused or harmless; the sanitizers watch. */
static void flips(void **state)
{
	unsigned int seed = 3, refused = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		make(&b, 3);
		store[rand_r(&seed) % (i & 1 ? 300 : b.n)] ^= 1u << rand_r(&seed) % 8;
		if (run(&b, &r, &seen)) {
			refused++;
			assert_non_null(strstr(r.error, "record "));
		}
	}
	/* Half of the flips hit headers and counts, where few bits are without meaning. */
	assert_true(refused > 4000);
}

/* Reads a good stream with one more record in it. */
static int with_record(uint32_t type, const void *body, uint32_t len)
{
	static uint8_t tail[65536];
	size_t at, n;

	/* Put the record in front of TSC_INFO, where any PV record may stand. */
	make(&b, 3);
	for (at = 0; memcmp(store + at, &(struct record_header){REC_TSC_INFO, 24}, 8); at += 8)
		;
	n = b.n - at;
	memcpy(tail, store + at, n);
	b.n = at;
	record(&b, type, body, len);
	add(&b, tail, n);
	return run(&b, &r, &seen);
}

static void rejects(const char *what, uint32_t type, const void *body, uint32_t len)
{
	assert_true(with_record(type, body, len) < 0);
	if (!strstr(r.error, what))
		fail_msg("\"%s\" does not mention \"%s\"", r.error, what);
}

static void bad_records(void **state)
{
	static uint8_t body[8192];
	const uint64_t beyond[2] = {1, 4};
	const uint64_t badtype[2] = {1, 6ull << 60};
	const uint64_t resv[2] = {1, 1ull << 55};
	const uint64_t huge[2] = {0xffffffff, 0};
	const uint64_t shrink[2] = {2ull << 32, 0};

	(void)state;
	rejects("unknown record type 0x7777", 0x7777, NULL, 0);
	rejects("beyond the table", REC_PAGE_DATA, beyond, 16);
	rejects("bad page word", REC_PAGE_DATA, badtype, 16);
	rejects("bad page word", REC_PAGE_DATA, resv, 16);
	rejects("does not fit", REC_PAGE_DATA, huge, 16);
	rejects("the table shrinks", REC_PV_P2M_FRAMES, shrink, 16);
	rejects("TOOLSTACK", REC_TOOLSTACK, NULL, 0);
	rejects("a second X86_PV_INFO", REC_PV_INFO, body, 8);
	rejects("after STATIC_DATA_END", REC_CPUID_POLICY, body, 24);
	rejects("X86_PV_VCPU_BASIC record of 16", REC_PV_VCPU_BASIC, body, 16);
	rejects("X86_PV_VCPU_XSAVE record of 100", REC_PV_VCPU_XSAVE, body, 100);
	rejects("X86_PV_VCPU_XSAVE record of 535", REC_PV_VCPU_XSAVE, body, 8 + 16 + 511);
	rejects("not whole entries", REC_PV_VCPU_MSRS, body, 8 + 15);
	rejects("SHARED_INFO record of 4095", REC_SHARED_INFO, body, 4095);
	rejects("HVM_CONTEXT record in a PV stream", REC_HVM_CONTEXT, body, 8);
}

/* Extended state of hosts without XSAVE, of those that kept an FXSAVE image, and a full one. */
static void old_extended_state(void **state)
{
	static const uint32_t sizes[] = {0, 512, 576, 832, 2696};
	static uint8_t body[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(with_record(REC_PV_VCPU_XSAVE, body, 8 + 16 + sizes[i]), 0);
		assert_int_equal(seen, 11);
	}
}

static void pte_round_trip(void **state)
{
	uint64_t m2p[16], p2m[8], in[PTES] = {0}, out[PTES], missing = 0;
	const struct m2p_view v = {m2p, p2m, 16, 8};

	(void)state;
	memset(m2p, 0xff, sizeof(m2p));
	memset(p2m, 0xff, sizeof(p2m));
	for (unsigned int i = 0; i < 6; i++) {
		p2m[i] = 15 - i;
		m2p[15 - i] = i;
	}
	in[0] = 15 << 12 | 0x67;                  /* pfn 0 */
	in[1] = 10 << 12 | 0x8000000000000021ull; /* pfn 5, NX kept */
	in[2] = 3 << 12 | 1;                      /* not the guest's */
	in[3] = 12 << 12;                         /* not present: any bits stay */
	in[260] = 14 << 12 | 1;                   /* the hypervisor's slot of an L4 */
	assert_int_equal(pte_normalise(&v, 4, in, out), 1);
	assert_int_equal(out[0], 0x67);
	assert_int_equal(out[1], 5 << 12 | 0x8000000000000021ull);
	assert_int_equal(out[2], 0);
	assert_int_equal(out[3], in[3]);
	assert_int_equal(out[260], 0);
	assert_int_equal(pte_normalise(&v, 1, in, out), 1);
	assert_int_equal(out[260], 1 << 12 | 1);
	out[2] = 0;
	assert_true(pte_localise(p2m, 8, 1, out, &missing));
	assert_int_equal(out[0], in[0]);
	assert_int_equal(out[1], in[1]);
	out[0] = 7 << 12 | 1;
	assert_false(pte_localise(p2m, 8, 1, out, &missing));
	assert_int_equal(missing, 7);
	out[0] = 8 << 12 | 1;
	assert_false(pte_localise(p2m, 8, 1, out, &missing));
	assert_true(missing == ~0ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(flips),
		cmocka_unit_test(bad_records),
		cmocka_unit_test(old_extended_state),
		cmocka_unit_test(pte_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
