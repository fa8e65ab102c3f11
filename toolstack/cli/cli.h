/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file a verb. A verb is a row of the table in table.c: name, function, usage, help; `serai help`,
 * the man page and bash completion are made from the rows.
 */
#ifndef SERAI_CLI_H
#define SERAI_CLI_H

#include "../lib/serai.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>

struct cli {
	struct serai s;
	bool json, dry_run, force;
	int verbose;
};

struct command {
	const char *name;
	/* Returns 0, or anything else for failure; the cause is in cli->s.error unless empty. */
	int (*run)(struct cli *cli, int argc, char **argv);
	bool session; /* needs the hypervisor and xenstore */
	const char *args;
	const char *help;
	const char *options;   /* "-w, --wait\twhat it does\n..." */
	const char *completes; /* "domains", "files", "" : what the shell should offer */
	const char *schema;    /* docs/schema/NAME.json is what it prints with --json; NULL: nothing */
};

extern const struct command commands[];
extern const unsigned int nr_commands;
const struct command *command_find(const char *name);
void command_usage(const struct command *c, FILE *to);
/* The verb that runs from now on. */
void command_begin(const struct command *c);

/*
 * Print a JSON value and a newline; takes the reference. What is not UTF-8 becomes U+FFFD. Only for verbs whose row
 * names a schema.
 */
int print_json(struct json_object *o);
/* A string; NULL is null. */
struct json_object *json_str(const char *s);
struct json_object *json_u64(uint64_t v);
/* A number in this form, "%.3f". */
struct json_object *json_fixed(double v, const char *format);
void json_put(struct json_object *o, const char *key, struct json_object *v);

/*
 * getopt_long over `opts`, with --json and --help understood everywhere. Returns the option, -1 at the
 * end, and -2 after an error or --help (stop with cli_stop()).
 */
int cli_option(struct cli *cli, int argc, char **argv, const char *shorts, const struct option *opts);
/* --json of create and restore: what became of the configuration. Before a console or a monitor writes there. */
int print_made(struct cli *cli, domid_t dom, const struct domain_config *c);
/* Exactly between min and max operands must follow; otherwise usage goes to stderr and 1 comes back. */
int cli_operands(const struct command *c, int argc, int min, int max);
/* One line of usage and failure. */
int cli_usage(const char *name);
/* Whether one of these has complained: the exit status tells that from a failure. */
bool cli_misused(void);
/* What vcpu-list and top call a vCPU's state. */
const char *vcpu_state(const struct xen_domctl_getvcpuinfo *v);
/* The domain named by an operand. */
int cli_domain(struct cli *cli, const char *arg, domid_t *dom);

/* Read a configuration of any form; argv[optind..argc) are KEY=VALUE overrides. */
int cli_config_load(struct cli *cli, struct domain_config *c, const char *file, int argc, char **argv,
		    bool quiet);

/* `serai -H HOST`: the verb, run by that host's seraid. Comes back, with 1, only if it cannot start. */
int remote_run(const struct cli *cli, const char *host, const struct command *c, int argc, char **argv);
/* Whether a move to that host goes by its seraid rather than ssh. */
bool remote_is(const char *host);
/* The operand of --connections, for a move to that host: a number that can be, and a way that has as many. */
int remote_connections(struct serai *s, const char *t, const char *host, unsigned int *n);
/*
 * The shell command that leads to that host's migrate-receive, its input over so many connections;
 * malloc()ed. NULL: said in s->error.
 */
char *remote_command(struct serai *s, const char *host, unsigned int connections);

/* Progress on stderr when that is a terminal. */
void progress_show(const char *what, uint64_t done, uint64_t total);
void progress_end(void);

/* Size with unit as xl takes it: MiB unless k, m, g or t follows. */
int parse_mib_kib(const char *t, uint64_t *kib);

#define VERB(name) int cmd_##name(struct cli *cli, int argc, char **argv)
#define ROW(sym, name, ...) VERB(sym);
#include "verbs.def"
#undef ROW

#endif
