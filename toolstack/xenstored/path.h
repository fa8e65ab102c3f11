/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of nodes: which are allowed, and how they hang together. */
#ifndef XENSTORED_PATH_H
#define XENSTORED_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an absolute path, its NUL included. */
#define PATH_BYTES 3073

/*
 * The absolute form of a client's path in out[PATH_BYTES]: 0, or -EINVAL. A relative one is taken
 * to be below /local/domain/DOMID. Names that begin with '@' are left alone.
 */
int path_resolve(const char *text, uint16_t domid, char *out);
bool path_special(const char *path);
/* Is `path` the node `above` or below it? *levels receives how far below. */
bool path_within(const char *path, const char *above, unsigned int *levels);
/* Length of the parent's path: 1 for a child of the root; the root's own is 0. */
size_t path_parent(const char *path);

#endif
