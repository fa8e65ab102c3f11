/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files into memory; a URL's by way of the cache.
 */
#include "serai.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT (1ul << 30)

/* A pipe says how long it is by ending. */
static int pipe_read(struct serai *s, const char *path, int fd, char **data, size_t *len)
{
	size_t size = 0;

	for (;;) {
		char *p = *data;
		ssize_t n;

		if (*len == size) {
			size += size ? size : 65536;
			p = size > FILE_LIMIT ? NULL : realloc(*data, size + 1);
		}
		if (!p)
			return serai_fail(s, -ENOMEM, "%s: out of memory, or larger than 1 GiB", path);
		*data = p;
		n = read(fd, p + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return serai_fail(s, -errno, "%s: %s", path, strerror(errno));
		p[ *len += n] = 0;
		if (n == 0)
			return 0;
	}
}

static int regular_read(struct serai *s, const char *path, int fd, size_t size, char **data, size_t *len)
{
	char *p = *data = malloc(size + 1);

	if (!p)
		return serai_fail(s, -ENOMEM, "%s: out of memory", path);
	while (*len < size) {
		ssize_t n = read(fd, p + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return serai_fail(s, n ? -errno : -EIO, "%s: %s", path,
					  n ? strerror(errno) : "it shrank while read");
		*len += n;
	}
	p[*len] = 0;
	return 0;
}

static int local_read(struct serai *s, const char *path, void **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	size_t done = 0;
	char *p = NULL;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = serai_fail(s, -errno, "%s: %s", path, strerror(errno));
	else if (S_ISFIFO(st.st_mode))
		rc = pipe_read(s, path, fd, &p, &done);
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > FILE_LIMIT)
		rc = serai_fail(s, -EINVAL, "%s: %s", path,
				S_ISREG(st.st_mode) ? "larger than 1 GiB" : "not a file");
	else
		rc = regular_read(s, path, fd, st.st_size, &p, &done);
	if (rc == 0) {
		*data = p;
		*len = done;
		p = NULL;
	}
	free(p);
	if (fd >= 0)
		close(fd);
	return rc;
}

int file_read(struct serai *s, const char *path, void **data, size_t *len)
{
	char local[512];
	int rc;

	if (!path_is_url(path))
		return local_read(s, path, data, len);
	rc = url_fetch(s, path, local, sizeof(local));
	return rc < 0 ? rc : local_read(s, local, data, len);
}
