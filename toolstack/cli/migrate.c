/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai migrate, serai migrate-receive: a saved domain's file through a pipe to another host, with a
 * hand-over at the end so that the domain runs in exactly one place.
 *
 *   sender                                receiver
 *   ------                                --------
 *                            <- "ready\n"  version checked, waiting
 *   configuration ->                       name free? memory there? lock taken
 *                            <- "accept\n" (or "refuse WHY\n": nothing has happened to the guest)
 *   container ->                           domain built, paused, under its own name
 *                            <- "built\n"  from here the receiver will not start it unasked
 *   "go\n" ->                              unpaused
 *                            <- "running\n"
 *   source destroyed
 *
 * Ownership passes with "go". Sender dies before: the receiver sees the end of input and destroys its
 * copy; the source's monitor still has the suspended domain. The sender resumes the source on any failure
 * before "go"; after it, a silent receiver leaves the source suspended and says so, because running it
 * could make two.
 */
#include "cli.h"
#include "../stream/reader.h"
#include "../stream/stream.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL "serai-migrate 1 ready"

struct peer {
	int to, from;
	pid_t pid;
};

static int peer_start(struct cli *cli, const char *ssh, const char *host, const char *flags, struct peer *p)
{
	char *command = NULL;
	int in[2], out[2];

	if (ssh && *ssh ? asprintf(&command, "exec %s %s serai migrate-receive%s", ssh, host, flags) < 0 :
	           asprintf(&command, "%s", host) < 0)
		return -ENOMEM;
	if (pipe(in) < 0 || pipe(out) < 0)
		return serai_fail(&cli->s, -errno, "pipe: %s", strerror(errno));
	p->pid = fork();
	if (p->pid < 0)
		return serai_fail(&cli->s, -errno, "fork: %s", strerror(errno));
	if (p->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	free(command);
	close(in[0]);
	close(out[1]);
	p->to = in[1];
	p->from = out[0];
	return 0;
}

static void peer_stop(struct peer *p)
{
	int status;

	close(p->to);
	close(p->from);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* One line, without its newline. */
static int line_get(int fd, char *buf, size_t len)
{
	size_t n = 0;

	while (n + 1 < len) {
		ssize_t k = read(fd, buf + n, 1);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? -errno : -EPIPE;
		if (buf[n] == '\n') {
			buf[n] = 0;
			return 0;
		}
		n++;
	}
	return -EMSGSIZE;
}

static int line_put(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int line_put(int fd, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vdprintf(fd, fmt, ap);
	va_end(ap);
	return n < 0 ? -errno : 0;
}

static int expect(struct cli *cli, struct peer *p, const char *word, const char *host)
{
	char line[600];
	int rc = line_get(p->from, line, sizeof(line));

	if (rc < 0)
		return serai_fail(&cli->s, rc, "%s: no answer (%s): is serai installed there?", host, strerror(-rc));
	if (!strcmp(line, word))
		return 0;
	if (!strncmp(line, "refuse ", 7))
		return serai_fail(&cli->s, -ECONNREFUSED, "%s refuses: %s", host, line + 7);
	return serai_fail(&cli->s, -EPROTO, "%s answers \"%.80s\" where \"%s\" was due", host, line, word);
}

static int report(struct cli *cli, const char *name, const char *host, const struct save_stats *st)
{
	struct json_object *o;

	if (!cli->json) {
		fprintf(stderr, "%s moved to %s: %u rounds, %lu MiB in %.1f s, stopped for %.0f ms%s\n", name, host, st->rounds,
		        (unsigned long)(st->bytes >> 20), st->total_s, st->downtime_s * 1000,
		        st->live ? "" : " (not live: the hypervisor cannot track a PV guest's writes)");
		return 0;
	}
	o = json_object_new_object();
	json_put(o, "domain", json_str(name));
	json_put(o, "host", json_str(host));
	json_put(o, "live", json_object_new_boolean(st->live));
	json_put(o, "rounds", json_u64(st->rounds));
	json_put(o, "pages", json_u64(st->pages));
	json_put(o, "bytes", json_u64(st->bytes));
	json_put(o, "seconds", json_object_new_double(st->total_s));
	json_put(o, "downtime_ms", json_object_new_double(st->downtime_s * 1000));
	return print_json(o);
}

static int send_domain(struct cli *cli, domid_t dom, const struct domain_config *c, struct peer *p, const char *host,
                       const struct save_options *so)
{
	struct save_stats st;
	bool suspended = false;
	int rc;

	if ((rc = expect(cli, p, PROTOCOL, host)) < 0 || (rc = save_header(&cli->s, c, p->to)) < 0 ||
	    (rc = expect(cli, p, "accept", host)) < 0)
		return rc;
	rc = save_domain(&cli->s, dom, p->to, so, &st, &suspended);
	progress_end();
	if (rc == 0)
		rc = expect(cli, p, "built", host);
	if (rc < 0) {
		struct serai keep = cli->s;

		/* Still ours: close the pipe first, so that the other side gives up its copy. */
		close(p->to);
		p->to = -1;
		if (suspended && save_resume(&keep, dom) < 0)
			fprintf(stderr, "serai migrate: %s\n", keep.error);
		else if (suspended)
			fprintf(stderr, "%s runs on here\n", c->name);
		return rc;
	}
	rc = line_put(p->to, "go\n");
	if (rc == 0)
		rc = expect(cli, p, "running", host);
	if (rc < 0) {
		char why[sizeof(cli->s.error)];

		snprintf(why, sizeof(why), "%s", cli->s.error);
		return serai_fail(&cli->s, rc,
		                  "%s: the hand-over was not confirmed (%s). It is suspended here and may run on %s: look "
		                  "there, then either serai destroy it here or serai unpause it",
		                  c->name, why, host);
	}
	rc = domain_destroy(&cli->s, dom);
	return rc < 0 ? rc : report(cli, c->name, host, &st);
}

VERB(migrate)
{
	enum { DOWNTIME = 2000, LIVE, DEBUG };
	static const struct option opts[] = { { "ssh", 1, NULL, 's' },          { "config", 1, NULL, 'C' },
		                              { "paused", 0, NULL, 'p' },       { "downtime-ms", 1, NULL, DOWNTIME },
		                              { "live", 0, NULL, LIVE },        { "debug", 0, NULL, DEBUG },
		                              { 0 } };
	struct save_options so = { .live = true, .downtime_ms = 300, .progress = progress_show };
	const char *ssh = "ssh", *file = NULL;
	struct domain_config c;
	struct peer p = { -1, -1, 0 };
	char flags[16] = "";
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "s:C:ep", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 's')
			ssh = optarg;
		else if (o == 'C')
			file = optarg;
		else if (o == 'e' || o == 'p')
			snprintf(flags + strlen(flags), sizeof(flags) - strlen(flags), " -%c", o);
		else if (o == DOWNTIME)
			so.downtime_ms = atoi(optarg);
		else if (o == LIVE)
			so.live_only = true;
	}
	if (cli_operands(command_find("migrate"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	rc = file ? cli_config_load(cli, &c, file, 0, NULL, false) : record_load(&cli->s, dom, &c);
	if (rc < 0)
		return rc;
	rc = cli->dry_run ? 0 : peer_start(cli, ssh, argv[optind + 1], flags, &p);
	if (rc == 0 && !cli->dry_run) {
		rc = send_domain(cli, dom, &c, &p, argv[optind + 1], &so);
		peer_stop(&p);
	}
	config_free(&c);
	return rc;
}

/* Reads the container, then says what became of it. */
static int receive(struct cli *cli, struct domain_config *c, bool paused, bool monitor)
{
	struct restore r = { .s = &cli->s, .fd = STDIN_FILENO };
	struct create_options co = { .paused = true, .build = restore_build, .arg = &r };
	int lock = -1, rc = name_lock(&cli->s, c->name, &lock);
	char line[32];
	domid_t dom, other;

	/* Said before a byte of memory moves: the name, the memory. */
	if (rc == 0 && domain_find(&cli->s, c->name, &other) == 0)
		rc = serai_fail(&cli->s, -EEXIST, "a domain called \"%s\" exists here (number %u)", c->name, other);
	if (rc == 0)
		rc = memory_check(&cli->s, c->mem_kib + memory_overhead_kib(c));
	if (rc < 0)
		return rc;
	cli->s.error[0] = 0;
	name_lock_note(lock, "arriving", -1);
	if ((rc = line_put(STDOUT_FILENO, "accept\n")) < 0 || (rc = domain_create(&cli->s, c, &co, &dom)) < 0)
		return rc;
	rc = line_put(STDOUT_FILENO, "built\n");
	if (rc == 0)
		rc = line_get(STDIN_FILENO, line, sizeof(line));
	if (rc == 0 && strcmp(line, "go"))
		rc = -EPROTO;
	if (rc < 0) {
		domain_destroy(&cli->s, dom);
		return serai_fail(&cli->s, rc, "%s: the sender went away before the hand-over; its copy stays there", c->name);
	}
	if (!paused)
		rc = xc_domain_unpause(cli->s.xc, dom);
	if (rc >= 0 && monitor)
		rc = monitor_start(&cli->s, c, dom, lock);
	if (rc >= 0)
		rc = line_put(STDOUT_FILENO, "running\n");
	return rc < 0 ? rc : 0;
}

VERB(migrate_receive)
{
	bool paused = false, monitor = true;
	struct domain_config c;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "ep", NULL)) != -1) {
		if (o == -2)
			return 1;
		paused |= o == 'p';
		if (o == 'e')
			monitor = false;
	}
	if (line_put(STDOUT_FILENO, PROTOCOL "\n") < 0)
		return 1;
	rc = restore_header(&cli->s, STDIN_FILENO, &c);
	if (rc == 0) {
		rc = receive(cli, &c, paused, monitor);
		config_free(&c);
	}
	if (rc < 0)
		line_put(STDOUT_FILENO, "refuse %s\n", cli->s.error[0] ? cli->s.error : strerror(-rc));
	return rc;
}
