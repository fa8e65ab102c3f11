/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai-consoled: starting and stopping. All that needs root's powers happens before
 * privilege_drop(). In the background, the starter's process ends when the daemon is ready, so that
 * what is started next finds consoles served; under systemd the same is said by sd_notify's
 * protocol.
 */
#include "consoled.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static int fail(const struct daemon *d, int rc, const char *what)
{
	say(d, "serai-consoled: %s: %s", what, strerror(-rc));
	if (!d->o.foreground)
		fprintf(stderr, "serai-consoled: %s: %s\n", what, strerror(-rc));
	return rc;
}

/* As mkdir -p, for a path of ours. */
static int make_dirs(const char *path, mode_t mode)
{
	char t[256];

	if ((size_t)snprintf(t, sizeof(t), "%s", path) >= sizeof(t))
		return -ENAMETOOLONG;
	for (char *p = t + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(t, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(t, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static int directories(struct daemon *d)
{
	mode_t mode = d->group == (gid_t)-1 ? 0700 : 0750;
	int rc = make_dirs(CONSOLED_SOCKET_DIR, mode);

	if (rc < 0)
		return fail(d, rc, CONSOLED_SOCKET_DIR);
	if (d->group != (gid_t)-1 &&
	    (chown(CONSOLED_SOCKET_DIR, -1, d->group) < 0 || chmod(CONSOLED_SOCKET_DIR, mode) < 0))
		return fail(d, -errno, CONSOLED_SOCKET_DIR);
	d->policy = (struct log_policy){
		.dir = -1, .limit = d->o.log_limit, .keep = d->o.log_keep, .group = d->group};
	if (!d->o.log_guests && !d->o.log_hv)
		return 0;
	rc = make_dirs(d->o.log_dir, mode);
	if (rc == 0)
		d->policy.dir = open(d->o.log_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->policy.dir < 0)
		return fail(d, rc < 0 ? rc : -errno, d->o.log_dir);
	/* A directory somebody else made keeps its owner and mode. */
	if (d->group != (gid_t)-1 && !strcmp(d->o.log_dir, CONSOLED_LOG_DIR) &&
	    fchown(d->policy.dir, -1, d->group) < 0)
		return fail(d, -errno, d->o.log_dir);
	return 0;
}

/* One daemon at a time: held until the process ends. */
static int take_lock(struct daemon *d)
{
	int fd = open(CONSOLED_RUN_DIR "/consoled.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(d, -errno, CONSOLED_RUN_DIR "/consoled.lock");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(d, -errno, CONSOLED_RUN_DIR "/consoled.lock: is another serai-consoled running");
	return 0;
}

static int write_pid(struct daemon *d)
{
	FILE *f;

	if (!d->o.pid_file)
		return 0;
	f = fopen(d->o.pid_file, "we");
	if (!f || fprintf(f, "%d\n", getpid()) < 0 || fclose(f) < 0)
		return fail(d, -errno, d->o.pid_file);
	d->pid_written = true;
	return 0;
}

static void signal_ready(struct daemon *d, struct source *s, uint32_t events)
{
	struct signalfd_siginfo i;

	(void)events;
	if (read(s->fd, &i, sizeof(i)) != sizeof(i))
		return;
	if (i.ssi_signo != SIGHUP) {
		d->stop = true;
		return;
	}
	/* Somebody moved the logs: the next byte opens new ones. */
	for (struct guest *g = d->guests; g; g = g->next)
		log_close(&g->log);
	if (d->o.log_hv)
		log_close(&d->hv_log);
}

static int open_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signal_src =
		(struct source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = signal_ready};
	if (d->signal_src.fd < 0)
		return -errno;
	return source_arm(d, &d->signal_src, EPOLLIN);
}

static int open_hypervisor(struct daemon *d)
{
	int rc = xc_open(&d->xc);

	if (rc < 0)
		return fail(d, rc, "/dev/xen/privcmd");
	rc = xc_event_open(&d->event);
	if (rc < 0)
		return fail(d, rc, "/dev/xen/evtchn");
	rc = xc_grant_open(&d->grant);
	if (rc < 0) {
		say(d, "/dev/xen/gntdev: %s: pages are mapped without grants", strerror(-rc));
		d->grant = NULL;
	}
	d->event_src = (struct source){.fd = xc_event_fd(d->event), .ready = event_ready};
	return source_arm(d, &d->event_src, EPOLLIN);
}

static int start(struct daemon *d)
{
	int rc;

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		return fail(d, -errno, "epoll");
	privilege_groups(d);
	if ((rc = directories(d)) < 0 || (rc = take_lock(d)) < 0 || (rc = write_pid(d)) < 0 ||
	    (rc = open_hypervisor(d)) < 0)
		return rc;
	if ((rc = open_signals(d)) < 0)
		return fail(d, rc, "signals");
	if ((rc = privilege_drop(d)) < 0)
		return fail(d, rc, "privileges");
	hv_open(d);
	rc = store_connect(d);
	if (rc < 0)
		say(d, "xenstored cannot be reached: %s; trying again", strerror(-rc));
	return 0;
}

static void stop(struct daemon *d)
{
	/* Sockets' files and terminals' nodes stay: the guests do, and so will the next daemon's.
	 */
	while (d->guests) {
		struct guest *g = d->guests;

		source_close(d, &g->listen);
		guest_remove(d, g);
	}
	log_close(&d->hv_log);
	store_close(d->store);
	xc_grant_close(d->grant);
	xc_event_close(d->event);
	xc_close(d->xc);
	free(d->by_port);
	if (d->pid_written)
		(void)unlink(d->o.pid_file);
}

/* Tell systemd, if it asked; its protocol is one datagram. */
static void tell_ready(void)
{
	static const char text[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || n >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = 0; /* the abstract name space */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL, (struct sockaddr *)&a,
		     offsetof(struct sockaddr_un, sun_path) + n);
	close(fd);
}

/* In the child: the writing end of a pipe the parent waits at. The parent does not return. */
static int background(void)
{
	int p[2], status;
	char ready;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return -errno;
	if (pid == 0) {
		close(p[0]);
		setsid();
		return p[1];
	}
	close(p[1]);
	if (read(p[0], &ready, 1) == 1)
		_exit(0);
	_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void detach(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		close(null);
	}
	(void)!chdir("/");
	(void)!write(fd, "", 1);
	close(fd);
}

int main(int argc, char **argv)
{
	struct daemon d = {.group = (gid_t)-1, .hv_log.fd = -1};
	int parent = -1, rc = options_parse(&d.o, argc, argv);

	if (rc)
		return rc < 0 ? 2 : 0;
	if (!d.o.foreground) {
		openlog("serai-consoled", LOG_PID, LOG_DAEMON);
		parent = background();
		if (parent < 0) {
			fprintf(stderr, "serai-consoled: %s\n", strerror(-parent));
			return 1;
		}
	}
	rc = start(&d);
	if (rc == 0) {
		tell_ready();
		if (parent >= 0)
			detach(parent);
		rc = daemon_loop(&d);
		if (rc < 0)
			(void)fail(&d, rc, "epoll_wait");
	}
	stop(&d);
	return rc < 0;
}
