/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of byte rings in memory shared with somebody who is not trusted: a guest, or (for sockets)
 * the keeper. The daemon's own positions are those of the connection; what it publishes in the
 * shared page is never read back while it runs.
 */
#ifndef XENSTORED_RING_H
#define XENSTORED_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	char *in, *out;
	uint32_t in_size, out_size; /* powers of two */
	uint32_t *in_cons, *in_prod, *out_cons, *out_prod;
};

struct xenstore_domain_interface;
void ring_of_domain(struct ring *r, struct xenstore_domain_interface *page);
/* Up to `room` bytes from the stream's place `pos` on: how many, or -EIO for positions that cannot
 * be. */
long ring_peek(const struct ring *r, uint32_t pos, char *buf, size_t room);
/* Everything before pos has been taken. */
void ring_taken(struct ring *r, uint32_t pos);
/* As many bytes as there is room for, at the stream's place `pos`; they are published. */
long ring_put(struct ring *r, uint32_t pos, const char *data, size_t len);
/* How far the stream's other end is from `pos`: bytes already published. */
uint32_t ring_published(const struct ring *r, uint32_t pos);

#endif
