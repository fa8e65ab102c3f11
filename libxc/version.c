/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who the hypervisor says it is (the xen_version hypercall).
 */
#include "xc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Ask for one string or structure; `size` bytes come back in `out`. */
static long version_get(struct xc *xc, unsigned int cmd, void *out, size_t size)
{
	size_t mark = xc_mark(xc);
	void *b = xc_buffer(xc, size);
	long rc;

	if (!b)
		return -ENOMEM;
	rc = xc_hypercall(xc, __HYPERVISOR_xen_version, cmd, (uintptr_t)b, 0, 0, 0);
	if (rc >= 0)
		memcpy(out, b, size);
	xc_release(xc, mark);
	if (rc < 0)
		xc_fail(xc, rc, "version query %u failed: %s", cmd, strerror(-rc));
	return rc;
}

static long build_id_get(struct xc *xc, char *hex, size_t len)
{
	size_t mark = xc_mark(xc);
	struct xen_build_id *b = xc_buffer(xc, sizeof(*b) + 64);
	long rc;

	if (!b)
		return -ENOMEM;
	b->len = 64;
	rc = xc_hypercall(xc, __HYPERVISOR_xen_version, XENVER_build_id, (uintptr_t)b, 0, 0, 0);
	hex[0] = 0;
	for (long i = 0; i < rc && (size_t)(2 * i + 2) < len; i++)
		sprintf(hex + 2 * i, "%02x", b->buf[i]);
	xc_release(xc, mark);
	return rc;
}

int xc_version(struct xc *xc, struct xc_version *v)
{
	xen_platform_parameters_t pp;
	long rc = xc_hypercall(xc, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);

	memset(v, 0, sizeof(*v));
	if (rc < 0)
		return xc_fail(xc, rc, "no answer to the version query: %s", strerror(-rc));
	v->major = rc >> 16;
	v->minor = rc & 0xffff;
	if ((rc = version_get(xc, XENVER_extraversion, v->extra, sizeof(v->extra))) < 0 ||
	    (rc = version_get(xc, XENVER_compile_info, &v->compile, sizeof(v->compile))) < 0 ||
	    (rc = version_get(xc, XENVER_capabilities, v->caps, sizeof(v->caps))) < 0 ||
	    (rc = version_get(xc, XENVER_changeset, v->changeset, sizeof(v->changeset))) < 0 ||
	    (rc = version_get(xc, XENVER_commandline, v->commandline, sizeof(v->commandline))) < 0 ||
	    (rc = version_get(xc, XENVER_platform_parameters, &pp, sizeof(pp))) < 0)
		return rc;
	v->virt_start = pp.virt_start;
	rc = xc_hypercall(xc, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0, 0);
	v->pagesize = rc > 0 ? (uint32_t)rc : XC_PAGE_SIZE;
	build_id_get(xc, v->build_id, sizeof(v->build_id)); /* optional: an image may have none */
	return 0;
}
