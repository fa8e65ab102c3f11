/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a stream, record by record, with every length and order checked before a visitor sees it.
 * The reader needs no hypervisor: `serai stream check`, the fuzzer and restore all drive the same code.
 */
#ifndef SERAI_STREAM_READER_H
#define SERAI_STREAM_READER_H

#include "format.h"

#include <stdbool.h>
#include <stddef.h>

struct stream_reader {
	/* Fill exactly n bytes: 0, -EPIPE at the end of input, or another negative errno. */
	int (*read)(void *arg, void *buf, size_t n);
	void *arg;

	uint64_t offset;     /* bytes consumed */
	unsigned int record; /* records seen, for messages */
	uint32_t version, type, xen_major, xen_minor;
	bool pv_info, static_end, p2m, shared_info, ended;
	uint32_t p2m_end; /* last pfn of the table */
	char error[256];
};

struct stream_visitor {
	/* body is 8-byte aligned and lasts until the call returns. A negative return stops the reader. */
	int (*record)(void *arg, uint32_t type, const void *body, uint32_t len);
	void *arg;
	/* Container events. config: the JSON in front of a file's container. */
	int (*config)(void *arg, const char *json, size_t len);
	int (*container)(void *arg, uint32_t type, const void *body, uint32_t len);
	/*
	 * For who has a place for pages: called, PAGE_BATCH words at most at a time, instead of record() for
	 * PAGE_DATA. pages: to[] gets where the contents go, a row of those words that have any. placed: they are there.
	 */
	int (*pages)(void *arg, const uint64_t *words, uint32_t n, void **to);
	int (*placed)(void *arg);
};

int stream_fail(struct stream_reader *r, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A domain stream alone. */
int stream_read(struct stream_reader *r, const struct stream_visitor *v);
/* A container with the domain stream inside. */
int container_read(struct stream_reader *r, const struct stream_visitor *v);
/* A whole file: header, configuration, container. */
int savefile_read(struct stream_reader *r, const struct stream_visitor *v);

/* Reading from a file descriptor: arg is the descriptor cast to a pointer. */
int stream_read_fd(void *arg, void *buf, size_t n);

#endif
