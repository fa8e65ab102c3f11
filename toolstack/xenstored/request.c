/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: a table of handlers by type. A handler checks its arguments, acts, and replies; what it
 * returns otherwise is the error reply.
 *
 * A payload that lacks its NUL is answered as Xen's daemon does: reading requests find nothing
 * there.
 */
#include <errno.h> /* before xs_wire.h, whose table of names it brings out */
#include "store.h"
#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reply(struct request *r, const void *data, size_t len)
{
	struct xsd_sockmsg h = *r->h;

	h.len = len;
	conn_queue(r->s, r->c, &h, data);
}

void reply_text(struct request *r, const char *text)
{
	reply(r, text, strlen(text) + 1);
}

void reply_ok(struct request *r)
{
	reply_text(r, "OK");
}

static void reply_error(struct request *r, int err)
{
	const char *name = "EINVAL";
	struct xsd_sockmsg h = *r->h;

	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (xsd_errors[i].errnum == -err)
			name = xsd_errors[i].errstring;
	h.type = XS_ERROR;
	h.len = strlen(name) + 1;
	conn_queue(r->s, r->c, &h, name);
}

size_t request_strings(const struct request *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->len; i++)
		n += !r->body[i];
	return n;
}

char *request_string(const struct request *r, size_t n)
{
	char *p = r->body, *end = r->body + r->len;

	for (; p < end; n--) {
		char *nul = memchr(p, 0, end - p);

		if (!nul)
			return NULL;
		if (!n)
			return p;
		p = nul + 1;
	}
	return NULL;
}

/* The only string of the payload, as an absolute path. */
static int only_path(const struct request *r, char *path)
{
	char *text = request_string(r, 0);

	if (r->len && (!text || request_strings(r) != 1 || text[r->len - 1]))
		return -ENOENT;
	return path_resolve(text ? text : "", r->c->domain->domid, path);
}

static int node_path(const struct request *r, char *path)
{
	int rc = only_path(r, path);

	return !rc && path_special(path) ? -EINVAL : rc;
}

static int do_read(struct request *r)
{
	char path[PATH_BYTES];
	const struct node *n = NULL;
	int rc = node_path(r, path);

	if (!rc)
		rc = node_get(r->s, r->c, r->tx, path, PERM_READ, ACCESS_VALUE, &n);
	if (!rc)
		reply(r, n->value, n->len);
	return rc;
}

/* The names of a node's children, each followed by a NUL, from `offset` of the whole list on. */
static size_t kids_text(const struct node *n, size_t offset, char *out, size_t room, bool *end)
{
	size_t at = 0, len = 0;

	*end = true;
	for (unsigned int i = 0; i < n->nkids; i++) {
		size_t name = strlen(n->order[i]->name) + 1;

		if (at >= offset) {
			if (len + name > room) {
				*end = false;
				return len;
			}
			memcpy(out + len, n->order[i]->name, name);
			len += name;
		}
		at += name;
	}
	return len;
}

static int do_directory(struct request *r)
{
	char path[PATH_BYTES], list[XENSTORE_PAYLOAD_MAX];
	const struct node *n = NULL;
	size_t len;
	bool end;
	int rc = node_path(r, path);

	if (!rc)
		rc = node_get(r->s, r->c, r->tx, path, PERM_READ, ACCESS_KIDS, &n);
	if (rc)
		return rc;
	len = kids_text(n, 0, list, sizeof(list), &end);
	if (!end)
		return -E2BIG;
	reply(r, list, len);
	return 0;
}

static int do_directory_part(struct request *r)
{
	char path[PATH_BYTES], list[XENSTORE_PAYLOAD_MAX];
	char *text = request_string(r, 0), *offset = request_string(r, 1);
	const struct node *n = NULL;
	size_t len;
	bool end;
	int rc;

	if (!text || !offset || request_strings(r) != 2)
		return -EINVAL;
	rc = path_resolve(text, r->c->domain->domid, path);
	if (!rc && path_special(path))
		rc = -EINVAL;
	if (!rc)
		rc = node_get(r->s, r->c, r->tx, path, PERM_READ, ACCESS_KIDS, &n);
	if (rc)
		return rc;
	len = snprintf(list, sizeof(list), "%" PRIu64, n->kids_gen) + 1;
	len += kids_text(n, strtoul(offset, NULL, 10), list + len, sizeof(list) - len - 1, &end);
	if (end)
		list[len++] = 0; /* an empty name: that was all */
	reply(r, list, len);
	return 0;
}

static int do_write(struct request *r)
{
	char path[PATH_BYTES], *text = request_string(r, 0);
	size_t used;
	int rc;

	if (!text)
		return -EINVAL;
	used = strlen(text) + 1;
	rc = path_resolve(text, r->c->domain->domid, path);
	if (!rc && path_special(path))
		rc = -EINVAL;
	if (!rc)
		rc = node_write(r->s, r->c, r->tx, path, r->body + used, r->len - used);
	if (!rc)
		reply_ok(r);
	return rc;
}

static int do_mkdir(struct request *r)
{
	char path[PATH_BYTES];
	int rc = node_path(r, path);

	if (!rc)
		rc = node_mkdir(r->s, r->c, r->tx, path);
	if (!rc)
		reply_ok(r);
	return rc;
}

static int do_rm(struct request *r)
{
	char path[PATH_BYTES];
	int rc = node_path(r, path);

	if (!rc)
		rc = node_remove(r->s, r->c, r->tx, path);
	if (!rc)
		reply_ok(r);
	return rc;
}

static int do_get_perms(struct request *r)
{
	char path[PATH_BYTES], list[XENSTORE_PAYLOAD_MAX];
	const struct node *n = NULL;
	size_t len = 0;
	int rc = node_path(r, path);

	if (!rc)
		rc = node_get(r->s, r->c, r->tx, path, PERM_READ, ACCESS_PERMS, &n);
	if (rc)
		return rc;
	for (size_t i = 0; i < n->perms.n && len + PERM_TEXT_MAX < sizeof(list); i++)
		len += perm_print(&n->perms.list[i], list + len) + 1;
	reply(r, list, len);
	return 0;
}

static int set_special_perms(struct request *r, const char *name, const struct perms *p)
{
	struct perms *special;

	if (!conn_privileged(r->c))
		return -EACCES;
	if (!strcmp(name, "@introduceDomain"))
		special = &r->s->introduce_perms;
	else if (!strcmp(name, "@releaseDomain"))
		special = &r->s->release_perms;
	else
		return -EINVAL;
	perms_free(special);
	*special = perms_copy(p);
	return 0;
}

/* An owner has to exist: nobody else could ever clean up after it. */
static bool owner_exists(struct request *r, uint16_t domid)
{
	const struct domain *d = domain_find(r->s, domid);

	return !domid || (d && d->introduced) || r->s->world->domain_exists(r->s->ctx, domid);
}

static int do_set_perms(struct request *r)
{
	char path[PATH_BYTES], *text = request_string(r, 0);
	size_t n = request_strings(r);
	struct perms p;
	int rc;

	if (n < 2)
		return -EINVAL;
	rc = path_resolve(text, r->c->domain->domid, path);
	if (rc)
		return rc;
	p.n = n - 1;
	p.list = new_array(p.n, sizeof(*p.list));
	for (size_t i = 0; i < p.n && !rc; i++)
		rc = perm_parse(request_string(r, i + 1), &p.list[i]);
	if (!rc && path_special(path))
		rc = set_special_perms(r, path, &p);
	else if (!rc && !owner_exists(r, p.list[0].domid))
		rc = -ENOENT;
	else if (!rc)
		rc = node_set_perms(r->s, r->c, r->tx, path, &p);
	perms_free(&p);
	if (!rc)
		reply_ok(r);
	return rc;
}

/* A watch's path and token; both may not be missing. */
static int watch_arguments(const struct request *r, char *path)
{
	if (request_strings(r) < 2)
		return -EINVAL;
	return path_resolve(request_string(r, 0), r->c->domain->domid, path);
}

static int do_watch(struct request *r)
{
	char path[PATH_BYTES], *depth = request_string(r, 2);
	struct watch *w;
	int rc = watch_arguments(r, path), levels = -1;

	if (rc)
		return rc;
	if (depth && *depth) {
		if (strspn(depth, "0123456789") != strlen(depth) || strlen(depth) > 4)
			return -EINVAL;
		levels = atoi(depth);
	}
	if (path_special(path) && levels > 1)
		return -EINVAL;
	rc = watch_add(r->s, r->c, request_string(r, 0), path, request_string(r, 1), levels, &w);
	if (rc)
		return rc;
	reply_ok(r);
	conn_event(r->s, w, w->given);
	return 0;
}

static int do_unwatch(struct request *r)
{
	char path[PATH_BYTES];
	int rc = watch_arguments(r, path);

	if (!rc)
		rc = watch_remove(r->s, r->c, path, request_string(r, 1));
	if (!rc)
		reply_ok(r);
	return rc;
}

static int do_reset_watches(struct request *r)
{
	watch_remove_all(r->s, r->c);
	transaction_drop_all(r->s, r->c);
	reply_ok(r);
	return 0;
}

static int do_start(struct request *r)
{
	char text[16];
	uint32_t id;
	int rc;

	if (r->tx)
		return -EBUSY;
	rc = transaction_start(r->s, r->c, &id);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%u", id);
	reply_text(r, text);
	return 0;
}

static int do_end(struct request *r)
{
	char *how = request_string(r, 0);
	int rc;

	if (!how || (strcmp(how, "T") && strcmp(how, "F")))
		return -EINVAL;
	if (!r->tx)
		return -ENOENT;
	rc = transaction_end(r->s, r->c, r->tx, *how == 'T');
	if (!rc)
		reply_ok(r);
	return rc;
}

#define NO_TX 1u  /* means the same inside and outside a transaction */
#define ONLY_0 2u /* the control domain's */

static const struct {
	const char *name;
	int (*handle)(struct request *r);
	unsigned int flags;
} table[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {"CONTROL", request_control, NO_TX | ONLY_0},
	[XS_DIRECTORY] = {"DIRECTORY", do_directory, 0},
	[XS_READ] = {"READ", do_read, 0},
	[XS_GET_PERMS] = {"GET_PERMS", do_get_perms, 0},
	[XS_WATCH] = {"WATCH", do_watch, NO_TX},
	[XS_UNWATCH] = {"UNWATCH", do_unwatch, NO_TX},
	[XS_TRANSACTION_START] = {"TRANSACTION_START", do_start, 0},
	[XS_TRANSACTION_END] = {"TRANSACTION_END", do_end, 0},
	[XS_INTRODUCE] = {"INTRODUCE", request_introduce, NO_TX | ONLY_0},
	[XS_RELEASE] = {"RELEASE", request_release, NO_TX | ONLY_0},
	[XS_GET_DOMAIN_PATH] = {"GET_DOMAIN_PATH", request_domain_path, 0},
	[XS_WRITE] = {"WRITE", do_write, 0},
	[XS_MKDIR] = {"MKDIR", do_mkdir, 0},
	[XS_RM] = {"RM", do_rm, 0},
	[XS_SET_PERMS] = {"SET_PERMS", do_set_perms, 0},
	[XS_IS_DOMAIN_INTRODUCED] = {"IS_DOMAIN_INTRODUCED", request_introduced, 0},
	[XS_RESUME] = {"RESUME", request_resume, NO_TX | ONLY_0},
	[XS_SET_TARGET] = {"SET_TARGET", request_target, NO_TX | ONLY_0},
	[XS_RESET_WATCHES] = {"RESET_WATCHES", do_reset_watches, NO_TX},
	[XS_DIRECTORY_PART] = {"DIRECTORY_PART", do_directory_part, 0},
};

static int dispatch(struct request *r)
{
	if (r->h->type >= XS_TYPE_COUNT || !table[r->h->type].handle)
		return -ENOSYS;
	if (!(table[r->h->type].flags & NO_TX) && r->h->tx_id) {
		r->tx = transaction_find(r->c, r->h->tx_id);
		if (!r->tx)
			return -ENOENT;
	}
	if (table[r->h->type].flags & ONLY_0 && !conn_privileged(r->c))
		return -EACCES;
	return table[r->h->type].handle(r);
}

void request_handle(struct store *s, struct conn *c, const struct xsd_sockmsg *h, char *body)
{
	struct request r = {.s = s, .c = c, .h = h, .body = body, .len = h->len};
	int rc;

	s->requests++;
	rc = dispatch(&r);
	store_log(s, STORE_TRACE, "domain %u conn %#x: %s tx %u \"%.100s\": %s", c->domain->domid, c->id,
		  h->type < XS_TYPE_COUNT && table[h->type].name ? table[h->type].name : "?", h->tx_id, body,
		  rc ? strerror(-rc) : "OK");
	if (rc)
		reply_error(&r, rc);
}
