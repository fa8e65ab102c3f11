/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who writes where on a block device, from the kernel's own record (blktrace: CONFIG_BLK_DEV_IO_TRACE, debugfs).
 * Completions are what counts: a write that is complete before a block is read is in what was read; of any other
 * the completion is still to come, and marks the block once more.
 */
#ifndef SERAI_MIRROR_TRACE_H
#define SERAI_MIRROR_TRACE_H

#include "dirty.h"

#include <sched.h>

#define TRACE_CPUS 512

struct trace {
	int dev; /* -1: not tracing */
	uint64_t
		start; /* of a partition on its disk, bytes: the kernel's record counts from the disk's start */
	uint64_t
		back; /* how far before an event's end its write may have begun, bytes; 0: what the event says */
	char dir[200];    /* the files of the record */
	char online[256]; /* the CPUs that were, when the files were looked for */
	const char *sys;
	unsigned long lost;
	cpu_set_t home; /* where this process may run */
	struct trace_cpu {
		int fd;      /* -1: none yet */
		size_t have; /* of an event not yet whole */
		char part[256];
	} * cpu;
};

/*
 * `sys` is where the kernel's two file systems are ("/sys"), and stays. 0; negative: why[] says.
 * -ENOTBLK, -ENOENT (no debugfs), -EBUSY (followed by another), -ENOTTY (a kernel without it), -EPERM (locked down).
 */
int trace_start(struct trace *t, const char *sys, int dev, char *why, size_t len);
/* What was written since the last look, into d. 1: the kernel lost some; anything may have been written. */
int trace_collect(struct trace *t, struct dirty *d);
void trace_stop(struct trace *t);

/* Whole events of a CPU's file, with a partition's start and `back`; how many bytes they were. -EPROTO: these are none. */
long trace_feed(struct dirty *d, uint64_t start, uint64_t back, const void *buf, size_t len);

#endif
