/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is there or else the daemon ends: what a client may make it hold is bounded by
 * quotas, and everything it was told is in its journal, so that it starts again where it was.
 */
#ifndef XENSTORED_MEMORY_H
#define XENSTORED_MEMORY_H

#include <stddef.h>

void *new_zeroed(size_t size);
/* Not zeroed; n may be 0. */
void *new_array(size_t n, size_t size);
void *grow_array(void *p, size_t n, size_t size);
void *copy_bytes(const void *p, size_t len);
char *copy_text(const char *text);

#endif
