/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai-tls: what of the toolstack talks to another host's seraid. A program of its own, so that
 * `serai` has no network code in it; a move uses it as it uses ssh, by standard input and output.
 *
 *   serai-tls [--connections=N] HOST WORD...     `serai WORD...` over there; ends with its exit status
 *
 * HOST: NAME, NAME:PORT or https://NAME[:PORT]. 1 is also the status of what never ran over there.
 *
 * One connection carries everything (relay.h), in one thread. With more, N further ones carry standard
 * input (spread.h), each in a thread of its own, as encrypting is what takes the time; answers come by the
 * first as ever. When one of them is lost, all are, and that is a cut connection to both sides.
 */
#include "dial.h"
#include "relay.h"
#include "spread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TLS_DIR "/etc/serai/tls"

struct fan;

struct lane {
	struct fan *fan;
	unsigned int number;
	pthread_t thread;
	struct client client;
	int rc;
};

/* The connections that carry standard input. */
struct fan {
	struct spread spread;
	char *token;
	int fd; /* of the connection that they belong to */
	unsigned int lanes;
	struct lane lane[LANES_MAX];
};

/* The verb's words as a query; malloc()ed. */
static char *run_path(struct client *c, char **words)
{
	char *text = NULL, *word;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("/v1/run", f);
	for (unsigned int i = 0; words[i]; i++) {
		word = curl_easy_escape(c->curl, words[i], 0);
		fprintf(f, "%carg=%s", i ? '&' : '?', word ? word : "");
		curl_free(word);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int lane_carry(struct lane *l)
{
	struct client *c = &l->client;
	struct answer a;
	struct relay_link link;
	char headers[200];

	snprintf(headers, sizeof(headers), "Serai-Bundle: %s\r\nSerai-Lane: %u\r\n", l->fan->token,
		 l->number);
	if (client_dial(c, &link) || client_upgrade(c, &link, "/v1/lane", "serai-lane", headers, &a))
		return -ECONNREFUSED;
	/* Nothing comes this way. */
	return a.have > a.head ? -EPROTO : spread_lane(&l->fan->spread, l->number, &link);
}

static void *lane_thread(void *arg)
{
	struct lane *l = arg;

	l->rc = lane_carry(l);
	if (l->rc < 0) {
		spread_lose(&l->fan->spread);
		/* The call is cut with it; what the other side still had to say can be read all the same. */
		shutdown(l->fan->fd, SHUT_WR);
	}
	return NULL;
}

/* The first `lanes` threads end. */
static void fan_join(struct fan *f, unsigned int lanes)
{
	spread_lose(&f->spread);
	for (unsigned int i = 0; i < lanes; i++)
		pthread_join(f->lane[i].thread, NULL);
}

static void fan_free(struct fan *f)
{
	for (unsigned int i = 0; i < f->lanes; i++)
		client_close(&f->lane[i].client);
	spread_free(&f->spread);
	free(f->token);
	free(f);
}

/* The threads, one a connection; NULL: it failed, and was said. The token is given away. */
static struct fan *fan_start(const struct client *c, int fd, unsigned int lanes, char *token)
{
	struct fan *f = calloc(1, sizeof(*f));
	unsigned int i = 0;

	if (f && spread_init(&f->spread, STDIN_FILENO) == 0) {
		f->token = token;
		f->fd = fd;
		f->lanes = lanes;
		for (i = 0; i < lanes; i++) {
			struct client own = {.dir = c->dir, .host = c->host, .stop = f->spread.stop};

			f->lane[i] = (struct lane){.fan = f, .number = i, .client = own};
			if (pthread_create(&f->lane[i].thread, NULL, lane_thread, &f->lane[i]))
				break;
		}
		if (i == lanes)
			return f;
		fan_join(f, i);
		fan_free(f);
	} else {
		free(token);
		free(f);
	}
	client_fail(c, "no room for so many connections");
	return NULL;
}

/*
 * All is over; `cut`: not as it should be. That a connection was lost is not said for each: when one is, the
 * others are cut, in any order, and the call with them, which is said.
 */
static void fan_end(const struct client *c, struct fan *f, bool cut)
{
	fan_join(f, f->lanes);
	for (unsigned int i = 0; i < f->lanes && cut; i++)
		if (f->lane[i].rc == -EPROTO || f->lane[i].rc == -ENOMEM)
			fprintf(stderr, "serai -H %s: its connection %u of %u: %s\n", c->host, i + 1,
				f->lanes, strerror(-f->lane[i].rc));
	fan_free(f);
}

static int call(struct client *c, struct relay_link *l, char **words, unsigned int connections,
		struct answer *a)
{
	char headers[64] = "", *path;
	int rc;

	if (client_dial(c, l))
		return 1;
	path = run_path(c, words);
	if (!path)
		return client_fail(c, "out of memory");
	if (connections > 1)
		snprintf(headers, sizeof(headers), "Serai-Connections: %u\r\n", connections);
	rc = client_upgrade(c, l, path, "serai-run", headers, a);
	free(path);
	return rc;
}

static int run(struct client *c, char **words, unsigned int connections)
{
	struct relay_ends ends = {{STDIN_FILENO, -1}, {STDOUT_FILENO, STDERR_FILENO}, 0, 0};
	struct fan *fan = NULL;
	struct relay_link l;
	struct answer a;
	char *token;
	int rc;

	a.head = a.have = 0;
	if (call(c, &l, words, connections, &a))
		return 1;
	token = connections > 1 ? answer_header(&a, "Serai-Bundle") : NULL;
	if (connections > 1 && !token)
		fprintf(stderr,
			"serai -H %s: its seraid knows of one connection only; this goes over one (a newer "
			"seraid "
			"there takes %u)\n",
			c->host, connections);
	if (token) {
		if (!(fan = fan_start(c, l.fd, connections, token)))
			return 1;
		ends.in[0] = -1;
	}
	/* Our errors have to go somewhere when the relay has closed its ends. */
	ends.out[1] = dup(STDERR_FILENO);
	rc = relay_run(&l, &ends, a.text + a.head, a.have - a.head);
	if (fan)
		fan_end(c, fan, rc < 0);
	if (rc == -ECONNRESET)
		return client_fail(c, "the connection was cut; what became of it, that host's journal says");
	if (rc == -EPIPE)
		return client_fail(c, "cannot write: nobody reads the output");
	return rc < 0 ? client_fail(c, strerror(-rc)) : ends.status;
}

/* Behind the option; 0: not 1 to LANES_MAX. */
static unsigned int count(const char *t)
{
	char *end;
	unsigned long n = strtoul(t, &end, 10);

	return *t >= '0' && *t <= '9' && !*end && n <= LANES_MAX ? n : 0;
}

int main(int argc, char **argv)
{
	static const char option[] = "--connections=";
	const char *dir = getenv("SERAI_TLS_DIR");
	struct client c = {.dir = dir && *dir ? dir : TLS_DIR, .stop = -1};
	unsigned int connections = 1;
	int rc;

	if (argc > 1 && !strncmp(argv[1], option, sizeof(option) - 1)) {
		connections = count(argv[1] + sizeof(option) - 1);
		argv++;
		argc--;
	}
	if (argc < 3 || argv[1][0] == '-' || !connections) {
		fprintf(stderr,
			"Usage: serai-tls [--connections=N] HOST VERB [options] [operands]\n"
			"N is 1 to %u, and more than 1 for migrate-receive only.\n",
			LANES_MAX);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	c.host = argv[1];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = run(&c, argv + 2, connections);
	client_close(&c);
	curl_global_cleanup();
	return rc;
}
