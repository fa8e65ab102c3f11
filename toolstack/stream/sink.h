/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a stream's bytes go: a descriptor, perhaps through zstd, perhaps held to a rate. And the
 * way back.
 */
#ifndef SERAI_SINK_H
#define SERAI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct sink {
	int fd;
	uint64_t rate; /* bytes a second on the wire; 0: no limit */
	uint64_t sent; /* bytes on the wire */
	double start;
	void *zstd;
	void *out;
};

int sink_open(struct sink *k, int fd, bool compress, uint64_t rate);
void sink_close(struct sink *k);
/* All of it, or a negative errno; -ECANCELED when move_cancelled is set. v is used up. */
int sink_writev(struct sink *k, struct iovec *v, int n);
/* Nothing is held back any more; compressed data end here. */
int sink_finish(struct sink *k);

struct source {
	int fd;
	void *zstd;
	uint8_t *in;
	size_t at, len;
	bool ended;
};

int source_open(struct source *k, int fd);
void source_close(struct source *k);
/* As stream_reader's read; arg is the source. */
int source_read(void *arg, void *buf, size_t n);

#endif
