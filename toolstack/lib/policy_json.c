/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies as JSON (registers are strings, because 64 bits do not fit every reader's numbers):
 *
 *   { "format": "serai-cpu-policy", "version": 1, "source": "host:pv-max", "vendor": "GenuineIntel",
 *     "xstate": { "mask": "0x7", "size": 832 }, "features": [ "fpu", ... ],
 *     "leaves": [ { "leaf": "0x1", "eax": "0x...", ... }, { "leaf": "0x7", "subleaf": 0, ... } ],
 *     "msrs": [ { "index": "0xce", "value": "0x0" } ] }
 *
 * Leaves and MSRs are what counts; features are derived, and a file in which they disagree was edited.
 */
#include "policy.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#define FORMAT "serai-cpu-policy"
#define ENTRIES_MAX 1024u

static struct json_object *hex(uint64_t v)
{
	char t[24];

	snprintf(t, sizeof(t), "%#llx", (unsigned long long)v);
	return json_object_new_string(v ? t : "0x0");
}

static struct json_object *features_json(const struct xc_policy *p)
{
	struct json_object *list = json_object_new_array();
	uint32_t words[XC_FEATURE_WORDS];
	char name[XC_FEATURE_NAME];

	xc_policy_features(p, words);
	for (unsigned int bit = 0; bit < XC_FEATURE_WORDS * 32; bit++)
		if (words[bit / 32] >> bit % 32 & 1)
			json_object_array_add(list, json_object_new_string(xc_feature_name(bit, name)));
	return list;
}

struct json_object *policy_to_json(const struct xc_policy *p, const char *source)
{
	struct json_object *o = json_object_new_object(), *x = json_object_new_object(),
			   *leaves = json_object_new_array(), *msrs = json_object_new_array();
	struct policy_xstate xs;
	char vendor[13];

	policy_vendor(p, vendor);
	policy_xstate(p, &xs);
	json_object_object_add(o, "format", json_object_new_string(FORMAT));
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "source", json_object_new_string(source));
	json_object_object_add(o, "vendor", json_object_new_string(vendor));
	json_object_object_add(x, "mask", hex(xs.mask));
	json_object_object_add(x, "size", json_object_new_int64(xs.size));
	json_object_object_add(o, "xstate", x);
	json_object_object_add(o, "features", features_json(p));
	for (uint32_t i = 0; i < p->nr_leaves; i++) {
		const xen_cpuid_leaf_t *l = &p->leaves[i];
		struct json_object *e = json_object_new_object();

		json_object_object_add(e, "leaf", hex(l->leaf));
		if (l->subleaf != XEN_CPUID_NO_SUBLEAF)
			json_object_object_add(e, "subleaf", json_object_new_int64(l->subleaf));
		json_object_object_add(e, "eax", hex(l->a));
		json_object_object_add(e, "ebx", hex(l->b));
		json_object_object_add(e, "ecx", hex(l->c));
		json_object_object_add(e, "edx", hex(l->d));
		json_object_array_add(leaves, e);
	}
	json_object_object_add(o, "leaves", leaves);
	for (uint32_t i = 0; i < p->nr_msrs; i++) {
		struct json_object *e = json_object_new_object();

		json_object_object_add(e, "index", hex(p->msrs[i].idx));
		json_object_object_add(e, "value", hex(p->msrs[i].val));
		json_object_array_add(msrs, e);
	}
	json_object_object_add(o, "msrs", msrs);
	return o;
}

struct parse {
	char *error;
	size_t len;
};

static int bad(const struct parse *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(const struct parse *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->error, e->len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int by_number(const void *a, const void *b)
{
	const xen_cpuid_leaf_t *x = a, *y = b;

	if (x->leaf != y->leaf)
		return x->leaf < y->leaf ? -1 : 1;
	return x->subleaf < y->subleaf ? -1 : x->subleaf > y->subleaf;
}

static int msr_by_number(const void *a, const void *b)
{
	const xen_msr_entry_t *x = a, *y = b;

	return x->idx < y->idx ? -1 : x->idx > y->idx;
}

int policy_settle(struct xc_policy *p, char *error, size_t error_len)
{
	const struct parse e = {error, error_len};

	if (p->nr_leaves > ENTRIES_MAX || p->nr_msrs > ENTRIES_MAX)
		return bad(&e, "a CPU policy of %u leaves and %u MSRs", p->nr_leaves, p->nr_msrs);
	qsort(p->leaves, p->nr_leaves, sizeof(*p->leaves), by_number);
	for (uint32_t i = 1; i < p->nr_leaves; i++)
		if (!by_number(&p->leaves[i - 1], &p->leaves[i]))
			return bad(&e, "leaf %#x is there twice", p->leaves[i].leaf);
	if (p->nr_msrs)
		qsort(p->msrs, p->nr_msrs, sizeof(*p->msrs), msr_by_number);
	for (uint32_t i = 1; i < p->nr_msrs; i++)
		if (p->msrs[i - 1].idx == p->msrs[i].idx)
			return bad(&e, "MSR %#x is there twice", p->msrs[i].idx);
	return 0;
}

/* A register: "0x1f", no larger than `max`. */
static int number(struct json_object *o, const char *key, uint64_t max, uint64_t *v)
{
	struct json_object *e;
	const char *t;
	char *end;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &e) ||
	    !json_object_is_type(e, json_type_string))
		return -EINVAL;
	t = json_object_get_string(e);
	if (strncmp(t, "0x", 2) || !strchr("0123456789abcdefABCDEF", t[2]) || !t[2])
		return -EINVAL;
	errno = 0;
	*v = strtoull(t + 2, &end, 16);
	return errno || *end || *v > max ? -EINVAL : 0;
}

static int leaf_read(struct json_object *o, xen_cpuid_leaf_t *l)
{
	static const char *const keys[] = {"leaf", "eax", "ebx", "ecx", "edx"};
	uint32_t *const to[] = {&l->leaf, &l->a, &l->b, &l->c, &l->d};
	struct json_object *sub;
	uint64_t v;

	for (unsigned int i = 0; i < 5; i++) {
		if (number(o, keys[i], UINT32_MAX, &v))
			return -EINVAL;
		*to[i] = v;
	}
	l->subleaf = XEN_CPUID_NO_SUBLEAF;
	if (!json_object_object_get_ex(o, "subleaf", &sub))
		return 0;
	if (!json_object_is_type(sub, json_type_int) || json_object_get_int64(sub) < 0 ||
	    json_object_get_int64(sub) >= UINT32_MAX)
		return -EINVAL;
	l->subleaf = json_object_get_int64(sub);
	return 0;
}

static int leaves_read(struct xc_policy *p, struct json_object *list, const struct parse *e)
{
	size_t n = json_object_array_length(list);

	p->leaves = calloc(n + 1, sizeof(*p->leaves));
	if (!p->leaves)
		return -ENOMEM;
	for (; p->nr_leaves < n; p->nr_leaves++)
		if (leaf_read(json_object_array_get_idx(list, p->nr_leaves), &p->leaves[p->nr_leaves]))
			return bad(e,
				   "leaves[%u] is not {leaf, subleaf, eax, ebx, ecx, edx} with registers "
				   "like \"0x1f\"",
				   p->nr_leaves);
	return 0;
}

static int msrs_read(struct xc_policy *p, struct json_object *list, const struct parse *e)
{
	size_t n = json_object_array_length(list);
	uint64_t idx, val;

	p->msrs = calloc(n + 1, sizeof(*p->msrs));
	if (!p->msrs)
		return -ENOMEM;
	for (; p->nr_msrs < n; p->nr_msrs++) {
		struct json_object *o = json_object_array_get_idx(list, p->nr_msrs);

		if (number(o, "index", UINT32_MAX, &idx) || number(o, "value", UINT64_MAX, &val))
			return bad(e, "msrs[%u] is not {index, value} with numbers like \"0x1f\"",
				   p->nr_msrs);
		p->msrs[p->nr_msrs] = (xen_msr_entry_t){.idx = idx, .val = val};
	}
	return 0;
}

static int policy_read(struct xc_policy *p, struct json_object *o, const struct parse *e)
{
	struct json_object *v, *mine;
	int rc;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "format", &v) ||
	    strcmp(json_object_get_string(v) ? json_object_get_string(v) : "", FORMAT))
		return bad(e, "this is no CPU policy (serai cpu-policy show --json writes one)");
	if (!json_object_object_get_ex(o, "version", &v) || json_object_get_int(v) != 1)
		return bad(e, "a CPU policy of version %d; version 1 is understood", json_object_get_int(v));
	if (!json_object_object_get_ex(o, "leaves", &v) || !json_object_is_type(v, json_type_array) ||
	    !json_object_array_length(v) || json_object_array_length(v) > ENTRIES_MAX)
		return bad(e, "no list \"leaves\" of 1 to %u entries", ENTRIES_MAX);
	rc = leaves_read(p, v, e);
	if (rc < 0)
		return rc;
	if (!json_object_object_get_ex(o, "msrs", &v) || !json_object_is_type(v, json_type_array) ||
	    json_object_array_length(v) > ENTRIES_MAX)
		return bad(e, "no list \"msrs\" of at most %u entries", ENTRIES_MAX);
	rc = msrs_read(p, v, e);
	if (rc == 0)
		rc = policy_settle(p, e->error, e->len);
	if (rc < 0 || !json_object_object_get_ex(o, "features", &v))
		return rc;
	mine = features_json(p);
	if (!json_object_equal(v, mine))
		rc = bad(e, "\"features\" is not what the leaves say: change leaves, and leave features out");
	json_object_put(mine);
	return rc;
}

/* Why the text is no JSON, or NULL: only blanks may follow the value. */
static const char *syntax(struct json_tokener *t, const char *text, size_t len)
{
	switch (json_tokener_get_error(t)) {
	case json_tokener_success:
		for (size_t i = json_tokener_get_parse_end(t); i < len; i++)
			if (!strchr(" \t\r\n", text[i]) || !text[i])
				return "something follows its end";
		return NULL;
	case json_tokener_continue:
		return "it ends too early";
	default:
		return json_tokener_error_desc(json_tokener_get_error(t));
	}
}

int policy_from_json(struct xc_policy *p, const char *text, size_t len, char *error, size_t error_len)
{
	const struct parse e = {error, error_len};
	struct json_tokener *t = json_tokener_new();
	struct json_object *o;
	const char *why;
	int rc;

	memset(p, 0, sizeof(*p));
	if (!t || len > INT32_MAX) {
		json_tokener_free(t);
		return t ? bad(&e, "too large") : -ENOMEM;
	}
	o = json_tokener_parse_ex(t, text, (int)len);
	why = syntax(t, text, len);
	rc = why ? bad(&e, "not JSON: %s (serai cpu-policy show --json writes a CPU policy)", why)
		 : policy_read(p, o, &e);
	if (rc == -ENOMEM)
		(void)bad(&e, "out of memory");
	json_object_put(o);
	json_tokener_free(t);
	if (rc < 0)
		xc_policy_free(p);
	return rc;
}
