/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xenstore client. A message is a 16-byte header and up to 4096 bytes; strings inside end in NUL.
 *
 * Invariant: `owed` answers to pipelined writes are still on the wire, or not even asked for (`out`); they are
 * collected before any call that wants an answer of its own.
 *
 * What is read ahead into `in` never reaches beyond the answers that are owed: nothing lies there, unseen by
 * poll(), when a call is over.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

struct event {
	struct event *next;
	char *path, *token;
};

/* No message is shorter: "OK", or a watch's path of one byte, an empty token, and their NULs. */
#define MESSAGE_MIN (sizeof(struct xsd_sockmsg) + 3)
#define OWED_MAX 256

struct store {
	int fd;
	unsigned int owed;
	bool batch, device; /* of the kernel's device a write() is one request */
	int batch_error;
	size_t out_len, in_at, in_len;
	char out[16384], in[4096];
	struct event *events, **tail;
};

static int connect_socket(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int store_open(struct store **out)
{
	const char *path = getenv("XENSTORED_PATH");
	bool device = false;
	struct store *s;
	int fd = connect_socket(path ? path : "/run/xenstored/socket");

	/* A socket that nobody serves is a daemon that is coming back; the kernel's way would block until then. */
	if (fd == -ENOENT && !path)
		fd = connect_socket("/var/run/xenstored/socket");
	if (fd == -ENOENT && !path) {
		int dev = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);

		device = dev >= 0;
		if (device)
			fd = dev;
	}
	if (fd < 0)
		return fd;
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->fd = fd;
	s->device = device;
	s->tail = &s->events;
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	while (s->events) {
		struct event *e = s->events;

		s->events = e->next;
		free(e->path);
		free(e);
	}
	close(s->fd);
	free(s);
}

int store_fd(const struct store *s)
{
	return s->fd;
}

static int send_all(struct store *s, const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		/* A daemon that is gone is an error here, whatever the caller does about SIGPIPE. */
		ssize_t w = s->device ? write(s->fd, c, n) : send(s->fd, c, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EPIPE;
		c += w;
		n -= w;
	}
	return 0;
}

static int flush(struct store *s)
{
	int rc = s->out_len ? send_all(s, s->out, s->out_len) : 0;

	s->out_len = 0;
	return rc;
}

/* n bytes; as many more are sure to follow. */
static int recv_all(struct store *s, void *p, size_t n, size_t more)
{
	char *c = p;

	for (;;) {
		size_t have = s->in_len - s->in_at, take = have < n ? have : n;
		ssize_t r;

		memcpy(c, s->in + s->in_at, take);
		s->in_at += take;
		c += take;
		n -= take;
		if (!n)
			return 0;
		r = read(s->fd, s->in, n + more < sizeof(s->in) ? n + more : sizeof(s->in));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ECONNRESET;
		s->in_at = 0;
		s->in_len = r;
	}
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strcmp(xsd_errors[i].errstring, name))
			return -xsd_errors[i].errnum;
	return -EIO;
}

/* Body of a watch event: path NUL token NUL. Takes ownership of `body`. */
static int event_queue(struct store *s, char *body, size_t len)
{
	struct event *e = calloc(1, sizeof(*e));
	size_t path = strnlen(body, len);

	if (!e || path >= len) {
		free(e);
		free(body);
		return e ? -EPROTO : -ENOMEM;
	}
	e->path = body;
	e->token = body + path + 1;
	*s->tail = e;
	s->tail = &e->next;
	return 0;
}

/*
 * One message off the wire, where so many answers are still to come. Returns the type; the body is malloc()ed and
 * has a NUL after it.
 */
static int message(struct store *s, unsigned int answers, char **body, size_t *len)
{
	struct xsd_sockmsg h;
	int rc = recv_all(s, &h, sizeof(h), answers ? answers * MESSAGE_MIN - sizeof(h) : 0);

	*body = NULL;
	if (rc < 0)
		return rc;
	if (h.len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	*body = malloc(h.len + 1);
	if (!*body)
		return -ENOMEM;
	if (answers && h.type != XS_WATCH_EVENT)
		answers--; /* this one */
	rc = recv_all(s, *body, h.len, answers * MESSAGE_MIN);
	if (rc < 0) {
		free(*body);
		*body = NULL;
		return rc;
	}
	(*body)[h.len] = 0;
	*len = h.len;
	return h.type;
}

/* The next of so many answers, which is no watch event: 0 and the body, or the error it carries. */
static int answer(struct store *s, unsigned int answers, char **body, size_t *len)
{
	for (;;) {
		int type = message(s, answers, body, len);

		if (type < 0)
			return type;
		if (type == XS_WATCH_EVENT) {
			int rc = event_queue(s, *body, *len);

			*body = NULL; /* the queue's now, or freed */
			if (rc < 0)
				return rc;
			continue;
		}
		if (type == XS_ERROR) {
			int rc = error_number(*body);

			free(*body);
			*body = NULL;
			return rc;
		}
		return 0;
	}
}

static int collect(struct store *s)
{
	int rc = flush(s);

	if (rc < 0)
		return rc;
	while (s->owed) {
		char *body;
		size_t len;

		rc = answer(s, s->owed, &body, &len);
		s->owed--;
		free(body);
		if (rc < 0 && !s->batch_error)
			s->batch_error = rc;
		if (rc == -ECONNRESET || rc == -EPIPE)
			return rc;
	}
	return 0;
}

/* A piece of a request. */
struct part {
	const char *p;
	size_t n;
};

static int request(struct store *s, uint32_t type, uint32_t tx, const struct part *part, unsigned int n,
		   char **body, size_t *len)
{
	char buf[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg *h = (void *)buf;
	size_t used = sizeof(*h);
	int rc;

	for (unsigned int i = 0; i < n; i++) {
		if (part[i].n > sizeof(buf) - used)
			return -E2BIG;
		memcpy(buf + used, part[i].p, part[i].n);
		used += part[i].n;
	}
	*h = (struct xsd_sockmsg){.type = type, .tx_id = tx, .len = used - sizeof(*h)};
	/* Bound what is in flight, or both sides could block on full socket buffers. */
	if ((!s->batch || s->owed >= OWED_MAX || body) && s->owed && (rc = collect(s)) < 0)
		return rc;
	if (s->batch && !body && !s->device) {
		if (used > sizeof(s->out) - s->out_len && (rc = flush(s)) < 0)
			return rc;
		memcpy(s->out + s->out_len, buf, used);
		s->out_len += used;
		s->owed++;
		return 0;
	}
	rc = send_all(s, buf, used);
	if (rc < 0)
		return rc;
	if (s->batch && !body) {
		s->owed++;
		return 0;
	}
	char *b = NULL;
	size_t l = 0;

	rc = answer(s, body ? 0 : 1, &b, &l); /* what is asked for may be shorter than OK */
	if (rc < 0)
		return rc;
	if (body) {
		*body = b;
		*len = l;
	} else {
		free(b);
	}
	return 0;
}

static struct part text(const char *p)
{
	return (struct part){p, strlen(p) + 1};
}

int store_tx_begin(struct store *s, uint32_t *tx)
{
	struct part p = text("");
	char *body;
	size_t len;
	int rc = request(s, XS_TRANSACTION_START, 0, &p, 1, &body, &len);

	if (rc < 0)
		return rc;
	*tx = strtoul(body, NULL, 10);
	free(body);
	return 0;
}

int store_tx_end(struct store *s, uint32_t tx, bool commit)
{
	struct part p = text(commit ? "T" : "F");
	char *body;
	size_t len;
	int rc = request(s, XS_TRANSACTION_END, tx, &p, 1, &body, &len);

	if (rc == 0)
		free(body);
	return rc;
}

char *store_read(struct store *s, uint32_t tx, const char *path)
{
	struct part p = text(path);
	char *body;
	size_t len;
	int rc = request(s, XS_READ, tx, &p, 1, &body, &len);

	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	return body;
}

char *store_readf(struct store *s, uint32_t tx, const char *fmt, ...)
{
	char path[XENSTORE_ABS_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return store_read(s, tx, path);
}

int store_read_int(struct store *s, const char *path, long *v)
{
	char *t = store_read(s, 0, path), *end;
	int rc = 0;

	if (!t)
		return -errno;
	*v = strtol(t, &end, 10);
	if (end == t)
		rc = -EINVAL;
	free(t);
	return rc;
}

int store_write(struct store *s, uint32_t tx, const char *path, const char *value)
{
	struct part p[2] = {text(path), {value, strlen(value)}};

	return request(s, XS_WRITE, tx, p, 2, NULL, NULL);
}

int store_writef(struct store *s, uint32_t tx, const char *path, const char *fmt, ...)
{
	char value[XENSTORE_PAYLOAD_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return store_write(s, tx, path, value);
}

int store_mkdir(struct store *s, uint32_t tx, const char *path)
{
	struct part p = text(path);

	return request(s, XS_MKDIR, tx, &p, 1, NULL, NULL);
}

int store_rm(struct store *s, uint32_t tx, const char *path)
{
	struct part p = text(path);

	return request(s, XS_RM, tx, &p, 1, NULL, NULL);
}

char **store_directory(struct store *s, uint32_t tx, const char *path, unsigned int *n)
{
	struct part p = text(path);
	char *body, **v;
	size_t len, at = 0;
	unsigned int count = 0;
	int rc = request(s, XS_DIRECTORY, tx, &p, 1, &body, &len);

	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		count += body[i] == 0;
	v = malloc((count + 1) * sizeof(*v) + len + 1);
	if (v) {
		char *text_at = (char *)(v + count + 1);

		memcpy(text_at, body, len + 1);
		for (unsigned int i = 0; i < count; i++) {
			v[i] = text_at + at;
			at += strlen(v[i]) + 1;
		}
		v[count] = NULL;
		*n = count;
	}
	free(body);
	return v;
}

int store_prune(struct store *s, const char *path, const char *top)
{
	uint32_t tx;
	int rc;

	do {
		char at[XENSTORE_ABS_PATH_MAX], *slash;
		unsigned int n;

		if ((rc = store_tx_begin(s, &tx)) < 0)
			return rc;
		snprintf(at, sizeof(at), "%s", path);
		do {
			store_rm(s, tx, at);
			slash = strrchr(at, '/');
			*slash = 0;
			n = 1;
			if (slash > at + strlen(top))
				free(store_directory(s, tx, at, &n));
		} while (!n);
		/* Whoever adds to one of them meanwhile wins. */
		rc = store_tx_end(s, tx, true);
	} while (rc == -EAGAIN);
	return rc;
}

int store_perms(struct store *s, uint32_t tx, const char *path, const char *perms)
{
	char list[256];
	struct part p[2] = {text(path), {list, strlen(perms) + 1}};

	if (p[1].n > sizeof(list))
		return -E2BIG;
	memcpy(list, perms, p[1].n);
	for (size_t i = 0; i < p[1].n; i++)
		if (list[i] == ',')
			list[i] = 0;
	return request(s, XS_SET_PERMS, tx, p, 2, NULL, NULL);
}

int store_batch_begin(struct store *s)
{
	s->batch = true;
	s->batch_error = 0;
	return 0;
}

int store_batch_end(struct store *s)
{
	int rc = collect(s);

	s->batch = false;
	return rc < 0 ? rc : s->batch_error;
}

int store_introduce(struct store *s, unsigned int dom, uint64_t mfn, uint32_t port)
{
	char a[16], b[24], c[16];
	struct part p[3];

	snprintf(a, sizeof(a), "%u", dom);
	snprintf(b, sizeof(b), "%lu", (unsigned long)mfn);
	snprintf(c, sizeof(c), "%u", port);
	p[0] = text(a);
	p[1] = text(b);
	p[2] = text(c);
	return request(s, XS_INTRODUCE, 0, p, 3, NULL, NULL);
}

static int domain_call(struct store *s, uint32_t type, unsigned int dom)
{
	char a[16];
	struct part p;

	snprintf(a, sizeof(a), "%u", dom);
	p = text(a);
	return request(s, type, 0, &p, 1, NULL, NULL);
}

int store_release(struct store *s, unsigned int dom)
{
	return domain_call(s, XS_RELEASE, dom);
}

int store_resume(struct store *s, unsigned int dom)
{
	return domain_call(s, XS_RESUME, dom);
}

int store_watch(struct store *s, const char *path, const char *token)
{
	struct part p[2] = {text(path), text(token)};

	return request(s, XS_WATCH, 0, p, 2, NULL, NULL);
}

int store_unwatch(struct store *s, const char *path, const char *token)
{
	struct part p[2] = {text(path), text(token)};

	return request(s, XS_UNWATCH, 0, p, 2, NULL, NULL);
}

int store_event(struct store *s, int timeout_ms, char **path, char **token)
{
	struct timespec start;
	struct event *e;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!s->events) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		struct timespec now;
		int left = timeout_ms, rc;
		char *body;
		size_t len;

		if (timeout_ms >= 0) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			left -= (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
			if (left < 0)
				left = 0;
		}
		rc = poll(&p, 1, left);
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return rc ? -errno : 0;
		rc = message(s, 0, &body, &len);
		if (rc < 0)
			return rc;
		if (rc != XS_WATCH_EVENT) {
			free(body);
			return -EPROTO;
		}
		rc = event_queue(s, body, len);
		if (rc < 0)
			return rc;
	}
	e = s->events;
	s->events = e->next;
	if (!s->events)
		s->tail = &s->events;
	*path = e->path;
	*token = e->token; /* lies in the same block as *path */
	free(e);
	return 1;
}
