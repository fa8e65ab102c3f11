/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `cpuid =` of a configuration and a CPU policy: bit by bit, as libxc's tools have always done it. What follows
 * from a flag that goes (the features that need it, the extended state) is the hypervisor's business.
 */
#include "policy.h"

#include <errno.h>
#include <string.h>

static uint32_t *register_of(xen_cpuid_leaf_t *l, unsigned int reg)
{
	return reg == 0 ? &l->a : reg == 1 ? &l->b : reg == 2 ? &l->c : &l->d;
}

/* A rule without a subleaf means the leaf, or its first subleaf; one with subleaf 0 the leaf as well. */
static xen_cpuid_leaf_t *leaf_find(const struct xc_policy *p, const struct cpuid_rule *r)
{
	return (xen_cpuid_leaf_t *)xc_policy_leaf(p, r->leaf,
						  r->subleaf == CPUID_NO_SUBLEAF ? 0 : r->subleaf);
}

static uint32_t bits_apply(const char *bits, uint32_t value, uint32_t host)
{
	for (unsigned int i = 0; i < 32; i++) {
		const uint32_t bit = 1u << (31 - i);

		if (bits[i] == '1' || ((bits[i] == 'k' || bits[i] == 's') && host & bit))
			value |= bit;
		else if (bits[i] != 'x')
			value &= ~bit;
	}
	return value;
}

static int rule_apply(struct xc_policy *p, const struct xc_policy *host, const struct cpuid_rule *r,
		      char *error, size_t len)
{
	xen_cpuid_leaf_t *l = leaf_find(p, r), *h = leaf_find(host, r);
	char sub[16] = "";

	for (unsigned int k = 0; k < 4; k++) {
		uint32_t v;

		if (!r->bits[k][0])
			continue;
		v = bits_apply(r->bits[k], l ? *register_of(l, k) : 0, h ? *register_of(h, k) : 0);
		if (l) {
			*register_of(l, k) = v;
		} else if (v) {
			if (r->subleaf != CPUID_NO_SUBLEAF)
				snprintf(sub, sizeof(sub), ",%u", r->subleaf);
			snprintf(error, len,
				 "this host gives its domains no CPUID leaf %#x%s: %s cannot be set", r->leaf,
				 sub, cpuid_registers[k]);
			return -ENOENT;
		}
	}
	return 0;
}

int policy_apply(struct xc_policy *p, const struct xc_policy *host, const struct domain_config *c,
		 char *error, size_t len)
{
	int rc = 0;

	for (unsigned int i = 0; i < c->nr_cpuid && rc == 0; i++)
		rc = rule_apply(p, host, &c->cpuid[i], error, len);
	return rc;
}

bool policy_wants_host(const struct domain_config *c)
{
	for (unsigned int i = 0; i < c->nr_cpuid; i++)
		for (unsigned int k = 0; k < 4; k++)
			if (strpbrk(c->cpuid[i].bits[k], "ks"))
				return true;
	return false;
}
