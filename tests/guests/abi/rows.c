/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of guest-headers/def has a case here or a fuller one of the same name elsewhere:
 * issued by the control domain with an empty argument (and, where a domain is named, one that
 * does not exist), it answers the same errno on every hypervisor. What the fuller cases of
 * other kernels already show is not repeated. A second time all bits of the argument are set: every length, address
 * and number is out of range. The last cases go through what is wrong with a whole family: another interface version,
 * a pointer that leads nowhere, operations that do not exist.
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
	memset(&d.u, 0xff, sizeof(d.u));
	answer_to("ones", hypercall1(__HYPERVISOR_domctl, (unsigned long)&d));
	d.domain = DOMID_IO;
	answer_to("system_domain", hypercall1(__HYPERVISOR_domctl, (unsigned long)&d));
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
	memset(&s.u, 0xff, sizeof(s.u));
	answer_to("ones", hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s));
}

static void do_XENPF(unsigned int cmd)
{
	static struct xen_platform_op p;

	memset(&p, 0, sizeof(p));
	p.cmd = cmd;
	p.interface_version = XENPF_INTERFACE_VERSION;
	answer(hypercall1(__HYPERVISOR_platform_op, (unsigned long)&p));
	if (cmd == XENPF_settime32) /* every time is a good one */
		return;
	memset(&p.u, 0xff, sizeof(p.u));
	answer_to("ones", hypercall1(__HYPERVISOR_platform_op, (unsigned long)&p));
}

static void do_PHYSDEVOP(unsigned int cmd)
{
	static char zeroes[128];

	memset(zeroes, 0, sizeof(zeroes));
	answer_to("empty", hypercall2(__HYPERVISOR_physdev_op, cmd, (unsigned long)zeroes));
	answer_to("null", hypercall2(__HYPERVISOR_physdev_op, cmd, 0));
	memset(zeroes, 0xff, sizeof(zeroes));
	answer_to("ones", hypercall2(__HYPERVISOR_physdev_op, cmd, (unsigned long)zeroes));
}

static void do_XENMEM(unsigned int cmd)
{
	/* The host's frame count is its own; everything else that needs no argument is 0. */
	static char ones[128];

	if (cmd == XENMEM_maximum_ram_page)
		return;
	answer(hypercall2(__HYPERVISOR_memory_op, cmd, 0));
	memset(ones, 0xff, sizeof(ones));
	answer_to("ones", hypercall2(__HYPERVISOR_memory_op, cmd, (unsigned long)ones));
}

static void do_MMUEXT(unsigned int cmd)
{
	struct mmuext_op op = {.cmd = cmd};

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
	memset(zeroes, 0xff, sizeof(zeroes));
	answer_to("ones", hypercall2(__HYPERVISOR_hvm_op, cmd, (unsigned long)zeroes));
}

static void do_XENPMU(unsigned int cmd)
{
	struct xen_pmu_params p = {.version = {XENPMU_VER_MAJ, XENPMU_VER_MIN}};

	answer(hypercall2(__HYPERVISOR_xenpmu_op, cmd, (unsigned long)&p));
}

static void do_GNTTABOP(unsigned int cmd)
{
	answer_to("none", hypercall3(__HYPERVISOR_grant_table_op, cmd, 0, 0));
	answer_to("null", hypercall3(__HYPERVISOR_grant_table_op, cmd, 0, 1));
	answer_to("too_many", hypercall3(__HYPERVISOR_grant_table_op, cmd, 0, ~0u));
}

static void do_XENNMI(unsigned int cmd)
{
	answer(hypercall2(__HYPERVISOR_nmi_op, cmd, 0));
}

#define OP(family, number, name, type, dir, priv, restart) \
	CASE(family##_##name)                              \
	{                                                  \
		do_##family(number);                       \
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

/* Families whose argument begins with an operation and an interface version. */
static const struct family {
	const char *name;
	unsigned int call;
	uint32_t version;
} families[] = {
	{"domctl", __HYPERVISOR_domctl, XEN_DOMCTL_INTERFACE_VERSION},
	{"sysctl", __HYPERVISOR_sysctl, XEN_SYSCTL_INTERFACE_VERSION},
	{"platform", __HYPERVISOR_platform_op, XENPF_INTERFACE_VERSION},
};
static const uint32_t wrong_ops[] = {0, 4, 47, 87, 999, 0x7fffffff, 0x80000000, 0xffffffff};
static const unsigned long wrong_pointers[] = {
	0, 1, 0xffff800000000000, 0xffff830000000000, 0x800000000000, 0xfffffffffffffff8, 0x7fffffffe000,
};

static void answer_indexed(const char *family, const char *what, unsigned int i, long ret)
{
	char name[48];

	snprintf(name, sizeof(name), "%s_%s_%u", family, what, i);
	answer_to(name, ret);
}

CASE(wrong_versions)
{
	static uint32_t arg[64] __page_aligned;

	for (unsigned int f = 0; f < ARRAY_SIZE(families); f++) {
		const uint32_t v[] = {0, families[f].version - 1, families[f].version + 1, ~0u};

		for (unsigned int i = 0; i < ARRAY_SIZE(v); i++) {
			memset(arg, 0, sizeof(arg));
			arg[0] = 1;
			arg[1] = v[i];
			answer_indexed(families[f].name, "version", i,
				       hypercall1(families[f].call, (unsigned long)arg));
		}
	}
}

CASE(wrong_operations)
{
	static uint32_t arg[64] __page_aligned;

	for (unsigned int f = 0; f < ARRAY_SIZE(families); f++)
		for (unsigned int i = 0; i < ARRAY_SIZE(wrong_ops); i++) {
			memset(arg, 0, sizeof(arg));
			arg[0] = wrong_ops[i];
			arg[1] = families[f].version;
			arg[2] = NOBODY;
			answer_indexed(families[f].name, "operation", i,
				       hypercall1(families[f].call, (unsigned long)arg));
		}
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong_ops); i++) {
		uint32_t op = wrong_ops[i] < 100 ? wrong_ops[i] + 100 : wrong_ops[i];

		answer_indexed("physdev", "operation", i, hypercall2(__HYPERVISOR_physdev_op, op, 0));
		answer_indexed("memory", "operation", i, hypercall2(__HYPERVISOR_memory_op, op & 63, 0));
		answer_indexed("hvm", "operation", i, hypercall2(__HYPERVISOR_hvm_op, op, 0));
		answer_indexed("event", "operation", i, hypercall2(__HYPERVISOR_event_channel_op, op, 0));
		answer_indexed("grant", "operation", i, hypercall3(__HYPERVISOR_grant_table_op, op, 0, 1));
		answer_indexed("sched", "operation", i, hypercall2(__HYPERVISOR_sched_op, op, 0));
		answer_indexed("vcpu", "operation", i, hypercall3(__HYPERVISOR_vcpu_op, op, 0, 0));
		answer_indexed("callback", "operation", i, hypercall2(__HYPERVISOR_callback_op, op, 0));
		answer_indexed("xsm", "operation", i, hypercall1(__HYPERVISOR_xsm_op, op));
	}
}

CASE(wrong_pointers)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong_pointers); i++) {
		unsigned long p = wrong_pointers[i];

		for (unsigned int f = 0; f < ARRAY_SIZE(families); f++)
			answer_indexed(families[f].name, "pointer", i, hypercall1(families[f].call, p));
		answer_indexed("physdev", "pointer", i,
			       hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_irq_status_query, p));
		answer_indexed("memory", "pointer", i,
			       hypercall2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, p));
		answer_indexed("hvm", "pointer", i, hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, p));
	}
}
