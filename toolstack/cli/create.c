/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai create, serai config-update: a configuration file becomes a domain, or replaces the record of one.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Operands KEY=VALUE, one a line, as if they stood at the end of the file. */
static char *overrides(int argc, char **argv)
{
	char *t = strdup("");

	for (int i = optind; i < argc && t; i++) {
		char *old = t;

		if (asprintf(&t, "%s%s\n", old, argv[i]) < 0)
			t = NULL;
		free(old);
	}
	return t;
}

int cli_config_load(struct cli *cli, struct domain_config *c, const char *file, int argc, char **argv,
		    bool quiet)
{
	char error[512], *extra, *warnings = NULL;
	void *text;
	size_t len;
	int rc = file_read(&cli->s, file, &text, &len);

	if (rc < 0)
		return rc;
	extra = overrides(argc, argv);
	if (len && ((char *)text)[0] == '{')
		rc = config_from_json(c, text, len, error, sizeof(error));
	else if (len && ((char *)text)[0] == '<')
		rc = config_from_xml(c, text, len, error, sizeof(error));
	else
		rc = config_from_cfg(c, file, text, len, extra, error, sizeof(error), &warnings);
	if (rc == 0 && config_check(c, error, sizeof(error))) {
		config_free(c);
		rc = -EINVAL;
	}
	if (warnings && !quiet)
		fputs(warnings, stderr);
	free(warnings);
	free(extra);
	free(text);
	return rc < 0 ? serai_fail(&cli->s, rc, "%s", error) : 0;
}

static int show_plan(struct cli *cli, struct domain_config *c)
{
	struct create_plan p;
	struct json_object *o, *config;
	int rc = domain_plan(&cli->s, c, &p);

	if (rc < 0)
		return rc;
	config = config_to_json_object(c);
	if (!cli->json) {
		printf("%s\n", json_object_to_json_string_ext(
				       config, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		printf("memory: %lu KiB for the guest, %lu KiB overhead, %lu KiB free on this host\n",
		       (unsigned long)p.guest_kib, (unsigned long)p.overhead_kib, (unsigned long)p.free_kib);
		json_object_put(config);
		return 0;
	}
	o = json_object_new_object();
	json_put(o, "config", config);
	json_put(o, "guest_kib", json_u64(p.guest_kib));
	json_put(o, "overhead_kib", json_u64(p.overhead_kib));
	json_put(o, "host_free_kib", json_u64(p.free_kib));
	return print_json(o);
}

int print_made(struct cli *cli, domid_t dom, const struct domain_config *c)
{
	struct json_object *o = json_object_new_object();
	char uuid[37];
	int rc;

	uuid_format(c->uuid, uuid);
	json_put(o, "domid", json_u64(dom));
	json_put(o, "name", json_str(c->name));
	json_put(o, "uuid", json_str(uuid));
	rc = print_json(o);
	if (rc == 0 && fflush(stdout))
		rc = -errno;
	return rc < 0 ? serai_fail(&cli->s, rc, "%s is there, and cannot be told of: %s", c->name,
				   strerror(-rc))
		      : 0;
}

struct run_options {
	bool paused, console, foreground, no_monitor;
};

/* A domain that nobody looks after, or that cannot be started, is not left behind. */
static int create_undo(struct cli *cli, domid_t dom, int lock, int rc)
{
	struct serai undo = cli->s; /* the cause must survive */

	(void)domain_destroy(&undo, dom);
	name_unlock(lock);
	return rc;
}

/* Create, hand the domain to its monitor, and perhaps sit on its console. */
static int create_run(struct cli *cli, struct domain_config *c, const struct run_options *r)
{
	const bool handed = !r->no_monitor && !r->foreground;
	struct create_options o = {.paused = true};
	int lock = -1, rc = name_lock(&cli->s, c->name, &lock);
	domid_t dom;

	if (rc < 0)
		return rc;
	name_lock_note(lock, "starting", -1);
	rc = domain_create(&cli->s, c, &o, &dom);
	if (rc < 0) {
		name_unlock(lock);
		return rc;
	}
	if (handed && (rc = monitor_start(&cli->s, c, dom, lock)) < 0)
		return create_undo(cli, dom, lock, rc);
	if (!r->paused && (rc = xc_domain_unpause(cli->s.xc, dom)) < 0) {
		serai_fail_xc(&cli->s, rc, "%s: cannot be started", c->name);
		return create_undo(cli, dom, lock, rc);
	}
	rc = cli->json ? print_made(cli, dom, c) : 0;
	if (rc == 0 && r->console)
		rc = console_attach(&cli->s, dom, 0, CONSOLE_ESCAPE);
	else if (rc == 0 && r->foreground)
		rc = monitor_run(&cli->s, c, dom, lock);
	if (handed)
		close(lock);
	else
		name_unlock(lock);
	return rc;
}

VERB(create)
{
	static const struct option opts[] = {{"paused", 0, NULL, 'p'},     {"console", 0, NULL, 'c'},
					     {"foreground", 0, NULL, 'F'}, {"quiet", 0, NULL, 'q'},
					     {"defconfig", 1, NULL, 'f'},  {"dryrun", 0, NULL, 'n'},
					     {"vncviewer", 0, NULL, 'V'},  {0}};
	struct run_options r = {0};
	struct domain_config c;
	const char *file = NULL;
	bool quiet = false, dry = cli->dry_run;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "pcFqf:neVA", opts)) != -1) {
		if (o == -2)
			return 1;
		r.paused |= o == 'p';
		r.console |= o == 'c';
		r.foreground |= o == 'F';
		r.no_monitor |= o == 'e';
		quiet |= o == 'q';
		dry |= o == 'n';
		if (o == 'f')
			file = optarg;
	}
	if (!file && optind < argc && !strchr(argv[optind], '='))
		file = argv[optind++];
	if (!file)
		return cli_usage("create");
	rc = cli_config_load(cli, &c, file, argc, argv, quiet);
	if (rc < 0)
		return rc;
	if (!quiet && !dry && !cli->json)
		printf("Parsing config from %s\n", file), fflush(stdout);
	rc = dry ? show_plan(cli, &c) : create_run(cli, &c, &r);
	config_free(&c);
	return rc;
}

VERB(config_update)
{
	static const struct option opts[] = {{"defconfig", 1, NULL, 'f'}, {0}};
	struct xen_domctl_getdomaininfo info;
	struct domain_config c;
	const char *file = NULL;
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "f:q", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 'f')
			file = optarg;
	}
	if (cli_operands(command_find("config-update"), argc, file ? 1 : 2, -1))
		return 1;
	if ((rc = cli_domain(cli, argv[optind++], &dom)) < 0)
		return rc;
	if (!file)
		file = argv[optind++];
	if ((rc = cli_config_load(cli, &c, file, argc, argv, false)) < 0)
		return rc;
	/* The name and the UUID are the domain's own: a file for the next start does not change them. */
	rc = xc_domain_info(cli->s.xc, dom, &info);
	if (rc >= 0) {
		memcpy(c.uuid, info.handle, 16);
		c.has_uuid = true;
		free(c.name);
		c.name = domain_name(&cli->s, dom);
		rc = cli->dry_run ? show_plan(cli, &c) : record_save(&cli->s, dom, &c);
	}
	config_free(&c);
	return rc;
}
