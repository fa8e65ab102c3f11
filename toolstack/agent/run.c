/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "relay.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What only prints takes no longer. */
#define COMMAND_S 60
#define OUTPUT_LIMIT (16u << 20)
#define INPUT_ROOM (1 << 20)

extern char **environ;

static void close_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* posix_spawn: other threads' locks do not follow into the child. */
static int spawn(const char *const argv[], int in, int out, int err, pid_t *pid)
{
	posix_spawn_file_actions_t f;
	posix_spawnattr_t a;
	sigset_t none, ended_by;
	int rc;

	/* Whoever started us may have had them ignored (nohup does), and commands are told by them to end. */
	sigemptyset(&none);
	sigemptyset(&ended_by);
	sigaddset(&ended_by, SIGHUP);
	sigaddset(&ended_by, SIGINT);
	sigaddset(&ended_by, SIGPIPE);
	sigaddset(&ended_by, SIGQUIT);
	sigaddset(&ended_by, SIGTERM);
	posix_spawn_file_actions_init(&f);
	posix_spawnattr_init(&a);
	posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&a, &none);
	posix_spawnattr_setsigdefault(&a, &ended_by);
	posix_spawn_file_actions_adddup2(&f, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&f, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&f, err, STDERR_FILENO);
	/* Nobody but us holds our connections: a client that hangs up is to be noticed. */
	posix_spawn_file_actions_addclosefrom_np(&f, STDERR_FILENO + 1);
	rc = posix_spawn(pid, argv[0], &f, &a, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&a);
	posix_spawn_file_actions_destroy(&f);
	return -rc;
}

/* 1: more may come; 0: the end; what exceeds the limit is read and dropped. */
static int take(int fd, char **buf, size_t *len)
{
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	char *p;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return 0;
	if (*len + n > OUTPUT_LIMIT)
		return 1;
	p = realloc(*buf, *len + n + 1);
	if (!p)
		return 1;
	memcpy(p + *len, chunk, n);
	*len += n;
	p[*len] = 0;
	*buf = p;
	return 1;
}

static long now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Until the command ends: what it leaves behind may keep its pipes open for as long as a domain lives. */
static void collect(pid_t pid, int out, int err, struct outcome *o)
{
	struct pollfd p[3] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {-1, POLLIN, 0}};
	long end = now_s() + COMMAND_S;

	p[2].fd = syscall(SYS_pidfd_open, pid, 0);
	while (p[0].fd >= 0 || p[1].fd >= 0 || (p[2].fd >= 0 && !p[2].revents)) {
		long left = end - now_s();

		if (left <= 0)
			kill(pid, SIGKILL);
		if (poll(p, 3, left > 0 ? left * 1000 : 1000) < 0)
			continue;
		if (p[0].revents && !take(out, &o->out, &o->out_len))
			p[0].fd = -1;
		if (p[1].revents && !take(err, &o->err, &o->err_len))
			p[1].fd = -1;
		/* It has ended and its pipes hold nothing more. */
		if (p[2].revents && !(p[0].revents & POLLIN) && !(p[1].revents & POLLIN))
			break;
	}
	if (p[2].fd >= 0)
		close(p[2].fd);
	o->status = child_wait(pid);
}

int run_command(const char *const argv[], struct outcome *o)
{
	int in, out[2] = {-1, -1}, err[2] = {-1, -1}, rc = 0;
	pid_t pid;

	memset(o, 0, sizeof(*o));
	o->out = calloc(1, 1);
	o->err = calloc(1, 1);
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in < 0)
		rc = -errno;
	else if (!o->out || !o->err)
		rc = -ENOMEM;
	else if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		rc = -errno;
	if (rc == 0)
		rc = spawn(argv, in, out[1], err[1], &pid);
	close_open(in);
	close_open(out[1]);
	close_open(err[1]);
	if (rc == 0)
		collect(pid, out[0], err[0], o);
	close_open(out[0]);
	close_open(err[0]);
	if (rc < 0)
		outcome_free(o);
	return rc;
}

void outcome_free(struct outcome *o)
{
	free(o->out);
	free(o->err);
	memset(o, 0, sizeof(*o));
}

/* Ours to read or write without waiting; the command's own end of the pipe stays as it is. */
static int pipe_to(int mine, int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	fcntl(fd[mine], F_SETFL, O_NONBLOCK);
	/* What comes in may be a domain; a system that does not give so much room gives less. */
	if (mine)
		fcntl(fd[mine], F_SETPIPE_SZ, INPUT_ROOM);
	return 0;
}

int run_stream(const char *const argv[], struct stream_child *c)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, rc;

	if ((rc = pipe_to(1, in)) == 0 && (rc = pipe_to(0, out)) == 0 && (rc = pipe_to(0, err)) == 0)
		rc = spawn(argv, in[0], out[1], err[1], &c->pid);
	close_open(in[0]);
	close_open(out[1]);
	close_open(err[1]);
	if (rc < 0) {
		close_open(in[1]);
		close_open(out[0]);
		close_open(err[0]);
	}
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	return rc;
}
