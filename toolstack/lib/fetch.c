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

static int local_read(struct serai *s, const char *path, void **data, size_t *len)
{
	struct stat st;
	size_t done = 0;
	char *p = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = serai_fail(s, -errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > FILE_LIMIT) {
		rc = serai_fail(s, -EINVAL, "%s: %s", path,
				S_ISREG(st.st_mode) ? "larger than 1 GiB" : "not a file");
		goto out;
	}
	p = malloc(st.st_size + 1);
	if (!p) {
		rc = serai_fail(s, -ENOMEM, "%s: out of memory", path);
		goto out;
	}
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, p + done, st.st_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = serai_fail(s, n ? -errno : -EIO, "%s: %s", path,
					n ? strerror(errno) : "it shrank while read");
			goto out;
		}
		done += n;
	}
	p[done] = 0;
	*data = p;
	*len = done;
	p = NULL;
out:
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
