/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenstored: options, then to the background. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"Usage: xenstored [OPTION]...\n"
	"Serves the xenstore of this host to its domains and to the tools of domain 0.\n"
	"\n"
	"  -F, --pid-file FILE        write the daemon's process id there\n"
	"  -N, --no-fork              stay in the foreground, log to standard error\n"
	"  -T, --trace-file FILE      log to FILE instead of the system log\n"
	"  -V, --verbose              log every request\n"
	"  -D, --no-domains           serve sockets only (a host without a hypervisor)\n"
	"  -r, --run-dir DIR          directory of socket and state (/run/xenstored)\n"
	"      --fresh                start empty, whatever the state file holds\n"
	"      --restore              start from the state file; this is the default\n"
	"  -E, --entry-nb N           limit of nodes a domain owns (1000)\n"
	"  -W, --watch-nb N           limit of watches a domain has (128)\n"
	"  -t, --transaction N        limit of transactions a domain has open (10)\n"
	"  -S, --entry-size N         limit of a value's bytes (2048)\n"
	"  -A, --perm-nb N            limit of permissions of a node (5)\n"
	"  -M, --path-max N           limit of a path's bytes (2048)\n"
	"  -Q, --quota NAME=N         any limit, by the name `xenstore-control quota` shows\n"
	"  -H, --help                 show this\n"
	"\n"
	"A limit of 0 is none. Domain 0 has no limits. See xenstored(8).\n";

enum { OPT_FRESH = 256, OPT_RESTORE };

static const struct option options[] = {
	{"pid-file", required_argument, NULL, 'F'},
	{"no-fork", no_argument, NULL, 'N'},
	{"trace-file", required_argument, NULL, 'T'},
	{"verbose", no_argument, NULL, 'V'},
	{"no-domains", no_argument, NULL, 'D'},
	{"run-dir", required_argument, NULL, 'r'},
	{"fresh", no_argument, NULL, OPT_FRESH},
	{"restore", no_argument, NULL, OPT_RESTORE},
	{"entry-nb", required_argument, NULL, 'E'},
	{"watch-nb", required_argument, NULL, 'W'},
	{"transaction", required_argument, NULL, 't'},
	{"entry-size", required_argument, NULL, 'S'},
	{"perm-nb", required_argument, NULL, 'A'},
	{"path-max", required_argument, NULL, 'M'},
	{"quota", required_argument, NULL, 'Q'},
	{"help", no_argument, NULL, 'H'},
	{NULL, 0, NULL, 0},
};

static int set_quota(struct options *o, int q, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (q < 0 || *text < '0' || *text > '9' || *end || v > INT32_MAX) {
		fprintf(stderr, "xenstored: %s is no limit; see xenstored --help\n", text);
		return -1;
	}
	o->quota[q] = v;
	o->quota_given[q] = true;
	return 0;
}

static int named_quota(struct options *o, const char *text)
{
	char name[64];
	size_t n = strcspn(text, "=");

	if (!text[n] || n >= sizeof(name)) {
		fprintf(stderr, "xenstored: --quota wants NAME=N, not %s\n", text);
		return -1;
	}
	memcpy(name, text, n);
	name[n] = 0;
	return set_quota(o, quota_find(name), text + n + 1);
}

static int short_quota(int c)
{
	static const char letters[] = "EWtSAM";
	static const enum quota quotas[] = {QUOTA_NODES,     QUOTA_WATCHES,     QUOTA_TRANSACTIONS,
					    QUOTA_NODE_SIZE, QUOTA_PERMISSIONS, QUOTA_PATH_MAX};
	const char *at = strchr(letters, c);

	return at ? (int)quotas[at - letters] : -1;
}

/* 0, or an exit status plus one. */
static int parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "F:NT:VDr:E:W:t:S:A:M:Q:H", options, NULL)) != -1) {
		int rc = 0;

		switch (c) {
		case 'F':
			o->pid_file = optarg;
			break;
		case 'N':
			o->foreground = true;
			break;
		case 'T':
			o->log_file = optarg;
			break;
		case 'V':
			o->trace = true;
			break;
		case 'D':
			o->no_domains = true;
			break;
		case 'r':
			o->rundir = optarg;
			break;
		case OPT_FRESH:
			o->fresh = true;
			break;
		case OPT_RESTORE:
			o->fresh = false;
			break;
		case 'Q':
			rc = named_quota(o, optarg);
			break;
		case 'H':
			fputs(usage, stdout);
			return 1;
		case '?':
			fputs("Try xenstored --help.\n", stderr);
			return 2;
		default:
			rc = set_quota(o, short_quota(c), optarg);
		}
		if (rc)
			return 2;
	}
	if (optind < argc) {
		fprintf(stderr, "xenstored: what is \"%s\"? It takes options only.\n", argv[optind]);
		return 2;
	}
	return 0;
}

/* The parent waits until the daemon serves; its exit status tells. */
static void to_background(struct options *o)
{
	int ends[2], null, status = 1;
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		fprintf(stderr, "xenstored: %s\n", strerror(errno));
		exit(1);
	}
	if (pid) {
		close(ends[1]);
		if (read(ends[0], &byte, 1) == 1)
			_exit(0);
		waitpid(pid, &status, 0);
		fprintf(stderr, "xenstored: did not start; its log says why\n");
		_exit(1);
	}
	close(ends[0]);
	o->ready_fd = ends[1];
	setsid();
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	if (null > 2)
		close(null);
	if (chdir("/") < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct options o = {.rundir = "/run/xenstored", .ready_fd = -1, .argv = argv};
	const char *text = getenv("XENSTORED_HANDLES");
	struct handles h;
	int alive_end, rc = parse(&o, argc, argv);

	if (rc)
		return rc - 1;
	/* Become from an older self: its descriptors, no second start. */
	if (text && sscanf(text, "%d,%d,%d,%d,%d,%d", &h.memory, &h.listener, &h.to_worker, &h.to_keeper,
			   &h.alive, &alive_end) == 6) {
		unsetenv("XENSTORED_HANDLES");
		log_start(&o);
		return keeper_run(&o, &h, alive_end);
	}
	if (mkdir(o.rundir, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "xenstored: %s: %s\n", o.rundir, strerror(errno));
		return 1;
	}
	log_start(&o);
	if (!o.foreground)
		to_background(&o);
	rc = drop_privileges();
	if (rc)
		log_line(STORE_ERROR, "privileges are kept: %s", strerror(-rc));
	return keeper_run(&o, NULL, -1);
}
