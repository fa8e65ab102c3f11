/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two byte rings of a console page, from the daemon's side: take what the guest wrote, put what
 * it shall read. Pure: memory in, memory out.
 *
 * The guest can write to the page at any moment. Its index is read once a call, and an index that
 * cannot be true is answered with -EPROTO; nothing outside the ring is ever touched.
 */
#ifndef SERAI_CONSOLED_RING_H
#define SERAI_CONSOLED_RING_H

#include <stddef.h>
#include <sys/types.h>
#include <xen/io/console.h>

/* At most `max` bytes of output, in order; how many, or -EPROTO. */
ssize_t ring_take(struct xencons_interface *r, char *buf, size_t max);
/* Bytes the guest has written and we have not taken; -EPROTO. */
ssize_t ring_waiting(const struct xencons_interface *r);
/* As much of `n` bytes of input as fits; how many, or -EPROTO. */
ssize_t ring_put(struct xencons_interface *r, const char *buf, size_t n);

#endif
