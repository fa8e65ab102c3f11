/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `serai top` and `serai metrics` know about a domain at one moment. */
#ifndef SERAI_CLI_STATS_H
#define SERAI_CLI_STATS_H

#include "cli.h"

struct domain_stats {
	domid_t dom;
	char name[64];
	uint32_t flags;
	uint64_t cpu_ns, mem_kib, max_kib;
	unsigned int vcpus;
	uint64_t net_rx, net_tx;        /* bytes, as the guest sees them */
	uint64_t disk_read, disk_write; /* bytes */
	unsigned int nets, disks;
	double cpu_percent; /* since the previous sample */
};

struct sample {
	struct domain_stats *v;
	unsigned int n;
	uint64_t at_ns;
	struct xen_sysctl_physinfo host;
};

int sample_take(struct cli *cli, struct sample *s, const struct sample *before);
void sample_free(struct sample *s);

#endif
