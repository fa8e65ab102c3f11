/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rings of a console page. Producer and consumer indices run freely; a byte lives at its index
 * modulo the ring's size, and producer - consumer is what is in the ring.
 *
 *        cons          prod
 *         v             v
 *   ......#############........   out: the guest produces; in: we do
 */
#include "ring.h"

#include <errno.h>
#include <string.h>

/* Copy out of a ring of `size` bytes (a power of two), around its end if need be. */
static void copy_out(char *to, const char *ring, size_t size, uint32_t at, size_t n)
{
	size_t first = size - (at & (size - 1));

	if (first > n)
		first = n;
	memcpy(to, ring + (at & (size - 1)), first);
	memcpy(to + first, ring, n - first);
}

static void copy_in(char *ring, size_t size, uint32_t at, const char *from, size_t n)
{
	size_t first = size - (at & (size - 1));

	if (first > n)
		first = n;
	memcpy(ring + (at & (size - 1)), from, first);
	memcpy(ring, from + first, n - first);
}

ssize_t ring_waiting(const struct xencons_interface *r)
{
	/* Acquire: the bytes below the index are read after it. */
	uint32_t prod = __atomic_load_n(&r->out_prod, __ATOMIC_ACQUIRE);
	uint32_t n = prod - __atomic_load_n(&r->out_cons, __ATOMIC_RELAXED);

	return n > sizeof(r->out) ? -EPROTO : (ssize_t)n;
}

ssize_t ring_take(struct xencons_interface *r, char *buf, size_t max)
{
	uint32_t cons = __atomic_load_n(&r->out_cons, __ATOMIC_RELAXED);
	uint32_t n = __atomic_load_n(&r->out_prod, __ATOMIC_ACQUIRE) - cons;

	if (n > sizeof(r->out))
		return -EPROTO;
	if (n > max)
		n = max;
	copy_out(buf, r->out, sizeof(r->out), cons, n);
	/* Release: the guest may overwrite these bytes once it sees the index. */
	__atomic_store_n(&r->out_cons, cons + n, __ATOMIC_RELEASE);
	return n;
}

ssize_t ring_put(struct xencons_interface *r, const char *buf, size_t n)
{
	uint32_t prod = __atomic_load_n(&r->in_prod, __ATOMIC_RELAXED);
	uint32_t used = prod - __atomic_load_n(&r->in_cons, __ATOMIC_ACQUIRE);

	if (used > sizeof(r->in))
		return -EPROTO;
	if (n > sizeof(r->in) - used)
		n = sizeof(r->in) - used;
	copy_in(r->in, sizeof(r->in), prod, buf, n);
	__atomic_store_n(&r->in_prod, prod + n, __ATOMIC_RELEASE);
	return n;
}
