/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: tree, connections, transactions, watches, accounts. Pure: no descriptor, no clock, no
 * hypervisor; what it wants from outside it asks of `struct world`.
 *
 * Invariant: the store is a function of the calls made to it and of the answers of the world. A
 * journal that has both makes the same store again, byte for byte of every connection's output.
 *
 *	bytes in ──► conn_input ──► request ──► tree, watches, ... ──► conn->out ──► conn_sent
 *
 * One thread; no locks.
 */
#ifndef XENSTORED_STORE_H
#define XENSTORED_STORE_H

#include "path.h"
#include "tree.h"

#include <stdarg.h>
#include <xen/io/xs_wire.h>

struct store;
struct conn;

enum quota {
	QUOTA_NODES,        /* nodes a domain owns */
	QUOTA_WATCHES,      /* watches it has */
	QUOTA_TRANSACTIONS, /* transactions it has open */
	QUOTA_TX_NODES,     /* nodes one transaction touches */
	QUOTA_NODE_SIZE,    /* bytes of one value */
	QUOTA_PERMISSIONS,  /* entries of one node's list */
	QUOTA_PATH_MAX,     /* bytes of a path */
	QUOTA_OUTPUT,       /* bytes that wait for the client before events are merged */
	QUOTA_COUNT
};
extern const char *const quota_names[QUOTA_COUNT];

/* One client domain, or any domain that owns nodes. */
struct domain {
	uint16_t domid;
	uint16_t target; /* its own id when it acts for nobody */
	bool introduced, shut_down;
	uint64_t gfn;
	uint32_t port;
	struct conn *conn;
	unsigned int nodes, watches;
	bool own_quota[QUOTA_COUNT];
	unsigned int quota[QUOTA_COUNT];
	uint64_t refused[QUOTA_COUNT]; /* how often each limit was hit */
	struct domain *next, *next_hash;
};

struct watch {
	struct watch *next_path, *next_conn;
	struct conn *conn;
	uint64_t serial; /* by creation, which is the order of both lists */
	char *path;      /* absolute */
	char *given;     /* as the client wrote it */
	char *token;
	int depth;   /* -1: any */
	bool missed; /* an event found no room; one for `path` is owed */
};

struct change;
struct access;

struct transaction {
	struct transaction *next;
	uint32_t id;
	bool doomed; /* lost its snapshot: ends with EAGAIN */
	struct node *base, *root;
	struct access *accesses; /* sorted by path */
	size_t n_accesses, room_accesses;
	struct change *changes;
	size_t n_changes, room_changes;
	struct {
		uint16_t domid;
		int nodes;
	} * delta; /* what the changes do to accounts */
	size_t n_delta;
};

/* A connection's identity: a domain's is its id, a socket's is from CONN_SOCKET up. */
#define CONN_SOCKET 0x10000u

struct conn {
	struct conn *next, *next_hash;
	uint32_t id;
	struct domain *domain; /* domain 0 for a socket */
	struct watch *watches;
	struct transaction *transactions;
	uint32_t next_tx;
	unsigned int n_transactions;
	int error;   /* XENSTORE_ERROR_*: nothing more is heard or said */
	bool missed; /* some watch has `missed` set */
	/* What has arrived of the next message, and its place in the client's stream. */
	char in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
	size_t in_len;
	uint32_t in_pos; /* bytes taken from the client so far */
	/* What waits to be sent; out[out_head] is byte out_pos of the client's stream. */
	char *out;
	size_t out_head, out_len, out_room;
	uint32_t out_pos;
	void *transport; /* of the caller */
	bool queued;     /* the caller has it on a list */
};

/* Where a ring's streams stood when the domain was introduced. */
struct ring_start {
	uint32_t in_pos, out_pos;
};

enum log_level { STORE_ERROR, STORE_NOTE, STORE_TRACE };

struct world {
	void (*log)(void *ctx, enum log_level level, const char *text);
	/* Is there a domain of this id? */
	bool (*domain_exists)(void *ctx, uint16_t domid);
	/* Connect a domain's ring: 0 or a negative errno. */
	int (*introduce)(void *ctx, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *start);
	/* The event channel of a domain introduced before is to be bound again. */
	int (*rebind)(void *ctx, uint16_t domid, uint32_t port);
	void (*release)(void *ctx, uint16_t domid);
	/* The connection has something to send, or has failed. */
	void (*ready)(void *ctx, struct conn *c);
	/* A control command that is the daemon's, not the store's: text to answer, malloc()ed, or
	 * NULL. */
	char *(*control)(void *ctx, const char *command, const char *args, size_t len);
};

#define CONN_BUCKETS 1024
#define WATCH_BUCKETS 4096
#define DOMAIN_BUCKETS 256

struct store {
	const struct world *world;
	void *ctx;
	struct node *root;
	uint64_t gen, watch_serial;
	struct perms introduce_perms, release_perms;
	struct conn *conns, *by_id[CONN_BUCKETS];
	struct watch *by_path[WATCH_BUCKETS];
	unsigned int nr_conns, nr_watches, nr_transactions, nr_nodes;
	struct domain *domains; /* by id, ascending */
	struct domain *by_domid[DOMAIN_BUCKETS];
	unsigned int quota[QUOTA_COUNT];
	uint64_t requests, refusals, conflicts;
	bool trace;
};

/* -------- the whole (store.c) -------- */
struct store *store_new(const struct world *world, void *ctx);
void store_free(struct store *s);
void store_log(struct store *s, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -------- connections (conn.c) -------- */
struct conn *conn_new(struct store *s, uint32_t id, uint16_t domid, struct ring_start start);
void conn_free(struct store *s, struct conn *c);
struct conn *conn_find(const struct store *s, uint32_t id);
/* Forget watches, transactions and everything on its way, as if the connection were new. */
void conn_reset(struct store *s, struct conn *c, struct ring_start start);
/* Bytes from the client: every message they complete is acted on. */
void conn_input(struct store *s, struct conn *c, const void *data, size_t len);
/* Bytes the client still has to get, and how many; then how many it got. */
const void *conn_output(const struct conn *c, size_t *len);
void conn_sent(struct store *s, struct conn *c, size_t len);
void conn_fail(struct store *s, struct conn *c, int error);
/* Room for no more events: they are merged until it has been emptied. */
bool conn_full(const struct store *s, const struct conn *c);
void conn_queue(struct store *s, struct conn *c, const struct xsd_sockmsg *h, const void *body);
/* Queue an event; never fails, see `missed`. */
void conn_event(struct store *s, struct watch *w, const char *path);
struct who conn_who(const struct conn *c);
static inline bool conn_privileged(const struct conn *c)
{
	return !c->domain->domid;
}

/* -------- domains and quotas (domain.c) -------- */
struct domain *domain_find(const struct store *s, uint16_t domid);
struct domain *domain_get(struct store *s, uint16_t domid);
unsigned int domain_quota(const struct store *s, const struct domain *d, enum quota q);
/* May an unprivileged client have `want` of something? Counts and logs a refusal. 0 means no limit.
 */
bool quota_allows(struct store *s, struct domain *d, enum quota q, unsigned int want);
int quota_find(const char *name);
int domain_introduce(struct store *s, uint16_t domid, uint64_t gfn, uint32_t port);
int domain_release(struct store *s, uint16_t domid);
/* Facts from outside: it has shut down; it is dying and its ring is to be let go; it is no more. */
void domain_shut_down(struct store *s, uint16_t domid);
void domain_dying(struct store *s, uint16_t domid);
void domain_gone(struct store *s, uint16_t domid);

/* -------- watches (watch.c) -------- */
int watch_add(struct store *s, struct conn *c, const char *given, const char *path, const char *token,
	      int depth, struct watch **out);
/* Without asking for leave. */
struct watch *watch_new(struct store *s, struct conn *c, const char *given, const char *path,
			const char *token, int depth);
int watch_remove(struct store *s, struct conn *c, const char *path, const char *token);
void watch_remove_all(struct store *s, struct conn *c);
/*
 * A node has changed: tell who watches it or something above it, and may read it now (`now`), or
 * could before (`before`), or may read its parent. `exact`: only who watches this very path.
 */
void watch_fire(struct store *s, const char *path, const struct perms *now, const struct perms *before,
		bool exact);
void watch_fire_special(struct store *s, const char *name, uint16_t domid);

/* -------- nodes as a client sees them (node.c) -------- */
/* `t` NULL: the live tree. Each notes in the transaction what it has looked at. */
int node_get(struct store *s, struct conn *c, struct transaction *t, const char *path, unsigned int need,
	     unsigned int access, const struct node **out);
int node_write(struct store *s, struct conn *c, struct transaction *t, const char *path, const void *value,
	       size_t len);
int node_mkdir(struct store *s, struct conn *c, struct transaction *t, const char *path);
int node_remove(struct store *s, struct conn *c, struct transaction *t, const char *path);
int node_set_perms(struct store *s, struct conn *c, struct transaction *t, const char *path,
		   const struct perms *perms);
/* Everything below (and with) path goes; accounts are kept, and watches told if wanted. */
void live_remove(struct store *s, const char *path, bool fire);
/* Watches on and above `path`, and on what was below it: n is how it was. */
void tell_removed(struct store *s, const char *path, const struct node *n);
/* Changes to the live tree: accounts are kept; watches are told by the caller. */
void live_create(struct store *s, const char *path, const void *value, size_t len, const struct perms *perms);
void live_set_perms(struct store *s, const char *path, const struct perms *perms);

/* -------- transactions (transaction.c) -------- */
#define ACCESS_EXISTS 0u
#define ACCESS_VALUE 1u
#define ACCESS_PERMS 2u
#define ACCESS_KIDS 4u
enum change_kind { CHANGE_VALUE, CHANGE_CREATE, CHANGE_PERMS, CHANGE_REMOVE };
int transaction_start(struct store *s, struct conn *c, uint32_t *id);
struct transaction *transaction_find(struct conn *c, uint32_t id);
/* 0 when it is done, or -EAGAIN, -ENOSPC; gone in any case. */
int transaction_end(struct store *s, struct conn *c, struct transaction *t, bool commit);
void transaction_drop_all(struct store *s, struct conn *c);
/* A transaction that lost its snapshot: it sees the tree as it is now, and will end with EAGAIN. */
void transaction_doomed(struct store *s, struct conn *c, uint32_t id);
void transaction_doom(struct store *s, struct transaction *t);
/* What it depends on; -ENOSPC when that is too much. */
int transaction_note(struct store *s, struct conn *c, struct transaction *t, const char *path,
		     unsigned int access);
/* What it does, to its own tree now and to the live one when it ends well. perms or value may be
 * NULL. */
void transaction_change(struct store *s, struct transaction *t, enum change_kind kind, const char *path,
			const void *value, size_t len, const struct perms *perms);
int transaction_delta(const struct transaction *t, uint16_t domid);

/* -------- requests (request.c, request_domain.c, control.c) -------- */
struct request {
	struct store *s;
	struct conn *c;
	const struct xsd_sockmsg *h;
	char *body; /* followed by a NUL that is not part of it */
	size_t len;
	struct transaction *tx;
};
void request_handle(struct store *s, struct conn *c, const struct xsd_sockmsg *h, char *body);
void reply(struct request *r, const void *data, size_t len);
void reply_text(struct request *r, const char *text);
void reply_ok(struct request *r);
/* The n-th NUL-terminated string of the body, or NULL. */
char *request_string(const struct request *r, size_t n);
size_t request_strings(const struct request *r);
int request_introduce(struct request *r);
int request_release(struct request *r);
int request_domain_path(struct request *r);
int request_introduced(struct request *r);
int request_resume(struct request *r);
int request_target(struct request *r);
int request_control(struct request *r);

/* -------- self-check (check.c) -------- */
/* Compares counts with what they count; NULL, or what is wrong. */
const char *store_check(const struct store *s);

#endif
