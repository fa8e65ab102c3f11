/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guardian: a process that does nothing but wait for its ward to end, and cleans up after it when
 * it ended without saying that all is done. It is what survives kill -9 of the command that moves a
 * domain.
 *
 *   command ---- notes (a pipe) ----> guardian
 *      |                                 |
 *   killed ----- end of the pipe ------->| acts on the last note
 *
 * Notes are fixed-size and shorter than PIPE_BUF, so each arrives whole.
 */
#ifndef SERAI_GUARDIAN_H
#define SERAI_GUARDIAN_H

#include "serai.h"

#include <sys/types.h>

struct guardian_note {
	uint32_t phase; /* 0: nothing to do */
	domid_t dom;
};

struct guardian {
	int fd;
	pid_t pid;
};

/*
 * Start one. `act` runs in the guardian, with a session of its own, when the ward has ended and the
 * last note's phase is not 0. Its messages go to the log called `log`. It shares the lock `lock`
 * (name_lock; -1: none) with the ward, so that nobody else takes it before `act` is done: from the ward's end on
 * the lock's file says "settling". Start it before any descriptor is opened whose closing somebody waits for.
 */
int guardian_start(struct serai *s, struct guardian *g, const char *log, int lock,
		   void (*act)(struct serai *own, void *arg, const struct guardian_note *last), void *arg);
int guardian_note(struct guardian *g, uint32_t phase, domid_t dom);
/* All is done: the guardian ends without acting. */
void guardian_end(struct guardian *g);
/* Point the standard streams of a background process at /dev/null and the log of that name. */
void background_streams(const char *log);

#endif
