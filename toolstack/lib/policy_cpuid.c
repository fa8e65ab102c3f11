/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list form of `cpuid =` in xl.cfg: "leaf[,subleaf]:register=bits", bit 31 first; '0' and '1' set a
 * bit, 'x' leaves what the host gives.
 *
 * xl refuses a leaf that a host does not have. Where one of the hosts lacks the leaf, its flags are hidden
 * from domains of the others by the limit in front of it, which every host has:
 *
 *   leaf 7, subleaf n    7.eax
 *   0x800000nn           0x80000000.eax
 *   0xnn                 0.eax
 */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>

struct line {
	FILE *f;
	const char *before;
	const xen_cpuid_leaf_t *limits[3]; /* written already */
	unsigned int nr_limits;
};

static void put_place(struct line *t, uint32_t leaf, uint32_t subleaf, unsigned int reg)
{
	static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};

	fprintf(t->f, "%s\"%#x", t->before, leaf);
	if (subleaf != XEN_CPUID_NO_SUBLEAF)
		fprintf(t->f, ",%u", subleaf);
	fprintf(t->f, ":%s=", registers[reg]);
	t->before = ", ";
}

static void put_bits(struct line *t, uint32_t known, uint32_t value)
{
	for (unsigned int i = 32; i-- > 0;)
		fputc(known >> i & 1 ? (value >> i & 1 ? '1' : '0') : 'x', t->f);
	fputc('"', t->f);
}

/* The leaf whose eax ends before this one on a CPU like `common`; NULL when no limit excludes it. */
static const xen_cpuid_leaf_t *limit_before(const struct xc_policy *common, uint32_t leaf, uint32_t subleaf)
{
	const xen_cpuid_leaf_t *l = policy_leaf(common, leaf & 0x80000000u, XEN_CPUID_NO_SUBLEAF);

	if (l && l->a < leaf)
		return l;
	l = leaf == 7 ? policy_leaf(common, 7, 0) : NULL;
	return l && l->a < subleaf ? l : NULL;
}

static void put_limit(struct line *t, const xen_cpuid_leaf_t *l)
{
	for (unsigned int i = 0; i < t->nr_limits; i++)
		if (t->limits[i] == l)
			return;
	t->limits[t->nr_limits++] = l;
	put_place(t, l->leaf, l->subleaf, 0);
	put_bits(t, ~0u, l->a);
}

char *policy_cpuid_line(const struct xc_policy *common, const uint32_t words[XC_FEATURE_WORDS])
{
	char *text = NULL;
	size_t len;
	struct line t = {.f = open_memstream(&text, &len), .before = " "};

	if (!t.f)
		return NULL;
	fputs("cpuid = [", t.f);
	for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++) {
		const xen_cpuid_leaf_t *limit;
		uint32_t leaf, subleaf;
		unsigned int reg;

		if (!words[w] || xc_feature_word(w, &leaf, &subleaf, &reg) < 0)
			continue;
		limit = policy_leaf(common, leaf, subleaf) ? NULL : limit_before(common, leaf, subleaf);
		if (limit) {
			put_limit(&t, limit);
			continue;
		}
		put_place(&t, leaf, subleaf, reg);
		put_bits(&t, words[w], 0);
	}
	fputs(" ]", t.f);
	if (fclose(t.f)) {
		free(text);
		return NULL;
	}
	return text;
}
