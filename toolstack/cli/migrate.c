/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai migrate: a saved domain's file through a pipe to another host, with a hand-over at the end
 * so that the domain runs in exactly one place.
 *
 *   sender                                receiver (cli/receive.c)
 *   ------                                --------
 *                            <- "ready"    version checked, waiting
 *   configuration, CPU policy ->           name free? memory, disks, bridges, CPU features there?
 *                            <- "accept"   (or "refuse WHY": nothing has happened to the guest)
 *   (--copy-storage: its disks, over connections of their own, mirror/main.c; all of them before the memory, what
 *   was written since after every round, the rest while the guest stands)
 *   container ->                           domain built, paused, under its own name
 *                            <- "built"    from here the receiver will not start it unasked
 *   "go" ->                                decision written down: running; unpaused
 *                            <- "running"
 *   source destroyed
 *   "thanks" ->                            decision forgotten
 *
 * Ownership passes when the receiving host writes "running" into the file of this move
 * (stream/handover.h). Until the sender has written "go" the domain is its own, and any failure
 * makes it run on. After that it asks, over a new connection, what was decided, until it gets an
 * answer; asking decides, if nothing else has. A guardian does the same if the sender is killed.
 */
#include "cli.h"
#include "../lib/guardian.h"
#include "../mirror/mirror.h"
#include "../stream/drain.h"
#include "../stream/handover.h"
#include "../stream/peer.h"
#include "../stream/reader.h"
#include "../stream/stream.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 30000
/* Building takes as long as the transfer; this is how long after its last byte "built" may come. */
#define BUILT_MS 300000

enum { PHASE_SENDING = 1, PHASE_ASKED, PHASE_COMMITTED };

struct move {
	char *name; /* the domain's own, here: what it is called over there may differ */
	const char *host;
	char *command; /* leads to the receiver; flags may follow */
	char *carrier; /* likewise, and takes the stream */
	char token[MOVE_TOKEN_LEN + 1];
	const char *flags;
	const char *only; /* disks that come along; NULL with `storage`: all that lie here */
	bool storage;
	struct mirror mirror;
	bool asking; /* nobody knows where the domain is; the guardian goes on asking */
	struct save_options so;
};

/* Ask the receiving host what became of the move. */
static int ask(struct serai *s, const struct move *m, enum decision *d)
{
	char *command, line[64] = "";
	struct peer p;
	int rc;

	if (asprintf(&command, "%s --decide=%s", m->command, m->token) < 0)
		return -ENOMEM;
	rc = peer_start(s, command, &p);
	free(command);
	if (rc < 0)
		return rc;
	close(p.to);
	p.to = -1;
	rc = line_get(p.from, line, sizeof(line), ANSWER_MS);
	peer_stop(&p);
	for (*d = MOVE_RUNNING; rc == 0 && *d <= MOVE_ABORTED; (*d)++)
		if (!strcmp(line, decision_name(*d)))
			return 0;
	return serai_fail(s, rc < 0 ? rc : -EPROTO, "%s does not say what became of %s", m->host, m->name);
}

/* Ask again and again, less and less often: there is no event for a network that works again. */
static int ask_for(struct serai *s, const struct move *m, enum decision *d, unsigned int seconds)
{
	double end = stream_now() + seconds;
	unsigned int pause = 1;
	int rc;

	while ((rc = ask(s, m, d)) < 0 && stream_now() < end) {
		nanosleep(&(struct timespec){pause, 0}, NULL);
		pause = pause < 30 ? pause * 2 : 30;
	}
	return rc;
}

/* The domain is where the decision says. 1: over there; 0: here; negative: nobody knows. */
static int settle(struct serai *s, const struct move *m, domid_t dom, unsigned int seconds)
{
	enum decision d;
	int rc = ask_for(s, m, &d, seconds);

	if (rc < 0)
		return rc;
	if (d == MOVE_RUNNING)
		return (rc = domain_destroy(s, dom)) < 0 ? rc : 1;
	return save_abandon(s, dom, true);
}

/* In the guardian: the sender was killed. */
static void bereaved(struct serai *s, void *arg, const struct guardian_note *last)
{
	const struct move *m = arg;
	int rc = last->phase == PHASE_COMMITTED ? settle(s, m, last->dom, 24 * 3600)
						: save_abandon(s, last->dom, last->phase == PHASE_ASKED);

	fprintf(stderr, "%s: serai migrate was killed; %s%s\n", m->name,
		rc < 0 ? s->error
		: rc   ? "the domain runs on "
		       : "the domain runs on here",
		rc > 0 ? m->host : "");
}

static void suspending(void *arg, domid_t dom)
{
	guardian_note(arg, PHASE_ASKED, dom);
}

static void on_signal(int sig)
{
	(void)sig;
	move_cancelled = 1;
}

static void signals_catch(void)
{
	/* No SA_RESTART: a wait has to end. */
	const struct sigaction a = {.sa_handler = on_signal};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

static int report(struct cli *cli, const struct move *m, const struct save_stats *st)
{
	struct json_object *o;

	if (!cli->json) {
		fprintf(stderr, "%s moved to %s: %u rounds, %lu MiB in %.1f s, stopped for %.0f ms%s\n",
			m->name, m->host, st->rounds, (unsigned long)(st->bytes >> 20), st->total_s,
			st->downtime_s * 1000,
			st->live ? "" : " (not live: the hypervisor cannot track a PV guest's writes)");
		if (m->storage)
			fprintf(stderr,
				"%lu MiB of its disks were copied; what they were here is left as it is\n",
				(unsigned long)(m->mirror.copied >> 20));
		return 0;
	}
	o = json_object_new_object();
	json_put(o, "domain", json_str(m->name));
	json_put(o, "host", json_str(m->host));
	json_put(o, "live", json_object_new_boolean(st->live));
	json_put(o, "rounds", json_u64(st->rounds));
	json_put(o, "pages", json_u64(st->pages));
	json_put(o, "zero_pages", json_u64(st->zero_pages));
	json_put(o, "bytes", json_u64(st->bytes));
	if (m->storage)
		json_put(o, "disk_bytes", json_u64(m->mirror.copied));
	json_put(o, "seconds", json_fixed(st->total_s, "%.3f"));
	json_put(o, "downtime_ms", json_fixed(st->downtime_s * 1000, "%.1f"));
	return print_json(o);
}

static int policy_put(struct serai *s, domid_t dom, int fd)
{
	struct xc_policy p;
	struct peer_policy {
		uint32_t nr_leaves, nr_msrs;
	} h;
	int rc = xc_policy_get(s->xc, dom, &p);
	bool good;

	if (rc < 0)
		return serai_fail_xc(s, rc, "domain %u", dom);
	h.nr_leaves = p.nr_leaves;
	h.nr_msrs = p.nr_msrs;
	good = write(fd, &h, sizeof(h)) == sizeof(h) &&
	       write(fd, p.leaves, p.nr_leaves * sizeof(*p.leaves)) ==
		       (ssize_t)(p.nr_leaves * sizeof(*p.leaves)) &&
	       write(fd, p.msrs, p.nr_msrs * sizeof(*p.msrs)) == (ssize_t)(p.nr_msrs * sizeof(*p.msrs));
	xc_policy_free(&p);
	return good ? 0 : serai_fail(s, -EPIPE, "the connection ended");
}

/* Up to the point where the other side has all of it. */
static int transfer(struct cli *cli, struct move *m, domid_t dom, const struct domain_config *c,
		    struct peer *p, struct save_stats *st, bool *suspended)
{
	char line[600];
	int rc, left;

	if ((rc = line_expect(&cli->s, p->from, MOVE_PROTOCOL, m->host, BUILT_MS)) < 0 ||
	    (rc = save_header(&cli->s, c, p->to)) < 0 || (rc = policy_put(&cli->s, dom, p->to)) < 0 ||
	    (rc = line_expect(&cli->s, p->from, "accept", m->host, ANSWER_MS)) < 0)
		return rc;
	if (m->storage)
		rc = mirror_begin(&cli->s, &m->mirror, m->command, m->token, &m->so, st);
	if (rc == 0)
		rc = save_domain(&cli->s, dom, p->to, &m->so, st, suspended);
	progress_end();
	/* A broken pipe is the other side's doing; it may have said why. */
	if (rc == -EPIPE && line_get(p->from, line, sizeof(line), 1000) == 0 && !strncmp(line, "refuse ", 7))
		return serai_fail(&cli->s, rc, "%s: %s", m->host, line + 7);
	if (rc < 0)
		return rc;
	/* While the other side builds it; where disks came along, they could not have before. */
	if (!m->storage && (rc = drain_disks(&cli->s, dom, save_left_ms(&m->so, st))) < 0)
		return rc;
	left = save_left_ms(&m->so, st);
	rc = line_expect(&cli->s, p->from, "built", m->host, left < BUILT_MS ? left : BUILT_MS);
	if (rc == 0)
		serai_say(&cli->s, "built after %.0f ms", (stream_now() - st->stopped_at) * 1000);
	if (rc == -ETIMEDOUT && left < BUILT_MS)
		return serai_fail(&cli->s, rc,
				  "%s was stopped for the %u ms that were allowed, and %s had not built it",
				  m->name, m->so.downtime_ms, m->host);
	return rc;
}

/* The hand-over. */
static int commit(struct cli *cli, const struct move *m, domid_t dom, struct peer *p, struct save_stats *st)
{
	int rc;

	/* Too late to change one's mind. */
	move_cancelled = 0;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	rc = line_put(p->to, "go\n");
	if (rc == 0)
		rc = line_expect(&cli->s, p->from, "running", m->host, ANSWER_MS);
	st->downtime_s = stream_now() - st->stopped_at;
	if (rc == 0) {
		rc = domain_destroy(&cli->s, dom);
		line_put(p->to, "thanks\n");
		return rc;
	}
	fprintf(stderr, "%s: %s; asking %s what became of it\n", m->name, cli->s.error, m->host);
	peer_stop(p);
	rc = settle(&cli->s, m, dom, 60);
	if (rc > 0)
		return 0;
	if (rc == 0)
		return serai_fail(&cli->s, -EIO, "%s did not take %s; it runs on here", m->host, m->name);
	return serai_fail(&cli->s, rc,
			  "%s is suspended here and may run on %s, which does not answer. A process stays "
			  "behind and asks "
			  "for a day; or look there, then serai destroy it here, or serai unpause it",
			  m->name, m->host);
}

static int send_domain(struct cli *cli, struct move *m, domid_t dom, const struct domain_config *c, int lock)
{
	struct save_stats st = {0};
	bool suspended = false;
	struct guardian g;
	struct peer p = {-1, -1, 0};
	char *command = NULL;
	int rc;

	if ((rc = guardian_start(&cli->s, &g, m->name, lock, bereaved, m)) < 0)
		return rc;
	m->so.suspending = suspending;
	m->so.suspending_arg = &g;
	signals_catch();
	if (asprintf(&command, "%s%s --token=%s%s%s%s", m->carrier, m->flags, m->token,
		     m->storage ? " --copy-storage='" : "", m->storage ? m->mirror.list : "",
		     m->storage ? "'" : "") < 0)
		rc = -ENOMEM;
	else
		rc = peer_start(&cli->s, command, &p);
	free(command);
	if (rc == 0) {
		guardian_note(&g, PHASE_SENDING, dom);
		rc = transfer(cli, m, dom, c, &p, &st, &suspended);
	}
	if (rc < 0) {
		struct serai keep = cli->s;

		/* Still ours: close the pipe first, so that the other side gives up its copy. */
		peer_stop(&m->mirror.p);
		peer_stop(&p);
		if (suspended && save_resume(&keep, dom) < 0)
			fprintf(stderr, "serai migrate: %s\n", keep.error);
		else if (suspended)
			fprintf(stderr, "%s runs on here\n", m->name);
		guardian_end(&g);
		return rc;
	}
	guardian_note(&g, PHASE_COMMITTED, dom);
	rc = commit(cli, m, dom, &p, &st);
	/* When nobody knows, the guardian stays and goes on asking: our end is its beginning. */
	m->asking = rc < 0 && rc != -EIO;
	if (!m->asking)
		guardian_end(&g);
	peer_stop(&p);
	return rc < 0 ? rc : report(cli, m, &st);
}

static int cancel(struct cli *cli, const char *what)
{
	int rc;
	char *name;
	domid_t dom;
	pid_t mover;

	if ((rc = cli_domain(cli, what, &dom)) < 0)
		return rc;
	name = domain_name(&cli->s, dom);
	mover = transfer_mover(name);
	if (mover <= 0 || kill(mover, SIGTERM) < 0)
		rc = serai_fail(&cli->s, -ESRCH, "%s is not being moved", name);
	free(name);
	return rc;
}

static void progress_line(const char *what, uint64_t done, uint64_t total)
{
	static uint64_t shown = 1000;
	uint64_t percent = total ? done * 100 / total : 100;

	if (percent != shown)
		fprintf(stderr, "progress %s %lu\n", what, (unsigned long)percent);
	shown = percent;
}

/* What leads to the receiver; a question takes one connection, whatever the stream takes. */
static int receiver(struct serai *s, struct move *m, const char *ssh, unsigned int connections)
{
	if (remote_is(m->host)) {
		m->command = remote_command(s, m->host, 1);
		m->carrier = m->command ? remote_command(s, m->host, connections) : NULL;
		return m->carrier ? 0 : -EINVAL;
	}
	if (ssh && *ssh ? asprintf(&m->command, "exec %s %s serai migrate-receive", ssh, m->host) < 0
			: asprintf(&m->command, "%s", m->host) < 0)
		return -ENOMEM;
	m->carrier = strdup(m->command);
	return m->carrier ? 0 : -ENOMEM;
}

VERB(migrate)
{
	enum {
		DOWNTIME = 2000,
		LIVE,
		DEBUG,
		TIMEOUT,
		BANDWIDTH,
		COMPRESS,
		CANCEL,
		PROGRESS,
		SPREAD,
		STORAGE
	};
	static const struct option opts[] = {{"ssh", 1, NULL, 's'},
					     {"config", 1, NULL, 'C'},
					     {"paused", 0, NULL, 'p'},
					     {"downtime-ms", 1, NULL, DOWNTIME},
					     {"live", 0, NULL, LIVE},
					     {"debug", 0, NULL, DEBUG},
					     {"timeout", 1, NULL, TIMEOUT},
					     {"bandwidth", 1, NULL, BANDWIDTH},
					     {"compress", 0, NULL, COMPRESS},
					     {"cancel", 0, NULL, CANCEL},
					     {"progress", 0, NULL, PROGRESS},
					     {"connections", 1, NULL, SPREAD},
					     {"copy-storage", 2, NULL, STORAGE},
					     {0}};
	struct move m = {.so = {.live = true, .downtime_ms = 300, .progress = progress_show},
			 .mirror.p = {-1, -1, 0}};
	const char *ssh = "ssh", *file = NULL, *several = "1";
	unsigned int connections = 1;
	struct domain_config c;
	char flags[48] = "";
	bool stop = false;
	domid_t dom;
	int o, rc, lock;

	while ((o = cli_option(cli, argc, argv, "s:C:ep", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 's')
			ssh = optarg;
		else if (o == 'C')
			file = optarg;
		else if ((o == 'e' || o == 'p') && !strchr(flags, o))
			snprintf(flags + strlen(flags), sizeof(flags) - strlen(flags), " -%c", o);
		else if (o == DOWNTIME) {
			m.so.downtime_ms = strtoul(optarg, NULL, 10);
			m.so.downtime_strict = true;
		} else if (o == LIVE)
			m.so.live_only = true;
		else if (o == TIMEOUT)
			m.so.timeout_s = strtoul(optarg, NULL, 10);
		else if (o == BANDWIDTH)
			m.so.bandwidth = strtoull(optarg, NULL, 10) << 20;
		else if (o == COMPRESS && !m.so.compress) {
			m.so.compress = true;
			strcat(flags, " --compress");
		} else if (o == SPREAD)
			several = optarg;
		else if (o == STORAGE) {
			m.storage = true;
			m.only = optarg;
		} else if (o == CANCEL)
			stop = true;
		else if (o == PROGRESS)
			m.so.progress = progress_line;
	}
	if (cli_operands(command_find("migrate"), argc, stop ? 1 : 2, stop ? 1 : 2))
		return 1;
	if (stop)
		return cancel(cli, argv[optind]);
	if ((rc = remote_connections(&cli->s, several, argv[optind + 1], &connections)) < 0)
		return rc;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	rc = file ? cli_config_load(cli, &c, file, 0, NULL, false) : record_load(&cli->s, dom, &c);
	if (rc < 0)
		return rc;
	m.name = domain_name(&cli->s, dom);
	m.host = argv[optind + 1];
	m.flags = flags;
	move_token(m.token);
	rc = m.name ? receiver(&cli->s, &m, ssh, connections) : serai_fail(&cli->s, -ENOMEM, "out of memory");
	if (rc == 0 && m.storage && (rc = mirror_plan(&cli->s, &m.mirror, dom, m.host, &c, m.only)) == 0)
		m.storage = m.mirror.n > 0; /* what lies on servers only moves as ever */
	if (rc == 0 && !cli->dry_run && (rc = transfer_lock(&cli->s, m.name, "moving", dom, &lock)) == 0) {
		rc = send_domain(cli, &m, dom, &c, lock);
		/* A guardian that stays behind, to ask what became of the domain, needs the name's file. */
		if (!m.asking)
			name_unlock(lock);
	}
	free(m.name);
	free(m.command);
	free(m.carrier);
	mirror_stop(&m.mirror);
	config_free(&c);
	return rc;
}
