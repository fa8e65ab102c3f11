/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai init-dom0: what the store says of the control domain, which nobody created. Units run it whenever the store
 * daemon has started; what is there already stays.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>

#define NAME "Domain-0"

static int node(struct cli *cli, const char *path, const char *value)
{
	char *have = store_read(cli->s.store, 0, path);
	int rc = 0;

	if (!have && !cli->dry_run)
		rc = store_write(cli->s.store, 0, path, value);
	free(have);
	return rc < 0 ? store_fail(&cli->s, rc, path, 0) : 0;
}

/* Tools look for a record of every domain: xl does not list one that has none with -l. */
static int record(struct cli *cli)
{
	struct xen_domctl_getdomaininfo info;
	struct domain_config c;
	int rc;

	if (record_load(&cli->s, 0, &c) == 0) {
		config_free(&c);
		return 0;
	}
	cli->s.error[0] = 0;
	if ((rc = xc_domain_info(cli->s.xc, 0, &info)) < 0)
		return serai_fail_xc(&cli->s, rc, "domain 0");
	config_init(&c);
	free(c.name);
	c.name = strdup(NAME);
	memcpy(c.uuid, info.handle, sizeof(c.uuid));
	c.has_uuid = true;
	c.mem_kib = c.maxmem_kib = info.tot_pages * 4;
	c.vcpus = c.maxvcpus = info.max_vcpu_id + 1;
	rc = !c.name ? -ENOMEM : cli->dry_run ? 0 : record_save(&cli->s, 0, &c);
	config_free(&c);
	return rc;
}

VERB(init_dom0)
{
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("init-dom0"), argc, 0, 0))
		return 1;
	if ((rc = node(cli, "/local/domain/0/name", NAME)) < 0 ||
	    (rc = node(cli, "/local/domain/0/domid", "0")) < 0 || (rc = node(cli, "/libxl/0/type", "pv")) < 0)
		return rc;
	return record(cli);
}
