/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for what a suspended domain's disks were asked to do. */
#ifndef SERAI_DRAIN_H
#define SERAI_DRAIN_H

#include "../lib/serai.h"

/* Requests in a shared ring (one page; io/ring.h of the public interface) that were not answered yet. */
uint32_t ring_unanswered(const void *page);
/*
 * Until every request of n rings is answered, limit_ms milliseconds at most: 0, or -ETIMEDOUT with *which
 * the index of a ring that has some left. Their owner asks for nothing meanwhile.
 */
int rings_drain(void *const *rings, size_t n, int limit_ms, size_t *which);
/*
 * Every disk that domain 0 serves for a domain that is suspended. 0; -ETIMEDOUT, with the disk's name in
 * s->error: some is not done after limit_ms milliseconds, or after ten seconds; -ENOMEM.
 * Without /dev/xen/gntdev the rings cannot be looked at: that is said, and is no error.
 */
int drain_disks(struct serai *s, domid_t dom, int limit_ms);

#endif
