/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a connection to a route: the certificate is demanded and checked in the handshake, and again
 * before each request; then the role; only then does anything happen.
 */
#include "agent.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <json-c/json.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A host that vanished is noticed after a minute, not when TCP happens to send something. */
#define KEEPALIVE_IDLE_S 20
#define KEEPALIVE_EVERY_S 10
#define KEEPALIVE_TRIES 4
/* How long a client may take to read that it is refused. */
#define REFUSAL_MS 2000
#define REFUSAL_ROUNDS 8

static void keepalive(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, tries = KEEPALIVE_TRIES;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void log_line(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	/* Names and paths come from elsewhere. */
	for (char *t = text; t && *t; t++)
		if ((unsigned char)*t < ' ' || *t == 0x7f)
			*t = '?';
	if (text)
		fprintf(stderr, "seraid: %s\n", text);
	free(text);
}

/* The chain leads to our CA, is of this day, and was made for clients. */
static int peer_status(gnutls_session_t s, unsigned int *status)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};

	return gnutls_certificate_verify_peers(s, &purpose, 1, status);
}

/* The common name of the peer's certificate, whoever signed it. false: there is none. */
static bool peer_name(gnutls_session_t s, char *name, size_t size)
{
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t crt;
	unsigned int n = 0;
	size_t len = size;
	bool good;

	*name = 0;
	chain = gnutls_certificate_get_peers(s, &n);
	if (!chain || !n || gnutls_x509_crt_init(&crt) < 0)
		return false;
	good = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
	       gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) == 0 &&
	       strlen(name) == len && len;
	gnutls_x509_crt_deinit(crt);
	if (!good)
		*name = 0;
	return good;
}

static void peer_address(gnutls_session_t s, char *text, size_t size)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	snprintf(text, size, "?");
	if (getpeername(gnutls_transport_get_int(s), (struct sockaddr *)&a, &len) == 0)
		getnameinfo((struct sockaddr *)&a, len, text, size, NULL, 0, NI_NUMERICHOST);
}

static gnutls_alert_description_t alert_of(unsigned int status)
{
	if (status & GNUTLS_CERT_EXPIRED)
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	return status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA) ? GNUTLS_A_UNKNOWN_CA
										   : GNUTLS_A_BAD_CERTIFICATE;
}

/*
 * A refusal, and then until the client hangs up or a moment has passed: to close while something it sent
 * is unread would reset the connection, and it might never read why.
 */
static int refuse(gnutls_session_t s, gnutls_alert_description_t why)
{
	int fd = gnutls_transport_get_int(s), left = REFUSAL_ROUNDS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char rest[4096];

	gnutls_alert_send(s, GNUTLS_AL_FATAL, why);
	shutdown(fd, SHUT_WR);
	while (left-- && poll(&p, 1, REFUSAL_MS / REFUSAL_ROUNDS) >= 0)
		if (p.revents && recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			break;
	return -1;
}

/* In the handshake. Nonzero ends it; the client is told why, and so is the log. */
static int on_certificate(gnutls_session_t s)
{
	char address[NI_MAXHOST], name[128];
	gnutls_datum_t text = {0};
	unsigned int status = ~0u, n = 0;

	peer_address(s, address, sizeof(address));
	if (!gnutls_certificate_get_peers(s, &n) || !n) {
		log_line("%s: refused: no certificate (serai-certs makes one)", address);
		return refuse(s, GNUTLS_A_CERTIFICATE_REQUIRED);
	}
	if (peer_status(s, &status) == 0 && status == 0)
		return 0;
	gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
	log_line("%s: refused: the certificate of \"%s\": %s", address,
		 peer_name(s, name, sizeof(name)) ? name : "?",
		 text.data ? (const char *)text.data : "not valid");
	gnutls_free(text.data);
	return refuse(s, alert_of(status));
}

/* Before the handshake: libmicrohttpd would ask for a certificate and go on without one. */
void on_connection(void *arg, struct MHD_Connection *c, void **ctx, enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *i;

	(void)arg;
	(void)ctx;
	if (what != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (i)
		keepalive(i->connect_fd);
	i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!i || !i->tls_session)
		return; /* no session, no certificate: on_request refuses */
	/* Not "require": gnutls would hang up by itself, and neither side would read why. */
	gnutls_certificate_server_set_request(i->tls_session, GNUTLS_CERT_REQUEST);
	gnutls_session_set_verify_function(i->tls_session, on_certificate);
}

/* Once more, and for each request: it may have expired since. */
static bool peer_known(struct request *q)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned int status = ~0u;

	return i && i->tls_session && peer_status(i->tls_session, &status) == 0 && status == 0 &&
	       peer_name(i->tls_session, q->peer, sizeof(q->peer));
}

enum MHD_Result reply(struct request *q, unsigned int status, const char *type, const char *text, size_t len)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_UPGRADE_REQUIRED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_UPGRADE, q->route->upgrade);
	rc = MHD_queue_response(q->connection, status, r);
	MHD_destroy_response(r);
	return rc;
}

enum MHD_Result reply_error(struct request *q, unsigned int status, const char *error, const char *remedy,
			    const char *cause, ...)
{
	struct json_object *o = json_object_new_object();
	enum MHD_Result rc;
	char *text = NULL;
	const char *json;
	va_list ap;

	va_start(ap, cause);
	if (vasprintf(&text, cause, ap) < 0)
		text = NULL;
	va_end(ap);
	json_object_object_add(o, "error", json_object_new_string(error));
	json_object_object_add(o, "cause", json_object_new_string(text ? text : "out of memory"));
	json_object_object_add(o, "remedy", json_object_new_string(remedy));
	json = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	rc = reply(q, status, "application/json", json, strlen(json));
	log_line("%s: %s %s: %u: %s", q->peer[0] ? q->peer : "(nobody)", q->method, q->url, status,
		 text ? text : error);
	json_object_put(o);
	free(text);
	return rc;
}

enum MHD_Result reply_denied(struct request *q, enum role want)
{
	return reply_error(q, MHD_HTTP_FORBIDDEN, "role-denied",
			   "have a line with that role and name put into the roles file of this host",
			   "\"%s\" does not have the role \"%s\"", q->peer, role_name(want));
}

/* From a certificate to a role; only then does anything happen. */
static enum MHD_Result admit(struct request *q)
{
	if (!peer_known(q))
		return reply_error(q, MHD_HTTP_FORBIDDEN, "no-certificate",
				   "use a certificate of this host's CA",
				   "the client's certificate was not accepted");
	q->roles = roles_of(q->agent->roles, q->peer);
	if (!q->roles)
		return reply_denied(q, ROLE_READ);
	q->route = route_find(q->url);
	if (!q->route)
		return reply_error(q, MHD_HTTP_NOT_FOUND, "no-such-path", "see docs/agent.openapi.yaml",
				   "there is no %s", q->url);
	if (strcmp(q->method, MHD_HTTP_METHOD_GET) != 0)
		return reply_error(q, MHD_HTTP_METHOD_NOT_ALLOWED, "no-such-method", "use GET",
				   "%s is not among the methods of %s", q->method, q->url);
	if (q->route->role && !(q->roles & q->route->role))
		return reply_denied(q, q->route->role);
	return MHD_YES;
}

enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
			   const char *version, const char *data, size_t *len, void **ctx)
{
	struct request *q = *ctx;

	(void)version;
	(void)data;
	if (!q) {
		q = *ctx = calloc(1, sizeof(*q));
		if (!q)
			return MHD_NO;
		*q = (struct request){.agent = arg, .connection = c, .method = method, .url = url};
		return admit(q);
	}
	/* Nothing here has a body. */
	if (*len) {
		*len = 0;
		return MHD_YES;
	}
	q->method = method;
	q->url = url;
	return q->route->run(q);
}

void on_completed(void *arg, struct MHD_Connection *c, void **ctx, enum MHD_RequestTerminationCode why)
{
	struct request *q = *ctx;

	(void)arg;
	(void)c;
	(void)why;
	if (q) {
		call_free(q->pending);
		lane_free(q->lane);
	}
	free(q);
	*ctx = NULL;
}
