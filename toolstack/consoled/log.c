/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Size-capped logs. The daemon may run as root in a directory others can read: files are opened
 * below the directory's descriptor, never through a symbolic link, and only if they are files.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void log_init(struct logfile *l, const struct log_policy *p, const char *name, bool stamp)
{
	memset(l, 0, sizeof(*l));
	l->policy = p;
	l->fd = -1;
	l->stamp = stamp;
	l->line_start = true;
	log_rename(l, name);
}

void log_rename(struct logfile *l, const char *name)
{
	log_close(l);
	snprintf(l->name, sizeof(l->name), "%s.log", name);
	/* A name is a file here and nothing else, whatever a guest is called. */
	for (char *c = l->name; *c; c++)
		if (*c == '/' || (c == l->name && *c == '.'))
			*c = '_';
}

void log_close(struct logfile *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int log_open(struct logfile *l)
{
	const struct log_policy *p = l->policy;
	struct stat st;
	int fd = openat(p->dir, l->name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0640);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	/* A log nobody but root can read is still a log. */
	if (st.st_size == 0 && p->group != (gid_t)-1 && fchown(fd, -1, p->group) < 0)
		(void)fchmod(fd, 0600);
	l->fd = fd;
	l->size = st.st_size;
	return 0;
}

static int log_rotate(struct logfile *l)
{
	char from[192], to[192];
	int dir = l->policy->dir;

	log_close(l);
	for (unsigned int i = l->policy->keep; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", l->name, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%u", l->name, i - 1);
		else
			snprintf(from, sizeof(from), "%s", l->name);
		if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
			return -errno;
	}
	if (l->policy->keep == 0 && unlinkat(dir, l->name, 0) < 0 && errno != ENOENT)
		return -errno;
	return log_open(l);
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		n -= w;
	}
	return 0;
}

/* How much of p[0..n) this file still takes: whole lines if any fits, all of a piece if the file is
 * empty. */
static size_t fits(const struct logfile *l, const char *p, size_t n)
{
	uint64_t room = l->policy->limit > l->size ? l->policy->limit - l->size : 0;
	const char *nl;

	if (n <= room)
		return n;
	nl = room ? memrchr(p, '\n', room) : NULL;
	if (nl)
		return nl - p + 1;
	return l->size ? 0 : (size_t)room;
}

static int put(struct logfile *l, const char *p, size_t n)
{
	int rc;

	if (l->fd < 0 && (rc = log_open(l)) < 0)
		return rc;
	while (n) {
		size_t k = fits(l, p, n);

		if (k && (rc = write_all(l->fd, p, k)) < 0)
			return rc;
		l->size += k;
		p += k;
		n -= k;
		if (n && (rc = log_rotate(l)) < 0)
			return rc;
	}
	return 0;
}

static int put_stamped(struct logfile *l, const char *p, size_t n, int64_t now_s)
{
	time_t t = now_s;
	char when[40];
	struct tm tm;
	int rc = 0;

	strftime(when, sizeof(when), "[%Y-%m-%d %H:%M:%S] ", localtime_r(&t, &tm));
	while (n && rc == 0) {
		const char *nl = memchr(p, '\n', n);
		size_t k = nl ? (size_t)(nl - p) + 1 : n;

		if (l->line_start)
			rc = put(l, when, strlen(when));
		if (rc == 0)
			rc = put(l, p, k);
		l->line_start = nl != NULL;
		p += k;
		n -= k;
	}
	return rc;
}

int log_write(struct logfile *l, const char *p, size_t n, int64_t now_s)
{
	int rc;

	if (l->policy->dir < 0 || !n)
		return 0;
	rc = l->stamp ? put_stamped(l, p, n, now_s) : put(l, p, n);
	l->error = rc;
	l->lost = rc < 0 ? l->lost + n : 0;
	return rc;
}
