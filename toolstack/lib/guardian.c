/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void background_streams(const char *log)
{
	char path[400];
	int fd, null;

	mkdir(SERAI_LOG_DIR, 0755);
	snprintf(path, sizeof(path), SERAI_LOG_DIR "/serai-%s.log", log);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(fd >= 0 ? fd : null, STDOUT_FILENO);
	dup2(fd >= 0 ? fd : null, STDERR_FILENO);
	setvbuf(stderr, NULL, _IOLBF, 0);
	if (chdir("/") < 0)
		fprintf(stderr, "chdir: %s\n", strerror(errno));
}

/* The last note, once the pipe has ended. */
static struct guardian_note last_note(int fd)
{
	struct guardian_note last = {0}, n;
	ssize_t k;

	for (;;) {
		k = read(fd, &n, sizeof(n));
		if (k == sizeof(n))
			last = n;
		else if (k >= 0 || errno != EINTR)
			return last;
	}
}

int guardian_start(struct serai *s, struct guardian *g, const char *log, int lock,
		   void (*act)(struct serai *own, void *arg, const struct guardian_note *last), void *arg)
{
	struct guardian_note last;
	struct serai own = {.verbose = s->verbose};
	int fd[2];

	g->fd = -1;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return serai_fail(s, -errno, "pipe: %s", strerror(errno));
	fflush(NULL);
	g->pid = fork();
	if (g->pid < 0) {
		close(fd[0]);
		close(fd[1]);
		return serai_fail(s, -errno, "fork: %s", strerror(errno));
	}
	if (g->pid > 0) {
		close(fd[0]);
		g->fd = fd[1];
		return 0;
	}
	/* Out of the ward's group: what is sent to that is not for us. */
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	/* Two descriptors, whatever their numbers are now, stay as 3 and 4. */
	fd[0] = fcntl(fd[0], F_DUPFD, 5);
	lock = lock < 0 ? -1 : fcntl(lock, F_DUPFD, 5);
	dup2(fd[0], 3);
	lock = lock < 0 ? -1 : dup2(lock, 4);
	close_range(lock < 0 ? 4 : 5, ~0u, 0);
	background_streams(log);
	last = last_note(3);
	if (last.phase == 0)
		_exit(0);
	if (lock >= 0)
		name_lock_note(lock, "settling", last.dom);
	/* The ward's connections are not ours to use. */
	if (serai_open(&own) < 0)
		fprintf(stderr, "%s\n", own.error);
	else
		act(&own, arg, &last);
	if (lock >= 0)
		name_unlock(lock);
	_exit(0);
}

int guardian_note(struct guardian *g, uint32_t phase, domid_t dom)
{
	const struct guardian_note n = {phase, dom};

	if (g->fd < 0)
		return 0;
	return write(g->fd, &n, sizeof(n)) == sizeof(n) ? 0 : -EPIPE;
}

void guardian_end(struct guardian *g)
{
	if (g->fd < 0)
		return;
	guardian_note(g, 0, 0);
	close(g->fd);
	g->fd = -1;
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
