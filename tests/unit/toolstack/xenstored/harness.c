/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char answer[XENSTORE_PAYLOAD_MAX + 1], events[1 << 16];

static void on_log(void *ctx, enum log_level level, const char *text)
{
	struct fixture *x = ctx;

	(void)level;
	x->logged++;
	snprintf(x->last_log, sizeof(x->last_log), "%s", text);
}

static bool on_exists(void *ctx, uint16_t domid)
{
	(void)ctx;
	return domid < 100;
}

static int on_introduce(void *ctx, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *at)
{
	struct fixture *x = ctx;

	(void)domid;
	(void)gfn;
	(void)port;
	*at = (struct ring_start){.in_pos = 0xfffffff0u, .out_pos = 0xffffff00u};
	return x->refuse_introduce ? -EINVAL : 0;
}

static int on_rebind(void *ctx, uint16_t domid, uint32_t port)
{
	(void)ctx;
	(void)domid;
	(void)port;
	return 0;
}

static void on_release(void *ctx, uint16_t domid)
{
	struct fixture *x = ctx;

	(void)domid;
	x->released++;
}

static void on_ready(void *ctx, struct conn *c)
{
	(void)ctx;
	(void)c;
}

static char *on_control(void *ctx, const char *command, const char *args, size_t len)
{
	(void)ctx;
	(void)args;
	(void)len;
	return strcmp(command, "compact") ? NULL : strdup("OK");
}

const struct world fake_world = {on_log,     on_exists, on_introduce, on_rebind,
				 on_release, on_ready,  on_control};

size_t wire(char *buf, uint32_t type, uint32_t tx, const char *payload)
{
	struct xsd_sockmsg h = {.type = type, .req_id = 5, .tx_id = tx, .len = strlen(payload)};

	memcpy(buf, &h, sizeof(h));
	for (uint32_t i = 0; i < h.len; i++)
		buf[sizeof(h) + i] = payload[i] == '|' ? 0 : payload[i];
	return sizeof(h) + h.len;
}

static void readable(char *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = p[i] ? p[i] : '|';
	out[n] = 0;
}

/* Takes everything that waits; answers and events go to their places. */
static void drain(struct store *s, struct conn *c)
{
	size_t len, at = 0;
	const char *p = conn_output(c, &len);

	while (at < len) {
		struct xsd_sockmsg h;

		memcpy(&h, p + at, sizeof(h));
		at += sizeof(h);
		if (h.type == XS_WATCH_EVENT) {
			size_t have = strlen(events);

			readable(events + have, p + at, h.len);
			strcat(events, "\n");
		} else {
			readable(answer, p + at, h.len);
			if (h.type == XS_ERROR)
				answer[h.len - 1] = 0;
		}
		at += h.len;
	}
	if (len)
		conn_sent(s, c, len);
}

const char *ask(struct store *s, struct conn *c, uint32_t type, uint32_t tx, const char *payload)
{
	char buf[sizeof(struct xsd_sockmsg) + 8192];

	answer[0] = 0;
	conn_input(s, c, buf, wire(buf, type, tx, payload));
	drain(s, c);
	return answer;
}

const char *events_of(struct store *s, struct conn *c)
{
	static char copy[sizeof(events)];

	drain(s, c);
	strcpy(copy, events);
	events[0] = 0;
	return copy;
}

uint32_t start(struct store *s, struct conn *c)
{
	return strtoul(ask(s, c, XS_TRANSACTION_START, 0, "|"), NULL, 10);
}

struct conn *socket_conn(struct store *s, unsigned int n)
{
	return conn_new(s, CONN_SOCKET + n, 0, (struct ring_start){0});
}

struct conn *domain_conn(struct store *s, uint16_t domid)
{
	return domain_introduce(s, domid, 1, 1) ? NULL : conn_find(s, domid);
}
