/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai: finds the verb and runs it. Exit status is 0, 1, or 2 when the command line makes no sense, as xl's.
 */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int run(struct cli *cli, const struct command *c, int argc, char **argv)
{
	int rc = 0;

	command_begin(c);
	if (c->session)
		rc = serai_open(&cli->s);
	if (rc >= 0) {
		optind = 1;
		rc = c->run(cli, argc, argv);
	}
	progress_end();
	if (rc != 0 && cli->s.error[0])
		fprintf(stderr, "serai %s: %s\n", c->name, cli->s.error);
	serai_close(&cli->s);
	return rc == 0 ? 0 : cli_misused() ? 2 : 1;
}

int main(int argc, char **argv)
{
	static struct cli cli;
	const char *host = NULL;
	const struct command *c;
	int o;

	signal(SIGPIPE, SIG_IGN);
	while ((o = getopt(argc, argv, "+vNftThH:")) != -1) {
		switch (o) {
		case 'v':
			cli.s.verbose = ++cli.verbose;
			break;
		case 'N':
			cli.dry_run = true;
			break;
		case 'f':
			cli.force = true;
			break;
		case 'H':
			host = optarg;
			break;
		case 't':
		case 'T':
			break; /* progress and timestamps: we decide by the terminal */
		default:
			return cmd_help(&cli, 0, argv), o == 'h' ? 0 : 1;
		}
	}
	argc -= optind;
	argv += optind;
	if (!argc) {
		cmd_help(&cli, 0, argv);
		return 1;
	}
	c = command_find(argv[0]);
	if (!c) {
		fprintf(stderr, "serai: there is no verb \"%s\" (serai help lists them)\n", argv[0]);
		return 1;
	}
	if (host)
		return remote_run(&cli, host, c, argc, argv);
	o = run(&cli, c, argc, argv);
	if (fflush(stdout)) {
		fprintf(stderr, "serai: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return o;
}
