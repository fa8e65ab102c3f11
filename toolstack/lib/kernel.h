/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain's kernel, from a file or URL, unpacked once (kernel.c). */
#ifndef SERAI_KERNEL_H
#define SERAI_KERNEL_H

#include "serai.h"
#include "serai/xc_image.h"

struct kernel_file {
	struct xc_kernel k;
	void *data; /* what k points into, unless it owns it */
	size_t len;
	bool mapped; /* a file of the cache, not memory of ours */
};

/*
 * Open a kernel that can start as a PV guest; the cause of a failure names it. `keep`: the file will be there the next
 * time, so what it unpacks to is kept for then.
 */
int kernel_open(struct serai *s, const char *path, bool keep, struct kernel_file *f);
void kernel_close(struct kernel_file *f);

#endif
