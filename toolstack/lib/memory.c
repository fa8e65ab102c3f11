/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain costs the host beyond its own memory, and whether that is there.
 */
#include "serai.h"

#include <errno.h>

/*
 * The hypervisor's per-domain and per-vCPU pages, the grant table (maximum size counted) and the
 * PV page tables' bookkeeping come out of its free memory, too.
 */
uint64_t memory_overhead_kib(const struct domain_config *c)
{
	uint64_t domain = 512, vcpu = 64;
	uint64_t grants = (c->max_grant_frames >= 0 ? c->max_grant_frames : 64) * 4;

	return domain + vcpu * c->maxvcpus + grants;
}

int memory_check(struct serai *s, uint64_t kib)
{
	struct xen_sysctl_physinfo ph;
	int rc = xc_physinfo(s->xc, &ph);
	uint64_t have;

	if (rc < 0)
		return serai_fail_xc(s, rc, "no answer about this host's memory");
	have = (ph.free_pages + ph.scrub_pages - ph.outstanding_pages) * 4;
	if (have < kib)
		return serai_fail(
			s, -ENOMEM,
			"the domain needs %lu MiB and the host has %lu MiB free: take memory from a "
			"domain (serai mem-set) or give this one less",
			(unsigned long)(kib + 1023) >> 10, (unsigned long)have >> 10);
	return 0;
}
