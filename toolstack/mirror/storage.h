/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side of disks that come along with a domain: each gets a new image, served by a qemu-nbd of
 * its own that ends with its first client. Until all of it has come the image is called PATH.TOKEN; a disk whose
 * target is a block device is written where it is.
 */
#ifndef SERAI_MIRROR_STORAGE_H
#define SERAI_MIRROR_STORAGE_H

#include "../lib/serai.h"

#include <sys/types.h>

struct storage {
	unsigned int n;
	struct incoming {
		char *path, *part; /* part NULL: path is a block device */
		dev_t fs;          /* the image's, under either name */
		ino_t inode;
		pid_t server;
	} * disk;
	const char *token;
};

/* Does a disk lie on this host: a path, and not a URL or a server's? */
bool storage_is_local(const struct disk *d);
/*
 * Make room for the disks that `list` names, "VDEV:BYTES" with commas between; their sockets are in the run
 * directory, by `token` and place in the list. -EEXIST: a file of that name is here; -EBUSY, -ENOSPC, -ENOENT,
 * -EINVAL as s->error says. After an error, too, what was made is storage_abandon()'s.
 */
int storage_prepare(struct serai *s, struct storage *st, const struct domain_config *c, const char *token,
		    const char *list);
/* All servers have ended, everything written; images get their names. To be called when the sender has said it all. */
int storage_settle(struct serai *s, struct storage *st);
/* The domain stays where it was: servers and images go. Block devices keep what was written. */
void storage_abandon(struct storage *st);
void storage_free(struct storage *st);
/*
 * Lists of disks have commas between their items, "VDEV" or "VDEV:BYTES". What follows the name of vdev in the list
 * (":BYTES,...", ",...", or nothing); NULL: it is not in it.
 */
const char *storage_item(const char *list, const char *vdev);
/* The item behind the first one; NULL: there is none. */
const char *storage_next(const char *list);
/* Carry standard input and output to disk n's server until either ends. */
int storage_connect(struct serai *s, const char *token, unsigned int n);

#endif
