/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai-tls: what of the toolstack talks to another host's seraid. A program of its own, so that
 * `serai` has no network code in it; a move uses it as it uses ssh, by standard input and output.
 *
 *   serai-tls HOST WORD...     `serai WORD...` over there; ends with its exit status
 *
 * HOST: NAME, NAME:PORT or https://NAME[:PORT]. 1 is also the status of what never ran over there.
 */
#include "relay.h"

#include <curl/curl.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TLS_DIR "/etc/serai/tls"
#define PORT "8443"
#define CONNECT_S 20L
#define ANSWER_MS 30000

struct client {
	const char *dir, *host;
	CURL *curl;
	CURLU *url;
	char error[CURL_ERROR_SIZE];
};

static int fail(const struct client *c, const char *why)
{
	fprintf(stderr, "serai -H %s: %s\n", c->host, why);
	return 1;
}

/* What TLS says when a side does not like the other's certificate; each with its way out. */
static const char *remedy(const char *error)
{
	static const struct {
		const char *has, *remedy;
	} known[] = {
		{"alert certificate required", "it wants a certificate and was shown none"},
		{"alert certificate expired",
		 "this side's certificate has expired: serai-certs makes a new one"},
		{"alert unknown ca",
		 "this side's certificate is not of the CA that host accepts: have one made there "
		 "by serai-certs client"},
		{"alert", "that host does not accept this side's certificate; its journal says why"},
		{"certificate has expired",
		 "that host's certificate has expired: serai-certs makes a new one"},
		{"unable to get local issuer",
		 "that host's certificate is not of our CA: is it the right host?"},
		{"self-signed certificate",
		 "that host's certificate is not of our CA: is it the right host?"},
		{"subject name",
		 "that host's certificate is for another name: use that one, or have it made again "
		 "with this one"},
		{"local client certificate",
		 "cert.pem and key.pem: serai-certs client makes them on a host that has "
		 "the CA"},
		{"CAfile", "ca.pem comes with the certificate, from the host that has the CA"},
		{"verify locations", "ca.pem comes with the certificate, from the host that has the CA"},
		{"onnect", "does seraid run there, and is its port open?"},
		{"resolve", "is that its name?"},
	};

	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(error, known[i].has))
			return known[i].remedy;
	return "is that a seraid?";
}

static int fail_curl(const struct client *c, CURLcode rc)
{
	const char *error = c->error[0] ? c->error : curl_easy_strerror(rc);

	fprintf(stderr, "serai -H %s: %s (%s)\n", c->host, error, remedy(error));
	return 1;
}

/* An answer that is no success: the agent's own words, or what is there instead. */
static int fail_answer(const struct client *c, long status, const char *body)
{
	struct json_object *o = json_tokener_parse(body), *cause, *way;

	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "cause", &cause) &&
	    json_object_object_get_ex(o, "remedy", &way))
		fprintf(stderr, "serai -H %s: %s (%s)\n", c->host, json_object_get_string(cause),
			json_object_get_string(way));
	else
		fprintf(stderr, "serai -H %s: HTTP status %ld; is that a seraid?\n", c->host, status);
	json_object_put(o);
	return 1;
}

/* A file of the directory, for curl. The check is ours: curl's words for it depend on its library. */
static int file_option(struct client *c, CURLoption option, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	if (access(path, R_OK) < 0) {
		fprintf(stderr,
			"serai -H %s: %s: %s (serai-certs client NAME ROLE makes it on a host that has the "
			"CA; "
			"SERAI_TLS_DIR says where it is)\n",
			c->host, path, strerror(errno));
		return 1;
	}
	return curl_easy_setopt(c->curl, option, path) ? fail(c, "out of memory") : 0;
}

static int address(struct client *c)
{
	const char *scheme = strstr(c->host, "://") ? "" : "https://";
	char *whole, *part = NULL;
	CURLUcode bad;

	if (asprintf(&whole, "%s%s", scheme, c->host) < 0)
		return fail(c, "out of memory");
	c->url = curl_url();
	bad = c->url ? curl_url_set(c->url, CURLUPART_URL, whole, 0) : CURLUE_OUT_OF_MEMORY;
	free(whole);
	if (!bad && curl_url_get(c->url, CURLUPART_PORT, &part, 0) == CURLUE_NO_PORT)
		bad = curl_url_set(c->url, CURLUPART_PORT, PORT, 0);
	curl_free(part);
	part = NULL;
	bad = bad || curl_url_get(c->url, CURLUPART_SCHEME, &part, 0) || strcmp(part, "https") != 0;
	curl_free(part);
	return bad ? fail(c, "not the address of a host (NAME, NAME:PORT or https://NAME:PORT)") : 0;
}

static int dial(struct client *c, int *fd)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	CURLcode bad;

	if (address(c))
		return 1;
	c->curl = curl_easy_init();
	if (!c->curl)
		return fail(c, "out of memory");
	/* One CA is believed, that of these hosts; the system's are not. */
	curl_easy_setopt(c->curl, CURLOPT_CAPATH, NULL);
	if (file_option(c, CURLOPT_CAINFO, "ca.pem") || file_option(c, CURLOPT_SSLCERT, "cert.pem") ||
	    file_option(c, CURLOPT_SSLKEY, "key.pem"))
		return 1;
	curl_easy_setopt(c->curl, CURLOPT_CURLU, c->url);
	curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error);
	/* A host that vanished is noticed after a minute. */
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPIDLE, 20L);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECT_ONLY, 1L);
	if ((bad = curl_easy_perform(c->curl)) ||
	    (bad = curl_easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &s)))
		return fail_curl(c, bad);
	*fd = s;
	return 0;
}

static ssize_t link_read(void *arg, void *buf, size_t len)
{
	struct client *c = arg;
	size_t n = 0;
	CURLcode rc = curl_easy_recv(c->curl, buf, len, &n);

	return rc == CURLE_AGAIN ? -EAGAIN : rc ? -ECONNRESET : (ssize_t)n;
}

static ssize_t link_write(void *arg, const void *buf, size_t len)
{
	struct client *c = arg;
	size_t n = 0;
	CURLcode rc = curl_easy_send(c->curl, buf, len, &n);

	return rc == CURLE_AGAIN || (!rc && !n) ? -EAGAIN : rc ? -ECONNRESET : (ssize_t)n;
}

static int link_wait(const struct relay_link *l, short events)
{
	struct pollfd p = {.fd = l->fd, .events = events};
	int rc;

	while ((rc = poll(&p, 1, ANSWER_MS)) < 0 && errno == EINTR)
		;
	return rc > 0 ? 0 : -ETIMEDOUT;
}

static int link_put(const struct relay_link *l, const char *t, size_t len)
{
	while (len) {
		ssize_t n = l->write(l->arg, t, len);

		if (n == -EAGAIN && link_wait(l, POLLOUT) == 0)
			continue;
		if (n <= 0)
			return n == -EAGAIN ? -ETIMEDOUT : -ECONNRESET;
		t += n;
		len -= n;
	}
	return 0;
}

/* What there is, behind the `have` bytes of buf; 0: the connection ended. */
static ssize_t link_get(const struct relay_link *l, char *buf, size_t len, size_t have)
{
	ssize_t n;

	while ((n = l->read(l->arg, buf + have, len - have)) == -EAGAIN)
		if (link_wait(l, POLLIN) < 0)
			return -ETIMEDOUT;
	return n;
}

/* The answer to the upgrade. Positive: its header's length, of *have bytes read. */
static ssize_t answer_get(const struct relay_link *l, char *buf, size_t len, size_t *have)
{
	char *end;

	for (*have = 0; *have + 1 < len;) {
		ssize_t n = link_get(l, buf, len - 1, *have);

		if (n <= 0)
			return n ? n : -ECONNRESET;
		*have += n;
		buf[*have] = 0;
		if ((end = strstr(buf, "\r\n\r\n")))
			return end + 4 - buf;
	}
	return -EPROTO;
}

/* The header has come and is no "yes": the rest of the answer says why. */
static int refused(struct client *c, const struct relay_link *l, char *buf, size_t len, size_t header,
		   size_t have)
{
	const char *at = strcasestr(buf, "\ncontent-length:");
	size_t want = at && at < buf + header ? strtoul(at + 16, NULL, 10) : 0;
	const char *space = strchr(buf, ' ');
	ssize_t n;

	while (have < header + want && have + 1 < len && (n = link_get(l, buf, len - 1, have)) > 0)
		have += n;
	buf[have] = 0;
	return fail_answer(c, space ? strtol(space, NULL, 10) : 0, buf + header);
}

/* The request: the words as a query; malloc()ed. */
static char *question(struct client *c, char **words)
{
	char *text = NULL, *name = NULL, *word;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("GET /v1/run", f);
	for (unsigned int i = 0; words[i]; i++) {
		word = curl_easy_escape(c->curl, words[i], 0);
		fprintf(f, "%carg=%s", i ? '&' : '?', word ? word : "");
		curl_free(word);
	}
	curl_url_get(c->url, CURLUPART_HOST, &name, 0);
	fprintf(f, " HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: serai-run\r\n\r\n",
		name ? name : "");
	curl_free(name);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int run(struct client *c, char **words)
{
	struct relay_link l = {c, -1, link_read, link_write};
	struct relay_ends ends = {{STDIN_FILENO, -1}, {STDOUT_FILENO, STDERR_FILENO}, 0, 0};
	char buf[8192], *ask;
	size_t have = 0;
	ssize_t header;
	int rc;

	if (dial(c, &l.fd))
		return 1;
	ask = question(c, words);
	if (!ask)
		return fail(c, "out of memory");
	/* A server that refuses us may be gone already; what it said can be read all the same. */
	rc = link_put(&l, ask, strlen(ask));
	free(ask);
	header = rc == -ETIMEDOUT ? rc : answer_get(&l, buf, sizeof(buf), &have);
	if (header == -ECONNRESET)
		return fail_curl(c, CURLE_RECV_ERROR);
	if (header < 0)
		return fail(c, header == -EPROTO ? "no answer of HTTP; is that a seraid?"
						 : "it does not answer");
	if (strncmp(buf, "HTTP/1.1 101 ", 13) != 0)
		return refused(c, &l, buf, sizeof(buf), header, have);
	/* Our errors have to go somewhere when the relay has closed its ends. */
	ends.out[1] = dup(STDERR_FILENO);
	rc = relay_run(&l, &ends, buf + header, have - header);
	if (rc == -ECONNRESET)
		return fail(c, "the connection was cut; what became of it, that host's journal says");
	if (rc == -EPIPE)
		return fail(c, "cannot write: nobody reads the output");
	return rc < 0 ? fail(c, strerror(-rc)) : ends.status;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("SERAI_TLS_DIR");
	struct client c = {.dir = dir && *dir ? dir : TLS_DIR};
	int rc;

	if (argc < 3 || argv[1][0] == '-') {
		fputs("Usage: serai-tls HOST VERB [options] [operands]\n", stderr);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	c.host = argv[1];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = run(&c, argv + 2);
	curl_easy_cleanup(c.curl);
	curl_url_cleanup(c.url);
	curl_global_cleanup();
	return rc;
}
