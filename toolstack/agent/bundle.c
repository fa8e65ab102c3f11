/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which call a connection belongs to. A token is 32 random bytes, good for one connection a lane, for a
 * while, and for nobody but who shows the certificate it was given to: it is not enough to have read it.
 *
 * A bundle belongs to its call and to each lane that came (`users`). `lock` protects the list and all
 * that is in a bundle, but for `gather`, which has its own. Sockets are in it only while the thread of
 * their connection is in here, so none that is cut is another's by then.
 */
#include "bundle.h"
#include "gather.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#define TOKEN_BYTES 32

struct bundle {
	struct bundle *next;
	char token[2 * TOKEN_BYTES + 1];
	uint8_t owner[TLS_OWNER];
	unsigned int lanes, users;
	unsigned int came; /* a bit a lane */
	long until;
	int fd;               /* of the call; -1: not now */
	int fds[LANES_MAX];   /* of the lanes; likewise */
	int why;              /* the first lane was lost: a negative errno ... */
	unsigned int whose;   /* ... and it was this one */
	struct gather gather; /* what they carry */
};

struct lane {
	struct bundle *b;
	unsigned int number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bundle *bundles;

static long now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

int bundle_new(gnutls_session_t s, unsigned int lanes, unsigned int seconds, struct bundle **out)
{
	struct bundle *b = calloc(1, sizeof(*b));
	uint8_t secret[TOKEN_BYTES];
	int rc = -EIO;

	if (!b)
		return -ENOMEM;
	if (tls_owner(s, b->owner) < 0 || gnutls_rnd(GNUTLS_RND_KEY, secret, sizeof(secret)) < 0 ||
	    (rc = gather_init(&b->gather, lanes)) < 0) {
		free(b);
		return rc;
	}
	for (unsigned int i = 0; i < TOKEN_BYTES; i++)
		snprintf(b->token + 2 * i, 3, "%02x", secret[i]);
	b->lanes = lanes;
	b->users = 1;
	b->until = now_s() + seconds;
	b->fd = -1;
	for (unsigned int i = 0; i < LANES_MAX; i++)
		b->fds[i] = -1;
	pthread_mutex_lock(&lock);
	b->next = bundles;
	bundles = b;
	pthread_mutex_unlock(&lock);
	*out = b;
	return 0;
}

const char *bundle_token(const struct bundle *b)
{
	return b->token;
}

/* With the lock. */
static void let_go(struct bundle *b)
{
	if (--b->users)
		return;
	gather_free(&b->gather);
	free(b);
}

/* With the lock: whoever waits for one of these connections hears that it has ended. */
static void cut(struct bundle *b)
{
	gather_lose(&b->gather);
	if (b->fd >= 0)
		shutdown(b->fd, SHUT_RDWR);
	for (unsigned int i = 0; i < b->lanes; i++)
		if (b->fds[i] >= 0)
			shutdown(b->fds[i], SHUT_RDWR);
}

void bundle_start(struct bundle *b, int fd, int to)
{
	gather_open(&b->gather, to);
	pthread_mutex_lock(&lock);
	b->fd = fd;
	if (b->why)
		cut(b);
	pthread_mutex_unlock(&lock);
}

int bundle_stop(struct bundle *b, unsigned int *lane)
{
	int why;

	pthread_mutex_lock(&lock);
	why = b->why;
	*lane = b->whose;
	/* What the lanes notice from here on is our doing. */
	b->why = why ? why : -ECANCELED;
	b->fd = -1;
	cut(b);
	pthread_mutex_unlock(&lock);
	gather_end(&b->gather);
	return why;
}

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&lock);
	for (struct bundle **p = &bundles; *p; p = &(*p)->next)
		if (*p == b) {
			*p = b->next;
			break;
		}
	b->why = b->why ? b->why : -ECANCELED;
	cut(b);
	let_go(b);
	pthread_mutex_unlock(&lock);
}

/* Its connection is over: 0, or why it was lost. */
static void leave(struct lane *l, int why)
{
	struct bundle *b = l->b;

	pthread_mutex_lock(&lock);
	b->fds[l->number] = -1;
	if (why && !b->why) {
		b->why = why;
		b->whose = l->number;
		cut(b);
	}
	let_go(b);
	pthread_mutex_unlock(&lock);
	free(l);
}

/* One that came and was never upgraded is one that was lost. */
void lane_free(struct lane *l)
{
	if (l)
		leave(l, -ECONNRESET);
}

/* In the connection's thread, as in call.c. */
static void on_upgrade(void *arg, struct MHD_Connection *c, void *ctx, const char *early, size_t early_len,
		       MHD_socket socket, struct MHD_UpgradeResponseHandle *upgrade)
{
	struct request *q = ctx;
	struct lane *l = arg;
	struct relay_link link;
	int rc = -EPROTO;

	(void)early;
	(void)socket;
	q->lane = NULL;
	tls_link(tls_session(c), &link);
	pthread_mutex_lock(&lock);
	l->b->fds[l->number] = link.fd;
	pthread_mutex_unlock(&lock);
	/* Nothing may come before the answer has gone. */
	if (!early_len)
		rc = gather_lane(&l->b->gather, &link);
	leave(l, rc);
	MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
}

/* With the lock. */
static struct bundle *bundle_find(const char *token)
{
	for (struct bundle *b = bundles; b; b = b->next)
		if (strlen(token) == 2 * TOKEN_BYTES && !gnutls_memcmp(token, b->token, 2 * TOKEN_BYTES))
			return b;
	return NULL;
}

/* With the lock. NULL: there, and marked; else why not. */
static const char *lane_come(struct request *q, const char *token, unsigned int number, struct bundle **out)
{
	struct bundle *b = bundle_find(token);
	uint8_t owner[TLS_OWNER];

	*out = b;
	if (!b)
		return "no call here has that token";
	if (tls_owner(tls_session(q->connection), owner) < 0 || gnutls_memcmp(owner, b->owner, TLS_OWNER))
		return "the token was given to another certificate";
	if (now_s() >= b->until)
		return "the token has expired";
	if (number >= b->lanes)
		return "the call has fewer connections";
	if (b->came & 1u << number)
		return "that connection has come already";
	if (b->why)
		return "the call is over";
	b->came |= 1u << number;
	b->users++;
	return NULL;
}

static const char *header(struct request *q, const char *key)
{
	const char *v = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, key);

	return v ? v : "";
}

bool count_parse(const char *t, unsigned int max, unsigned int *n)
{
	char *end;

	*n = strtoul(t, &end, 10);
	return *t >= '0' && *t <= '9' && end - t <= 2 && !*end && *n <= max;
}

enum MHD_Result lane_run(struct request *q)
{
	const char *why = "no number of a connection";
	struct MHD_Response *r;
	enum MHD_Result rc;
	struct lane *l;

	if (!strcasestr(header(q, MHD_HTTP_HEADER_UPGRADE), LANE_UPGRADE) ||
	    !strcasestr(header(q, MHD_HTTP_HEADER_CONNECTION), "upgrade"))
		return reply_error(q, MHD_HTTP_UPGRADE_REQUIRED, "upgrade-required",
				   "use serai migrate --connections",
				   "this path speaks " LANE_UPGRADE ", not HTTP");
	l = calloc(1, sizeof(*l));
	if (!l)
		return MHD_NO;
	pthread_mutex_lock(&lock);
	if (count_parse(header(q, BUNDLE_LANE), LANES_MAX - 1, &l->number))
		why = lane_come(q, header(q, BUNDLE_TOKEN), l->number, &l->b);
	pthread_mutex_unlock(&lock);
	if (why) {
		free(l);
		return reply_error(q, MHD_HTTP_FORBIDDEN, "lane-refused", "start the move again", "%s", why);
	}
	r = MHD_create_response_for_upgrade(on_upgrade, l);
	if (!r) {
		lane_free(l);
		return MHD_NO;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_UPGRADE, LANE_UPGRADE);
	q->lane = l;
	rc = MHD_queue_response(q->connection, MHD_HTTP_SWITCHING_PROTOCOLS, r);
	MHD_destroy_response(r);
	return rc;
}
