/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typed wrappers of the domain-control operations that act on a whole domain.
 */
#include "xc_internal.h"

#include <errno.h>
#include <string.h>

#define DOMCTL(name, d) struct xen_domctl op = {.cmd = XEN_DOMCTL_##name, .domain = (d)}

int xc_domain_create(struct xc *xc, domid_t *dom, struct xen_domctl_createdomain *cfg)
{
	DOMCTL(createdomain, *dom);
	int rc;

	op.u.createdomain = *cfg;
	rc = xc_domctl(xc, &op);
	if (rc < 0)
		return xc_fail(xc, rc, "the hypervisor cannot create a domain: %s", strerror(-rc));
	*cfg = op.u.createdomain;
	*dom = op.domain;
	return 0;
}

int xc_domain_max_vcpus(struct xc *xc, domid_t dom, unsigned int max)
{
	DOMCTL(max_vcpus, dom);

	op.u.max_vcpus.max = max;
	return xc_domctl(xc, &op);
}

int xc_domain_pause(struct xc *xc, domid_t dom)
{
	DOMCTL(pausedomain, dom);

	return xc_domctl(xc, &op);
}

int xc_domain_unpause(struct xc *xc, domid_t dom)
{
	DOMCTL(unpausedomain, dom);

	return xc_domctl(xc, &op);
}

int xc_domain_resume(struct xc *xc, domid_t dom)
{
	DOMCTL(resumedomain, dom);

	return xc_domctl(xc, &op);
}

int xc_domain_destroy(struct xc *xc, domid_t dom)
{
	int rc;

	/* -EAGAIN: foreign references are being dropped; -ERESTART does not reach us. */
	do {
		DOMCTL(destroydomain, dom);

		rc = xc_domctl(xc, &op);
	} while (rc == -EAGAIN);
	return rc;
}

int xc_domain_info(struct xc *xc, domid_t dom, struct xen_domctl_getdomaininfo *info)
{
	DOMCTL(getdomaininfo, dom);
	int rc = xc_domctl(xc, &op);

	if (rc < 0)
		return rc;
	/* The call answers with the next living domain when `dom` does not exist. */
	if (op.u.getdomaininfo.domain != dom)
		return xc_fail(xc, -ESRCH, "domain %u does not exist", dom);
	*info = op.u.getdomaininfo;
	return 0;
}

int xc_domain_list(struct xc *xc, domid_t first, unsigned int max, struct xen_domctl_getdomaininfo *info)
{
	size_t mark = xc_mark(xc);
	size_t bytes = max * sizeof(*info);
	xen_domctl_getdomaininfo_t *b = xc_buffer(xc, bytes);
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_getdomaininfolist};
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.getdomaininfolist.first_domain = first;
	op.u.getdomaininfolist.max_domains = max;
	set_xen_guest_handle(op.u.getdomaininfolist.buffer, b);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		rc = op.u.getdomaininfolist.num_domains;
		memcpy(info, b, rc * sizeof(*info));
	}
	xc_release(xc, mark);
	return rc;
}

int xc_domain_set_max_mem(struct xc *xc, domid_t dom, uint64_t kib)
{
	DOMCTL(max_mem, dom);

	op.u.max_mem.max_memkb = kib;
	return xc_domctl(xc, &op);
}

int xc_domain_set_handle(struct xc *xc, domid_t dom, const uint8_t handle[16])
{
	DOMCTL(setdomainhandle, dom);

	memcpy(op.u.setdomainhandle.handle, handle, 16);
	return xc_domctl(xc, &op);
}

int xc_domain_set_address_size(struct xc *xc, domid_t dom, unsigned int bits)
{
	DOMCTL(set_address_size, dom);

	op.u.address_size.size = bits;
	return xc_domctl(xc, &op);
}

int xc_domain_get_address_size(struct xc *xc, domid_t dom, unsigned int *bits)
{
	DOMCTL(get_address_size, dom);
	int rc = xc_domctl(xc, &op);

	*bits = op.u.address_size.size;
	return rc;
}

int xc_domain_trigger(struct xc *xc, domid_t dom, unsigned int trigger, unsigned int vcpu)
{
	DOMCTL(sendtrigger, dom);

	op.u.sendtrigger.trigger = trigger;
	op.u.sendtrigger.vcpu = vcpu;
	return xc_domctl(xc, &op);
}

int xc_domain_set_tsc(struct xc *xc, domid_t dom, const struct xen_domctl_tsc_info *tsc)
{
	DOMCTL(settscinfo, dom);

	op.u.tsc_info = *tsc;
	return xc_domctl(xc, &op);
}

int xc_domain_get_tsc(struct xc *xc, domid_t dom, struct xen_domctl_tsc_info *tsc)
{
	DOMCTL(gettscinfo, dom);
	int rc = xc_domctl(xc, &op);

	*tsc = op.u.tsc_info;
	return rc;
}

int xc_domain_set_node_affinity(struct xc *xc, domid_t dom, const uint8_t *map, unsigned int bits)
{
	size_t mark = xc_mark(xc);
	uint8_t *b = xc_buffer(xc, (bits + 7) / 8);
	DOMCTL(setnodeaffinity, dom);
	int rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, map, (bits + 7) / 8);
	set_xen_guest_handle(op.u.nodeaffinity.nodemap.bitmap, b);
	op.u.nodeaffinity.nodemap.nr_bits = bits;
	rc = xc_domctl(xc, &op);
	xc_release(xc, mark);
	return rc;
}

int xc_sched_credit2_get(struct xc *xc, domid_t dom, struct xen_domctl_sched_credit2 *p)
{
	DOMCTL(scheduler_op, dom);
	int rc;

	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	rc = xc_domctl(xc, &op);
	*p = op.u.scheduler_op.u.credit2;
	return rc;
}

int xc_sched_credit2_set(struct xc *xc, domid_t dom, const struct xen_domctl_sched_credit2 *p)
{
	DOMCTL(scheduler_op, dom);

	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	op.u.scheduler_op.u.credit2 = *p;
	return xc_domctl(xc, &op);
}

int xc_frame_types(struct xc *xc, domid_t dom, size_t n, xen_pfn_t *frames)
{
	size_t mark = xc_mark(xc);
	xen_pfn_t *b = xc_buffer(xc, n * sizeof(*b));
	DOMCTL(getpageframeinfo3, dom);
	int rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, frames, n * sizeof(*b));
	op.u.getpageframeinfo3.num = n;
	set_xen_guest_handle(op.u.getpageframeinfo3.array, b);
	rc = xc_domctl(xc, &op);
	if (rc >= 0)
		memcpy(frames, b, n * sizeof(*b));
	xc_release(xc, mark);
	return rc;
}

int xc_shadow_op(struct xc *xc, domid_t dom, unsigned int sop, unsigned int mode, void *bitmap,
		 uint64_t pages, struct xen_domctl_shadow_op_stats *stats)
{
	size_t mark = xc_mark(xc), bytes = (pages + 63) / 64 * 8;
	void *b = bitmap ? xc_buffer(xc, bytes) : NULL;
	DOMCTL(shadow_op, dom);
	int rc;

	if (bitmap && !b)
		return -ENOMEM;
	op.u.shadow_op.op = sop;
	op.u.shadow_op.mode = mode;
	op.u.shadow_op.pages = pages;
	set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, (uint8_t *)b);
	rc = xc_domctl(xc, &op);
	if (rc >= 0 && bitmap)
		memcpy(bitmap, b, bytes);
	if (rc >= 0 && stats)
		*stats = op.u.shadow_op.stats;
	xc_release(xc, mark);
	return rc;
}
