/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file: a snapshot of the store followed by everything that has happened to it since, in
 * one file that is mapped and lives in memory (tmpfs).
 *
 *	+--------+----------------------+--------------------------+······
 *	| header | snapshot records     | input, sent, answer, ... |  room
 *	+--------+----------------------+--------------------------+······
 *	                                                     tail ─┘
 *
 * Invariant: what lies before `tail` is whole. A record is written behind it first and counts when
 * tail moves, one aligned store; a process may end anywhere, its file is good. A new snapshot is
 * written to another file, which then takes the name.
 */
#ifndef XENSTORED_JOURNAL_H
#define XENSTORED_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_type {
	/* a snapshot */
	REC_STORE = 1,
	REC_DOMAIN,
	REC_NODE,
	REC_CONN,
	REC_WATCH,
	REC_TRANSACTION,
	REC_END, /* the snapshot is whole */
	/* what happened */
	REC_INPUT = 16,
	REC_SENT,
	REC_OPEN,
	REC_CLOSE,
	REC_RESET,
	REC_FAIL,
	REC_SELF,
	REC_EVENT,
	REC_ANSWER,
	REC_SKIPPED, /* input that ended the process more than once */
};

struct record {
	uint32_t len; /* of the payload; the next record begins at a multiple of 8 */
	uint16_t type;
	uint16_t aux;
	char data[];
};

struct journal;

/* A new, empty file under `path`; 0 or a negative errno. */
int journal_create(struct journal **out, const char *path);
/* One that is there: -ENOENT, or -EINVAL when it is none of ours. */
int journal_open(struct journal **out, const char *path);
void journal_close(struct journal *j);
/* Give the file another name, which it takes from whatever has it. */
int journal_rename(struct journal *j, const char *path);
/* Make sure that `len` more bytes fit; -ENOSPC when they do not. */
int journal_reserve(struct journal *j, size_t len);
size_t journal_size(const struct journal *j);

/* Space for the payload of a new record; it counts when it is committed. */
void *journal_begin(struct journal *j, enum record_type type, uint16_t aux, size_t len);
void journal_commit(struct journal *j);

/* Records in order; NULL after the last. Starts over with journal_rewind(). */
const struct record *journal_next(struct journal *j);
void journal_rewind(struct journal *j);
/* Was the record read last being worked on when the last process ended? */
bool journal_suspect(const struct journal *j);
/* How many times work on the record read last, or written last, was begun and not ended. */
unsigned int journal_attempt(struct journal *j);
void journal_done(struct journal *j);

#endif
