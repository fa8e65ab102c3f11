/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line. Options xenconsoled has keep their names and meaning. */
#include "consoled.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: serai-consoled [options]\n"
	"Serves guests' consoles: terminals for xl, sockets for serai console, logs.\n\n"
	"  -i, --interactive, --foreground  stay in the foreground, messages on standard error\n"
	"  -v, --verbose                    say more\n"
	"      --log=none|guest|hv|all      what is logged (guest)\n"
	"      --timestamp=none|guest|hv|all  time before every line of these logs (none)\n"
	"      --log-dir=DIR                where (" CONSOLED_LOG_DIR ");\n"
	"                                   /var/log/xen/console is where xenconsoled logs\n"
	"      --log-size=KIB               largest size of a log file (1024)\n"
	"      --log-keep=N                 older files kept of each (4)\n"
	"      --rate=KIB                   output taken from a guest a second (256); 0: all there "
	"is\n"
	"      --burst=KIB                  and at once (1024)\n"
	"      --history=KIB                output kept of a guest for its viewers (256)\n"
	"      --pid-file=FILE              write the process's number there\n"
	"  -h, --help                       this text\n"
	"  -V, --version                    the version\n";

enum {
	OPT_LOG = 256,
	OPT_STAMP,
	OPT_DIR,
	OPT_SIZE,
	OPT_KEEP,
	OPT_RATE,
	OPT_BURST,
	OPT_HISTORY,
	OPT_PID,
	OPT_IGNORED
};

static const struct option longs[] = {{"interactive", 0, NULL, 'i'},
				      {"foreground", 0, NULL, 'i'},
				      {"verbose", 0, NULL, 'v'},
				      {"log", 1, NULL, OPT_LOG},
				      {"timestamp", 1, NULL, OPT_STAMP},
				      {"log-dir", 1, NULL, OPT_DIR},
				      {"log-size", 1, NULL, OPT_SIZE},
				      {"log-keep", 1, NULL, OPT_KEEP},
				      {"rate", 1, NULL, OPT_RATE},
				      {"burst", 1, NULL, OPT_BURST},
				      {"history", 1, NULL, OPT_HISTORY},
				      {"pid-file", 1, NULL, OPT_PID},
				      {"overflow-data", 1, NULL, OPT_IGNORED},
				      {"replace-escape", 0, NULL, OPT_IGNORED},
				      {"help", 0, NULL, 'h'},
				      {"version", 0, NULL, 'V'},
				      {0}};

static int which(const char *name, const char *value, bool *guests, bool *hv)
{
	if (strcmp(value, "none") && strcmp(value, "guest") && strcmp(value, "hv") && strcmp(value, "all")) {
		fprintf(stderr, "serai-consoled: --%s=%s: none, guest, hv or all is wanted\n", name, value);
		return -EINVAL;
	}
	*guests = !strcmp(value, "guest") || !strcmp(value, "all");
	*hv = !strcmp(value, "hv") || !strcmp(value, "all");
	return 0;
}

static int number(const char *name, const char *value, uint64_t low, uint64_t high, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno && *n >= low && *n <= high)
		return 0;
	fprintf(stderr, "serai-consoled: --%s=%s: a number from %lu to %lu is wanted\n", name, value,
		(unsigned long)low, (unsigned long)high);
	return -EINVAL;
}

static int one(struct options *o, int c)
{
	uint64_t n = 0;
	int rc = 0;

	switch (c) {
	case 'i':
		o->foreground = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case OPT_LOG:
		return which("log", optarg, &o->log_guests, &o->log_hv);
	case OPT_STAMP:
		return which("timestamp", optarg, &o->stamp_guests, &o->stamp_hv);
	case OPT_DIR:
		o->log_dir = optarg;
		break;
	case OPT_SIZE:
		rc = number("log-size", optarg, 4, 1 << 30, &n);
		o->log_limit = n << 10;
		break;
	case OPT_KEEP:
		rc = number("log-keep", optarg, 0, LOG_KEEP_MAX, &n);
		o->log_keep = n;
		break;
	case OPT_RATE:
		rc = number("rate", optarg, 0, 1 << 20, &n);
		o->rate = n << 10;
		break;
	case OPT_BURST:
		rc = number("burst", optarg, 2, 1 << 20, &n);
		o->burst = n << 10;
		break;
	case OPT_HISTORY:
		rc = number("history", optarg, 4, 1 << 16, &n);
		o->history = n << 10;
		break;
	case OPT_PID:
		o->pid_file = optarg;
		break;
	case 'h':
		fputs(help, stdout);
		return 1;
	case 'V':
		puts("serai-consoled " PACKAGE_VERSION);
		return 1;
	case OPT_IGNORED:
		break;
	default:
		fputs("serai-consoled: see serai-consoled --help\n", stderr);
		return -EINVAL;
	}
	return rc;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, rc = 0;

	*o = (struct options){.log_guests = true,
			      .log_dir = CONSOLED_LOG_DIR,
			      .log_limit = 1024 << 10,
			      .log_keep = 4,
			      .rate = 256 << 10,
			      .burst = 1024 << 10,
			      .history = 256 << 10};
	while (rc == 0 && (c = getopt_long(argc, argv, "ivhV", longs, NULL)) != -1)
		rc = one(o, c);
	if (rc == 0 && optind < argc) {
		fprintf(stderr, "serai-consoled: \"%s\": no operands are wanted\n", argv[optind]);
		rc = -EINVAL;
	}
	return rc;
}
