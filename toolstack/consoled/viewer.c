/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks at a console. Every guest has a pty, which Debian's clients open, and a socket any
 * number of viewers connect to; all see everything, all may type. What goes over a socket is bytes,
 * both ways.
 *
 *   /run/serai/console/ID.sock        the socket
 *   /run/serai/console/NAME.sock      a link to it
 *
 * A socket's file outlives the daemon: it means "the guest is there". A viewer that loses its
 * connection waits while the file is there, and leaves when it is not.
 */
#include "consoled.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* What somebody who connects sees of what was before. */
#define RECENT 4096

static void viewer_arm(struct daemon *d, struct viewer *v)
{
	bool room = v->guest->in_len < sizeof(v->guest->in);

	/* EPOLLPRI never comes; it keeps the source in the set, so that a hang-up is told. */
	(void)source_arm(d, &v->src,
			 EPOLLPRI | (!v->eof && room ? EPOLLIN : 0u) | (v->blocked ? EPOLLOUT : 0u));
}

/* Of one that is no longer in its guest's list. */
static void viewer_drop(struct daemon *d, struct viewer *v)
{
	source_close(d, &v->src);
	free(v);
}

static void viewer_free(struct daemon *d, struct viewer *v)
{
	struct viewer **p = &v->guest->viewers;

	while (*p != v)
		p = &(*p)->next;
	*p = v->next;
	viewer_drop(d, v);
}

/* false: the viewer is gone for good. */
static bool viewer_put(struct viewer *v, const char *p, size_t n, size_t *done)
{
	ssize_t w = v->pty ? write(v->src.fd, p, n) : send(v->src.fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	*done = w > 0 ? (size_t)w : 0;
	v->blocked = w < 0 && (errno == EAGAIN || errno == EINTR);
	return w >= 0 || v->blocked || v->pty;
}

static bool viewer_flush(struct daemon *d, struct viewer *v)
{
	uint64_t lost;
	size_t n, done;

	v->blocked = false;
	for (;;) {
		const char *p = fan_peek(&v->guest->out, &v->pos, &n, &lost);

		if (lost) {
			char t[80];
			int len = snprintf(t, sizeof(t), "\r\n[%lu bytes of output were lost here]\r\n",
					   (unsigned long)lost);

			if (!viewer_put(v, t, len, &done))
				return false;
		}
		if (!n || v->blocked)
			break;
		if (!viewer_put(v, p, n, &done))
			return false;
		v->pos += done;
		if (v->blocked || !done)
			break;
	}
	viewer_arm(d, v);
	return true;
}

void viewers_flush(struct daemon *d, struct guest *g)
{
	struct viewer *v, *next;

	for (v = g->viewers; v; v = next) {
		next = v->next;
		/* One that waits for room is flushed when it has some. */
		if (v->blocked)
			viewer_arm(d, v);
		else if (!viewer_flush(d, v))
			viewer_free(d, v);
	}
}

static void viewer_ready(struct daemon *d, struct source *s, uint32_t events)
{
	struct viewer *v = (struct viewer *)s;
	struct guest *g = v->guest;
	size_t room = sizeof(g->in) - g->in_len;
	char buf[sizeof(g->in)];
	ssize_t n;

	if ((events & EPOLLIN) && room && !v->eof) {
		n = read(v->src.fd, buf, room);
		if (n > 0)
			(void)guest_type(d, g, buf, n);
		/* A viewer may stop typing and go on reading. */
		if (n == 0)
			v->eof = true;
	} else if ((events & (EPOLLHUP | EPOLLERR)) && !v->pty) {
		viewer_free(d, v);
		return;
	}
	if (!viewer_flush(d, v))
		viewer_free(d, v);
}

static struct viewer *viewer_new(struct daemon *d, struct guest *g, int fd, uint64_t pos)
{
	struct viewer *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->src.fd = fd;
	v->src.ready = viewer_ready;
	v->guest = g;
	v->pos = pos;
	if (source_arm(d, &v->src, EPOLLIN) < 0) {
		free(v);
		return NULL;
	}
	v->next = g->viewers;
	g->viewers = v;
	return v;
}

static void listen_ready(struct daemon *d, struct source *s, uint32_t events)
{
	struct guest *g = (struct guest *)s;
	struct viewer *v;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	v = viewer_new(d, g, fd, fan_recent(&g->out, RECENT));
	if (!v)
		close(fd);
	else if (!viewer_flush(d, v))
		viewer_free(d, v);
}

/* The socket appears whole: bound and listening under another name, then renamed. */
int viewer_listen(struct daemon *d, struct guest *g)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[64];
	mode_t mask;
	int fd, rc;

	if (g->listen.fd >= 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), CONSOLED_SOCKET_DIR "/%u.sock", g->dom);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s.new", path);
	(void)unlink(a.sun_path);
	mask = umask(d->group == (gid_t)-1 ? 0177 : 0117);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (rc == 0 && d->group != (gid_t)-1 && chown(a.sun_path, -1, d->group) < 0)
		rc = -errno;
	if (rc == 0 && (listen(fd, 16) < 0 || rename(a.sun_path, path) < 0))
		rc = -errno;
	g->listen.fd = fd;
	g->listen.ready = listen_ready;
	if (rc == 0)
		rc = source_arm(d, &g->listen, EPOLLIN);
	if (rc < 0) {
		source_close(d, &g->listen);
		return rc;
	}
	viewer_link(d, g, NULL);
	return 0;
}

static bool link_path(char *path, size_t len, const char *name)
{
	/* "." and digits would be other things' names. */
	if (strchr(name, '/') || !*name || *name == '.' || strspn(name, "0123456789") == strlen(name))
		return false;
	return (size_t)snprintf(path, len, CONSOLED_SOCKET_DIR "/%s.sock", name) < len;
}

void viewer_link(struct daemon *d, struct guest *g, const char *old)
{
	char path[256], target[32], now[32];
	ssize_t n;

	snprintf(target, sizeof(target), "%u.sock", g->dom);
	/* A name can have been given to another domain since: only our own link is removed. */
	if (old && link_path(path, sizeof(path), old)) {
		n = readlink(path, now, sizeof(now) - 1);
		if (n > 0 && (size_t)n == strlen(target) && !memcmp(now, target, n))
			(void)unlink(path);
	}
	if (g->listen.fd < 0 || !link_path(path, sizeof(path), g->name))
		return;
	(void)unlink(path);
	if (symlink(target, path) < 0)
		say(d, "%s: %s", path, strerror(errno));
}

int viewer_pty(struct daemon *d, struct guest *g, char *name, size_t len)
{
	struct viewer *v = g->viewers;
	struct termios t;
	int fd;

	while (v && !v->pty)
		v = v->next;
	if (v)
		return ptsname_r(v->src.fd, name, len) ? -errno : 0;
	fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, len) ||
	    (g->pty_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || tcgetattr(g->pty_slave, &t) < 0)
		goto fail;
	cfmakeraw(&t);
	if (tcsetattr(g->pty_slave, TCSANOW, &t) < 0 || fchmod(g->pty_slave, 0600) < 0)
		goto fail;
	/* It sees all that is kept: nobody else may have seen it. */
	v = viewer_new(d, g, fd, fan_start(&g->out));
	if (!v) {
		errno = ENOMEM;
		goto fail;
	}
	v->pty = true;
	if (viewer_flush(d, v))
		return 0;
	return -EIO;
fail:
	len = errno;
	close(fd);
	if (g->pty_slave >= 0)
		close(g->pty_slave);
	g->pty_slave = -1;
	return -(int)len;
}

void viewers_close(struct daemon *d, struct guest *g)
{
	struct viewer *v;
	char path[64];

	while ((v = g->viewers)) {
		g->viewers = v->next;
		viewer_drop(d, v);
	}
	if (g->pty_slave >= 0)
		close(g->pty_slave);
	g->pty_slave = -1;
	if (g->listen.fd < 0)
		return;
	source_close(d, &g->listen);
	snprintf(path, sizeof(path), CONSOLED_SOCKET_DIR "/%u.sock", g->dom);
	(void)unlink(path);
	viewer_link(d, g, g->name);
}

void viewer_tidy(struct daemon *d)
{
	DIR *dir = opendir(CONSOLED_SOCKET_DIR);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[300], target[32], *end;
		unsigned long dom;
		ssize_t n;

		snprintf(path, sizeof(path), CONSOLED_SOCKET_DIR "/%s", e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n >= 0)
			target[n] = 0;
		dom = strtoul(n >= 0 ? target : e->d_name, &end, 10);
		if (end == (n >= 0 ? target : e->d_name) || strcmp(end, ".sock"))
			continue;
		if (dom < DOMID_FIRST_RESERVED && !guest_find(d, dom))
			(void)unlink(path);
	}
	if (dir)
		closedir(dir);
}
