/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching and detaching by qemu-nbd. See nbd.h.
 *
 * qemu-nbd runs as our own child (-v keeps it from making itself a daemon), so that a start that fails or
 * hangs can be told from one that works and ended for good. When we end, init has it.
 */
#include "nbd.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const formats[] = {
	[DISK_RAW] = "raw", [DISK_QCOW2] = "qcow2", [DISK_QCOW] = "qcow", [DISK_VHD] = "vpc"};

const char *disk_format_name(enum disk_format f)
{
	return formats[f];
}

bool path_is_nbd(const char *target)
{
	return !strncmp(target, "nbd://", 6) || !strncmp(target, "nbd+unix://", 11);
}

bool disk_needs_nbd(const struct disk *d)
{
	return d->format == DISK_QCOW2 || d->format == DISK_QCOW || d->format == DISK_VHD ||
	       d->backend == DISK_QDISK || (d->target && path_is_nbd(d->target));
}

/* A number the kernel shows of a device; -ENOENT when the file is not there. */
static int device_number(const struct nbd_host *h, unsigned int n, const char *file, unsigned long *v)
{
	char path[300];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "%s/nbd%u/%s", h->sys, n, file);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	rc = fscanf(f, "%lu", v) == 1 ? 0 : -EIO;
	fclose(f);
	return rc;
}

static bool device_exists(const struct nbd_host *h, unsigned int n)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/nbd%u", h->sys, n);
	return access(path, F_OK) == 0;
}

/* The kernel shows the pid of the thread that serves a device for as long as it does. */
static bool device_taken(const struct nbd_host *h, unsigned int n)
{
	unsigned long v = 0;

	return device_number(h, n, "pid", &v) == 0 || (device_number(h, n, "size", &v) == 0 && v);
}

/* The process a thread belongs to; 0 when there is none, or it is not qemu-nbd. */
static pid_t server_of(const struct nbd_host *h, unsigned long thread)
{
	const char *name = strrchr(h->program, '/') ? strrchr(h->program, '/') + 1 : h->program;
	char path[64], line[256], comm[64] = "";
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lu/status", thread);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "Name: %63s", comm);
		sscanf(line, "Tgid: %d", &pid);
	}
	if (f)
		fclose(f);
	return !strncmp(comm, name, 15) ? pid : 0;
}

static void process_end(pid_t pid, int ms)
{
	kill(pid, SIGTERM);
	if (process_wait(pid, ms, NULL) == 0) {
		kill(pid, SIGKILL);
		(void)process_wait(pid, ms, NULL);
	}
}

/* -------- starting -------- */

static void log_path(const struct nbd_host *h, unsigned int n, char *path, size_t len)
{
	snprintf(path, len, "%s/serai-nbd%u.log", h->log, n);
}

/* What qemu-nbd said when it failed, in one line and without its name. */
static void reason(const struct nbd_host *h, unsigned int n, char *why, size_t len)
{
	char path[300], *start = why;
	size_t k = 0;
	int fd;

	log_path(h, n, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t got = read(fd, why, len - 1);

		k = got > 0 ? (size_t)got : 0;
		close(fd);
	}
	why[k] = 0;
	while (k && why[k - 1] == '\n')
		why[--k] = 0;
	for (char *c = why; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (!strncmp(start, "qemu-nbd: ", 10))
		memmove(why, start + 10, strlen(start + 10) + 1);
	if (!*why)
		snprintf(why, len, "it left no reason in %s", path);
}

static pid_t server_start(const struct nbd_host *h, const struct disk *d, const char *file, unsigned int n)
{
	char device[300], connect[320], format[32], path[300];
	int null, out;
	pid_t pid;

	snprintf(device, sizeof(device), "%s/nbd%u", h->dev, n);
	snprintf(connect, sizeof(connect), "--connect=%s", device);
	snprintf(format, sizeof(format), "--format=%s", formats[d->format]);
	log_path(h, n, path, sizeof(path));
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	setsid(); /* a ^C for the command that started it is not for the disk */
	null = open("/dev/null", O_RDWR);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(out >= 0 ? out : null, STDERR_FILENO);
	close_range(3, ~0u, 0);
	if (chdir("/") < 0)
		_exit(126);
	if (d->readonly)
		execlp(h->program, h->program, "--verbose", connect, format, "--read-only", "--", file,
		       (char *)NULL);
	else
		execlp(h->program, h->program, "--verbose", connect, format, "--discard=unmap", "--", file,
		       (char *)NULL);
	_exit(127);
}

/* Wait until the device has its size, or the process ended. 1: it ended, with *status. */
static int server_ready(const struct nbd_host *h, int events, pid_t pid, unsigned int n, int *status)
{
	int child = syscall(SYS_pidfd_open, pid, 0), rc = -ETIMEDOUT;
	struct pollfd p[2] = {{.fd = child, .events = POLLIN}, {.fd = events, .events = POLLIN}};
	long end = clock_ms() + h->start_ms;
	char event[8192];

	for (long left = h->start_ms; child >= 0 && left > 0; left = end - clock_ms()) {
		unsigned long v = 0;

		if (device_number(h, n, "pid", &v) == 0 && device_number(h, n, "size", &v) == 0 && v) {
			rc = 0;
			break;
		}
		if (poll(p, 2, left) < 0) {
			rc = -errno;
			if (rc == -EINTR) {
				rc = -ETIMEDOUT;
				continue;
			}
			break;
		}
		if (p[1].revents & POLLIN && read(events, event, sizeof(event)) < 0 && errno != ENOBUFS &&
		    errno != EINTR) {
			rc = -errno;
			break;
		}
		if (p[0].revents) {
			rc = waitpid(pid, status, 0) == pid ? 1 : -ECHILD;
			break;
		}
	}
	if (child < 0)
		return -errno;
	close(child);
	return rc;
}

static int serve(struct serai *s, const struct nbd_host *h, const struct disk *d, const char *file,
		 unsigned int n)
{
	/* Listen first: what happens between the start and the first look is not missed. */
	int events = h->events(h), status = 0, rc;
	char why[600];
	pid_t pid;

	if (events < 0)
		return serai_fail(s, events, "disk %s: no device events: %s", d->target, strerror(-events));
	pid = server_start(h, d, file, n);
	rc = pid < 0 ? pid : server_ready(h, events, pid, n, &status);
	close(events);
	if (rc == 0)
		return 0;
	if (rc < 0 && pid > 0)
		process_end(pid, h->end_ms);
	if (rc == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return serai_fail(s, -ENOENT, "disk %s: %s cannot be run: install Debian's qemu-utils",
				  d->target, h->program);
	reason(h, n, why, sizeof(why));
	if (rc == 1)
		return serai_fail(s, strstr(why, "lock") ? -EBUSY : -EIO, "disk %s: qemu-nbd: %s", d->target,
				  why);
	return serai_fail(s, rc, "disk %s: qemu-nbd did not serve it in %d s: %s", d->target,
			  h->start_ms / 1000, strerror(-rc));
}

/* One process at a time chooses a device and takes it. */
static int devices_lock(const struct nbd_host *h)
{
	int fd = open(h->dev, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			return -errno;
		}
	return fd;
}

int nbd_attach(struct serai *s, const struct nbd_host *h, const struct disk *d, const char *file, char *dev,
	       size_t len)
{
	int rc = h->load(h), lock;
	unsigned int n = 0;

	if (rc < 0 || !device_exists(h, 0))
		return serai_fail(
			s, -ENODEV,
			"disk %s: this kernel has no network block devices: load the module nbd (modprobe "
			"nbd nbds_max=64)",
			d->target);
	lock = devices_lock(h);
	if (lock < 0)
		return serai_fail(s, lock, "%s: cannot be locked: %s", h->dev, strerror(-lock));
	while (device_exists(h, n) && device_taken(h, n))
		n++;
	if (!device_exists(h, n)) {
		close(lock);
		return serai_fail(s, -EBUSY,
				  "disk %s: all %u nbd devices are in use: load the module nbd with a larger "
				  "nbds_max",
				  d->target, n);
	}
	rc = serve(s, h, d, file, n);
	close(lock);
	snprintf(dev, len, "%s/nbd%u", h->dev, n);
	return rc;
}

int nbd_detach(struct serai *s, const struct nbd_host *h, const char *dev)
{
	const char *base = strrchr(dev, '/');
	unsigned long thread = 0;
	unsigned int n;
	pid_t pid;

	if (!base || sscanf(base, "/nbd%u", &n) != 1)
		return serai_fail(s, -EINVAL, "%s is not an nbd device", dev);
	if (device_number(h, n, "pid", &thread) < 0)
		return 0; /* nobody serves it any more */
	pid = server_of(h, thread);
	(void)h->disconnect(h, dev);
	if (!pid)
		return 0;
	/* It writes what it has before it ends; only one that does not end by itself is told to. */
	if (process_wait(pid, h->end_ms, NULL) == 0)
		process_end(pid, h->end_ms);
	return device_number(h, n, "pid", &thread) == 0
		       ? serai_fail(s, -EBUSY, "%s: process %d does not let go of it", dev, (int)pid)
		       : 0;
}
