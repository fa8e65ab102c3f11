/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Feature flags of a CPU policy: where each lives and what it is called. The names are the rows of the
 * public cpufeatureset.h, so that one table serves guests, hypervisor and tools.
 */
#include "xc_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. MSR 0x10a is IA32_ARCH_CAPABILITIES. */
#define MSR_WORD 16u /* and the one after it: low and high half */
#define ARCH_CAPABILITIES 0x10au

enum { EAX, EBX, ECX, EDX };

static const struct {
	uint32_t leaf, subleaf;
	unsigned int reg;
} places[XC_FEATURE_WORDS] = {
	{1, XEN_CPUID_NO_SUBLEAF, EDX},
	{1, XEN_CPUID_NO_SUBLEAF, ECX},
	{0x80000001, XEN_CPUID_NO_SUBLEAF, EDX},
	{0x80000001, XEN_CPUID_NO_SUBLEAF, ECX},
	{0xd, 1, EAX},
	{7, 0, EBX},
	{7, 0, ECX},
	{0x80000007, XEN_CPUID_NO_SUBLEAF, EDX},
	{0x80000008, XEN_CPUID_NO_SUBLEAF, EBX},
	{7, 0, EDX},
	{7, 1, EAX},
	{0x80000021, XEN_CPUID_NO_SUBLEAF, EAX},
	{7, 1, EBX},
	{7, 2, EDX},
	{7, 1, ECX},
	{7, 1, EDX},
	[18] = {0x80000021, XEN_CPUID_NO_SUBLEAF, ECX},
};

/* Bits of 0x80000001.edx that mean the same in 1.edx (AMD APM volume 3, appendix E.4.2). */
#define EXTENDED_COPIES 0x0183f3ffu

static const char *const names[XC_FEATURE_WORDS * 32] = {
#define XEN_CPUFEATURE(name, value) [value] = #name,
#include <xen/arch-x86/cpufeatureset.h>
#undef XEN_CPUFEATURE
	/* Known to CPUs and to the xstate engine, not to the table of 4.17. */
	[4 * 32 + 4] = "XFD",
	[9 * 32 + 22] = "AMX_BF16",
	[9 * 32 + 24] = "AMX_TILE",
	[9 * 32 + 25] = "AMX_INT8",
};

int xc_feature_word(unsigned int word, uint32_t *leaf, uint32_t *subleaf, unsigned int *reg)
{
	if (word >= XC_FEATURE_WORDS || word == MSR_WORD || word == MSR_WORD + 1)
		return -ENOENT;
	*leaf = places[word].leaf;
	*subleaf = places[word].subleaf;
	*reg = places[word].reg;
	return 0;
}

static uint32_t word_of(const struct xc_policy *p, unsigned int word)
{
	uint32_t leaf, subleaf;
	unsigned int reg;
	const xen_cpuid_leaf_t *l;

	if (xc_feature_word(word, &leaf, &subleaf, &reg) < 0) {
		for (uint32_t i = 0; i < p->nr_msrs; i++)
			if (p->msrs[i].idx == ARCH_CAPABILITIES)
				return p->msrs[i].val >> (word - MSR_WORD) * 32;
		return 0;
	}
	l = xc_policy_leaf(p, leaf, subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : subleaf);
	if (!l)
		return 0;
	return reg == EAX ? l->a : reg == EBX ? l->b : reg == ECX ? l->c : l->d;
}

void xc_policy_features(const struct xc_policy *p, uint32_t words[XC_FEATURE_WORDS])
{
	for (unsigned int w = 0; w < XC_FEATURE_WORDS; w++)
		words[w] = word_of(p, w);
	/* A policy may carry AMD's repetitions or not. */
	words[2] &= ~EXTENDED_COPIES;
}

const char *xc_feature_name(unsigned int bit, char name[XC_FEATURE_NAME])
{
	static const char *const regs[] = {"eax", "ebx", "ecx", "edx"};
	const char *known = bit < XC_FEATURE_WORDS * 32 ? names[bit] : NULL;
	uint32_t leaf, subleaf;
	unsigned int reg;
	size_t i = 0;

	if (known) {
		for (; i < XC_FEATURE_NAME - 1 && known[i]; i++)
			name[i] = known[i] == '_' ? '-' : (char)tolower((unsigned char)known[i]);
		name[i] = 0;
	} else if (xc_feature_word(bit / 32, &leaf, &subleaf, &reg) < 0) {
		snprintf(name, XC_FEATURE_NAME, "%#x.%u", ARCH_CAPABILITIES, bit - MSR_WORD * 32);
	} else if (subleaf == XEN_CPUID_NO_SUBLEAF) {
		snprintf(name, XC_FEATURE_NAME, "%#x.%s.%u", leaf, regs[reg], bit % 32);
	} else {
		snprintf(name, XC_FEATURE_NAME, "%#x.%u.%s.%u", leaf, subleaf, regs[reg], bit % 32);
	}
	return name;
}

bool xc_feature_dynamic(unsigned int bit)
{
	return bit == 0 * 32 + 9 || bit == 1 * 32 + 27 || bit == 6 * 32 + 4;
}
