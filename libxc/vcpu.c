/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typed wrappers of the domain-control operations that act on one virtual CPU.
 */
#include "xc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DOMCTL(name, d) struct xen_domctl op = {.cmd = XEN_DOMCTL_##name, .domain = (d)}

int xc_vcpu_info(struct xc *xc, domid_t dom, unsigned int vcpu, struct xen_domctl_getvcpuinfo *info)
{
	DOMCTL(getvcpuinfo, dom);
	int rc;

	op.u.getvcpuinfo.vcpu = vcpu;
	rc = xc_domctl(xc, &op);
	*info = op.u.getvcpuinfo;
	return rc;
}

static int vcpu_context(struct xc *xc, unsigned int cmd, domid_t dom, unsigned int vcpu,
			vcpu_guest_context_t *c)
{
	size_t mark = xc_mark(xc);
	vcpu_guest_context_t *b = xc_buffer(xc, sizeof(*b));
	struct xen_domctl op = {.cmd = cmd, .domain = dom};
	int rc;

	if (!b)
		return -ENOMEM;
	*b = *c;
	op.u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, b);
	rc = xc_domctl(xc, &op);
	*c = *b;
	xc_release(xc, mark);
	return rc;
}

int xc_vcpu_get_context(struct xc *xc, domid_t dom, unsigned int vcpu, vcpu_guest_context_t *c)
{
	memset(c, 0, sizeof(*c));
	return vcpu_context(xc, XEN_DOMCTL_getvcpucontext, dom, vcpu, c);
}

int xc_vcpu_set_context(struct xc *xc, domid_t dom, unsigned int vcpu, const vcpu_guest_context_t *c)
{
	vcpu_guest_context_t copy = *c;

	return vcpu_context(xc, XEN_DOMCTL_setvcpucontext, dom, vcpu, &copy);
}

int xc_vcpu_get_extended(struct xc *xc, domid_t dom, unsigned int vcpu, struct xen_domctl_ext_vcpucontext *e)
{
	DOMCTL(get_ext_vcpucontext, dom);
	int rc;

	op.u.ext_vcpucontext.vcpu = vcpu;
	rc = xc_domctl(xc, &op);
	*e = op.u.ext_vcpucontext;
	return rc;
}

int xc_vcpu_set_extended(struct xc *xc, domid_t dom, struct xen_domctl_ext_vcpucontext *e)
{
	DOMCTL(set_ext_vcpucontext, dom);

	op.u.ext_vcpucontext = *e;
	return xc_domctl(xc, &op);
}

int xc_vcpu_get_xsave(struct xc *xc, domid_t dom, unsigned int vcpu, void **data, size_t *size)
{
	size_t mark = xc_mark(xc);
	DOMCTL(getvcpuextstate, dom);
	void *b;
	int rc;

	*data = NULL;
	*size = 0;
	op.u.vcpuextstate.vcpu = vcpu;
	rc = xc_domctl(xc, &op); /* a call without a buffer answers with the size */
	if (rc < 0 || op.u.vcpuextstate.size == 0)
		return rc;
	b = xc_buffer(xc, op.u.vcpuextstate.size);
	if (!b)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, b);
	rc = xc_domctl(xc, &op);
	if (rc >= 0) {
		*size = op.u.vcpuextstate.size;
		*data = malloc(*size);
		if (*data)
			memcpy(*data, b, *size);
		else
			rc = -ENOMEM;
	}
	xc_release(xc, mark);
	return rc;
}

int xc_vcpu_set_xsave(struct xc *xc, domid_t dom, unsigned int vcpu, const void *data, size_t size)
{
	size_t mark = xc_mark(xc);
	void *b = xc_buffer(xc, size);
	DOMCTL(setvcpuextstate, dom);
	int rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, data, size);
	op.u.vcpuextstate.vcpu = vcpu;
	op.u.vcpuextstate.size = size;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, b);
	rc = xc_domctl(xc, &op);
	xc_release(xc, mark);
	return rc;
}

int xc_vcpu_get_msrs(struct xc *xc, domid_t dom, unsigned int vcpu, xen_domctl_vcpu_msr_t **msrs,
		     size_t *count)
{
	size_t mark = xc_mark(xc);
	DOMCTL(get_vcpu_msrs, dom);
	xen_domctl_vcpu_msr_t *b;
	int rc;

	*msrs = NULL;
	*count = 0;
	op.u.vcpu_msrs.vcpu = vcpu;
	rc = xc_domctl(xc, &op); /* without a buffer: the largest possible count */
	if (rc < 0 || op.u.vcpu_msrs.msr_count == 0)
		return rc;
	b = xc_buffer(xc, op.u.vcpu_msrs.msr_count * sizeof(*b));
	if (!b)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, b);
	rc = xc_domctl(xc, &op);
	if (rc >= 0 && op.u.vcpu_msrs.msr_count) {
		*count = op.u.vcpu_msrs.msr_count;
		*msrs = malloc(*count * sizeof(*b));
		if (*msrs)
			memcpy(*msrs, b, *count * sizeof(*b));
		else
			rc = -ENOMEM;
	}
	xc_release(xc, mark);
	return rc;
}

int xc_vcpu_set_msrs(struct xc *xc, domid_t dom, unsigned int vcpu, const xen_domctl_vcpu_msr_t *msrs,
		     size_t count)
{
	size_t mark = xc_mark(xc);
	xen_domctl_vcpu_msr_t *b = xc_buffer(xc, count * sizeof(*b));
	DOMCTL(set_vcpu_msrs, dom);
	int rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, msrs, count * sizeof(*b));
	op.u.vcpu_msrs.vcpu = vcpu;
	op.u.vcpu_msrs.msr_count = count;
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, b);
	rc = xc_domctl(xc, &op);
	xc_release(xc, mark);
	return rc;
}

/* Both directions of the affinity call; maps that are NULL are left out. */
static int vcpu_affinity(struct xc *xc, struct xen_domctl *op, uint8_t *hard, uint8_t *soft,
			 unsigned int bits)
{
	size_t mark = xc_mark(xc), bytes = (bits + 7) / 8;
	uint8_t *h = xc_buffer(xc, bytes), *s = xc_buffer(xc, bytes);
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	int rc;

	if (!h || !s)
		return -ENOMEM;
	if (hard) {
		a->flags |= XEN_VCPUAFFINITY_HARD;
		memcpy(h, hard, bytes);
		set_xen_guest_handle(a->cpumap_hard.bitmap, h);
		a->cpumap_hard.nr_bits = bits;
	}
	if (soft) {
		a->flags |= XEN_VCPUAFFINITY_SOFT;
		memcpy(s, soft, bytes);
		set_xen_guest_handle(a->cpumap_soft.bitmap, s);
		a->cpumap_soft.nr_bits = bits;
	}
	rc = xc_domctl(xc, op);
	if (rc >= 0 && hard)
		memcpy(hard, h, bytes);
	if (rc >= 0 && soft)
		memcpy(soft, s, bytes);
	xc_release(xc, mark);
	return rc;
}

int xc_vcpu_get_affinity(struct xc *xc, domid_t dom, unsigned int vcpu, uint8_t *hard, uint8_t *soft,
			 unsigned int bits)
{
	DOMCTL(getvcpuaffinity, dom);

	op.u.vcpuaffinity.vcpu = vcpu;
	return vcpu_affinity(xc, &op, hard, soft, bits);
}

int xc_vcpu_set_affinity(struct xc *xc, domid_t dom, unsigned int vcpu, const uint8_t *hard,
			 const uint8_t *soft, unsigned int bits, bool force)
{
	DOMCTL(setvcpuaffinity, dom);
	size_t bytes = (bits + 7) / 8;
	uint8_t h[512], s[512];

	if (bytes > sizeof(h))
		return xc_fail(xc, -E2BIG, "an affinity map of %u CPUs is too large", bits);
	if (hard)
		memcpy(h, hard, bytes);
	if (soft)
		memcpy(s, soft, bytes);
	op.u.vcpuaffinity.vcpu = vcpu;
	op.u.vcpuaffinity.flags = force ? XEN_VCPUAFFINITY_FORCE : 0;
	return vcpu_affinity(xc, &op, hard ? h : NULL, soft ? s : NULL, bits);
}
