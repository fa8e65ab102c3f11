/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_mca: the hardware domain's machine-check log driver. Telemetry is not collected (a
 * machine check is fatal), so fetch finds nothing; the list of CPUs is real.
 */
#include <apic.h>
#include <cpu.h>
#include <hypercall.h>
#include <lib.h>
#include <smp.h>
#include <uaccess.h>
#include <xen/arch-x86/xen-mca.h>

#include "platform.h"

void cpu_signature(struct cpu_signature *s)
{
	u32 a, b, c, d;

	cpuid_raw(0, 0, &a, &b, &c, &d);
	memcpy(s->vendor, &b, 4);
	memcpy(s->vendor + 4, &d, 4);
	memcpy(s->vendor + 8, &c, 4);
	cpuid_raw(1, 0, &a, &b, &c, &d);
	s->family = a >> 8 & 15;
	s->model = a >> 4 & 15;
	s->stepping = a & 15;
	if (s->family == 15)
		s->family += a >> 20 & 255;
	if (s->family == 6 || s->family >= 15)
		s->model |= (a >> 16 & 15) << 4;
}

static void describe_cpu(unsigned int cpu, xen_mc_logical_cpu_t *l)
{
	struct cpu_signature s;
	u32 a, b, c, d;

	memset(l, 0, sizeof(*l));
	cpu_signature(&s);
	l->mc_cpunr = cpu;
	l->mc_apicid = cpu_apic_id[cpu];
	l->mc_chipid = 0;
	l->mc_coreid = (u16)cpu;
	l->mc_ncores = l->mc_ncores_active = cpumask_weight(&cpu_online_map);
	l->mc_nthreads = 1;
	memcpy(l->mc_vendorid, s.vendor, sizeof(s.vendor));
	l->mc_family = s.family;
	l->mc_model = s.model;
	l->mc_step = s.stepping;
	cpuid_raw(0, 0, &a, &b, &c, &d);
	l->mc_cpuid_level = (s32)a;
	cpuid_raw(1, 0, &a, &b, &c, &d);
	l->mc_cpu_caps[MC_CAPS_STD_EDX] = d;
	l->mc_cpu_caps[MC_CAPS_STD_ECX] = c;
	l->mc_cache_alignment = b >> 8 << 3 & 0x7f8;
	cpuid_raw(0x80000000, 0, &a, &b, &c, &d);
	if (a >= 0x80000001) {
		cpuid_raw(0x80000001, 0, &a, &b, &c, &d);
		l->mc_cpu_caps[MC_CAPS_AMD_EDX] = d;
		l->mc_cpu_caps[MC_CAPS_AMD_ECX] = c;
	}
}

static long physcpuinfo(struct xen_mc_physcpuinfo *p)
{
	xen_mc_logical_cpu_t l;
	unsigned int cpu, n = 0;

	if (!p->info.p) {
		p->ncpus = cpumask_weight(&cpu_online_map);
		return 0;
	}
	if (!p->ncpus)
		return -EINVAL;
	for_each_online_cpu(cpu) {
		if (n == p->ncpus)
			break;
		describe_cpu(cpu, &l);
		if (copy_to_guest_h_off(p->info, n, &l, 1))
			return -EFAULT;
		n++;
	}
	p->ncpus = n;
	return 0;
}

static long fetch(struct xen_mc_fetch *f)
{
	if (f->flags & ~(u32)(XEN_MC_NONURGENT | XEN_MC_URGENT | XEN_MC_ACK))
		return -EINVAL;
	f->flags = XEN_MC_NODATA;
	f->fetch_id = 0;
	return 0;
}

long do_mca(u64 uarg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct xen_mc op;
	long rc;

	(void)a2;
	(void)a3;
	(void)a4;
	(void)a5;
	if (hc_permit(HC_HARDWARE, NULL))
		return -EPERM;
	if (copy_from_guest_va(&op, uarg, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_MCA_INTERFACE_VERSION)
		return -EACCES;
	switch (op.cmd) {
	case XEN_MC_fetch:
		rc = fetch(&op.u.mc_fetch);
		break;
	case XEN_MC_physcpuinfo:
		rc = physcpuinfo(&op.u.mc_physcpuinfo);
		break;
	case XEN_MC_notifydomain:
		return -EINVAL;
	default:
		return -ENOSYS;
	}
	if (rc == 0 && copy_to_guest_va(uarg, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
