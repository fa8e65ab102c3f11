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

#define SECTOR 512u
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

static int cpus_open(struct trace *t, const char *dir)
{
	char path[320];

	t->cpu = calloc(TRACE_CPUS, sizeof(*t->cpu));
	if (!t->cpu)
		return -ENOMEM;
	for (unsigned int i = 0; i < TRACE_CPUS; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/trace%u", dir, i);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		/* A part of the record would be as good as none. */
		if (fd < 0 && errno != ENOENT)
			return -errno;
		if (fd >= 0)
			t->cpu[t->cpus++].fd = fd;
	}
	return t->cpus ? 0 : -ENOENT;
}

int trace_start(struct trace *t, const char *sys, int dev, char *why, size_t len)
{
	/* Which events: one bit is enough to be taken. */
	struct blk_user_trace_setup u = {
		.act_mask = BLK_TC_COMPLETE, .buf_size = BUFFER_SIZE, .buf_nr = BUFFERS};
	char path[320], dir[300];
	unsigned long sector = 0;
	struct stat st;
	int rc;

	*t = (struct trace){.dev = -1};
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
			 rc == -EBUSY    ? " (another blktrace? blktrace -k -d DEVICE ends it)"
			 : rc == -ENOTTY ? " (a kernel without CONFIG_BLK_DEV_IO_TRACE)"
					 : "");
		return rc;
	}
	t->dev = dev;
	snprintf(dir, sizeof(dir), "%s/kernel/debug/block/%.32s", sys, u.name);
	snprintf(t->dropped, sizeof(t->dropped), "%s/dropped", dir);
	rc = cpus_open(t, dir);
	if (rc == 0 && ioctl(dev, BLKTRACESTART) < 0)
		rc = -errno;
	if (rc < 0) {
		snprintf(why, len, "its writes cannot be followed: %s: %s%s", dir, strerror(-rc),
			 rc == -EPERM ? " (a kernel that is locked down keeps its record to itself)" : "");
		trace_stop(t);
	}
	return rc;
}

long trace_feed(struct dirty *d, uint64_t start, const void *buf, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(struct blk_io_trace)) {
		struct blk_io_trace e;
		uint64_t where;
		uint32_t kind;

		memcpy(&e, (const char *)buf + at, sizeof(e));
		if ((e.magic & 0xffffff00) != BLK_IO_TRACE_MAGIC)
			return -EPROTO;
		if (len - at < sizeof(e) + e.pdu_len)
			break;
		at += sizeof(e) + e.pdu_len;
		kind = e.action >> BLK_TC_SHIFT;
		where = e.sector * SECTOR;
		if (!(kind & (BLK_TC_WRITE | BLK_TC_DISCARD)) || kind & BLK_TC_NOTIFY ||
		    where + e.bytes <= start)
			continue;
		if (where < start) {
			e.bytes -= start - where;
			where = start;
		}
		dirty_mark(d, where - start, e.bytes);
	}
	return at;
}

static int cpu_collect(struct trace *t, struct trace_cpu *c, struct dirty *d)
{
	static char buf[65536];

	for (;;) {
		ssize_t n;
		long used;

		memcpy(buf, c->part, c->have);
		n = read(c->fd, buf + c->have, sizeof(buf) - c->have);
		if (n <= 0)
			return n < 0 && errno != EAGAIN && errno != EINTR;
		n += c->have;
		used = trace_feed(d, t->start, buf, n);
		if (used < 0 || (size_t)(n - used) > sizeof(c->part))
			return 1;
		c->have = n - used;
		memcpy(c->part, buf + used, c->have);
	}
}

int trace_collect(struct trace *t, struct dirty *d)
{
	unsigned long lost = 0;
	int all = 0;

	for (unsigned int i = 0; i < t->cpus; i++)
		all |= cpu_collect(t, &t->cpu[i], d);
	if (t->dev >= 0 && read_number(t->dropped, &lost) < 0)
		all = 1;
	all |= lost != t->lost;
	t->lost = lost;
	return all;
}

void trace_stop(struct trace *t)
{
	for (unsigned int i = 0; i < t->cpus; i++)
		close(t->cpu[i].fd);
	free(t->cpu);
	t->cpu = NULL;
	t->cpus = 0;
	if (t->dev < 0)
		return;
	(void)ioctl(t->dev, BLKTRACESTOP);
	(void)ioctl(t->dev, BLKTRACETEARDOWN);
	t->dev = -1;
}
