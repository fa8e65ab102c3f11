/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verb of `serai`, run here for a client over there. The request is upgraded from HTTP to the frames
 * of relay.h, which carry the command's standard input, output, errors and exit status; the agent
 * knows nothing of what they say. A move is such a verb too, migrate-receive: killed or cut, it is to
 * both its ends as if ssh had been.
 *
 *   TLS -- relay, in the connection's thread -- pipes -- serai VERB
 */
#include "agent.h"
#include "bundle.h"
#include "relay.h"
#include "reorder.h"
#include "run.h"
#include "tls.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_ARGS 256u

struct call {
	char *argv[MAX_ARGS + 2]; /* all malloc()ed; the last is NULL */
	unsigned int argc;
	const struct verb *verb;
	bool bad; /* an argument that is none */
	unsigned int connections;
	struct bundle *bundle; /* that carry its input, when they are more than one */
	char peer[128];
};

/*
 * Who may call what. Not offered: what needs a terminal (console), and what is about files and URLs
 * rather than this host (stream, convert, fetch), which the client can do for itself.
 */
/* clang-format off */
static const struct verb {
	const char *name;
	enum role role;
} verbs[] = {
	{"list", ROLE_READ},           {"domid", ROLE_READ},            {"domname", ROLE_READ},
	{"vcpu-list", ROLE_READ},      {"info", ROLE_READ},             {"cpupool-list", ROLE_READ},
	{"block-list", ROLE_READ},     {"network-list", ROLE_READ},     {"uptime", ROLE_READ},
	{"top", ROLE_READ},            {"metrics", ROLE_READ},          {"version", ROLE_READ},
	{"help", ROLE_READ},
	{"create", ROLE_OPERATE},      {"config-update", ROLE_OPERATE}, {"destroy", ROLE_OPERATE},
	{"shutdown", ROLE_OPERATE},    {"reboot", ROLE_OPERATE},        {"pause", ROLE_OPERATE},
	{"unpause", ROLE_OPERATE},     {"save", ROLE_OPERATE},          {"restore", ROLE_OPERATE},
	{"migrate", ROLE_OPERATE},     {"rename", ROLE_OPERATE},        {"vcpu-pin", ROLE_OPERATE},
	{"vcpu-set", ROLE_OPERATE},    {"mem-set", ROLE_OPERATE},       {"mem-max", ROLE_OPERATE},
	{"dmesg", ROLE_OPERATE},       {"debug-keys", ROLE_OPERATE},    {"sched-credit2", ROLE_OPERATE},
	{"block-attach", ROLE_OPERATE},   {"block-detach", ROLE_OPERATE}, {"network-attach", ROLE_OPERATE},
	{"network-detach", ROLE_OPERATE}, {"dump-core", ROLE_OPERATE},    {"sysrq", ROLE_OPERATE},
	{"trigger", ROLE_OPERATE},        {"cpu-policy", ROLE_OPERATE}, /* reads and writes files */
	{"migrate-receive", ROLE_MIGRATE},
};
/* clang-format on */

void call_print_verbs(void)
{
	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		printf("%s %s\n", role_name(verbs[i].role), verbs[i].name);
}

/* The word behind serai's own options. */
static const char *verb_word(const struct call *m)
{
	for (unsigned int i = 1; i < m->argc; i++)
		if (strcmp(m->argv[i], "-v") && strcmp(m->argv[i], "-N") && strcmp(m->argv[i], "-f"))
			return m->argv[i];
	return "";
}

static const struct verb *verb_find(const char *name)
{
	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

void call_free(struct call *m)
{
	if (!m)
		return;
	for (unsigned int i = 0; i < m->argc; i++)
		free(m->argv[i]);
	bundle_free(m->bundle);
	free(m);
}

/*
 * The client is gone. The command has lost its input and nobody hears it; it also gets what a
 * terminal that is closed would send. Not so the receiving end of a move: the end of its input says
 * all, and what it decides then is not to be hurried.
 */
static void end_child(struct call *m, struct relay_ends *e)
{
	if (!e->child)
		return;
	if (m->verb->role != ROLE_MIGRATE)
		kill(e->child, SIGHUP);
	e->status = child_wait(e->child);
}

/* One of its further connections was lost, and this is why it was cut. */
static void log_lost(const struct call *m, unsigned int lane, int why)
{
	log_line("%s: serai %s: its connection %u of %u: %s", m->peer, m->verb->name, lane + 1,
		 m->connections, why == -ECONNRESET ? "cut" : strerror(-why));
}

static void carry(struct call *m, gnutls_session_t tls, const void *early, size_t early_len)
{
	struct relay_ends e = {.status = 127};
	struct stream_child child;
	struct relay_link net;
	unsigned int lane;
	int why, rc = run_stream((const char *const *)m->argv, &child);

	tls_link(tls, &net);
	if (rc == 0) {
		e = (struct relay_ends){{child.out, child.err}, {child.in, -1}, child.pid, 0};
		if (m->bundle) {
			e.out[0] = -1;
			bundle_start(m->bundle, net.fd, child.in);
		}
		rc = relay_run(&net, &e, early, early_len);
		/* The command waits for the end of its input: that first. */
		why = m->bundle ? bundle_stop(m->bundle, &lane) : 0;
		if (why && rc)
			log_lost(m, lane, why);
		end_child(m, &e);
	}
	log_line("%s: serai %s: status %d%s%s", m->peer, m->verb->name, e.status, rc ? ": " : "",
		 rc == 0             ? ""
		 : rc == -ECONNRESET ? "the connection was cut"
				     : strerror(-rc));
}

/*
 * In the connection's thread, which libmicrohttpd (0.9.75) would now use to copy, four bytes at a time,
 * between TLS and a socket for us, without passing on that the client hung up. So the command is
 * carried here, over its TLS session, and the library gets the connection back when all is said.
 */
static void on_upgrade(void *arg, struct MHD_Connection *c, void *ctx, const char *early, size_t early_len,
		       MHD_socket socket, struct MHD_UpgradeResponseHandle *upgrade)
{
	struct request *q = ctx;
	struct call *m = arg;

	(void)socket;
	q->pending = NULL;
	carry(m, tls_session(c), early, early_len);
	MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
	call_free(m);
}

static bool header_is(struct request *q, const char *key, const char *word)
{
	const char *v = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, key);

	return v && strcasestr(v, word);
}

static enum MHD_Result on_argument(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_len,
				   const char *value, size_t len)
{
	struct call *m = arg;

	(void)kind;
	/* A zero byte would make of one argument another. */
	m->bad |= key_len != 3 || strcmp(key, "arg") != 0 || !value || strlen(value) != len ||
		  m->argc > MAX_ARGS;
	if (!m->bad)
		m->argv[m->argc++] = strdup(value);
	m->bad |= !m->argv[m->argc ? m->argc - 1 : 0];
	return m->bad ? MHD_NO : MHD_YES;
}

/* How many connections bring its input. Without the header, one: this. */
static enum MHD_Result connections_check(struct request *q, struct call *m, bool *good)
{
	const char *v = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, BUNDLE_CONNECTIONS);

	m->connections = 1;
	*good = !v || (count_parse(v, LANES_MAX, &m->connections) && m->connections &&
		       (m->connections == 1 || m->verb->role == ROLE_MIGRATE));
	if (*good)
		return MHD_YES;
	return reply_error(q, MHD_HTTP_BAD_REQUEST, "bad-arguments", "ask for one",
			   "a move has 1 to %u connections, anything else has one", LANES_MAX);
}

static enum MHD_Result call_check(struct request *q, struct call *m, bool *good)
{
	*good = false;
	if (m->bad)
		return reply_error(q, MHD_HTTP_BAD_REQUEST, "bad-arguments", "use serai -H",
				   "the query is not a row of at most %u arg=WORD", MAX_ARGS);
	m->verb = verb_find(verb_word(m));
	if (!m->verb)
		return reply_error(q, MHD_HTTP_FORBIDDEN, "verb-not-offered",
				   "seraid(8) lists the verbs; others have to be run on that host",
				   "serai %s is nothing that can be done from another host", verb_word(m));
	if (!(q->roles & m->verb->role))
		return reply_denied(q, m->verb->role);
	if (!header_is(q, MHD_HTTP_HEADER_CONNECTION, "upgrade") ||
	    !header_is(q, MHD_HTTP_HEADER_UPGRADE, RUN_UPGRADE))
		return reply_error(q, MHD_HTTP_UPGRADE_REQUIRED, "upgrade-required", "use serai -H",
				   "this path speaks " RUN_UPGRADE ", not HTTP");
	return connections_check(q, m, good);
}

/* Who does what, word for word. */
static void log_call(const struct call *m)
{
	char *words = NULL;
	size_t len;
	FILE *f = open_memstream(&words, &len);

	if (!f)
		return;
	for (unsigned int i = 1; i < m->argc; i++)
		fprintf(f, " %s", m->argv[i]);
	if (fclose(f) == 0)
		log_line(m->bundle ? "%s: runs serai%s, over %u connections" : "%s: runs serai%s", m->peer,
			 words, m->connections);
	free(words);
}

enum MHD_Result call_run(struct request *q)
{
	struct call *m = calloc(1, sizeof(*m));
	struct MHD_Response *r;
	enum MHD_Result rc;
	bool good;

	if (!m)
		return MHD_NO;
	snprintf(m->peer, sizeof(m->peer), "%s", q->peer);
	m->argv[0] = strdup(q->agent->serai);
	m->bad = !m->argv[m->argc++];
	MHD_get_connection_values_n(q->connection, MHD_GET_ARGUMENT_KIND, on_argument, m);
	rc = call_check(q, m, &good);
	if (good && m->connections > 1 &&
	    bundle_new(tls_session(q->connection), m->connections, q->agent->join, &m->bundle) < 0) {
		good = false;
		rc = reply_error(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "cannot-run", "ask for one connection",
				 "there is no room for %u connections", m->connections);
	}
	r = good ? MHD_create_response_for_upgrade(on_upgrade, m) : NULL;
	if (!r) {
		call_free(m);
		return good ? MHD_NO : rc;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_UPGRADE, RUN_UPGRADE);
	if (m->bundle)
		MHD_add_response_header(r, BUNDLE_TOKEN, bundle_token(m->bundle));
	/* From here it goes with the request, until the connection takes it. */
	q->pending = m;
	log_call(m);
	rc = MHD_queue_response(q->connection, MHD_HTTP_SWITCHING_PROTOCOLS, r);
	MHD_destroy_response(r);
	return rc;
}
