/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "storage.h"
#include "../lib/nbd.h"
#include "../lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISKS_MAX 64
/* How long a server may take to write what it has when its client is done. */
#define SETTLE_MS 120000

bool storage_is_local(const struct disk *d)
{
	return d->target && *d->target && !path_is_url(d->target) && !path_is_nbd(d->target) && !d->script &&
	       d->format != DISK_EMPTY;
}

const char *storage_next(const char *list)
{
	const char *comma = strchr(list, ',');

	return comma ? comma + 1 : NULL;
}

/* What follows vdev in the first item, if that is its. */
static const char *item_of(const char *item, const char *vdev)
{
	size_t n = vdev ? strlen(vdev) : 0;

	return n && !strncmp(item, vdev, n) && strchr(",:", item[n]) ? item + n : NULL;
}

const char *storage_item(const char *list, const char *vdev)
{
	const char *found = NULL;

	for (const char *p = list; p && !found; p = storage_next(p))
		found = item_of(p, vdev);
	return found;
}

static int socket_path(struct sockaddr_un *a, const char *token, unsigned int n)
{
	int len;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(a->sun_path, sizeof(a->sun_path), "%s/move-%s-%u", SERAI_RUN_DIR, token, n);
	return len < (int)sizeof(a->sun_path) ? 0 : -ENAMETOOLONG;
}

/* -------- images -------- */

static int image_make(struct serai *s, const struct disk *d, struct incoming *in, uint64_t size)
{
	const char *part = in->part;
	char bytes[24];
	const char *const argv[] = {"qemu-img", "create", "-q", "-f", disk_format_name(d->format),
				    part,       bytes,    NULL};
	int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;
	struct stat st;

	if (fd < 0)
		return serai_fail(s, -errno, "disk %s: %s: %s", d->vdev, part, strerror(errno));
	if (fstat(fd, &st) < 0 || (d->format == DISK_RAW && ftruncate(fd, size) < 0))
		rc = -errno;
	in->fs = st.st_dev;
	in->inode = st.st_ino;
	close(fd);
	if (rc < 0) {
		unlink(part);
		return serai_fail(s, rc, "disk %s: %s: %s", d->vdev, part, strerror(-rc));
	}
	if (d->format == DISK_RAW)
		return 0;
	snprintf(bytes, sizeof(bytes), "%lu", (unsigned long)size);
	rc = program_run(argv, true);
	if (rc) {
		unlink(part);
		return serai_fail(s, -EIO, "disk %s: qemu-img cannot make %s%s", d->vdev, part,
				  rc == 127 ? ": install Debian's qemu-utils" : "");
	}
	return 0;
}

/* A block device is there already: large enough, and nobody's. */
static int device_check(struct serai *s, const struct disk *d, uint64_t size)
{
	int fd = open(d->target, O_RDWR | O_EXCL | O_CLOEXEC), rc = 0;
	uint64_t has = 0;

	if (fd < 0)
		return serai_fail(s, -errno, "disk %s: %s: %s", d->vdev, d->target, strerror(errno));
	if (ioctl(fd, BLKGETSIZE64, &has) < 0)
		rc = serai_fail(s, -errno, "disk %s: %s: %s", d->vdev, d->target, strerror(errno));
	else if (has < size)
		rc = serai_fail(s, -ENOSPC, "disk %s: %s has %lu bytes, and %lu are needed", d->vdev,
				d->target, (unsigned long)has, (unsigned long)size);
	close(fd);
	return rc;
}

static int place(struct serai *s, const struct disk *d, struct incoming *in, const char *token, uint64_t size)
{
	struct stat st;
	int rc;

	/* QEMU's programs take what stands before a colon for a protocol, unless there is a slash before it. */
	if (*d->target != '/')
		return serai_fail(s, -EINVAL, "disk %s: %s: its place here has to be a whole path, from / on",
				  d->vdev, d->target);
	in->path = strdup(d->target);
	if (!in->path)
		return serai_fail(s, -ENOMEM, "out of memory");
	if (stat(d->target, &st) < 0) {
		if (errno != ENOENT)
			return serai_fail(s, -errno, "disk %s: %s: %s", d->vdev, d->target, strerror(errno));
		if (asprintf(&in->part, "%s.%s", d->target, token) < 0) {
			in->part = NULL;
			return serai_fail(s, -ENOMEM, "out of memory");
		}
		rc = image_make(s, d, in, size);
		if (rc < 0) {
			free(in->part);
			in->part = NULL;
		}
		return rc;
	}
	if (S_ISBLK(st.st_mode))
		return device_check(s, d, size);
	return serai_fail(
		s, -EEXIST,
		"disk %s: %s is here already: remove it if it is an old copy; if it is the same disk "
		"(shared), move without --copy-storage",
		d->vdev, d->target);
}

/* -------- servers -------- */

/* It finds its listening socket where systemd would have put it, and nothing has to wait for it to be ready. */
static void server_exec(const struct disk *d, const char *file, int listener)
{
	char format[32], pid[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(format, sizeof(format), "--format=%s", disk_format_name(d->format));
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setsid();
	dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	dup2(STDIN_FILENO, STDOUT_FILENO);
	if (listener != 3)
		dup2(listener, 3);
	fcntl(3, F_SETFD, 0);
	close_range(4, ~0u, 0);
	execlp("qemu-nbd", "qemu-nbd", format, "--discard=unmap", "--detect-zeroes=unmap", "--", file,
	       (char *)NULL);
	_exit(127);
}

static int server_start(struct serai *s, const struct disk *d, struct incoming *in, const char *token,
			unsigned int n)
{
	struct sockaddr_un a;
	int fd, rc = socket_path(&a, token, n);

	if (rc < 0)
		return serai_fail(s, rc, "disk %s: the name of its socket is too long", d->vdev);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(a.sun_path, 0600) < 0 ||
	    listen(fd, 1) < 0) {
		rc = serai_fail(s, -errno, "disk %s: %s: %s", d->vdev, a.sun_path, strerror(errno));
	} else {
		in->server = fork();
		if (in->server == 0)
			server_exec(d, in->part ? in->part : in->path, fd);
		if (in->server < 0)
			rc = serai_fail(s, -errno, "fork: %s", strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int storage_prepare(struct serai *s, struct storage *st, const struct domain_config *c, const char *token,
		    const char *list)
{
	unsigned int wanted = 0;
	int rc = 0;

	for (const char *p = list; p; p = storage_next(p))
		wanted++;
	*st = (struct storage){.token = token};
	st->disk = calloc(DISKS_MAX, sizeof(*st->disk));
	if (!st->disk)
		return serai_fail(s, -ENOMEM, "out of memory");
	/* In the order of the list, which is the sender's. */
	for (const char *p = list; p && rc == 0; p = storage_next(p)) {
		const char *bytes = NULL;
		const struct disk *d = NULL;
		uint64_t size;

		for (unsigned int i = 0; i < c->nr_disks && !bytes; i++) {
			d = &c->disks[i];
			bytes = item_of(p, d->vdev);
		}
		size = bytes && *bytes == ':' ? strtoull(bytes + 1, NULL, 10) : 0;
		if (!size || !storage_is_local(d) || wanted > DISKS_MAX) {
			rc = serai_fail(s, -EINVAL, "disk %.20s: it is none that could come along", p);
			break;
		}
		st->n++;
		rc = place(s, d, &st->disk[st->n - 1], token, size);
		if (rc == 0)
			rc = server_start(s, d, &st->disk[st->n - 1], token, st->n - 1);
	}
	return rc;
}

/* Its exit status; -ETIMEDOUT. */
static int server_wait(struct incoming *in, int ms)
{
	int status = 0, rc = process_wait(in->server, ms, &status);

	if (rc <= 0)
		return rc ? rc : -ETIMEDOUT;
	in->server = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Its own name, if nobody has made a file of that name meanwhile. -1: errno says. */
static int image_name(const struct incoming *in)
{
	if (renameat2(AT_FDCWD, in->part, AT_FDCWD, in->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that knows no such renaming (NFS): a second name is not made over another file either. */
	if (link(in->part, in->path) < 0)
		return -1;
	(void)unlink(in->part);
	return 0;
}

int storage_settle(struct serai *s, struct storage *st)
{
	for (unsigned int i = 0; i < st->n; i++) {
		struct incoming *in = &st->disk[i];
		int rc = server_wait(in, SETTLE_MS);

		if (rc)
			return serai_fail(s, rc < 0 ? rc : -EIO,
					  "disk %s: its qemu-nbd did not end well (%s)", in->path,
					  rc < 0 ? strerror(-rc) : "see its message above");
		if (in->part && image_name(in) < 0)
			return serai_fail(s, -errno, "disk %s: %s", in->path, strerror(errno));
	}
	return 0;
}

/* The image has one of its two names; what else has them is somebody's. */
static void image_remove(const struct incoming *in, const char *name)
{
	struct stat st;

	if (lstat(name, &st) == 0 && st.st_dev == in->fs && st.st_ino == in->inode)
		(void)unlink(name);
}

void storage_abandon(struct storage *st)
{
	struct sockaddr_un a;

	for (unsigned int i = 0; i < st->n; i++) {
		struct incoming *in = &st->disk[i];

		if (in->server > 0) {
			kill(in->server, SIGKILL);
			(void)server_wait(in, -1);
		}
		if (socket_path(&a, st->token, i) == 0)
			unlink(a.sun_path);
		if (in->part) {
			image_remove(in, in->part);
			image_remove(in, in->path);
		}
	}
}

void storage_free(struct storage *st)
{
	for (unsigned int i = 0; i < st->n; i++) {
		free(st->disk[i].path);
		free(st->disk[i].part);
	}
	free(st->disk);
	*st = (struct storage){0};
}

/* -------- the way there -------- */

static int carry(int from, int to)
{
	static char buf[1 << 18];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		for (ssize_t at = 0, k; n > 0 && at < n; at += k) {
			k = write(to, buf + at, n - at);
			if (k < 0 && errno == EINTR)
				k = 0;
			if (k < 0)
				return -errno;
		}
		if (n < 0)
			return -errno;
	}
	return 0;
}

int storage_connect(struct serai *s, const char *token, unsigned int n)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = socket_path(&a, token, n);
	pid_t pid;

	if (fd < 0 || rc < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return serai_fail(s, rc < 0 ? rc : -errno, "disk %u of this move is not waited for: %s", n,
				  strerror(errno));
	unlink(a.sun_path); /* its one client is here */
	pid = fork();
	if (pid < 0)
		return serai_fail(s, -errno, "fork: %s", strerror(errno));
	if (pid == 0) {
		(void)carry(STDIN_FILENO, fd);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	rc = carry(fd, STDOUT_FILENO);
	kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	close(fd);
	return rc;
}
