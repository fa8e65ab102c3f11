/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs: running one to its end, and waiting for the end of one. */
#ifndef SERAI_PROCESS_H
#define SERAI_PROCESS_H

#include <sys/types.h>

/*
 * Run argv[0], found by $PATH, with nothing to read and nothing to say; errors are heard where `loud`. Its exit
 * status (127: it cannot be run; 128: a signal ended it), or -errno: no process.
 */
int program_run(const char *const argv[], int loud);
/*
 * Until a process ends, at most ms milliseconds (negative: however long it takes). 1: it ended, with *status as waitpid()
 * gives it if it is our child (status may be NULL); 0: not within the time; -ESRCH: there is no such process.
 */
int process_wait(pid_t pid, int ms, int *status);

#endif
