/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent does nothing to the host itself: every operation is the `serai` command, in a process of
 * its own, so that what a command forgets to free or to close ends with it.
 */
#ifndef SERAI_AGENT_RUN_H
#define SERAI_AGENT_RUN_H

#include <stddef.h>
#include <sys/types.h>

struct outcome {
	int status; /* exit status; 128 and more: killed, or it did not end in time */
	char *out;  /* both malloc()ed, with a zero byte behind */
	size_t out_len;
	char *err;
	size_t err_len;
};

/* argv[0] is a path; its input is empty. Negative errno: it did not start. */
int run_command(const char *const argv[], struct outcome *o);
void outcome_free(struct outcome *o);

struct stream_child {
	pid_t pid;
	int in, out, err; /* this side of its standard input, output and errors, non-blocking */
};

int run_stream(const char *const argv[], struct stream_child *c);

#endif
