/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blktrace_api.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR 512ull
/* For each CPU: some 40,000 events. Whoever collects every second loses none of a disk with less. */
#define BUFFER_SIZE (512u << 10)
#define BUFFERS 4

static int read_number(const char *path, unsigned long *v)
{
	FILE *f = fopen(path, "re");
	int n = f ? fscanf(f, "%lu", v) : 0;

	if (f)
		fclose(f);
	return n == 1 ? 0 : -ENOENT;
}

/* The largest write that blkback makes of a request: 256 segments of a page. */
#define WRITE_MAX (256u << 12)

static void read_line(const char *path, char *line, size_t len)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(line, len, f))
		*line = 0;
	if (f)
		fclose(f);
}

static void online_read(const struct trace *t, char *line, size_t len)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/devices/system/cpu/online", t->sys);
	read_line(path, line, len);
}

/* The files of those CPUs that have one. */
static int cpus_open(struct trace *t)
{
	unsigned int found = 0;
	char path[320];

	online_read(t, t->online, sizeof(t->online));
	for (unsigned int i = 0; i < TRACE_CPUS; i++) {
		if (t->cpu[i].fd < 0) {
			snprintf(path, sizeof(path), "%s/trace%u", t->dir, i);
			t->cpu[i].fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
			/* A part of the record would be as good as none. */
			if (t->cpu[i].fd < 0 && errno != ENOENT)
				return -errno;
		}
		found += t->cpu[i].fd >= 0;
	}
	return found ? 0 : -ENOENT;
}

static int cpus_start(struct trace *t)
{
	t->cpu = calloc(TRACE_CPUS, sizeof(*t->cpu));
	for (unsigned int i = 0; t->cpu && i < TRACE_CPUS; i++)
		t->cpu[i].fd = -1;
	CPU_ZERO(&t->home);
	if (!t->cpu)
		return -ENOMEM;
	return sched_getaffinity(0, sizeof(t->home), &t->home) < 0 ? -errno : cpus_open(t);
}

/*
 * A device whose requests are counted as they are done (blk-mq) says of each where it was. Of one made of bios
 * (device-mapper: LVM; md) there is one event for all of a write, and it says where the last of the parts was that
 * the driver made of it: it ends where the write ended, and how far before that it began it does not say.
 */
static bool counts_requests(const char *sys, dev_t dev)
{
	char path[320];

	/* The disk's own, or that of the disk a partition is on. */
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/mq", sys, major(dev), minor(dev));
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/partition", sys, major(dev), minor(dev));
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/../mq", sys, major(dev), minor(dev));
	return access(path, F_OK) == 0;
}

int trace_start(struct trace *t, const char *sys, int dev, char *why, size_t len)
{
	/* Which events: one bit is enough to be taken. */
	struct blk_user_trace_setup u = {
		.act_mask = BLK_TC_COMPLETE, .buf_size = BUFFER_SIZE, .buf_nr = BUFFERS};
	char path[320];
	unsigned long sector = 0;
	struct stat st;
	int rc;

	*t = (struct trace){.dev = -1, .sys = sys};
	if (fstat(dev, &st) < 0 || !S_ISBLK(st.st_mode)) {
		snprintf(why, len, "not a block device");
		return -ENOTBLK;
	}
	snprintf(path, sizeof(path), "%s/kernel/debug/block", sys);
	if (access(path, F_OK) < 0) {
		snprintf(why, len, "%s is not there: mount -t debugfs none %s/kernel/debug", path, sys);
		return -ENOENT;
	}
	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/start", sys, major(st.st_rdev), minor(st.st_rdev));
	if (read_number(path, &sector) == 0)
		t->start = (uint64_t)sector * SECTOR;
	if (ioctl(dev, BLKTRACESETUP, &u) < 0) {
		rc = -errno;
		snprintf(why, len, "its writes cannot be followed: %s%s", strerror(-rc),
			 rc == -EBUSY    ? " (its disk is followed already: by another move, for another "
					   "partition, or by a "
					   "blktrace, which blktrace -k -d DEVICE ends)"
			 : rc == -ENOTTY ? " (a kernel without CONFIG_BLK_DEV_IO_TRACE)"
					 : "");
		return rc;
	}
	t->dev = dev;
	t->back = counts_requests(sys, st.st_rdev) ? 0 : WRITE_MAX;
	snprintf(t->dir, sizeof(t->dir), "%.100s/kernel/debug/block/%.32s", sys, u.name);
	rc = cpus_start(t);
	if (rc == 0 && ioctl(dev, BLKTRACESTART) < 0)
		rc = -errno;
	if (rc < 0) {
		snprintf(why, len, "its writes cannot be followed: %s: %s%s", t->dir, strerror(-rc),
			 rc == -EPERM ? " (a kernel that is locked down keeps its record to itself)" : "");
		trace_stop(t);
	}
	return rc;
}

/* The bytes of the disk that an event may be about. */
static void extent(const struct blk_io_trace *e, uint64_t back, uint64_t *from, uint64_t *to)
{
	*from = e->sector * SECTOR;
	*to = *from + e->bytes;
	/* What is discarded at a time has no bound. */
	if (back && e->action >> BLK_TC_SHIFT & BLK_TC_DISCARD)
		*from = 0;
	else if (back && *to - *from < back)
		*from = *to > back ? *to - back : 0;
}

long trace_feed(struct dirty *d, uint64_t start, uint64_t back, const void *buf, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(struct blk_io_trace)) {
		struct blk_io_trace e;
		uint64_t from, to;
		uint32_t kind;

		memcpy(&e, (const char *)buf + at, sizeof(e));
		if ((e.magic & 0xffffff00) != BLK_IO_TRACE_MAGIC)
			return -EPROTO;
		if (len - at < sizeof(e) + e.pdu_len)
			break;
		at += sizeof(e) + e.pdu_len;
		kind = e.action >> BLK_TC_SHIFT;
		extent(&e, back, &from, &to);
		if (!(kind & (BLK_TC_WRITE | BLK_TC_DISCARD)) || kind & BLK_TC_NOTIFY || to <= start)
			continue;
		if (from < start)
			from = start;
		dirty_mark(d, from - start, to - from);
	}
	return at;
}

static int cpu_collect(struct trace *t, struct trace_cpu *c, struct dirty *d)
{
	static char buf[65536];
	int lost = 0;

	for (;;) {
		ssize_t n;
		long used;

		memcpy(buf, c->part, c->have);
		n = read(c->fd, buf + c->have, sizeof(buf) - c->have);
		if (n <= 0)
			return lost || (n < 0 && errno != EAGAIN && errno != EINTR);
		n += c->have;
		c->have = 0;
		used = lost ? n : trace_feed(d, t->start, t->back, buf, n);
		/* Where events begin is not known any more: what there is goes, until a read finds none. */
		if (used < 0 || (size_t)(n - used) > sizeof(c->part)) {
			lost = 1;
			continue;
		}
		c->have = n - used;
		memcpy(c->part, buf + used, c->have);
	}
}

/*
 * The kernel makes room for an event, and then fills it, with interrupts off: who reads on another CPU may find it
 * empty, or an old one in its place. On the CPU itself nobody is in between. False: it is neither to be had nor off.
 */
static bool run_on(const struct trace *t, unsigned int cpu)
{
	char path[320], line[16];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u/online", t->sys, cpu);
	read_line(path, line, sizeof(line));
	return *line == '0';
}

int trace_collect(struct trace *t, struct dirty *d)
{
	char path[320], online[sizeof(t->online)];
	unsigned long lost = 0;
	int all = 0;

	if (t->dev < 0)
		return 0;
	online_read(t, online, sizeof(online));
	if (strcmp(online, t->online) != 0 && cpus_open(t) < 0)
		all = 1;
	for (unsigned int i = 0; i < TRACE_CPUS; i++)
		if (t->cpu[i].fd >= 0) {
			all |= run_on(t, i) ? 0 : 1;
			all |= cpu_collect(t, &t->cpu[i], d);
		}
	(void)sched_setaffinity(0, sizeof(t->home), &t->home);
	snprintf(path, sizeof(path), "%s/dropped", t->dir);
	if (read_number(path, &lost) < 0)
		all = 1;
	all |= lost != t->lost;
	t->lost = lost;
	return all;
}

void trace_stop(struct trace *t)
{
	for (unsigned int i = 0; t->cpu && i < TRACE_CPUS; i++)
		if (t->cpu[i].fd >= 0)
			close(t->cpu[i].fd);
	free(t->cpu);
	t->cpu = NULL;
	if (t->dev < 0)
		return;
	(void)ioctl(t->dev, BLKTRACESTOP);
	(void)ioctl(t->dev, BLKTRACETEARDOWN);
	t->dev = -1;
}
