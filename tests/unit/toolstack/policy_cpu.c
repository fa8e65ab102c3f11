/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See policy_cpu.h. Intel SDM volume 2, CPUID; volume 1, 13.4 for the places of components. */
#include "policy_cpu.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define NONE XEN_CPUID_NO_SUBLEAF
#define LEAVES 64u

const struct cpu haswell = {
	.signature = 0x306f2,
	.limit = 0xf,
	.extended = 0x80000008,
	.avx = true,
	.avx_at = 576,
	.more_1c = 1u << 23 | 1u << 25,
	.more_7b = 1u << 0 | 1u << 3 | 1u << 8 | 1u << 9,
	.widths = 0x302e,
	.brand = "Haswell",
};
const struct cpu skylake = {
	.signature = 0x50654,
	.limit = 0x16,
	.extended = 0x80000008,
	.avx = true,
	.avx512 = true,
	.pku = true,
	.avx_at = 576,
	.pku_at = 2688,
	.more_1c = 1u << 23 | 1u << 25,
	.more_7b = 1u << 0 | 1u << 3 | 1u << 8 | 1u << 9 | 1u << 13 | 1u << 18,
	.widths = 0x302e,
	.brand = "Skylake",
	.capabilities = 1u << 1 | 1u << 2 | 1u << 3,
};
const struct cpu zen = {
	.amd = true,
	.signature = 0xa00f11,
	.limit = 0x10,
	.extended = 0x80000021,
	.avx = true,
	.pku = true,
	.avx_at = 576,
	.pku_at = 2432,
	.more_7b = 1u << 0 | 1u << 3 | 1u << 8,
	.widths = 0x3030,
	.brand = "Zen",
};

static void add(struct xc_policy *p, const struct cpu *c, xen_cpuid_leaf_t l)
{
	if (l.leaf <= (l.leaf & 0x80000000 ? c->extended : c->limit))
		p->leaves[p->nr_leaves++] = l;
}

static void add_vendor(struct xc_policy *p, const struct cpu *c, uint32_t leaf, uint32_t limit)
{
	const char *v = c->amd ? "AuthenticAMD" : "GenuineIntel";
	xen_cpuid_leaf_t l = {.leaf = leaf, .subleaf = NONE, .a = limit};

	memcpy(&l.b, v, 4);
	memcpy(&l.d, v + 4, 4);
	memcpy(&l.c, v + 8, 4);
	add(p, c, l);
}

static void add_xstate(struct xc_policy *p, const struct cpu *c)
{
	const struct {
		bool there;
		uint32_t n, size, at, flags;
	} parts[] = {{c->avx, 2, 256, c->avx_at, 0}, {c->avx512, 5, 64, 1088, 0},
		     {c->avx512, 6, 512, 1152, 0},   {c->avx512, 7, 1024, 1664, 0},
		     {c->pku, 9, 8, c->pku_at, 0},   {c->shadow_stack, 11, 16, 0, 1}};
	uint32_t mask = 3, size = 576;

	for (size_t i = 0; i < 5; i++) {
		if (!parts[i].there)
			continue;
		mask |= 1u << parts[i].n;
		if (parts[i].at + parts[i].size > size)
			size = parts[i].at + parts[i].size;
	}
	add(p, c, (xen_cpuid_leaf_t){0xd, 0, mask, size, size, 0});
	add(p, c, (xen_cpuid_leaf_t){0xd, 1, 0xf, size, c->shadow_stack ? 1u << 11 : 0, 0});
	for (size_t i = 0; i < 6; i++)
		if (parts[i].there)
			add(p, c,
			    (xen_cpuid_leaf_t){0xd, parts[i].n, parts[i].size, parts[i].at, parts[i].flags,
					       0});
}

static void add_brand(struct xc_policy *p, const struct cpu *c)
{
	char text[48] = "";

	strncpy(text, c->brand, sizeof(text) - 1);
	for (uint32_t i = 0; i < 3; i++) {
		xen_cpuid_leaf_t l = {.leaf = 0x80000002 + i, .subleaf = NONE};

		memcpy(&l.a, text + 16 * i, 16);
		add(p, c, l);
	}
}

void cpu_policy(struct xc_policy *p, const struct cpu *c)
{
	memset(p, 0, sizeof(*p));
	p->leaves = calloc(LEAVES, sizeof(*p->leaves));
	p->msrs = calloc(2, sizeof(*p->msrs));
	add_vendor(p, c, 0, c->limit);
	add(p, c,
	    (xen_cpuid_leaf_t){1, NONE, c->signature, 0x00010800,
			       0x04982203 | c->more_1c | (c->avx ? 1u << 12 | 1u << 28 | 1u << 29 : 0),
			       0x1f8bfbff});
	add(p, c, (xen_cpuid_leaf_t){4, 0, 0x1c004121, c->signature, 0x3f, 0});
	add(p, c,
	    (xen_cpuid_leaf_t){7, 0, c->subleaves,
			       c->more_7b | (c->avx ? 1u << 5 : 0) | (c->avx512 ? 0xd0030000 : 0),
			       (c->pku ? 1u << 3 | 1u << 4 : 0) | (c->shadow_stack ? 1u << 7 : 0),
			       1u << 26 | (c->capabilities ? 1u << 29 : 0)});
	for (uint32_t i = 1; i <= c->subleaves; i++)
		add(p, c, (xen_cpuid_leaf_t){7, i, 1u << 10, 0, 0, 1u << 4});
	add(p, c, (xen_cpuid_leaf_t){0xb, 0, 1, 2, 0x100, c->signature >> 4});
	add_xstate(p, c);
	add_vendor(p, c, 0x80000000, c->extended);
	add(p, c, (xen_cpuid_leaf_t){0x80000001, NONE, 0, 0, 0x21, 0x2c100800});
	add_brand(p, c);
	add(p, c, (xen_cpuid_leaf_t){0x80000007, NONE, 0, 0, 0, 0x100});
	add(p, c, (xen_cpuid_leaf_t){0x80000008, NONE, c->widths, c->amd ? 1u << 9 : 0, 7, 0});
	add(p, c, (xen_cpuid_leaf_t){0x80000021, NONE, 1u << 2, 0, 0, 0});
	p->msrs[p->nr_msrs++] = (xen_msr_entry_t){.idx = 0xce, .val = 0x80000000};
	if (c->capabilities)
		p->msrs[p->nr_msrs++] = (xen_msr_entry_t){.idx = 0x10a, .val = c->capabilities};
}

const char *policy_text(const struct xc_policy *p)
{
	static char text[4][32768];
	static unsigned int next;
	struct json_object *o = policy_to_json(p, "test");
	char *t = text[next++ % 4];

	snprintf(t, sizeof(text[0]), "%s", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return t;
}

xen_cpuid_leaf_t *cpu_leaf(struct xc_policy *p, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < p->nr_leaves; i++)
		if (p->leaves[i].leaf == leaf && p->leaves[i].subleaf == subleaf)
			return &p->leaves[i];
	abort();
}
