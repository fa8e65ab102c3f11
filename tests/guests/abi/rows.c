/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of guest-headers/def has a case here or a fuller one of the same name elsewhere:
 * issued by the control domain with an empty argument (and, where a domain is named, one that
 * does not exist), it answers the same errno on every hypervisor. What the fuller cases of
 * other kernels already show is not repeated.
 */
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/pmu.h>
#include <xen/sysctl.h>

#include "guest.h"

#define NOBODY 0x7000

static void answer_to(const char *what, long ret)
{
	record(what, (uint64_t)ret);
}

static void answer(long ret)
{
	answer_to("result", ret);
}

static void do_XEN_DOMCTL(unsigned int cmd)
{
	static struct xen_domctl d;

	memset(&d, 0, sizeof(d));
	d.cmd = cmd;
	d.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	d.domain = NOBODY;
	answer(hypercall1(__HYPERVISOR_domctl, (unsigned long)&d));
}

static void do_XEN_SYSCTL(unsigned int cmd)
{
	static struct xen_sysctl s;

	memset(&s, 0, sizeof(s));
	s.cmd = cmd;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	if (cmd == XEN_SYSCTL_cpu_hotplug) /* nothing of the kind, rather than a processor on or off */
		s.u.cpu_hotplug.op = 99;
	answer(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s));
}

static void do_XENPF(unsigned int cmd)
{
	static struct xen_platform_op p;

	memset(&p, 0, sizeof(p));
	p.cmd = cmd;
	p.interface_version = XENPF_INTERFACE_VERSION;
	answer(hypercall1(__HYPERVISOR_platform_op, (unsigned long)&p));
}

static void do_PHYSDEVOP(unsigned int cmd)
{
	static char zeroes[128];

	memset(zeroes, 0, sizeof(zeroes));
	answer_to("empty", hypercall2(__HYPERVISOR_physdev_op, cmd, (unsigned long)zeroes));
	answer_to("null", hypercall2(__HYPERVISOR_physdev_op, cmd, 0));
}

static void do_XENMEM(unsigned int cmd)
{
	/* The host's frame count is its own; everything else that needs no argument is 0. */
	if (cmd != XENMEM_maximum_ram_page)
		answer(hypercall2(__HYPERVISOR_memory_op, cmd, 0));
}

static void do_MMUEXT(unsigned int cmd)
{
	struct mmuext_op op = { .cmd = cmd };

	/* Frame 0 is nobody's; address 0 is not mapped. */
	answer_to("empty", hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF));
	answer_to("nobody", hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, NOBODY));
	answer_to("null", hypercall4(__HYPERVISOR_mmuext_op, 0, 1, 0, DOMID_SELF));
}

static void do_HVMOP(unsigned int cmd)
{
	static char zeroes[64];

	memset(zeroes, 0, sizeof(zeroes));
	answer_to("empty", hypercall2(__HYPERVISOR_hvm_op, cmd, (unsigned long)zeroes));
	answer_to("null", hypercall2(__HYPERVISOR_hvm_op, cmd, 0));
}

static void do_XENPMU(unsigned int cmd)
{
	struct xen_pmu_params p = { .version = { XENPMU_VER_MAJ, XENPMU_VER_MIN } };

	answer(hypercall2(__HYPERVISOR_xenpmu_op, cmd, (unsigned long)&p));
}

static void do_GNTTABOP(unsigned int cmd)
{
	answer_to("none", hypercall3(__HYPERVISOR_grant_table_op, cmd, 0, 0));
	answer_to("null", hypercall3(__HYPERVISOR_grant_table_op, cmd, 0, 1));
}

static void do_XENNMI(unsigned int cmd)
{
	answer(hypercall2(__HYPERVISOR_nmi_op, cmd, 0));
}

#define OP(family, number, name, type, dir, priv, restart) \
	CASE(family##_##name) \
	{ \
		do_##family(number); \
	}
#include <def/domctl.def>
#include <def/sysctl.def>
#include <def/platform.def>
#include <def/physdev.def>
#include <def/memory.def>
#include <def/mmuext.def>
#include <def/hvm.def>
#include <def/xenpmu.def>
#include <def/grant.def>
#include <def/nmi.def>
