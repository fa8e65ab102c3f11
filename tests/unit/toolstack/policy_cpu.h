/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies for tests, from a handful of properties. Flags, extended state and limits always agree with
 * each other, as they do on a CPU.
 */
#ifndef TESTS_TOOLSTACK_POLICY_CPU_H
#define TESTS_TOOLSTACK_POLICY_CPU_H

#include "toolstack/lib/policy.h"

struct cpu {
	bool amd;
	uint32_t signature; /* leaf 1, eax */
	uint32_t limit, extended, subleaves;
	bool avx, avx512, pku, shadow_stack;
	uint32_t avx_at, pku_at;
	uint32_t more_1c, more_7b; /* flags without extended state */
	uint32_t widths;
	const char *brand;
	uint64_t capabilities; /* MSR 0x10a; 0: there is none */
};

/* Haswell and Skylake servers, and Zen 3. */
extern const struct cpu haswell, skylake, zen;

void cpu_policy(struct xc_policy *p, const struct cpu *c);
/* The policy as text, in a buffer of the next call but three. */
const char *policy_text(const struct xc_policy *p);
xen_cpuid_leaf_t *cpu_leaf(struct xc_policy *p, uint32_t leaf, uint32_t subleaf);

#endif
