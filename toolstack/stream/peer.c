/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "peer.h"
#include "../lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a command may take to end by itself. */
#define END_MS 10000
#define PIPE_ROOM (1 << 20)

volatile sig_atomic_t move_cancelled;

int peer_start(struct serai *s, const char *command, struct peer *p)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return serai_fail(s, -errno, "pipe: %s", strerror(errno));
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return serai_fail(s, -errno, "pipe: %s", strerror(errno));
	}
	/* Room for a batch, so that it and who carries it take turns less often; without, it works too. */
	fcntl(in[1], F_SETPIPE_SZ, PIPE_ROOM);
	p->pid = fork();
	if (p->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	p->to = in[1];
	p->from = out[0];
	if (p->pid > 0)
		return 0;
	peer_stop(p);
	return serai_fail(s, -EAGAIN, "fork: %s", strerror(EAGAIN));
}

/* A command that does not end when its input does (ssh over a dead network) is made to. */
static void reap(pid_t pid)
{
	struct pollfd p = {.fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

	while (p.fd >= 0 && poll(&p, 1, END_MS) < 0 && errno == EINTR)
		;
	if (p.fd >= 0 && !p.revents)
		kill(pid, SIGTERM);
	if (p.fd >= 0)
		close(p.fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void peer_stop(struct peer *p)
{
	if (p->to >= 0)
		close(p->to);
	if (p->from >= 0)
		close(p->from);
	p->to = p->from = -1;
	if (p->pid > 0)
		reap(p->pid);
	p->pid = 0;
}

int line_get(int fd, char *buf, size_t len, int timeout_ms)
{
	long end = clock_ms() + timeout_ms;
	size_t n = 0;

	while (n + 1 < len) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		long left = timeout_ms < 0 ? -1 : end > clock_ms() ? end - clock_ms() : 0;
		int rc = poll(&p, 1, left);
		ssize_t k;

		if (rc < 0 && errno == EINTR) {
			if (move_cancelled)
				return -ECANCELED;
			continue;
		}
		if (rc <= 0)
			return rc ? -errno : -ETIMEDOUT;
		k = read(fd, buf + n, 1);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? -errno : -EPIPE;
		if (buf[n] == '\n') {
			buf[n] = 0;
			return 0;
		}
		n++;
	}
	return -EMSGSIZE;
}

int line_put(int fd, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vdprintf(fd, fmt, ap);
	va_end(ap);
	return n < 0 ? -errno : 0;
}

int line_expect(struct serai *s, int fd, const char *word, const char *host, int timeout_ms)
{
	char line[600];
	int rc = line_get(fd, line, sizeof(line), timeout_ms);

	if (rc == -ETIMEDOUT)
		return serai_fail(s, rc, "%s: no \"%s\" within %d s", host, word, timeout_ms / 1000);
	if (rc == -ECANCELED)
		return serai_fail(s, rc, "cancelled");
	if (rc < 0)
		return serai_fail(s, rc, "%s: the connection ended where \"%s\" was due (%s)%s", host, word,
				  strerror(-rc),
				  strcmp(word, MOVE_PROTOCOL) ? "" : ": is serai installed there?");
	if (!strcmp(line, word))
		return 0;
	if (!strncmp(line, "refuse ", 7))
		return serai_fail(s, -ECONNREFUSED, "%s refuses: %s", host, line + 7);
	return serai_fail(s, -EPROTO, "%s answers \"%.80s\" where \"%s\" was due", host, line, word);
}
