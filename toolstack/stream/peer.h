/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of a move: a command (ssh, or any) whose standard input and output lead there.
 * Lines of text frame the hand-over; the stream goes between them.
 */
#ifndef SERAI_PEER_H
#define SERAI_PEER_H

#include "../lib/serai.h"

#include <signal.h>
#include <sys/types.h>

#define MOVE_PROTOCOL "serai-migrate 2 ready"

struct peer {
	int to, from;
	pid_t pid;
};

/* Set by a signal: a wait that is interrupted by it ends with -ECANCELED. */
extern volatile sig_atomic_t move_cancelled;

int peer_start(struct serai *s, const char *command, struct peer *p);
/* Closes both ways and waits for the command to end. */
void peer_stop(struct peer *p);

/* One line, without its newline. -EPIPE: the other side closed; -ETIMEDOUT. timeout_ms < 0: none.
 */
int line_get(int fd, char *buf, size_t len, int timeout_ms);
int line_put(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The line must be `word`; "refuse WHY" becomes the error. */
int line_expect(struct serai *s, int fd, const char *word, const char *host, int timeout_ms);

#endif
