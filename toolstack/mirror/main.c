/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai-mirror: copies disks that are being written to, to the other host of a move. `serai migrate` starts it and says
 * when; each disk goes over a connection of its own, in the NBD protocol, to the qemu-nbd that the receiver started
 * for it.
 *
 *   serai migrate -- lines --> serai-mirror -- NBD, through ssh or TLS --> migrate-receive --disk -- qemu-nbd -- file
 *                                   |
 *                    the disk itself (O_DIRECT), and the kernel's record of who wrote where
 *
 * It is told, a line each, and answers:
 *
 *   (started)      ready BYTES        all disks are open, here and there, and so large
 *   pass           at DONE TOTAL ...  then: left BYTES SENT, which were written meanwhile; and what went over, ever
 *   finish MS      done BYTES         nobody writes any more; all is there, and on its disk. BYTES were copied
 *                  failed WHY         instead of any answer; it ends
 *
 * Its input's end is its own.
 */
#include "dirty.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE (512u << 10)
#define PIECES 8
#define DISKS 64
#define COLLECT_MS 250
/* However slow it is: who waits for a line is to know that it goes on. */
#define AT_S 10

struct piece {
	char *data;
	bool busy;
};

struct disk {
	const char *path;
	int fd;
	uint64_t size;
	struct nbd_handle *nbd;
	struct dirty dirty;
	struct trace trace;
};

static struct disk disk[DISKS];
static unsigned int disks;
static struct piece piece[PIECES];
static uint64_t copied, sent; /* bytes; of those, the ones that are not zeros */
static uint64_t bandwidth;    /* bytes a second, 0: no limit */
static double began, collected;
static int refused; /* why the other side could not write a piece */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void stop(void)
{
	/* Not behind a connection that does not end. */
	for (unsigned int i = 0; i < disks; i++)
		trace_stop(&disk[i].trace);
	for (unsigned int i = 0; i < disks; i++) {
		if (disk[i].nbd)
			nbd_close(disk[i].nbd);
		dirty_free(&disk[i].dirty);
		close(disk[i].fd);
	}
	for (unsigned int i = 0; i < PIECES; i++)
		free(piece[i].data);
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *fmt, ...)
{
	char why[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	for (char *c = why; *c; c++)
		if (*c == '\n')
			*c = ' ';
	say("failed %s", why);
	stop();
	exit(1);
}

/* -------- what goes on while pieces are on their way -------- */

static void collect(void)
{
	collected = now();
	for (unsigned int i = 0; i < disks; i++)
		if (disk[i].trace.dev >= 0 && trace_collect(&disk[i].trace, &disk[i].dirty)) {
			fprintf(stderr,
				"disk %s: the kernel lost track of some writes: all of it goes once more\n",
				disk[i].path);
			dirty_all(&disk[i].dirty);
		}
}

/* Waits for any of the connections, and moves what can be moved. */
static void pump(int ms)
{
	struct pollfd p[DISKS + 1];

	p[disks] = (struct pollfd){.fd = STDIN_FILENO}; /* its end alone */
	for (unsigned int i = 0; i < disks; i++) {
		unsigned int dir = nbd_aio_get_direction(disk[i].nbd);

		p[i].fd = nbd_aio_get_fd(disk[i].nbd);
		p[i].events = (dir & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
			      (dir & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0);
	}
	if (poll(p, disks + 1, ms) < 0 && errno != EINTR)
		fail("poll: %s", strerror(errno));
	if (p[disks].revents & (POLLHUP | POLLERR)) {
		stop();
		exit(1);
	}
	for (unsigned int i = 0; i < disks; i++) {
		int rc = 0;

		if (p[i].revents & POLLOUT)
			rc = nbd_aio_notify_write(disk[i].nbd);
		else if (p[i].revents)
			rc = nbd_aio_notify_read(disk[i].nbd);
		if (rc < 0)
			fail("disk %s: %s", disk[i].path, nbd_get_error());
		if (nbd_aio_is_dead(disk[i].nbd) || nbd_aio_is_closed(disk[i].nbd))
			fail("disk %s: the connection to the other side's ended", disk[i].path);
	}
	if (now() - collected > COLLECT_MS / 4000.0)
		collect();
	if (refused)
		fail("the other side cannot write it: %s", strerror(refused));
}

static int arrived(void *arg, int *error)
{
	struct piece *p = arg;

	p->busy = false;
	if (*error)
		refused = *error;
	return 1;
}

static struct piece *piece_free(void)
{
	for (;;) {
		for (unsigned int i = 0; i < PIECES; i++)
			if (!piece[i].busy)
				return &piece[i];
		pump(COLLECT_MS);
	}
}

static void all_arrived(void)
{
	for (unsigned int i = 0; i < PIECES; i++)
		while (piece[i].busy)
			pump(COLLECT_MS);
}

static void within_bandwidth(void)
{
	double ahead;

	while (bandwidth && (ahead = sent / (double)bandwidth - (now() - began)) > 0.001)
		pump(ahead * 1000 < COLLECT_MS ? (int)(ahead * 1000) : COLLECT_MS);
}

/* -------- copying -------- */

static bool is_zero(const char *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

static void put(struct disk *d, uint64_t at, size_t len)
{
	struct piece *p = piece_free();
	nbd_completion_callback done = {.callback = arrived, .user_data = p};
	ssize_t n = pread(d->fd, p->data, len, at);
	int64_t rc;

	if (n != (ssize_t)len)
		fail("disk %s: reading at %lu: %s", d->path, (unsigned long)at,
		     n < 0 ? strerror(errno) : "it ends there");
	p->busy = true;
	copied += len;
	if (is_zero(p->data, len) && nbd_can_zero(d->nbd) == 1) {
		rc = nbd_aio_zero(d->nbd, len, at, done, 0);
	} else {
		rc = nbd_aio_pwrite(d->nbd, p->data, len, at, done, 0);
		sent += len;
	}
	if (rc < 0)
		fail("disk %s: %s", d->path, nbd_get_error());
	within_bandwidth();
}

static uint64_t left(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < disks; i++)
		n += dirty_left(&disk[i].dirty);
	return n;
}

/* Everything that is on the maps once, while more may be added behind. */
static void pass(double until)
{
	uint64_t total = left(), done = 0, shown = 0;
	double last = now();

	for (unsigned int i = 0; i < disks; i++) {
		uint64_t pos = 0, at;
		size_t len;

		while (dirty_take(&disk[i].dirty, &pos, PIECE, &at, &len)) {
			put(&disk[i], at, len);
			done += len;
			if (until > 0 && now() > until)
				fail("%lu MiB of the disks' last writes were not over in time",
				     (unsigned long)(left() >> 20));
			if (total && (done * 100 / total != shown || now() > last + AT_S)) {
				shown = done * 100 / total;
				last = now();
				say("at %lu %lu", (unsigned long)(done < total ? done : total),
				    (unsigned long)total);
			}
		}
	}
	all_arrived();
	collect();
}

static void finish(long ms)
{
	double until = ms >= 0 ? now() + ms / 1000.0 : 0;

	collect();
	do
		pass(until);
	while (left());
	for (unsigned int i = 0; i < disks; i++)
		trace_stop(&disk[i].trace);
	for (unsigned int i = 0; i < disks; i++)
		if ((nbd_can_flush(disk[i].nbd) == 1 && nbd_flush(disk[i].nbd, 0) < 0) ||
		    nbd_shutdown(disk[i].nbd, 0) < 0)
			fail("disk %s: %s", disk[i].path, nbd_get_error());
	say("done %lu", (unsigned long)copied);
}

/* -------- opening -------- */

static void open_disk(struct disk *d, const char *path, const char *command)
{
	char line[2048];
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, line, NULL};
	struct stat st;

	d->path = path;
	d->trace.dev = -1;
	/* Past the page cache: what the guest writes goes past it, too. */
	d->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (d->fd < 0 && errno == EINVAL)
		d->fd = open(path, O_RDONLY | O_CLOEXEC); /* a file, where files have no other way */
	if (d->fd < 0 || fstat(d->fd, &st) < 0)
		fail("disk %s: %s", path, strerror(errno));
	d->size = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(d->fd, BLKGETSIZE64, &d->size) < 0)
		fail("disk %s: %s", path, strerror(errno));
	if (dirty_init(&d->dirty, d->size) < 0)
		fail("out of memory");
	snprintf(line, sizeof(line), "%s --disk=%u", command, (unsigned int)(d - disk));
	d->nbd = nbd_create();
	if (!d->nbd || nbd_connect_command(d->nbd, argv) < 0)
		fail("disk %s: the other side does not take it: %s", path, nbd_get_error());
	if (nbd_get_size(d->nbd) < (int64_t)d->size)
		fail("disk %s: it has %lu bytes, and its place on the other side %ld", path,
		     (unsigned long)d->size, (long)nbd_get_size(d->nbd));
	if (nbd_is_read_only(d->nbd) != 0)
		fail("disk %s: its place on the other side cannot be written to", path);
}

/*
 * From here on nothing is missed; and then it is read. The kernel's record belongs to the disk, and would stay if this
 * process were killed: whatever may stand still for the other side's sake is done before, or behind trace_stop().
 */
static void follow_disk(struct disk *d)
{
	char why[600];

	if (trace_start(&d->trace, "/sys", d->fd, why, sizeof(why)) < 0)
		fail("disk %s: %s", d->path, why);
}

/* An order's line, without its newline. The kernel's record is read while it is waited for. */
static bool order(char *line, size_t len)
{
	size_t n = 0;

	while (n < len) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

		while (poll(&p, 1, COLLECT_MS) == 0)
			collect();
		if (read(STDIN_FILENO, line + n, 1) != 1)
			return false;
		if (line[n] == '\n') {
			line[n] = 0;
			return true;
		}
		n++;
	}
	return false;
}

static void obey(void)
{
	char line[64];

	while (order(line, sizeof(line))) {
		if (!strcmp(line, "pass")) {
			pass(0);
			say("left %lu %lu", (unsigned long)left(), (unsigned long)sent);
		} else if (!strncmp(line, "finish ", 7)) {
			finish(strtol(line + 7, NULL, 10));
			return;
		} else {
			fail("\"%.20s\" is no order", line);
		}
	}
}

int main(int argc, char **argv)
{
	const char *command = getenv("SERAI_MIRROR_COMMAND");
	uint64_t total = 0;
	bool still = false;
	int o;

	while ((o = getopt(argc, argv, "sb:")) != -1) {
		still |= o == 's';
		if (o == 'b')
			bandwidth = strtoull(optarg, NULL, 10);
		else if (o != 's')
			return 2;
	}
	if (!command || optind == argc || argc - optind > DISKS) {
		fprintf(stderr, "usage: SERAI_MIRROR_COMMAND=... serai-mirror [-s] [-b BYTES] DISK...\n"
				"  -s        nobody writes to the disks: their writes are not followed\n"
				"  -b BYTES  copy no more a second\n"
				"serai migrate --copy-storage starts it.\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Of a terminal, and meant for who started it: the end of its input says the same, in good order. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (unsigned int i = 0; i < PIECES; i++)
		if (posix_memalign((void **)&piece[i].data, 4096, PIECE))
			fail("out of memory");
	for (; optind < argc; optind++) {
		disks++;
		open_disk(&disk[disks - 1], argv[optind], command);
		total += disk[disks - 1].size;
	}
	for (unsigned int i = 0; i < disks && !still; i++)
		follow_disk(&disk[i]);
	began = now();
	say("ready %lu", (unsigned long)total);
	obey();
	stop();
	return 0;
}
