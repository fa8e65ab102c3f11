/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command's standard input, output, errors and end over one connection. Each direction is a row of
 * frames: what it is of, a length of three bytes (most significant first), and that many bytes.
 *
 *      client                                     server
 *      stdin   --> | 0 | 03 ff fc | data | -->    the command's stdin
 *              --> | 0 | 00 00 00 |               ... and its end
 *      stdout  <-- | 0 | length | data |  <--     its stdout
 *      stderr  <-- | 1 | length | data |  <--     its stderr
 *              <-- | 2 | 00 00 01 | status | <--  it has ended: the last frame
 *
 * A length of zero ends what it is of, and nothing else. A connection that ends before the status was
 * cut, whatever TLS libraries make of a closed socket.
 */
#ifndef SERAI_RELAY_H
#define SERAI_RELAY_H

#include <stddef.h>
#include <sys/types.h>

/* What a frame carries at most; with its header it fills a whole number of TLS records. */
#define RELAY_FRAME (256 * 1024 - 4)

/* The connection: non-blocking, -EAGAIN when nothing can be done, 0 from read at its end. */
struct relay_link {
	void *arg;
	int fd; /* for poll */
	ssize_t (*read)(void *arg, void *buf, size_t len);
	ssize_t (*write)(void *arg, const void *buf, size_t len);
};

/* This side's ends, all closed when it is over; -1: there is none. */
struct relay_ends {
	int in[2];   /* what goes out: data, errors */
	int out[2];  /* where that goes which comes in: data, errors */
	pid_t child; /* server: the command; 0 once it was waited for. Client: 0 */
	int status;  /* of the command: its exit status, 128 and more when a signal ended it */
};

/* Waits until a child of ours has ended: its exit status, or 128 and the signal that ended it. */
int child_wait(pid_t pid);

/*
 * Until the command has ended and all it wrote is over there. `early`: bytes of the connection that
 * were read already. 0: orderly end; -ECONNRESET: the connection was cut; -EPROTO: what came is no
 * row of frames; -EPIPE: nobody reads this client's output any more. After a failure the server's
 * child may still be there, its pipes closed.
 */
int relay_run(const struct relay_link *net, struct relay_ends *ends, const void *early, size_t early_len);

#endif
