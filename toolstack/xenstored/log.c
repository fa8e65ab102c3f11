/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the daemon's lines go: a file when one was named, else the system log; a terminal as well.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static int log_fd = -1;
static bool to_terminal;

int log_file_set(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (log_fd >= 0)
		close(log_fd);
	log_fd = fd;
	return 0;
}

void log_start(const struct options *o)
{
	to_terminal = o->foreground;
	openlog("xenstored", LOG_PID, LOG_DAEMON);
	if (o->log_file && log_file_set(o->log_file))
		log_line(STORE_ERROR, "log file %s: %s", o->log_file, strerror(errno));
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[700], when[32] = "";
	struct timespec now;
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?'; /* much of this comes from guests */
	if (log_fd < 0 && !to_terminal) {
		syslog(level == STORE_ERROR  ? LOG_ERR
		       : level == STORE_NOTE ? LOG_NOTICE
					     : LOG_DEBUG,
		       "%s", text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	dprintf(log_fd < 0 ? STDERR_FILENO : log_fd, "%s.%03ldZ xenstored[%d] %s\n", when,
		now.tv_nsec / 1000000, getpid(), text);
}
