/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that the kernel cannot read by itself, as block devices: qemu-nbd serves one to /dev/nbdN, from
 * which blkback takes it like any other.
 *
 *   qcow2, vhd, nbd:// --- qemu-nbd --- /dev/nbdN --- blkback --- guest
 *
 * The process is found again by what the kernel says of the device (/sys/block/nbdN/pid): nothing is
 * written down that could become stale.
 */
#ifndef SERAI_NBD_H
#define SERAI_NBD_H

#include "serai.h"

/* Where things are; tests have their own. */
struct nbd_host {
	const char *sys, *dev, *log, *program;
	int start_ms, end_ms;
	/* Make sure the kernel's driver is there. */
	int (*load)(const struct nbd_host *h);
	/* A descriptor that becomes readable when devices change, and one event read from it. */
	int (*events)(const struct nbd_host *h);
	/* Tell the kernel to let go of the device. */
	int (*disconnect)(const struct nbd_host *h, const char *dev);
};

/* Does this disk need qemu-nbd? */
bool disk_needs_nbd(const struct disk *d);
bool path_is_nbd(const char *target);
/* As QEMU's programs call it; not for DISK_EMPTY. */
const char *disk_format_name(enum disk_format f);
/* Serve `file` (a path or nbd:// URI) for `d` and say which device it became. */
int nbd_attach(struct serai *s, const struct nbd_host *h, const struct disk *d, const char *file, char *dev,
	       size_t len);
/* The device is free and its process gone when this returns 0. */
int nbd_detach(struct serai *s, const struct nbd_host *h, const char *dev);
/* modprobe, with one option or NULL. */
int module_load(const char *module, const char *option);
extern const struct nbd_host nbd_this_host;

#endif
