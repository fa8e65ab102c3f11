/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai destroy, shutdown, reboot, pause, unpause, console. */
#include "cli.h"

#include <errno.h>
#include <string.h>

VERB(destroy)
{
	static const struct option opts[] = {{"force", 0, NULL, 'f'}, {0}};
	domid_t dom;
	int o, rc = 0;

	while ((o = cli_option(cli, argc, argv, "f", opts)) != -1)
		if (o == -2)
			return 1;
	if (cli_operands(command_find("destroy"), argc, 1, -1))
		return 1;
	for (int i = optind; i < argc && rc >= 0; i++) {
		rc = cli_domain(cli, argv[i], &dom);
		if (rc >= 0 && !cli->dry_run)
			rc = domain_destroy(&cli->s, dom);
	}
	return rc;
}

/* shutdown and reboot differ in one word. */
static int request_all(struct cli *cli, int argc, char **argv, const char *what)
{
	static const struct option opts[] = {{"all", 0, NULL, 'a'}, {"wait", 0, NULL, 'w'}, {0}};
	struct xen_domctl_getdomaininfo *v = NULL;
	bool all = false, wait = false;
	unsigned int n = 0;
	int o, rc = 0;

	while ((o = cli_option(cli, argc, argv, "awF", opts)) != -1) {
		if (o == -2)
			return 1;
		all |= o == 'a';
		wait |= o == 'w';
	}
	if (!all && optind == argc)
		return serai_fail(&cli->s, -EINVAL, "which domain? (-a means all of them)");
	if (all) {
		rc = domain_list(&cli->s, &v, &n);
	} else {
		v = calloc(argc, sizeof(*v));
		for (int i = optind; v && i < argc && rc >= 0; i++)
			rc = cli_domain(cli, argv[i], &v[n++].domain);
	}
	for (unsigned int i = 0; i < n && rc >= 0; i++) {
		if (all && v[i].domain == 0)
			continue;
		fprintf(stderr, "%s domain %u\n", !strcmp(what, "reboot") ? "Rebooting" : "Shutting down",
			v[i].domain);
		rc = cli->dry_run ? 0 : domain_request(&cli->s, v[i].domain, what);
	}
	for (unsigned int i = 0; wait && i < n && rc >= 0; i++) {
		int reason = 0;

		if (v[i].domain == 0)
			continue;
		fprintf(stderr, "Waiting for domain %u\n", v[i].domain);
		rc = domain_wait_shutdown(&cli->s, v[i].domain, -1, &reason);
		if (rc >= 0)
			fprintf(stderr, "Domain %u has %s\n", v[i].domain,
				rc ? "been destroyed" : "been shut down, reason code 0");
	}
	free(v);
	return rc < 0 ? rc : 0;
}

VERB(shutdown)
{
	return request_all(cli, argc, argv, "poweroff");
}

VERB(reboot)
{
	return request_all(cli, argc, argv, "reboot");
}

static int one(struct cli *cli, int argc, char **argv, int (*f)(struct xc *, domid_t))
{
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find(argv[0]), argc, 1, 1))
		return 1;
	rc = cli_domain(cli, argv[optind], &dom);
	if (rc < 0 || cli->dry_run)
		return rc;
	rc = f(cli->s.xc, dom);
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "%s", argv[optind]) : 0;
}

VERB(pause)
{
	return one(cli, argc, argv, xc_domain_pause);
}

VERB(unpause)
{
	return one(cli, argc, argv, xc_domain_unpause);
}

/* "x", or "^x" for Control-X; 0 is neither. */
static char escape_parse(const char *t)
{
	if (*t == '^' && t[1] && !t[2])
		return t[1] == '?' ? 0x7f : t[1] & 0x1f;
	return t[0] && !t[1] ? t[0] : 0;
}

VERB(console)
{
	static const struct option opts[] = {
		{"type", 1, NULL, 't'}, {"num", 1, NULL, 'n'}, {"escape", 1, NULL, 'e'}, {0}};
	const char *type = "pv";
	char escape = CONSOLE_ESCAPE;
	unsigned int num = 0;
	bool attached = false;
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "t:n:e:", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 't')
			type = optarg;
		if (o == 'n')
			num = atoi(optarg);
		if (o == 'e' && !(escape = escape_parse(optarg)))
			return serai_fail(&cli->s, -EINVAL, "\"%s\" is not a character, nor ^ and one",
					  optarg);
	}
	if (cli_operands(command_find("console"), argc, 1, 1))
		return 1;
	if (strcmp(type, "pv"))
		return serai_fail(&cli->s, -EINVAL, "a PV domain has no \"%s\" console", type);
	/* The daemon's group may look at consoles without being root, so its socket is tried first.
	 */
	rc = num ? -ENOENT : console_attach_socket(argv[optind], escape, &attached);
	if (attached)
		return rc < 0 ? serai_fail(&cli->s, rc, "%s: console: %s", argv[optind], strerror(-rc)) : 0;
	rc = serai_open(&cli->s);
	if (rc >= 0)
		rc = cli_domain(cli, argv[optind], &dom);
	return rc < 0 ? rc : console_attach(&cli->s, dom, num, escape);
}
