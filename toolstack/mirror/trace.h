/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who writes where on a block device, from the kernel's own record (blktrace: CONFIG_BLK_DEV_IO_TRACE, debugfs).
 * Completions are what counts: a write that is complete before a block is read is in what was read; of any other
 * the completion is still to come, and marks the block once more.
 */
#ifndef SERAI_MIRROR_TRACE_H
#define SERAI_MIRROR_TRACE_H

#include "dirty.h"

#define TRACE_CPUS 512

struct trace {
	int dev; /* -1: not tracing */
	uint64_t
		start; /* of a partition on its disk, bytes: the kernel's record counts from the disk's start */
	char dropped[320]; /* the file that counts what was lost */
	unsigned long lost;
	unsigned int cpus;
	struct trace_cpu {
		int fd;
		size_t have; /* of an event not yet whole */
		char part[256];
	} * cpu;
};

/* `sys` is where the kernel's two file systems are ("/sys"). 0; negative: why[] says. */
int trace_start(struct trace *t, const char *sys, int dev, char *why, size_t len);
/* What was written since the last look, into d. 1: the kernel lost some; anything may have been written. */
int trace_collect(struct trace *t, struct dirty *d);
void trace_stop(struct trace *t);

/* Whole events of a CPU's file, with a partition's start; how many bytes they were. -EPROTO: these are none. */
long trace_feed(struct dirty *d, uint64_t start, const void *buf, size_t len);

#endif
