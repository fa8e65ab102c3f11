/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai mem-set, mem-max. */
#include "cli.h"

#include <errno.h>

/* Hypervisor's limit leaves a little above the target for the guest's own bookkeeping pages. */
#define SLACK_KIB 1024

static int operands(struct cli *cli, int argc, char **argv, domid_t *dom, uint64_t *kib)
{
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find(argv[0]), argc, 2, 2))
		return 1;
	rc = cli_domain(cli, argv[optind], dom);
	if (rc < 0)
		return rc;
	if (parse_mib_kib(argv[optind + 1], kib) || *kib < 1024)
		return serai_fail(&cli->s, -EINVAL,
				  "\"%s\" is not an amount of memory (MiB, or with k, m, g, t)",
				  argv[optind + 1]);
	return 0;
}

VERB(mem_set)
{
	char path[64];
	uint64_t kib;
	long max;
	domid_t dom;
	int rc = operands(cli, argc, argv, &dom, &kib);

	if (rc || cli->dry_run)
		return rc;
	snprintf(path, sizeof(path), "/local/domain/%u/memory/static-max", dom);
	if (store_read_int(cli->s.store, path, &max) == 0 && (long)kib > max)
		return serai_fail(&cli->s, -EINVAL,
				  "%s may have %ld MiB at most (maxmem); %lu were asked for", argv[optind],
				  max >> 10, (unsigned long)kib >> 10);
	snprintf(path, sizeof(path), "/local/domain/%u/memory/target", dom);
	rc = store_writef(cli->s.store, 0, path, "%lu", (unsigned long)kib);
	if (rc < 0)
		return store_fail(&cli->s, rc, path, dom);
	rc = xc_domain_set_max_mem(cli->s.xc, dom, kib + SLACK_KIB);
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "%s", argv[optind]) : 0;
}

VERB(mem_max)
{
	char path[64];
	uint64_t kib;
	domid_t dom;
	int rc = operands(cli, argc, argv, &dom, &kib);

	if (rc || cli->dry_run)
		return rc;
	rc = xc_domain_set_max_mem(cli->s.xc, dom, kib + SLACK_KIB);
	if (rc < 0)
		return serai_fail_xc(&cli->s, rc, "%s", argv[optind]);
	snprintf(path, sizeof(path), "/local/domain/%u/memory/static-max", dom);
	rc = store_writef(cli->s.store, 0, path, "%lu", (unsigned long)kib);
	return rc < 0 ? store_fail(&cli->s, rc, path, dom) : 0;
}
