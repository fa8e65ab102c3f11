/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serai.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) {
			struct pollfd f = {fd, POLLOUT, 0};

			poll(&f, 1, -1);
			continue;
		}
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		n -= w;
	}
	return 0;
}
