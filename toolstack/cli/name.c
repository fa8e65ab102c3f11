/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai domid, domname, rename. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int show(struct cli *cli, const char *key, const char *text, domid_t dom)
{
	struct json_object *o;

	if (!cli->json)
		return puts(text) < 0;
	o = json_object_new_object();
	json_put(o, "domid", json_u64(dom));
	if (strcmp(key, "domid"))
		json_put(o, key, json_str(text));
	return print_json(o);
}

VERB(domid)
{
	char t[16];
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("domid"), argc, 1, 1))
		return 1;
	rc = cli_domain(cli, argv[optind], &dom);
	if (rc < 0)
		return rc;
	snprintf(t, sizeof(t), "%u", dom);
	return show(cli, "domid", t, dom);
}

VERB(domname)
{
	char *name;
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("domname"), argc, 1, 1))
		return 1;
	if (!isdigit((unsigned char)*argv[optind]))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is not a domain number", argv[optind]);
	rc = cli_domain(cli, argv[optind], &dom);
	if (rc < 0)
		return rc;
	name = domain_name(&cli->s, dom);
	rc = show(cli, "name", name, dom);
	free(name);
	return rc;
}

VERB(rename)
{
	struct domain_config c;
	domid_t dom;
	char *old;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("rename"), argc, 2, 2))
		return 1;
	rc = cli_domain(cli, argv[optind], &dom);
	if (rc < 0 || cli->dry_run)
		return rc;
	old = domain_name(&cli->s, dom);
	rc = domain_rename(&cli->s, dom, argv[optind + 1]);
	if (rc == 0 && strcmp(old, argv[optind + 1]) &&
	    (rc = name_lock_move(&cli->s, old, argv[optind + 1])) < 0) {
		struct serai undo = cli->s; /* the cause must survive */

		domain_rename(&undo, dom, old);
	}
	free(old);
	if (rc == 0 && record_load(&cli->s, dom, &c) == 0) {
		free(c.name);
		c.name = strdup(argv[optind + 1]);
		rc = record_save(&cli->s, dom, &c);
		config_free(&c);
	}
	return rc;
}
