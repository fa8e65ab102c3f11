/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "ring.h"

#include <string.h>
#include <xen/io/xs_wire.h>

void ring_of_domain(struct ring *r, struct xenstore_domain_interface *page)
{
	*r = (struct ring){.in = page->req,
			   .out = page->rsp,
			   .in_size = XENSTORE_RING_SIZE,
			   .out_size = XENSTORE_RING_SIZE,
			   .in_cons = &page->req_cons,
			   .in_prod = &page->req_prod,
			   .out_cons = &page->rsp_cons,
			   .out_prod = &page->rsp_prod};
}

/* Read once: the other side may change it at any time. */
static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

long ring_peek(const struct ring *r, uint32_t pos, char *buf, size_t room)
{
	uint32_t n = load(r->in_prod) - pos, at = pos & (r->in_size - 1), first;

	if (n > r->in_size)
		return -EIO;
	if (n > room)
		n = room;
	first = n < r->in_size - at ? n : r->in_size - at;
	memcpy(buf, r->in + at, first);
	memcpy(buf + first, r->in, n - first);
	return n;
}

void ring_taken(struct ring *r, uint32_t pos)
{
	store(r->in_cons, pos);
}

long ring_put(struct ring *r, uint32_t pos, const char *data, size_t len)
{
	uint32_t used = pos - load(r->out_cons), at = pos & (r->out_size - 1), n, first;

	if (used > r->out_size)
		return -EIO;
	n = r->out_size - used < len ? r->out_size - used : len;
	first = n < r->out_size - at ? n : r->out_size - at;
	memcpy(r->out + at, data, first);
	memcpy(r->out, data + first, n - first);
	store(r->out_prod, pos + n);
	return n;
}

uint32_t ring_published(const struct ring *r, uint32_t pos)
{
	return load(r->out_prod) - pos;
}
