/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SYSCTLs that describe the machine: CPUs, memory, topology, pools. Lock: sysctl_lock, held by the
 * dispatcher. */
#include <apic.h>
#include <cpu_policy.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <sched.h>
#include <time.h>

static unsigned int last_online(void)
{
	unsigned int cpu, last = 0;

	for_each_online_cpu(cpu)
		last = cpu;
	return last;
}

/* ---- where a CPU sits: fields of its APIC id (SDM vol. 3, 9.9.3; APM vol. 3, E.4.7) ---- */

struct topology {
	unsigned int core_shift, socket_shift;
};

static unsigned int bits_for(unsigned int n)
{
	unsigned int bits = 0;

	while ((1U << bits) < n)
		bits++;
	return bits;
}

static struct topology topology(void)
{
	const struct cpu_policy *p = &raw_policy;
	unsigned int logical, cores = 1;

	if (p->topo[0].b & 0xffff)
		return (struct topology){p->topo[0].a & 0x1f, p->topo[1].a & 0x1f};
	if (!(p->basic[1].d & 1U << 28)) /* no HTT: one logical CPU a socket */
		return (struct topology){0, 0};
	logical = p->basic[1].b >> 16 & 0xff;
	if (policy_vendor(p) == VENDOR_INTEL)
		cores = (p->cache[0].a >> 26) + 1;
	else if (p->ext[0].a >= 0x80000008)
		cores = (p->ext[8].c & 0xff) + 1;
	if (!logical)
		logical = 1;
	return (struct topology){bits_for(DIV_ROUND_UP(logical, cores)), bits_for(logical)};
}

static void cpu_place(unsigned int cpu, struct xen_sysctl_cputopo *out)
{
	struct topology t = topology();
	u32 id = cpu_apic_id[cpu];

	*out = (struct xen_sysctl_cputopo){XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID, XEN_INVALID_NODE_ID};
	if (!cpumask_test(cpu, &cpu_online_map))
		return;
	out->core = (id & ((1U << t.socket_shift) - 1)) >> t.core_shift;
	out->socket = id >> t.socket_shift;
	out->node = 0;
}

/* CPUs that share the first CPU's core, or socket. */
static unsigned int siblings(bool core)
{
	struct xen_sysctl_cputopo first, other;
	unsigned int cpu, n = 0;

	cpu_place(cpumask_first(&cpu_online_map), &first);
	for_each_online_cpu(cpu) {
		cpu_place(cpu, &other);
		n += other.socket == first.socket && (!core || other.core == first.core);
	}
	return max(n, 1U);
}

long sysctl_physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;
	u32 features[FEATURE_WORDS];
	struct domain *d;

	memset(p, 0, sizeof(*p));
	p->threads_per_core = siblings(true);
	p->cores_per_socket = siblings(false) / p->threads_per_core;
	p->nr_cpus = cpumask_weight(&cpu_online_map);
	p->max_cpu_id = last_online();
	p->nr_nodes = 1;
	p->cpu_khz = (u32)cpu_khz;
	p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
	p->total_pages = mm_ram_frames();
	p->free_pages = mm_free_frames();
	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, list)
		if (d->mm)
			p->outstanding_pages += d->mm->outstanding_pages;
	spin_unlock(&domlist_lock);
	p->max_mfn = max_mfn - 1;
	policy_to_featureset(&host_policy, features);
	memcpy(p->hw_cap, features, sizeof(p->hw_cap));
	return 0;
}

long sysctl_getcpuinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	u32 n = min(g->max_cpus, last_online() + 1);

	for (u32 cpu = 0; cpu < n; cpu++) {
		struct xen_sysctl_cpuinfo info = {.idletime = cpu_idle_time(cpu)};

		if (copy_to_guest_h_off(g->info, cpu, &info, 1))
			return -EFAULT;
	}
	g->nr_cpus = n;
	return 0;
}

long sysctl_availheap(struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *a = &op->u.availheap;

	/* One node; the address limits are only known to matter below 4 GiB and are not told apart.
	 */
	a->avail_bytes = a->node > 0 ? 0 : mm_free_frames() << PAGE_SHIFT;
	return 0;
}

long sysctl_cputopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *c = &op->u.cputopoinfo;
	u32 nr = last_online() + 1;

	if (c->cputopo.p) {
		if (c->num_cpus < nr)
			return -ENOBUFS;
		for (u32 cpu = 0; cpu < nr; cpu++) {
			struct xen_sysctl_cputopo place;

			cpu_place(cpu, &place);
			if (copy_to_guest_h_off(c->cputopo, cpu, &place, 1))
				return -EFAULT;
		}
	}
	c->num_cpus = nr;
	return 0;
}

/* One node holds everything. */
long sysctl_numainfo(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo mem = {mm_ram_frames() << PAGE_SHIFT, mm_free_frames() << PAGE_SHIFT};
	u32 distance = 10;

	if (n->meminfo.p || n->distance.p) {
		if (n->num_nodes < 1)
			return -ENOBUFS;
		if (n->meminfo.p && copy_to_guest_h(n->meminfo, &mem, 1))
			return -EFAULT;
		if (n->distance.p && copy_to_guest_h(n->distance, &distance, 1))
			return -EFAULT;
	}
	n->num_nodes = 1;
	return 0;
}

/* Devices belong to no node in particular. */
long sysctl_pcitopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_pcitopoinfo *p = &op->u.pcitopoinfo;
	u32 node = XEN_INVALID_NODE_ID;

	if (!p->devs.p || !p->nodes.p)
		return -EINVAL;
	for (u32 i = 0; i < p->num_devs; i++)
		if (copy_to_guest_h_off(p->nodes, i, &node, 1))
			return -EFAULT;
	return 0;
}

/* There is one pool, number 0, with every CPU and every domain in it. */
static long pool_info(struct xen_sysctl_cpupool_op *p)
{
	struct domain *d;

	if (p->cpupool_id && p->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
		return -ENOENT;
	p->cpupool_id = 0;
	p->sched_id = sched_id();
	p->n_dom = 0;
	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, list)
		p->n_dom += !d->is_system && !d->is_idle;
	spin_unlock(&domlist_lock);
	return ctl_put_cpumask(&p->cpumap, &cpu_online_map);
}

long sysctl_cpupool_op(struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	cpumask_t none;

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		cpumask_clear(&none);
		return ctl_put_cpumask(&p->cpumap, &none);
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

/* No P-states are driven here, and the only idle state is HLT, which keeps no statistics of its
 * own. */
long sysctl_get_pmstat(struct xen_sysctl *op)
{
	struct xen_sysctl_get_pmstat *s = &op->u.get_pmstat;

	if (s->cpuid >= nr_cpu_ids || !cpumask_test(s->cpuid, &cpu_online_map))
		return -EINVAL;
	switch (s->type) {
	case PMSTAT_get_max_cx:
	case PMSTAT_get_cxstat:
		s->u.getcx.nr = 0;
		s->u.getcx.last = 0;
		s->u.getcx.idle_time = cpu_idle_time(s->cpuid);
		s->u.getcx.nr_pc = s->u.getcx.nr_cc = 0;
		return 0;
	case PMSTAT_reset_cxstat:
		return 0;
	default:
		return (s->type & PMSTAT_CATEGORY_MASK) == PMSTAT_PX ? -ENODEV : -ENOSYS;
	}
}

long sysctl_cpu_hotplug(struct xen_sysctl *op)
{
	switch (op->u.cpu_hotplug.op) {
	case XEN_SYSCTL_CPU_HOTPLUG_ONLINE:
		return cpu_up(op->u.cpu_hotplug.cpu);
	case XEN_SYSCTL_CPU_HOTPLUG_OFFLINE:
		return cpu_down(op->u.cpu_hotplug.cpu);
	default:
		return -EOPNOTSUPP;
	}
}
