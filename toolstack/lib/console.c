/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal on a domain's console. serai-consoled has a socket for each domain, which takes any
 * number of us; xenconsoled has a pty for one, whose name is in console/tty. The escape character
 * leaves.
 *
 * A socket's file means that the domain is there, whether or not its daemon is: when the connection
 * breaks we wait for another as long as there is a file.
 */
#include "serai.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define SOCKETS SERAI_RUN_DIR "/console"

enum ending {
	ENDED_ESCAPE, /* the user left */
	ENDED_PEER,   /* the daemon, or the domain */
	ENDED_OUTPUT  /* nobody reads our output any more */
};

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

/* A read's length; 0 when there is nothing for now, -1 at the end. */
static ssize_t read_some(int fd, char *buf, size_t len)
{
	ssize_t n = read(fd, buf, len);

	if (n > 0)
		return n;
	return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

static int relay(int fd, bool *input, char escape)
{
	struct pollfd f[2] = {{fd, POLLIN, 0}, {*input ? STDIN_FILENO : -1, POLLIN, 0}};
	char buf[4096];

	for (;;) {
		ssize_t n;

		if (poll(f, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (f[0].revents) {
			n = read_some(fd, buf, sizeof(buf));
			if (n < 0)
				return ENDED_PEER;
			if (write_all(STDOUT_FILENO, buf, n) < 0)
				return ENDED_OUTPUT;
		}
		if (f[1].revents) {
			char *esc;

			n = read_some(STDIN_FILENO, buf, sizeof(buf));
			if (n < 0) {
				*input = false; /* keep showing output */
				f[1].fd = -1;
				continue;
			}
			esc = memchr(buf, escape, n);
			if (write_all(fd, buf, esc ? esc - buf : n) < 0 && !esc)
				return ENDED_PEER;
			if (esc)
				return ENDED_ESCAPE;
		}
	}
}

static int socket_connect(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, rc;

	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/*
 * Connected again, or -ENOENT: the domain is gone, or -EINTR: the user left. The directory is
 * watched before each try, so that nothing happens between a try and the wait unseen.
 */
static int socket_again(const char *path, bool *input, char escape)
{
	struct pollfd f[2] = {{inotify_init1(IN_CLOEXEC), POLLIN, 0},
			      {*input ? STDIN_FILENO : -1, POLLIN, 0}};
	char buf[4096];
	int rc;

	if (f[0].fd < 0)
		return -errno;
	if (inotify_add_watch(f[0].fd, SOCKETS, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF) < 0) {
		close(f[0].fd);
		return -ENOENT;
	}
	for (;;) {
		ssize_t n;

		rc = socket_connect(path);
		if (rc != -ECONNREFUSED)
			break;
		if (poll(f, 2, -1) < 0 && errno != EINTR)
			break;
		if (f[0].revents)
			(void)!read(f[0].fd, buf, sizeof(buf));
		n = f[1].revents ? read_some(STDIN_FILENO, buf, sizeof(buf)) : 0;
		if (n < 0) {
			*input = false;
			f[1].fd = -1;
		} else if (memchr(buf, escape, n)) {
			rc = -EINTR;
			break;
		}
	}
	close(f[0].fd);
	return rc;
}

static int socket_attach(const char *path, int fd, char escape)
{
	bool input = true;
	int rc;

	while ((rc = relay(fd, &input, escape)) == ENDED_PEER) {
		close(fd);
		fd = socket_again(path, &input, escape);
		if (fd < 0)
			return 0;
	}
	close(fd);
	return rc < 0 ? rc : 0;
}

static bool terminal_raw(struct termios *old)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, old) < 0)
		return false;
	raw = *old;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	return true;
}

int console_attach_socket(const char *domain, char escape, bool *attached)
{
	char path[128];
	struct termios old;
	bool is_tty;
	int fd, rc;

	*attached = false;
	if (strchr(domain, '/') ||
	    (size_t)snprintf(path, sizeof(path), SOCKETS "/%s.sock", domain) >= sizeof(path))
		return -ENOENT;
	fd = socket_connect(path);
	if (fd < 0)
		return fd;
	*attached = true;
	is_tty = terminal_raw(&old);
	rc = socket_attach(path, fd, escape);
	if (is_tty)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	return rc;
}

int console_attach(struct serai *s, domid_t dom, unsigned int num, char escape)
{
	char path[96], *tty, number[8];
	struct termios old, raw;
	bool is_tty, input = true, attached = false;
	int fd, rc;

	if (num == 0)
		snprintf(path, sizeof(path), "/local/domain/%u/console/tty", dom);
	else
		snprintf(path, sizeof(path), "/local/domain/%u/device/console/%u/tty", dom, num);
	/* Either daemon names a terminal when it serves the domain; ours has its socket by then. */
	tty = console_tty(s, dom, path);
	snprintf(number, sizeof(number), "%u", dom);
	rc = num == 0 ? console_attach_socket(number, escape, &attached) : -ENOENT;
	if (attached) {
		free(tty);
		return rc < 0 ? serai_fail(s, rc, "domain %u: console: %s", dom, strerror(-rc)) : 0;
	}
	if (!tty)
		return serai_fail(s, -ENOENT,
				  "domain %u: no console daemon offers a terminal in %s: is "
				  "serai-consoled or "
				  "xenconsoled running?",
				  dom, path);
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
	is_tty = terminal_raw(&old);
	rc = relay(fd, &input, escape);
	if (is_tty)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	close(fd);
	return rc < 0 ? serai_fail(s, rc, "domain %u: console: %s", dom, strerror(-rc)) : 0;
}
