/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client of the xenstore wire protocol over the daemon's socket (or /dev/xen/xenbus).
 *
 * Replies come in the order of requests, so writes may be pipelined: store_write() inside
 * store_batch_begin/end sends at once and checks all the answers at the end.
 */
#ifndef SERAI_STORE_H
#define SERAI_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

int store_open(struct store **out);
void store_close(struct store *s);
int store_fd(const struct store *s);

/* Transactions: 0 is none. store_tx_end answers -EAGAIN when it must be run again. */
int store_tx_begin(struct store *s, uint32_t *tx);
int store_tx_end(struct store *s, uint32_t tx, bool commit);

/* malloc()ed and NUL-terminated; NULL with errno set. */
char *store_read(struct store *s, uint32_t tx, const char *path);
char *store_readf(struct store *s, uint32_t tx, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int store_read_int(struct store *s, const char *path, long *v);
int store_write(struct store *s, uint32_t tx, const char *path, const char *value);
int store_writef(struct store *s, uint32_t tx, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int store_mkdir(struct store *s, uint32_t tx, const char *path);
int store_rm(struct store *s, uint32_t tx, const char *path);
/* Removes a node and those above it, below `top`, that hold nothing then. */
int store_prune(struct store *s, const char *path, const char *top);
/* Names of the children: a NULL-terminated vector in one malloc()ed block. */
char **store_directory(struct store *s, uint32_t tx, const char *path, unsigned int *n);
/* perms as the protocol spells them, "n0,r5" with a comma between. */
int store_perms(struct store *s, uint32_t tx, const char *path, const char *perms);

int store_batch_begin(struct store *s);
int store_batch_end(struct store *s);

int store_introduce(struct store *s, unsigned int dom, uint64_t mfn, uint32_t port);
int store_release(struct store *s, unsigned int dom);
/* A domain that had shut down runs again: the daemon will announce its next end, too. */
int store_resume(struct store *s, unsigned int dom);

int store_watch(struct store *s, const char *path, const char *token);
int store_unwatch(struct store *s, const char *path, const char *token);
/* Wait for a watch event: 1 with *path malloc()ed (*token lies in it), 0 at the time limit (ms, -1 none). */
int store_event(struct store *s, int timeout_ms, char **path, char **token);

#endif
