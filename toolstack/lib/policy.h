/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic of CPU policies: what one CPU has and another lacks, and what several have in common. No
 * hypervisor is needed but for policy_load().
 */
#ifndef SERAI_POLICY_H
#define SERAI_POLICY_H

#include "serai.h"

struct policy_xstate {
	uint64_t mask; /* components of XCR0 */
	uint32_t size; /* bytes of an image with all of them */
};

/* "GenuineIntel"; "" when leaf 0 is missing. */
void policy_vendor(const struct xc_policy *p, char vendor[13]);
void policy_xstate(const struct xc_policy *p, struct policy_xstate *x);
/* Flags of `a` that `b` has not, those that follow a guest's registers left out. Returns how many. */
unsigned int policy_lacks(const struct xc_policy *a, const struct xc_policy *b,
			  uint32_t words[XC_FEATURE_WORDS]);
/*
 * Flags whose presence takes something away from a program, or warns it: x87 selectors that are not saved,
 * return stacks that underflow. Among hosts one such host is enough.
 */
bool policy_warning(unsigned int bit);
/*
 * What n >= 1 CPUs have in common, as the policy of one CPU. The order of `in` makes no difference:
 *
 *   flags, XCR0, XSS          those all have (of warnings: those any has)
 *   highest leaves, widths    the smallest
 *   names, caches, topology   whole, from the oldest CPU: lowest family, model and stepping
 *   anything else             what is the same everywhere, or nothing
 *
 * -EINVAL and a sentence when they are of different vendors: no flags make one of the other.
 */
int policy_common(struct xc_policy *out, const struct xc_policy *in, unsigned int n, char *error, size_t len);
/*
 * The `cpuid =` line of xl.cfg that takes the flags `words` from a domain made on a host of at least
 * `common`: malloc()ed, NULL without memory. Flags in MSRs have no such line.
 */
char *policy_cpuid_line(const struct xc_policy *common, const uint32_t words[XC_FEATURE_WORDS]);

/* -------- rules of a configuration (policy_apply.c) -------- */
/*
 * Change `p`, what this host gives its domains, as `cpuid =` says; `host` is what the host has itself, for the
 * letter k. A leaf that is not there has only zeros: -ENOENT and a sentence when a rule wants a 1 in it.
 */
int policy_apply(struct xc_policy *p, const struct xc_policy *host, const struct domain_config *c,
		 char *error, size_t len);
/* Is there any k (or s) in the rules? */
bool policy_wants_host(const struct domain_config *c);

/* -------- extended state (policy_xstate.c) -------- */
/* The leaf with exactly this number: XEN_CPUID_NO_SUBLEAF is a number of its own. */
const xen_cpuid_leaf_t *policy_leaf(const struct xc_policy *p, uint32_t leaf, uint32_t subleaf);
/* Components of XCR0 that both have at the same place, less those that are of no use without one that is lost. */
uint64_t policy_xstate_shared(const struct xc_policy *a, const struct xc_policy *b);
/* Make `out` (all else of a and b already met) one with the components `mask` and what uses them. */
void policy_xstate_settle(struct xc_policy *out, uint64_t mask, const struct xc_policy *a,
			  const struct xc_policy *b);

/* -------- JSON (policy_json.c) -------- */
struct json_object;
/* `source` says where it is from; the object is the caller's. */
struct json_object *policy_to_json(const struct xc_policy *p, const char *source);
int policy_from_json(struct xc_policy *p, const char *text, size_t len, char *error, size_t error_len);
/* What comes from outside, into the order in which a hypervisor has it; -EINVAL if anything is there twice. */
int policy_settle(struct xc_policy *p, char *error, size_t error_len);

/* -------- sources (policy_file.c) -------- */
/*
 * The policy that `what` names: "host:pv-max" and the like, a file (one with a slash in its name, or that
 * exists) written by `cpu-policy show --json` or by `save`, or a domain. The session is opened if need be.
 */
int policy_load(struct serai *s, const char *what, struct xc_policy *p);

#endif
