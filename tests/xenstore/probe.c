/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Speaks xenstore's wire protocol from a script and prints every answer, so that two daemons can be
 * compared byte by byte. A script line is
 *
 *	CONNECTION TYPE TRANSACTION PAYLOAD
 *
 * where CONNECTION is a digit (opened when first named), TYPE a request's name or number,
 *TRANSACTION a number or Tn (the n-th one started on that connection), and PAYLOAD's | stand for
 *NUL bytes, its trailing part is sent as it is, `*N` at the end appends N letters x. `close N`
 *closes a connection, `events` prints the watch events that have arrived, `#` starts a comment.
 *
 * Events are told apart from answers: an answer is printed when it comes, events are kept until
 * `events`, which first makes a round trip on each connection.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define CONNECTIONS 10
#define TRANSACTIONS 64

struct connection {
	int fd;
	uint32_t tx[TRANSACTIONS];
	unsigned int started;
	char *events;
	size_t len;
};

static struct connection conns[CONNECTIONS];
static const char *socket_path = "/run/xenstored/socket";

static const char *const names[] = {
	[XS_CONTROL] = "CONTROL",
	[XS_DIRECTORY] = "DIRECTORY",
	[XS_READ] = "READ",
	[XS_GET_PERMS] = "GET_PERMS",
	[XS_WATCH] = "WATCH",
	[XS_UNWATCH] = "UNWATCH",
	[XS_TRANSACTION_START] = "TRANSACTION_START",
	[XS_TRANSACTION_END] = "TRANSACTION_END",
	[XS_INTRODUCE] = "INTRODUCE",
	[XS_RELEASE] = "RELEASE",
	[XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
	[XS_WRITE] = "WRITE",
	[XS_MKDIR] = "MKDIR",
	[XS_RM] = "RM",
	[XS_SET_PERMS] = "SET_PERMS",
	[XS_WATCH_EVENT] = "WATCH_EVENT",
	[XS_ERROR] = "ERROR",
	[XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
	[XS_RESUME] = "RESUME",
	[XS_SET_TARGET] = "SET_TARGET",
	[XS_RESET_WATCHES] = "RESET_WATCHES",
	[XS_DIRECTORY_PART] = "DIRECTORY_PART",
};

static uint32_t type_number(const char *name)
{
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return strtoul(name, NULL, 0);
}

static struct connection *connection(unsigned int n)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct connection *c = &conns[n % CONNECTIONS];

	if (c->fd)
		return c;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "probe: %s: %s\n", a.sun_path, strerror(errno));
		exit(2);
	}
	return c;
}

/* false: the daemon has closed the connection. */
static int recv_all(int fd, void *p, size_t n)
{
	for (char *c = p; n;) {
		ssize_t r = read(fd, c, n);

		if (r <= 0)
			return 0;
		c += r;
		n -= r;
	}
	return 1;
}

static void show(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!p[i])
			putchar('|');
		else if (p[i] < 32 || p[i] > 126)
			printf("\\%02x", (unsigned char)p[i]);
		else
			putchar(p[i]);
	}
}

static void keep_event(struct connection *c, const char *p, size_t n)
{
	c->events = realloc(c->events, c->len + n + 1);
	memcpy(c->events + c->len, p, n);
	c->events[c->len + n] = '\n';
	c->len += n + 1;
}

/* Waits for the answer to a request; events that come first are kept. 0: connection closed. */
static int answer(struct connection *c, struct xsd_sockmsg *h, char *body)
{
	while (recv_all(c->fd, h, sizeof(*h))) {
		if (h->len > XENSTORE_PAYLOAD_MAX || !recv_all(c->fd, body, h->len))
			return 0;
		if (h->type != XS_WATCH_EVENT)
			return 1;
		keep_event(c, body, h->len);
	}
	return 0;
}

static int request(struct connection *c, uint32_t type, uint32_t tx, const char *p, uint32_t n,
		   struct xsd_sockmsg *h, char *body)
{
	struct xsd_sockmsg q = {.type = type, .req_id = 7, .tx_id = tx, .len = n};

	if (write(c->fd, &q, sizeof(q)) < 0 || (n && write(c->fd, p, n) < 0))
		return 0;
	return answer(c, h, body);
}

static void print_events(void)
{
	static char body[XENSTORE_PAYLOAD_MAX];

	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &conns[i];
		struct xsd_sockmsg h;

		if (!c->fd)
			continue;
		request(c, XS_GET_DOMAIN_PATH, 0, "0", 2, &h, body);
		for (size_t at = 0; at < c->len;) {
			size_t n = (char *)memchr(c->events + at, '\n', c->len - at) - (c->events + at);

			printf("  event %u ", i);
			show(c->events + at, n);
			putchar('\n');
			at += n + 1;
		}
		c->len = 0;
	}
}

static void print_answer(struct connection *c, uint32_t type, const struct xsd_sockmsg *h, const char *body)
{
	if (h->type != type)
		printf("%s ", h->type <= XS_DIRECTORY_PART && names[h->type] ? names[h->type] : "?");
	if (h->req_id != 7)
		printf("req_id=%u ", h->req_id);
	if (type == XS_TRANSACTION_START && h->type == type && c->started < TRANSACTIONS - 1) {
		c->tx[++c->started] = strtoul(body, NULL, 10);
		printf("T%u\n", c->started);
		return;
	}
	show(body, h->len);
	putchar('\n');
}

static size_t payload(char *text)
{
	size_t n = strlen(text);
	char *star = strrchr(text, '*');

	if (star && star[1] >= '0' && star[1] <= '9') {
		size_t more = strtoul(star + 1, NULL, 10);

		memset(star, 'x', more);
		n = star - text + more;
	}
	for (size_t i = 0; i < n; i++)
		if (text[i] == '|')
			text[i] = 0;
	return n;
}

static void line(char *text)
{
	static char body[XENSTORE_PAYLOAD_MAX + 1], arg[8192];
	char name[64], tx[32];
	struct xsd_sockmsg h;
	struct connection *c;
	unsigned int n;
	uint32_t type, t;
	int at = 0;

	printf("%s\n", text);
	if (!strcmp(text, "events")) {
		print_events();
		return;
	}
	if (sscanf(text, "close %u", &n) == 1) {
		c = connection(n);
		close(c->fd);
		free(c->events);
		memset(c, 0, sizeof(*c));
		return;
	}
	if (sscanf(text, "%u %63s %31s %n", &n, name, tx, &at) < 3) {
		fprintf(stderr, "probe: what is \"%s\"?\n", text);
		exit(2);
	}
	c = connection(n);
	type = type_number(name);
	t = tx[0] == 'T' ? c->tx[strtoul(tx + 1, NULL, 10) % TRANSACTIONS] : strtoul(tx, NULL, 0);
	snprintf(arg, sizeof(arg), "%s", at ? text + at : "");
	printf("  ");
	if (request(c, type, t, arg, payload(arg), &h, body)) {
		body[h.len] = 0;
		print_answer(c, type, &h, body);
	} else {
		puts("closed");
		close(c->fd);
		free(c->events);
		memset(c, 0, sizeof(*c));
	}
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;

	signal(SIGPIPE, SIG_IGN); /* being cut off is an answer */
	if (argc > 1)
		socket_path = argv[1];
	while (getline(&text, &size, stdin) > 0) {
		text[strcspn(text, "\n")] = 0;
		if (text[0] && text[0] != '#')
			line(text);
	}
	for (unsigned int i = 0; i < CONNECTIONS; i++)
		free(conns[i].events);
	free(text);
	fflush(stdout);
	return 0;
}
