/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hypercalls and their buffers.
 *
 * Invariant: every pointer handed to the hypervisor lies in a call buffer, because ordinary process
 * memory may be paged out or copied on write while the hypervisor uses it.
 */
#include "xc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (ARENA_PAGES * XC_PAGE_SIZE)
/* Every domctl, sysctl and memory_op structure starts on its own cache line. */
#define ARENA_ALIGN 64

size_t xc_mark(struct xc *xc)
{
	return xc->used;
}

void xc_release(struct xc *xc, size_t mark)
{
	while (xc->big && xc->big->at >= mark) {
		struct big_buffer *b = xc->big;

		/* A big buffer takes ARENA_ALIGN bytes of the arena, so marks order it with the others. */
		xc->big = b->next;
		xc->ops->buffer_free(xc->ctx, b->p, b->pages);
		free(b);
	}
	xc->used = mark;
}

/* Names of operations, for messages, from the rows that declare them. */
#define OP(family, nr, name, ...) [nr] = #name,
static const char *const domctl_names[] = {
#include <def/domctl.def>
};
static const char *const sysctl_names[] = {
#include <def/sysctl.def>
};
static const char *const memory_names[] = {
#include <def/memory.def>
};
#undef OP
#define OP_NAME(table, nr) ((nr) < sizeof(table) / sizeof(table[0]) && table[nr] ? table[nr] : "unknown")

static void *buffer_big(struct xc *xc, size_t bytes)
{
	struct big_buffer *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->pages = (bytes + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE;
	b->p = xc->ops->buffer(xc->ctx, b->pages);
	if (!b->p) {
		free(b);
		return NULL;
	}
	b->at = xc->used;
	b->next = xc->big;
	xc->big = b;
	xc->used += ARENA_ALIGN;
	return b->p;
}

void *xc_buffer(struct xc *xc, size_t bytes)
{
	size_t need = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	char *p;

	if (bytes > ARENA_BYTES / 2 || xc->used + need > ARENA_BYTES) {
		p = xc->used + ARENA_ALIGN <= ARENA_BYTES ? buffer_big(xc, bytes) : NULL;
		if (!p)
			xc_fail(xc, -ENOMEM, "no memory for a call buffer of %zu bytes", bytes);
		return p;
	}
	p = xc->arena + xc->used;
	xc->used += need;
	memset(p, 0, need);
	return p;
}

long xc_hypercall(struct xc *xc, unsigned int op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4)
{
	const uint64_t arg[5] = {a0, a1, a2, a3, a4};

	return xc->ops->hypercall(xc->ctx, op, arg);
}

int xc_domctl(struct xc *xc, struct xen_domctl *op)
{
	size_t mark = xc_mark(xc);
	struct xen_domctl *b = xc_buffer(xc, sizeof(*b));
	long rc;

	if (!b)
		return -ENOMEM;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	*b = *op;
	rc = xc_hypercall(xc, __HYPERVISOR_domctl, (uintptr_t)b, 0, 0, 0, 0);
	*op = *b;
	xc_release(xc, mark);
	if (rc == -EACCES)
		return xc_fail(xc, rc,
			       "the hypervisor refused control interface version %#x (domctl %u): it "
			       "speaks another version",
			       XEN_DOMCTL_INTERFACE_VERSION, op->cmd);
	if (rc < 0)
		return xc_fail(xc, rc, "domain %u: %s failed: %s", op->domain, OP_NAME(domctl_names, op->cmd),
			       strerror(-rc));
	return rc;
}

int xc_sysctl(struct xc *xc, struct xen_sysctl *op)
{
	size_t mark = xc_mark(xc);
	struct xen_sysctl *b = xc_buffer(xc, sizeof(*b));
	long rc;

	if (!b)
		return -ENOMEM;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	*b = *op;
	rc = xc_hypercall(xc, __HYPERVISOR_sysctl, (uintptr_t)b, 0, 0, 0, 0);
	*op = *b;
	xc_release(xc, mark);
	if (rc == -EACCES)
		return xc_fail(xc, rc,
			       "the hypervisor refused control interface version %#x (sysctl %u): it "
			       "speaks another version",
			       XEN_SYSCTL_INTERFACE_VERSION, op->cmd);
	if (rc < 0)
		return xc_fail(xc, rc, "host control %s failed: %s", OP_NAME(sysctl_names, op->cmd),
			       strerror(-rc));
	return rc;
}

long xc_memory_op(struct xc *xc, unsigned int cmd, void *arg, size_t size)
{
	size_t mark = xc_mark(xc);
	void *b = NULL;
	long rc;

	if (size) {
		b = xc_buffer(xc, size);
		if (!b)
			return -ENOMEM;
		memcpy(b, arg, size);
	}
	rc = xc_hypercall(xc, __HYPERVISOR_memory_op, cmd, (uintptr_t)b, 0, 0, 0);
	if (size)
		memcpy(arg, b, size);
	xc_release(xc, mark);
	if (rc < 0)
		xc_fail(xc, rc, "memory operation %s failed: %s", OP_NAME(memory_names, cmd), strerror(-rc));
	return rc;
}
