/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU policies: as JSON and back, out of saved domains, and what one has that another has not. */
#include "policy_cpu.h"
#include "toolstack/stream/format.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char why[256];

static void equal(const struct xc_policy *a, const struct xc_policy *b)
{
	assert_int_equal(a->nr_leaves, b->nr_leaves);
	assert_memory_equal(a->leaves, b->leaves, a->nr_leaves * sizeof(*a->leaves));
	assert_int_equal(a->nr_msrs, b->nr_msrs);
	for (uint32_t i = 0; i < a->nr_msrs; i++) {
		assert_int_equal(a->msrs[i].idx, b->msrs[i].idx);
		assert_true(a->msrs[i].val == b->msrs[i].val);
	}
}

static void round_trip(void **state)
{
	const struct cpu *const cpus[] = {&haswell, &skylake, &zen};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct xc_policy p, back;
		const char *t;

		cpu_policy(&p, cpus[i]);
		p.msrs[0].val = 0xfedcba9876543210;
		t = policy_text(&p);
		assert_int_equal(policy_from_json(&back, t, strlen(t), why, sizeof(why)), 0);
		equal(&p, &back);
		assert_string_equal(policy_text(&back), t);
		xc_policy_free(&back);
		xc_policy_free(&p);
	}
}

/* -------- files that are none -------- */

#define HEAD "{\"format\":\"serai-cpu-policy\",\"version\":1,"
#define LEAF "{\"leaf\":\"0x0\",\"eax\":\"0xd\",\"ebx\":\"0x0\",\"ecx\":\"0x0\",\"edx\":\"0x0\"}"
#define LEAVES "\"leaves\":[" LEAF "],"
#define MAKES " (serai cpu-policy show --json writes a CPU policy)"
#define LEAF_WITH(eax, more)                                      \
	HEAD "\"leaves\":[{\"leaf\":\"0x1\"," more "\"eax\":" eax \
	     ",\"ebx\":\"0x0\",\"ecx\":\"0x0\",\"edx\":\"0x0\"}],\"msrs\":[]}"

static int parse(const char *text)
{
	struct xc_policy p;
	int rc;

	why[0] = 0;
	rc = policy_from_json(&p, text, strlen(text), why, sizeof(why));
	if (rc == 0)
		xc_policy_free(&p);
	else
		assert_true(!p.leaves && !p.msrs);
	return rc;
}

static void refused(void **state)
{
	static const char *const
		none = "this is no CPU policy (serai cpu-policy show --json writes one)",
		*const leaf = "leaves[0] is not {leaf, subleaf, eax, ebx, ecx, edx} with registers like "
			      "\"0x1f\"",
		*const msr = "msrs[0] is not {index, value} with numbers like \"0x1f\"",
		*const msrs = "no list \"msrs\" of at most 1024 entries",
		*const leaves = "no list \"leaves\" of 1 to 1024 entries";
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "not JSON: it ends too early" MAKES},
		{"{\"format\":", "not JSON: it ends too early" MAKES},
		{"name = \"guest\"", "not JSON: null expected" MAKES},
		{"null\n", none},
		{"[]", none},
		{"{}", none},
		{"{\"format\":null}", none},
		{"{\"format\":\"serai-cpu\",\"version\":1}", none},
		{"{\"format\":\"serai-cpu-policy\"}", "a CPU policy of version 0; version 1 is understood"},
		{"{\"format\":\"serai-cpu-policy\",\"version\":2}",
		 "a CPU policy of version 2; version 1 is understood"},
		{HEAD "\"msrs\":[]}", leaves},
		{HEAD "\"leaves\":{},\"msrs\":[]}", leaves},
		{HEAD "\"leaves\":[],\"msrs\":[]}", leaves},
		{HEAD "\"leaves\":[1],\"msrs\":[]}", leaf},
		{HEAD "\"leaves\":[null],\"msrs\":[]}", leaf},
		{HEAD "\"leaves\":[{}],\"msrs\":[]}", leaf},
		{LEAF_WITH("1", ""), leaf},
		{LEAF_WITH("\"1\"", ""), leaf},
		{LEAF_WITH("\"0x\"", ""), leaf},
		{LEAF_WITH("\"0x-1\"", ""), leaf},
		{LEAF_WITH("\"0x 1\"", ""), leaf},
		{LEAF_WITH("\"0x1g\"", ""), leaf},
		{LEAF_WITH("\"0x100000000\"", ""), leaf},
		{LEAF_WITH("\"0x10000000000000000\"", ""), leaf},
		{LEAF_WITH("\"0x1\"", "\"subleaf\":-1,"), leaf},
		{LEAF_WITH("\"0x1\"", "\"subleaf\":4294967295,"), leaf},
		{LEAF_WITH("\"0x1\"", "\"subleaf\":\"0x0\","), leaf},
		{HEAD "\"leaves\":[" LEAF "," LEAF "],\"msrs\":[]}", "leaf 0 is there twice"},
		{HEAD LEAVES "\"msrs\":null}", msrs},
		{HEAD "\"leaves\":[" LEAF "]}", msrs},
		{HEAD LEAVES "\"msrs\":[0]}", msr},
		{HEAD LEAVES "\"msrs\":[{\"index\":\"0x100000000\",\"value\":\"0x0\"}]}", msr},
		{HEAD LEAVES
		 "\"msrs\":[{\"index\":\"0xce\",\"value\":\"0x1\"},{\"index\":\"0xce\",\"value\":\"0x0\"}]}",
		 "MSR 0xce is there twice"},
		{HEAD LEAVES "\"msrs\":[],\"features\":[\"avx\"]}",
		 "\"features\" is not what the leaves say: change leaves, and leave features out"},
		{HEAD LEAVES "\"msrs\":[]} more", "not JSON: something follows its end" MAKES},
	};

	(void)state;
	assert_int_equal(parse(HEAD LEAVES "\"msrs\":[]}\n \n"), 0);
	assert_int_equal(parse(HEAD LEAVES "\"msrs\":[],\"features\":[],\"hidden\":[\"avx\"]}"), 0);
	assert_int_equal(parse(LEAF_WITH("\"0xFFFFffff\"", "\"subleaf\":0,")), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		assert_string_equal(why, bad[i].why);
	}
}

static void too_many(void **state)
{
	struct xc_policy p;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	fprintf(f, HEAD "\"leaves\":[");
	for (unsigned int i = 0; i < 1025; i++)
		fprintf(f, "%s" LEAF, i ? "," : "");
	fprintf(f, "],\"msrs\":[]}");
	fclose(f);
	assert_int_equal(policy_from_json(&p, text, len, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "no list \"leaves\" of 1 to 1024 entries");
	free(text);
}

/* A file cut or damaged anywhere is read or refused with a reason; the sanitizers watch. */
static void damage(void **state)
{
	struct xc_policy p;
	char text[32768];
	size_t len;
	unsigned int seed = 5, bad = 0;

	(void)state;
	cpu_policy(&p, &skylake);
	snprintf(text, sizeof(text), "%s", policy_text(&p));
	xc_policy_free(&p);
	len = strlen(text);
	for (size_t n = 0; n < len; n += 7) {
		assert_int_equal(policy_from_json(&p, text, n, why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, ": it ends too early"));
	}
	for (unsigned int i = 0; i < 5000; i++) {
		const size_t at = (size_t)rand_r(&seed) % len;
		const char was = text[at];

		text[at] = (char)(was ^ 1 << rand_r(&seed) % 7);
		why[0] = 0;
		if (policy_from_json(&p, text, len, why, sizeof(why)) < 0) {
			bad++;
			assert_true(why[0]);
		}
		xc_policy_free(&p);
		text[at] = was;
	}
	assert_true(bad > 1000);
}

/* -------- files and saved domains -------- */

static char path[64];

static void file_write(const void *data, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static int load(struct serai *s, struct xc_policy *p)
{
	memset(s, 0, sizeof(*s));
	return policy_load(s, path, p);
}

static void from_file(void **state)
{
	static struct serai s;
	struct xc_policy p, back;
	const char *t;
	char expected[160];

	(void)state;
	cpu_policy(&p, &skylake);
	t = policy_text(&p);
	file_write(t, strlen(t));
	assert_int_equal(load(&s, &back), 0);
	equal(&p, &back);
	xc_policy_free(&back);
	xc_policy_free(&p);
	file_write("{}", 2);
	assert_int_equal(load(&s, &p), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s: this is no CPU policy (serai cpu-policy show --json writes one)", path);
	assert_string_equal(s.error, expected);
	file_write("", 0);
	assert_int_equal(load(&s, &p), -EINVAL);
	unlink(path);
	assert_int_equal(load(&s, &p), -ENOENT);
	snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	assert_string_equal(s.error, expected);
	assert_int_equal(policy_load(&s, "host:best", &p), -EINVAL);
	assert_non_null(strstr(s.error, "no CPU policy \"best\": there are raw, host, pv-max"));
}

static uint8_t saved[65536];
static size_t saved_len;

static void put(const void *d, size_t n)
{
	if (n)
		memcpy(saved + saved_len, d, n);
	saved_len += n;
}

static void record(uint32_t type, const void *d, uint32_t n)
{
	const struct record_header h = {type, n};
	static const char zero[8];

	put(&h, sizeof(h));
	put(d, n);
	put(zero, -n & 7);
}

/* The start of a saved domain, up to where its memory would follow. */
static void save(uint32_t version, const struct xc_policy *p)
{
	const struct xl_header x = {XL_MAGIC, XL_BYTE_ORDER, XL_FLAG_JSON | XL_FLAG_STREAM_V2, 0, 4};
	const struct container_header c = {htobe64(CONTAINER_IDENT), htobe32(CONTAINER_VERSION), 0};
	const struct stream_header h = {
		.marker = STREAM_MARKER, .ident = htobe32(STREAM_IDENT), .version = htobe32(version)};
	const struct domain_header d = {DOMAIN_PV, 12, 0, 4, 17};
	const struct pv_info info = {8, 4, {0}};
	const uint64_t p2m[2] = {3ull << 32, 2}, page[2] = {1, 3 | (uint64_t)PAGE_XTAB << 60};

	saved_len = 0;
	put(&x, sizeof(x));
	put(&(uint32_t){0}, 4);
	put(&c, sizeof(c));
	record(CREC_LIBXC, NULL, 0);
	put(&h, sizeof(h));
	put(&d, sizeof(d));
	record(REC_PV_INFO, &info, sizeof(info));
	if (version >= 3) {
		if (p->nr_leaves)
			record(REC_CPUID_POLICY, p->leaves, p->nr_leaves * sizeof(*p->leaves));
		record(REC_MSR_POLICY, p->msrs, p->nr_msrs * sizeof(*p->msrs));
		record(REC_STATIC_DATA_END, NULL, 0);
	}
	record(REC_PV_P2M_FRAMES, p2m, sizeof(p2m));
	record(REC_PAGE_DATA, page, sizeof(page));
	file_write(saved, saved_len);
}

static void from_save(void **state)
{
	static struct serai s;
	struct xc_policy p, back, none = {0};
	size_t whole;

	(void)state;
	cpu_policy(&p, &skylake);
	save(3, &p);
	whole = saved_len;
	assert_int_equal(load(&s, &back), 0);
	equal(&p, &back);
	xc_policy_free(&back);
	/* What comes after the policy is not looked at; a file that ends before it is refused. */
	for (size_t n = XL_MAGIC_LEN; n < whole; n += 5) {
		const int rc = (file_write(saved, n), load(&s, &back));

		if (rc == 0)
			equal(&p, &back);
		else
			assert_non_null(strstr(s.error, "the stream ends inside"));
		assert_int_equal(rc, n >= whole - 2 * (8 + 16) ? 0 : -EPIPE);
		xc_policy_free(&back);
	}
	save(2, &p);
	assert_int_equal(load(&s, &back), -ENODATA);
	assert_non_null(strstr(s.error, "was saved without a CPU policy (by a version before Xen 4.14)"));
	save(3, &none);
	assert_int_equal(load(&s, &back), -ENODATA);
	p.leaves[1] = p.leaves[0];
	save(3, &p);
	assert_int_equal(load(&s, &back), -EINVAL);
	assert_non_null(strstr(s.error, "leaf 0 is there twice"));
	assert_null(back.leaves);
	xc_policy_free(&p);
}

static void from_large_save(void **state)
{
	static struct serai s;
	struct xc_policy p = {.nr_leaves = 1025}, back;

	(void)state;
	p.leaves = calloc(p.nr_leaves, sizeof(*p.leaves));
	for (uint32_t i = 0; i < p.nr_leaves; i++)
		p.leaves[i].leaf = i;
	save(3, &p);
	assert_int_equal(load(&s, &back), -EINVAL);
	assert_non_null(strstr(s.error, "a CPU policy of 1025 leaves and 0 MSRs"));
	xc_policy_free(&p);
}

/* -------- one beside the other -------- */

static void lacks(void **state)
{
	struct xc_policy a, b;
	uint32_t words[XC_FEATURE_WORDS];
	struct policy_xstate x;
	char vendor[13];

	(void)state;
	cpu_policy(&a, &skylake);
	cpu_policy(&b, &haswell);
	assert_int_equal(policy_lacks(&a, &a, words), 0);
	assert_int_equal(policy_lacks(&b, &a, words), 0);
	/* NO_FPU_SEL, RDSEED; AVX512 F, DQ, CD, BW, VL; PKU without OSPKE; ARCH_CAPS and three capabilities. */
	assert_int_equal(policy_lacks(&a, &b, words), 2 + 5 + 1 + 1 + 3);
	assert_int_equal(words[5], 1u << 13 | 1u << 18 | 0xd0030000);
	assert_int_equal(words[6], 1u << 3);
	assert_int_equal(words[16], 0xe);
	policy_vendor(&a, vendor);
	assert_string_equal(vendor, "GenuineIntel");
	policy_xstate(&a, &x);
	assert_int_equal(x.mask, 0x2e7);
	assert_int_equal(x.size, 2696);
	/* What a file says is printed: nothing that moves a terminal. */
	cpu_leaf(&a, 0, XEN_CPUID_NO_SUBLEAF)->b = 0x1b0a7f80;
	policy_vendor(&a, vendor);
	assert_string_equal(vendor, "????ineIntel");
	a.nr_leaves = 0;
	policy_vendor(&a, vendor);
	assert_string_equal(vendor, "");
	policy_xstate(&a, &x);
	assert_int_equal(x.size, 0);
	xc_policy_free(&a);
	xc_policy_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),      cmocka_unit_test(refused),   cmocka_unit_test(too_many),
		cmocka_unit_test(damage),          cmocka_unit_test(from_file), cmocka_unit_test(from_save),
		cmocka_unit_test(from_large_save), cmocka_unit_test(lacks),
	};
	const char *dir = getenv("TMPDIR");
	int rc;

	snprintf(path, sizeof(path), "%s/policy.%d", dir && strlen(dir) < 40 ? dir : "/tmp", (int)getpid());
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
