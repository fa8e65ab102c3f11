/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a libxc handle. Private to libxc/. */
#ifndef LIBXC_INTERNAL_H
#define LIBXC_INTERNAL_H

#include "serai/xc.h"

/*
 * Call-buffer arena. Small buffers are cut from `arena`; the few large ones (frame lists, policy
 * leaves) get their own mapping and are chained so that xc_release() finds them.
 *
 *   arena  |used......|free..............|     big -> { at, p, pages } -> { ... }
 *                     ^ used
 */
#define ARENA_PAGES 16

struct big_buffer {
	struct big_buffer *next;
	size_t at; /* value of `serial` when it was taken */
	void *p;
	size_t pages;
};

struct xc {
	const struct xc_ops *ops;
	void *ctx;
	char *arena;
	size_t used; /* bytes of the arena in use */
	struct big_buffer *big;
	char error[512];
};

#endif
