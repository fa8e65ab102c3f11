/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal on a domain's console: bytes between this terminal and the pty the console daemon offers in
 * console/tty. ^] leaves.
 */
#include "serai.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 0x1d

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) {
			struct pollfd f = { fd, POLLOUT, 0 };

			poll(&f, 1, -1);
			continue;
		}
		if (w < 0)
			return -errno;
		p += w;
		n -= w;
	}
	return 0;
}

/* The daemon writes the pty's name once it has the ring: wait for it, not for a time. */
static char *console_tty(struct serai *s, domid_t dom, const char *path)
{
	char *tty = NULL, *p, *token;

	if (store_watch(s->store, path, "tty") < 0 || store_watch(s->store, "@releaseDomain", "tty") < 0)
		return NULL;
	for (;;) {
		struct xen_domctl_getdomaininfo info;

		tty = store_read(s->store, 0, path);
		if (tty && *tty)
			break;
		free(tty);
		tty = NULL;
		if (xc_domain_info(s->xc, dom, &info) < 0)
			break;
		if (store_event(s->store, 20000, &p, &token) <= 0)
			break;
		free(p);
	}
	store_unwatch(s->store, path, "tty");
	store_unwatch(s->store, "@releaseDomain", "tty");
	return tty;
}

static int relay(int fd)
{
	struct pollfd f[2] = { { fd, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
	char buf[4096];

	for (;;) {
		ssize_t n;

		if (poll(f, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (f[0].revents) {
			n = read(fd, buf, sizeof(buf));
			if (n < 0 && errno != EIO && errno != EAGAIN && errno != EINTR)
				return -errno;
			if (n == 0 || (n < 0 && errno == EIO))
				return 0; /* the daemon closed the pty: the domain is gone */
			if (n > 0 && write_all(STDOUT_FILENO, buf, n) < 0)
				return 0;
		}
		if (f[1].revents) {
			char *esc;

			n = read(STDIN_FILENO, buf, sizeof(buf));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0) {
				f[1].fd = -1; /* input ended: keep showing output */
				continue;
			}
			esc = memchr(buf, ESCAPE, n);
			if (write_all(fd, buf, esc ? esc - buf : n) < 0)
				return -EIO;
			if (esc)
				return 0;
		}
	}
}

int console_attach(struct serai *s, domid_t dom, const char *type, unsigned int num)
{
	struct termios old, raw;
	bool is_tty = tcgetattr(STDIN_FILENO, &old) == 0;
	char path[96], *tty;
	int fd, rc;

	(void)type;
	if (num == 0)
		snprintf(path, sizeof(path), "/local/domain/%u/console/tty", dom);
	else
		snprintf(path, sizeof(path), "/local/domain/%u/device/console/%u/tty", dom, num);
	tty = console_tty(s, dom, path);
	if (!tty)
		return serai_fail(s, -ENOENT,
		                  "domain %u: the console daemon offers no terminal in %s: is xenconsoled running?", dom,
		                  path);
	fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		rc = serai_fail(s, -errno, "domain %u: %s: %s", dom, tty, strerror(errno));
		free(tty);
		return rc;
	}
	free(tty);
	if (tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	if (is_tty) {
		raw = old;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	rc = relay(fd);
	if (is_tty)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	close(fd);
	return rc < 0 ? serai_fail(s, rc, "domain %u: console: %s", dom, strerror(-rc)) : 0;
}
