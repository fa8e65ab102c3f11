/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs: running one to its end, and waiting for the end of one. */
#ifndef SERAI_PROCESS_H
#define SERAI_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Milliseconds since some moment: no clock that is set changes them. */
long clock_ms(void);
/* The exit status of a child, when it has ended; 128 and the signal's number if one ended it; -ECHILD: it is none. */
int process_status(pid_t pid);
/*
 * Run argv[0], found by $PATH, with nothing to read and nothing to say; errors are heard where `loud`. Its status as
 * process_status() has it (127: it cannot be run), or -EAGAIN, -ENOMEM: no process.
 */
int program_run(const char *const argv[], bool loud);
/*
 * Until a process ends, at most ms milliseconds (negative: however long it takes). 1: it ended, with *status as waitpid()
 * gives it if it is our child (status may be NULL); 0: not within the time; -ESRCH: there is no such process.
 */
int process_wait(pid_t pid, int ms, int *status);

#endif
