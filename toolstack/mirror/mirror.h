/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending side of disks that come along with a domain: which, and when. What copies them is a program of its
 * own, serai-mirror (main.c), because of its library.
 */
#ifndef SERAI_MIRROR_H
#define SERAI_MIRROR_H

#include "../lib/serai.h"
#include "../stream/peer.h"
#include "../stream/stream.h"

struct mirror {
	struct peer p;
	domid_t dom;
	const char *host;
	unsigned int n;
	char **device;   /* of this host, that have the disks */
	char *list;      /* "VDEV:BYTES,..." for the receiver */
	uint64_t left;   /* bytes, at the last look */
	uint64_t sent;   /* bytes that went over the line, likewise */
	uint64_t copied; /* bytes, at the end */
	double rate;     /* bytes a second, of the last pass worth measuring; 0: none was */
	const struct save_options *o;
	const struct save_stats *st;
};

/*
 * Which disks of a running domain have to come along: `only`, names with commas between, or (NULL) all that lie on
 * this host and are not on a server. c is what the receiver gets. -EINVAL, -ENOENT: s->error names the disk.
 */
int mirror_plan(struct serai *s, struct mirror *m, domid_t dom, const char *host,
		const struct domain_config *c, const char *only);
/*
 * When the receiver has accepted the move `token`; `command` leads there. Copies all of the disks, then what was written
 * meanwhile, until that is little or no longer gets less, and sets the options' round and stopped for the rest:
 * save_domain() follows, with the same options and st. When that is done, the disks are complete over there.
 */
int mirror_begin(struct serai *s, struct mirror *m, const char *command, const char *token,
		 struct save_options *o, const struct save_stats *st);
void mirror_stop(struct mirror *m);

#endif
