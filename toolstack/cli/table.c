/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of verbs, and what all verbs share: options, operands, progress.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
#define ROW(sym, name, session, args, help, options, completes, schema) \
	{name, cmd_##sym, session, args, help, options, completes, schema},
#include "verbs.def"
#undef ROW
};
const unsigned int nr_commands = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	const struct command *only = NULL;
	unsigned int hits = 0;

	for (unsigned int i = 0; i < nr_commands; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
		/* A unique beginning will do, as xl allows. */
		if (!strncmp(commands[i].name, name, strlen(name))) {
			only = &commands[i];
			hits++;
		}
	}
	return hits == 1 ? only : NULL;
}

void command_usage(const struct command *c, FILE *to)
{
	const char *o = c->options;

	fprintf(to, "Usage: serai [-vfN] %s %s%s\n\n%s\n", c->name, *o ? "[options] " : "", c->args, c->help);
	if (*o)
		fprintf(to, "\nOptions:\n");
	while (*o) {
		size_t name = strcspn(o, "\t"), line = strcspn(o, "\n");

		fprintf(to, "  %-26.*s %.*s\n", (int)name, o, (int)(line - name - 1), o + name + 1);
		o += line + 1;
	}
	if (c->schema)
		fprintf(to, "%s  %-26s print JSON: schema \"%s\" of serai-json(5)\n",
			*c->options ? "" : "\nOptions:\n", "--json", c->schema);
}

static bool misused;
static const struct command *running;

void command_begin(const struct command *c)
{
	running = c;
}

bool cli_misused(void)
{
	return misused;
}

int cli_usage(const char *name)
{
	const struct command *c = command_find(name);

	misused = true;

	if (c)
		command_usage(c, stderr);
	return 1;
}

int cli_option(struct cli *cli, int argc, char **argv, const char *shorts, const struct option *opts)
{
	struct option all[32] = {{"json", no_argument, NULL, 1000}, {"help", no_argument, NULL, 1001}};
	char letters[64];
	unsigned int n = 2;
	int o;

	for (; opts && opts->name && n < 31; opts++)
		all[n++] = *opts;
	snprintf(letters, sizeof(letters), "%sh", shorts);
	for (;;) {
		o = getopt_long(argc, argv, letters, all, NULL);
		if (o == 1000 && running->schema) {
			cli->json = true;
			continue;
		}
		if (o == 1000) {
			fprintf(stderr,
				"serai %s: there is no --json: it prints nothing that has such a form\n",
				running->name);
			misused = true;
			return -2;
		}
		if (o == 1001 || o == 'h') {
			command_usage(command_find(argv[0]), stdout);
			exit(0);
		}
		return o == '?' ? (cli_usage(argv[0]), -2) : o;
	}
}

int cli_operands(const struct command *c, int argc, int min, int max)
{
	int n = argc - optind;

	if (n >= min && (max < 0 || n <= max))
		return 0;
	misused = true;
	fprintf(stderr, "serai %s: %s operands\n", c->name, n < min ? "missing" : "too many");
	command_usage(c, stderr);
	return 1;
}

int cli_domain(struct cli *cli, const char *arg, domid_t *dom)
{
	return domain_find(&cli->s, arg, dom);
}

static bool progress_open;

void progress_show(const char *what, uint64_t done, uint64_t total)
{
	static int last = -1;
	int percent = total ? (int)(done * 100 / total) : 0;
	char bar[41];

	if (!isatty(STDERR_FILENO) || (percent == last && progress_open))
		return;
	last = percent;
	progress_open = true;
	memset(bar, '.', 40);
	memset(bar, '#', percent > 100 ? 40 : percent * 40 / 100);
	bar[40] = 0;
	fprintf(stderr, "\r%-18s [%s] %3d%%", what, bar, percent);
}

void progress_end(void)
{
	if (progress_open)
		fputc('\n', stderr);
	progress_open = false;
}

int parse_mib_kib(const char *t, uint64_t *kib)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)*t))
		return -EINVAL;
	errno = 0;
	v = strtoull(t, &end, 10);
	switch (tolower((unsigned char)*end)) {
	case 0:
	case 'm':
		v <<= 10;
		break;
	case 'k':
		break;
	case 'b':
		v >>= 10;
		break;
	case 'g':
		v <<= 20;
		break;
	case 't':
		v <<= 30;
		break;
	default:
		return -EINVAL;
	}
	if (errno || (*end && end[1] && tolower((unsigned char)end[1]) != 'b') || v > 1ull << 44)
		return -EINVAL;
	*kib = v;
	return 0;
}
