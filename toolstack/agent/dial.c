/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dial.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PORT "8443"
#define CONNECT_S 20L
#define ANSWER_MS 30000

/* Nobody waits for it any more: why it came to nothing is no news. */
static bool stopped(const struct client *c)
{
	return poll(&(struct pollfd){c->stop, POLLIN, 0}, 1, 0) > 0;
}

int client_fail(const struct client *c, const char *why)
{
	if (stopped(c))
		return 1;
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

	if (!stopped(c))
		fprintf(stderr, "serai -H %s: %s (%s)\n", c->host, error, remedy(error));
	return 1;
}

/* An answer that is no success: the agent's own words, or what is there instead. */
static int fail_answer(const struct client *c, long status, const char *body)
{
	struct json_object *o, *cause, *way;

	if (stopped(c))
		return 1;
	o = json_tokener_parse(body);
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
	return curl_easy_setopt(c->curl, option, path) ? client_fail(c, "out of memory") : 0;
}

static int address(struct client *c)
{
	const char *scheme = strstr(c->host, "://") ? "" : "https://";
	char *whole, *part = NULL;
	CURLUcode bad;

	if (asprintf(&whole, "%s%s", scheme, c->host) < 0)
		return client_fail(c, "out of memory");
	c->url = curl_url();
	bad = c->url ? curl_url_set(c->url, CURLUPART_URL, whole, 0) : CURLUE_OUT_OF_MEMORY;
	free(whole);
	if (!bad && curl_url_get(c->url, CURLUPART_PORT, &part, 0) == CURLUE_NO_PORT)
		bad = curl_url_set(c->url, CURLUPART_PORT, PORT, 0);
	curl_free(part);
	part = NULL;
	bad = bad || curl_url_get(c->url, CURLUPART_SCHEME, &part, 0) || strcmp(part, "https") != 0;
	curl_free(part);
	return bad ? client_fail(c, "not the address of a host (NAME, NAME:PORT or https://NAME:PORT)") : 0;
}

/* Called a few times a second: a curl that connects can be stopped. */
static int on_progress(void *arg, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
	const struct client *c = arg;

	(void)down;
	(void)down_now;
	(void)up;
	(void)up_now;
	return poll(&(struct pollfd){c->stop, POLLIN, 0}, 1, 0) > 0;
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

int client_dial(struct client *c, struct relay_link *l)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	CURLcode bad;

	if (address(c))
		return 1;
	c->curl = curl_easy_init();
	if (!c->curl)
		return client_fail(c, "out of memory");
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
	if (c->stop >= 0) {
		curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, c);
		curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	}
	if ((bad = curl_easy_perform(c->curl)) ||
	    (bad = curl_easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &s)))
		return fail_curl(c, bad);
	*l = (struct relay_link){c, s, link_read, link_write};
	return 0;
}

static int link_wait(const struct relay_link *l, short events)
{
	const struct client *c = l->arg;
	struct pollfd p[2] = {{l->fd, events, 0}, {c->stop, POLLIN, 0}};
	int rc;

	while ((rc = poll(p, 2, ANSWER_MS)) < 0 && errno == EINTR)
		;
	return rc > 0 && !p[1].revents ? 0 : -ETIMEDOUT;
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

/* Until the head of the answer is there. */
static int answer_get(const struct relay_link *l, struct answer *a)
{
	for (a->have = 0; a->have + 1 < sizeof(a->text);) {
		ssize_t n = link_get(l, a->text, sizeof(a->text) - 1, a->have);
		char *end;

		if (n <= 0)
			return n ? n : -ECONNRESET;
		a->have += n;
		a->text[a->have] = 0;
		end = strstr(a->text, "\r\n\r\n");
		a->head = end ? end + 4 - a->text : 0;
		if (end)
			return 0;
	}
	return -EPROTO;
}

char *answer_header(const struct answer *a, const char *key)
{
	size_t len = strlen(key);
	const char *at = a->text, *end = a->text + a->head;

	while ((at = strstr(at, "\r\n")) && at + 2 < end) {
		at += 2;
		if (!strncasecmp(at, key, len) && at[len] == ':') {
			at += len + 1;
			at += strspn(at, " \t");
			return strndup(at, strcspn(at, "\r"));
		}
	}
	return NULL;
}

/* The head has come and is no "yes": the rest of the answer says why. */
static int refused(struct client *c, const struct relay_link *l, struct answer *a)
{
	char *length = answer_header(a, "Content-Length");
	size_t want = length ? strtoul(length, NULL, 10) : 0;
	const char *space = strchr(a->text, ' ');
	ssize_t n;

	free(length);
	while (a->have < a->head + want && a->have + 1 < sizeof(a->text) &&
	       (n = link_get(l, a->text, sizeof(a->text) - 1, a->have)) > 0)
		a->have += n;
	a->text[a->have] = 0;
	return fail_answer(c, space ? strtol(space, NULL, 10) : 0, a->text + a->head);
}

/* The request, malloc()ed. */
static char *question(struct client *c, const char *path, const char *protocol, const char *headers)
{
	char *name = NULL, *text;
	int n;

	curl_url_get(c->url, CURLUPART_HOST, &name, 0);
	n = asprintf(&text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s\r\n",
		     path, name ? name : "", protocol, headers);
	curl_free(name);
	return n < 0 ? NULL : text;
}

int client_upgrade(struct client *c, const struct relay_link *l, const char *path, const char *protocol,
		   const char *headers, struct answer *a)
{
	char *ask = question(c, path, protocol, headers);
	int rc;

	if (!ask)
		return client_fail(c, "out of memory");
	/* A server that refuses us may be gone already; what it said can be read all the same. */
	rc = link_put(l, ask, strlen(ask));
	free(ask);
	if (rc != -ETIMEDOUT)
		rc = answer_get(l, a);
	if (rc == -ECONNRESET)
		return fail_curl(c, CURLE_RECV_ERROR);
	if (rc < 0)
		return client_fail(c, rc == -EPROTO ? "no answer of HTTP; is that a seraid?"
						    : "it does not answer");
	return strncmp(a->text, "HTTP/1.1 101 ", 13) ? refused(c, l, a) : 0;
}

void client_close(struct client *c)
{
	curl_easy_cleanup(c->curl);
	curl_url_cleanup(c->url);
}
