/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log file with a limit: NAME.log is what is written now, NAME.log.1 what was before it, and so
 * on up to NAME.log.KEEP. No file grows beyond its limit; a file ends with a whole line where there
 * is one.
 */
#ifndef SERAI_CONSOLED_LOG_H
#define SERAI_CONSOLED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_policy {
	int dir;           /* a directory, open; -1: no logs at all */
	uint64_t limit;    /* bytes a file */
	unsigned int keep; /* older files kept, 0 to LOG_KEEP_MAX */
	gid_t group;       /* may read them; (gid_t)-1: nobody but the owner */
};
#define LOG_KEEP_MAX 99

struct logfile {
	const struct log_policy *policy;
	char name[160]; /* without directory, with .log */
	int fd;         /* -1: closed, or could not be opened */
	uint64_t size;
	bool stamp, line_start;
	uint64_t lost; /* bytes that could not be written since the last success */
	int error;     /* why, negative errno */
};

/* Does not open anything yet: a guest that says nothing has no file. `stamp`: time before every
 * line. */
void log_init(struct logfile *l, const struct log_policy *p, const char *name, bool stamp);
/* 0, or a negative errno when some of it could not be written; the next call tries again. */
int log_write(struct logfile *l, const char *p, size_t n, int64_t now_s);
/* Somebody moved the file away (SIGHUP), or the log goes on under another name. */
void log_close(struct logfile *l);
void log_rename(struct logfile *l, const char *name);

#endif
