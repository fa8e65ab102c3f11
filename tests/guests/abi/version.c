/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/version.md promises: each query answers its value or fills its structure and
 * answers 0; the control domain also sees the command line and the build id; an unknown query
 * is -ENOSYS; a bad pointer is -EFAULT and nothing else happens.
 */
#include <xen/features.h>
#include <xen/version.h>

#include "guest.h"

static long xen_version(unsigned int cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_xen_version, cmd, (unsigned long)arg);
}

static bool terminated(const char *s, size_t size)
{
	while (size--)
		if (!*s++)
			return true;
	return false;
}

CASE(XENVER_version)
{
	record("version", (uint64_t)xen_version(XENVER_version, NULL));
}

CASE(XENVER_extraversion)
{
	xen_extraversion_t s;

	memset(s, 0xff, sizeof(s));
	check_eq(xen_version(XENVER_extraversion, s), 0);
	check(terminated(s, sizeof(s)));
	check_eq(xen_version(XENVER_extraversion, NULL), -XEN_EFAULT);
}

CASE(XENVER_compile_info)
{
	struct xen_compile_info info;

	memset(&info, 0xff, sizeof(info));
	check_eq(xen_version(XENVER_compile_info, &info), 0);
	check(terminated(info.compiler, sizeof(info.compiler)));
	check(terminated(info.compile_by, sizeof(info.compile_by)));
	check(terminated(info.compile_domain, sizeof(info.compile_domain)));
	check(terminated(info.compile_date, sizeof(info.compile_date)));
}

CASE(XENVER_capabilities)
{
	static xen_capabilities_info_t s;

	memset(s, 0xff, sizeof(s));
	check_eq(xen_version(XENVER_capabilities, s), 0);
	require(terminated(s, sizeof(s)));
	check(!strncmp(s, "xen-3.0-x86_64", 14));
}

CASE(XENVER_changeset)
{
	xen_changeset_info_t s;

	memset(s, 0xff, sizeof(s));
	check_eq(xen_version(XENVER_changeset, s), 0);
	check(terminated(s, sizeof(s)));
}

CASE(XENVER_platform_parameters)
{
	struct xen_platform_parameters p = {0};

	check_eq(xen_version(XENVER_platform_parameters, &p), 0);
	record("virt_start", p.virt_start);
}

CASE(XENVER_get_features)
{
	struct xen_feature_info f = {.submap_idx = 0};

	check_eq(xen_version(XENVER_get_features, &f), 0);
	record("submap0", f.submap);
	f.submap_idx = XENFEAT_NR_SUBMAPS;
	record("beyond", (uint64_t)xen_version(XENVER_get_features, &f));
}

CASE(XENVER_pagesize)
{
	check_eq(xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
}

CASE(XENVER_guest_handle)
{
	xen_domain_handle_t h;

	memset(h, 0xff, sizeof(h));
	check_eq(xen_version(XENVER_guest_handle, h), 0);
	if (is_dom0()) {
		record("low", *(uint64_t *)h);
		record("high", *(uint64_t *)(h + 8));
	}
}

CASE(XENVER_commandline)
{
	static xen_commandline_t s;

	memset(s, 0xff, sizeof(s));
	check_eq(xen_version(XENVER_commandline, s), 0);
	require(terminated(s, sizeof(s)));
	check(strlen(s) > 0);
}

CASE(XENVER_build_id)
{
	static struct {
		struct xen_build_id id;
		unsigned char room[64];
	} b;
	long ret = xen_version(XENVER_build_id, NULL);

	if (!is_dom0()) {
		check_eq(ret, -XEN_EPERM);
		return;
	}
	/* Without a buffer: the length, or -ENODATA where the image carries none. */
	check(ret > 0 || ret == -XEN_ENODATA);
	b.id.len = sizeof(b.room);
	check_eq(xen_version(XENVER_build_id, &b), ret);
}

CASE(unknown_query)
{
	check_eq(xen_version(99, NULL), -XEN_ENOSYS);
}

CASE(bad_pointer)
{
	struct xen_platform_parameters *hypervisor = (void *)0xffff830000000000UL;

	check_eq(xen_version(XENVER_platform_parameters, NULL), -XEN_EFAULT);
	check_eq(xen_version(XENVER_platform_parameters, hypervisor), -XEN_EFAULT);
	check_eq(xen_version(XENVER_get_features, hypervisor), -XEN_EFAULT);
}
