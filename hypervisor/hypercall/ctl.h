/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control interface: what sysctl.c, domctl.c and their groups share. Handlers get the whole
 * structure, already copied in; the dispatcher copies it out again for the rows that say so.
 */
#ifndef SERAI_HYPERCALL_CTL_H
#define SERAI_HYPERCALL_CTL_H

#include <domain.h>
#include <hypercall.h>
#include <lib.h>
#include <uaccess.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

typedef long domctl_fn(struct domain *d, struct xen_domctl *op);
typedef long sysctl_fn(struct xen_sysctl *op);

/* domctl_life.c */
domctl_fn domctl_createdomain, domctl_destroydomain, domctl_pausedomain, domctl_unpausedomain,
	domctl_getdomaininfo, domctl_max_vcpus, domctl_setdomainhandle, domctl_resumedomain,
	domctl_set_target, domctl_set_address_size, domctl_get_address_size, domctl_set_virq_handler,
	domctl_subscribe, domctl_settimeoffset, domctl_settscinfo, domctl_gettscinfo, domctl_scheduler_op,
	domctl_setnodeaffinity, domctl_getnodeaffinity, domctl_soft_reset, domctl_setdebugging;
/* domctl_vcpu.c */
domctl_fn domctl_setvcpucontext, domctl_getvcpucontext, domctl_getvcpuinfo, domctl_setvcpuaffinity,
	domctl_getvcpuaffinity, domctl_sendtrigger, domctl_get_ext_vcpucontext, domctl_set_ext_vcpucontext,
	domctl_getvcpuextstate, domctl_setvcpuextstate, domctl_get_vcpu_msrs, domctl_set_vcpu_msrs;
/* domctl_access.c */
domctl_fn domctl_irq_permission, domctl_iomem_permission, domctl_ioport_permission;
/* domctl_memory.c */
domctl_fn domctl_max_mem, domctl_shadow_op, domctl_getpageframeinfo3;
/* ctl_policy.c */
domctl_fn domctl_get_cpu_policy, domctl_set_cpu_policy;
sysctl_fn sysctl_get_cpu_featureset, sysctl_get_cpu_policy, sysctl_get_cpu_levelling_caps;
/* sysctl_host.c */
sysctl_fn sysctl_physinfo, sysctl_getcpuinfo, sysctl_availheap, sysctl_cputopoinfo, sysctl_numainfo,
	sysctl_pcitopoinfo, sysctl_cpupool_op, sysctl_get_pmstat, sysctl_cpu_hotplug;

/* The domain's vCPU of that number; NULL when there is none. */
struct vcpu *ctl_vcpu(struct domain *d, u32 id);
void ctl_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);
/* First ordinary domain whose id is id or higher, referenced. */
struct domain *ctl_domain_from(domid_t id);
/* Sets of CPUs in the tools' form. What does not fit is cut off, what is missing is zero. */
int ctl_put_cpumask(const struct xenctl_bitmap *out, const cpumask_t *mask);
int ctl_get_cpumask(cpumask_t *mask, const struct xenctl_bitmap *in);

#endif
