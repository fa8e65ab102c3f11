/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control commands: what an administrator asks the daemon itself. The daemon's own go to the world.
 */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char buf[XENSTORE_PAYLOAD_MAX];
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n < sizeof(t->buf) - t->len ? (size_t)n : sizeof(t->buf) - t->len - 1;
}

static int number(const char *text, unsigned int *out)
{
	char *end;
	unsigned long v;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	v = strtoul(text, &end, 10);
	if (*end || v > INT32_MAX)
		return -EINVAL;
	*out = v;
	return 0;
}

static int check(struct request *r)
{
	const char *wrong = store_check(r->s);

	if (wrong)
		store_log(r->s, STORE_ERROR, "check: %s", wrong);
	reply_text(r, wrong ? wrong : "OK");
	return 0;
}

static int trace(struct request *r)
{
	char *how = request_string(r, 1);

	if (!how || (strcmp(how, "on") && strcmp(how, "off")))
		return -EINVAL;
	r->s->trace = how[1] == 'n';
	reply_ok(r);
	return 0;
}

static int print(struct request *r)
{
	char *what = request_string(r, 1);

	if (!what)
		return -EINVAL;
	store_log(r->s, STORE_NOTE, "control: %s", what);
	reply_ok(r);
	return 0;
}

static int quota_set(struct request *r)
{
	char *name = request_string(r, 2), *domain = request_string(r, 4);
	unsigned int value, domid;
	struct domain *d;
	int q = name ? quota_find(name) : -EINVAL;

	if (q < 0 || number(request_string(r, 3), &value))
		return -EINVAL;
	if (!domain) {
		r->s->quota[q] = value;
		store_log(r->s, STORE_NOTE, "limit of %s is now %u", name, value);
		reply_ok(r);
		return 0;
	}
	if (number(domain, &domid) || domid > UINT16_MAX)
		return -EINVAL;
	d = domain_find(r->s, domid);
	if (!d)
		return -ENOENT;
	d->own_quota[q] = true;
	d->quota[q] = value;
	store_log(r->s, STORE_NOTE, "domain %u: limit of %s is now %u", domid, name, value);
	reply_ok(r);
	return 0;
}

static unsigned int used(const struct domain *d, enum quota q)
{
	switch (q) {
	case QUOTA_NODES:
		return d->nodes;
	case QUOTA_WATCHES:
		return d->watches;
	case QUOTA_TRANSACTIONS:
		return d->conn ? d->conn->n_transactions : 0;
	case QUOTA_OUTPUT:
		return d->conn ? d->conn->out_len : 0;
	default:
		return 0;
	}
}

static int quota_domain(struct request *r, const char *text)
{
	const struct domain *d;
	struct text t = {.len = 0};
	unsigned int domid;

	if (number(text, &domid) || domid > UINT16_MAX)
		return -EINVAL;
	d = domain_find(r->s, domid);
	if (!d)
		return -ENOENT;
	add(&t, "Domain %u:\n", domid);
	for (int q = 0; q < QUOTA_COUNT; q++)
		add(&t, "%-17s: %8u of %8u%s, refused %llu\n", quota_names[q], used(d, q),
		    domain_quota(r->s, d, q), d->own_quota[q] ? " (its own)" : "",
		    (unsigned long long)d->refused[q]);
	reply_text(r, t.buf);
	return 0;
}

static int quota(struct request *r)
{
	static const char *const meaning[QUOTA_COUNT] = {
		[QUOTA_NODES] = "Nodes per domain",
		[QUOTA_WATCHES] = "Watches per domain",
		[QUOTA_TRANSACTIONS] = "Transactions per domain",
		[QUOTA_TX_NODES] = "Nodes a transaction looks at or changes",
		[QUOTA_NODE_SIZE] = "Bytes of a node's value",
		[QUOTA_PERMISSIONS] = "Permissions per node",
		[QUOTA_PATH_MAX] = "Bytes of a node's path",
		[QUOTA_OUTPUT] = "Bytes waiting for a client before its events are merged",
	};
	char *what = request_string(r, 1);
	struct text t = {.len = 0};

	if (what && !strcmp(what, "set"))
		return quota_set(r);
	if (what)
		return quota_domain(r, what);
	add(&t, "Quota settings:\n");
	for (int q = 0; q < QUOTA_COUNT; q++)
		add(&t, "%-17s: %8u %s\n", quota_names[q], r->s->quota[q], meaning[q]);
	reply_text(r, t.buf);
	return 0;
}

static int quota_soft(struct request *r)
{
	if (request_strings(r) > 1)
		return -EINVAL;
	reply_text(r, "Quota settings:\n");
	return 0;
}

static int stats(struct request *r)
{
	const struct store *s = r->s;
	struct text t = {.len = 0};

	add(&t, "nodes        %u\nconnections  %u\nwatches      %u\ntransactions %u\n", s->nr_nodes,
	    s->nr_conns, s->nr_watches, s->nr_transactions);
	add(&t, "requests     %llu\nconflicts    %llu\nrefusals     %llu\n", (unsigned long long)s->requests,
	    (unsigned long long)s->conflicts, (unsigned long long)s->refusals);
	reply_text(r, t.buf);
	return 0;
}

static int help(struct request *r);

static const struct {
	const char *name;
	int (*handle)(struct request *r); /* NULL: the daemon's */
	const char *arguments;
} commands[] = {
	{"check", check, ""},
	{"log", trace, "on|off"},
	{"live-update", NULL, "-s [-t <timeout>] [-F]"},
	{"logfile", NULL, "<file>"},
	{"memreport", NULL, "[<file>]"},
	{"print", print, "<string>"},
	{"quota", quota, "[set <name> <val> [<domid>]|<domid>]"},
	{"quota-soft", quota_soft, ""},
	{"stats", stats, ""},
	{"compact", NULL, ""},
	{"help", help, ""},
};

static int help(struct request *r)
{
	struct text t = {.len = 0};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		add(&t, "%s\t%s\n", commands[i].name, commands[i].arguments);
	reply_text(r, t.buf);
	return 0;
}

int request_control(struct request *r)
{
	char *name = request_string(r, 0), *answer;
	size_t used_len;

	for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		if (commands[i].handle)
			return commands[i].handle(r);
		used_len = strlen(name) + 1;
		answer = r->s->world->control(r->s->ctx, name, r->body + used_len, r->len - used_len);
		if (!answer)
			return -EINVAL;
		reply_text(r, answer);
		free(answer);
		return 0;
	}
	return -EINVAL;
}
