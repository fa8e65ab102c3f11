/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/domctl.md, sysctl.md, platform.md and physdev.md promise, for the control domain: a
 * domain can be made, asked about, limited, paused and destroyed; the host tells about itself;
 * wrong versions and absent domains are refused with the errno of those pages. Everything here
 * happens to a domain that never runs.
 */
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#include "guest.h"

static struct xen_domctl d;
static struct xen_sysctl s;
static struct xen_platform_op p;
static domid_t made;

static long domctl(unsigned int cmd, domid_t domain)
{
	long ret;

	d.cmd = cmd;
	d.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	d.domain = domain;
	ret = hypercall1(__HYPERVISOR_domctl, (unsigned long)&d);
	return ret;
}

static long sysctl(unsigned int cmd)
{
	s.cmd = cmd;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s);
}

static long platform(unsigned int cmd)
{
	p.cmd = cmd;
	p.interface_version = XENPF_INTERFACE_VERSION;
	return hypercall1(__HYPERVISOR_platform_op, (unsigned long)&p);
}

static void clear(void)
{
	memset(&d, 0, sizeof(d));
	memset(&s, 0, sizeof(s));
	memset(&p, 0, sizeof(p));
}

CASE(domctl_version)
{
	clear();
	d.cmd = XEN_DOMCTL_getdomaininfo;
	d.interface_version = XEN_DOMCTL_INTERFACE_VERSION + 1;
	check_eq(hypercall1(__HYPERVISOR_domctl, (unsigned long)&d), -XEN_EACCES);
	check_eq(hypercall1(__HYPERVISOR_domctl, 0), -XEN_EFAULT);
	record("unknown", (uint64_t)domctl(999, 0));
}

CASE(XEN_DOMCTL_getdomaininfo)
{
	clear();
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, 0), 0);
	check_eq(d.u.getdomaininfo.domain, 0);
	check_eq(d.u.getdomaininfo.tot_pages, start_info->nr_pages);
	check_eq(d.u.getdomaininfo.flags & XEN_DOMINF_running, XEN_DOMINF_running);
	record("max_vcpu_id", d.u.getdomaininfo.max_vcpu_id);
	record("online", d.u.getdomaininfo.nr_online_vcpus);
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, 0x7000), -XEN_ESRCH);
}

CASE(XEN_DOMCTL_createdomain)
{
	unsigned int i;

	clear();
	for (i = 0; i < 16; i++)
		d.u.createdomain.handle[i] = (uint8_t)(i + 1);
	d.u.createdomain.max_vcpus = 1;
	d.u.createdomain.max_evtchn_port = 1023;
	d.u.createdomain.max_grant_frames = 32;
	d.u.createdomain.max_maptrack_frames = 1024;
	d.u.createdomain.grant_opts = 2;
	check_eq(domctl(XEN_DOMCTL_createdomain, 0), 0);
	made = d.domain;
	record("domain", made);
	clear();
	d.u.createdomain.flags = 0x80000000u;
	d.u.createdomain.max_vcpus = 1;
	record("bad_flags", (uint64_t)domctl(XEN_DOMCTL_createdomain, 0));
	clear();
	d.u.createdomain.max_vcpus = 0;
	record("no_vcpus", (uint64_t)domctl(XEN_DOMCTL_createdomain, 0));
	clear();
	d.u.createdomain.max_vcpus = 1;
	d.u.createdomain.grant_opts = 2;
	record("same_id", (uint64_t)domctl(XEN_DOMCTL_createdomain, made));
}

CASE(info_of_the_new_domain)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), 0);
	record("flags", d.u.getdomaininfo.flags);
	check_eq(d.u.getdomaininfo.tot_pages, 0);
	record("max_pages", d.u.getdomaininfo.max_pages);
	check_eq(d.u.getdomaininfo.handle[5], 6);
	record("max_vcpu_id", d.u.getdomaininfo.max_vcpu_id);
}

CASE(XEN_DOMCTL_max_vcpus)
{
	require(made);
	clear();
	d.u.max_vcpus.max = 1;
	check_eq(domctl(XEN_DOMCTL_max_vcpus, made), 0);
	d.u.max_vcpus.max = 100000;
	record("too_many", (uint64_t)domctl(XEN_DOMCTL_max_vcpus, made));
}

CASE(XEN_DOMCTL_max_mem)
{
	require(made);
	clear();
	d.u.max_mem.max_memkb = 8192;
	check_eq(domctl(XEN_DOMCTL_max_mem, made), 0);
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), 0);
	check_eq(d.u.getdomaininfo.max_pages, 2048);
}

CASE(XEN_DOMCTL_pausedomain)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_pausedomain, made), 0);
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), 0);
	check_eq(d.u.getdomaininfo.flags & XEN_DOMINF_paused, XEN_DOMINF_paused);
	record("self", (uint64_t)domctl(XEN_DOMCTL_pausedomain, 0));
}

CASE(XEN_DOMCTL_unpausedomain)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_unpausedomain, made), 0);
}

CASE(populate_the_new_domain)
{
	unsigned long frames[4] = {0, 1, 2, 3};
	struct {
		unsigned long *p;
		unsigned long n;
		unsigned int order, flags;
		domid_t domid;
	} r = {frames, 4, 0, 0, made};

	require(made);
	check_eq(hypercall2(__HYPERVISOR_memory_op, 6, (unsigned long)&r), 4);
	clear();
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), 0);
	check_eq(d.u.getdomaininfo.tot_pages, 4);
}

CASE(map_its_memory)
{
	/* A foreign mapping: the control domain maps a frame of the new domain. */
	static char window[PAGE_SIZE] __page_aligned;
	unsigned long frame = 4;
	struct {
		unsigned long *p;
		unsigned long n;
		unsigned int order, flags;
		domid_t domid;
	} r = {&frame, 1, 0, 0, made};
	struct mmu_update u;

	require(made);
	check_eq(hypercall2(__HYPERVISOR_memory_op, 6, (unsigned long)&r), 1);
	u.ptr = pte_maddr((unsigned long)window, 1);
	u.val = frame << 12 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
	check_eq(hypercall4(__HYPERVISOR_mmu_update, (unsigned long)&u, 1, 0, made), 0);
	mmuext_one(MMUEXT_INVLPG_LOCAL, (unsigned long)window);
	*(volatile char *)window = 77;
	check_eq(*(volatile char *)window, 77);
	set_writable(window);
}

CASE(XEN_DOMCTL_getvcpuinfo)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_getvcpuinfo, made), 0);
	record("online", d.u.getvcpuinfo.online);
	record("running", d.u.getvcpuinfo.running);
	d.u.getvcpuinfo.vcpu = 9;
	record("no_vcpu", (uint64_t)domctl(XEN_DOMCTL_getvcpuinfo, made));
}

CASE(XEN_DOMCTL_getvcpuaffinity)
{
	uint8_t hard[8] = {0}, soft[8] = {0};

	require(made);
	clear();
	d.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	set_xen_guest_handle(d.u.vcpuaffinity.cpumap_hard.bitmap, hard);
	set_xen_guest_handle(d.u.vcpuaffinity.cpumap_soft.bitmap, soft);
	d.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
	d.u.vcpuaffinity.cpumap_soft.nr_bits = 64;
	check_eq(domctl(XEN_DOMCTL_getvcpuaffinity, made), 0);
	check(hard[0] & 1);
}

/* A vCPU that does not run is at once where its new affinity has it. */
CASE(pinned_vcpus_processor)
{
	uint8_t hard[8];

	require(made);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		memset(hard, 0, sizeof(hard));
		hard[0] = (uint8_t)(2 >> cpu);
		clear();
		d.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
		set_xen_guest_handle(d.u.vcpuaffinity.cpumap_hard.bitmap, hard);
		d.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
		check_eq(domctl(XEN_DOMCTL_setvcpuaffinity, made), 0);
		clear();
		check_eq(domctl(XEN_DOMCTL_getvcpuinfo, made), 0);
		check_eq(d.u.getvcpuinfo.cpu, 1 - cpu);
	}
	memset(hard, 0xff, sizeof(hard));
	clear();
	d.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	set_xen_guest_handle(d.u.vcpuaffinity.cpumap_hard.bitmap, hard);
	d.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
	check_eq(domctl(XEN_DOMCTL_setvcpuaffinity, made), 0);
}

CASE(XEN_DOMCTL_scheduler_op)
{
	require(made);
	clear();
	d.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	d.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	check_eq(domctl(XEN_DOMCTL_scheduler_op, made), 0);
	record("weight", d.u.scheduler_op.u.credit2.weight);
	record("cap", d.u.scheduler_op.u.credit2.cap);
	d.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	d.u.scheduler_op.u.credit2.weight = 512;
	check_eq(domctl(XEN_DOMCTL_scheduler_op, made), 0);
	d.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	check_eq(domctl(XEN_DOMCTL_scheduler_op, made), 0);
	check_eq(d.u.scheduler_op.u.credit2.weight, 512);
	d.u.scheduler_op.sched_id = 99;
	record("other_scheduler", (uint64_t)domctl(XEN_DOMCTL_scheduler_op, made));
}

CASE(XEN_DOMCTL_get_address_size)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_get_address_size, made), 0);
	record("size", d.u.address_size.size);
}

CASE(XEN_DOMCTL_set_address_size)
{
	require(made);
	clear();
	d.u.address_size.size = 64;
	check_eq(domctl(XEN_DOMCTL_set_address_size, made), 0);
	d.u.address_size.size = 16;
	record("sixteen", (uint64_t)domctl(XEN_DOMCTL_set_address_size, made));
}

CASE(XEN_DOMCTL_gettscinfo)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_gettscinfo, made), 0);
	record("mode", d.u.tsc_info.tsc_mode);
}

CASE(XEN_DOMCTL_getpageframeinfo3)
{
	xen_pfn_t list[2] = {0, 1};

	require(made);
	clear();
	d.u.getpageframeinfo3.num = 2;
	set_xen_guest_handle(d.u.getpageframeinfo3.array, list);
	list[0] = 0xffffff;
	check_eq(domctl(XEN_DOMCTL_getpageframeinfo3, made), 0);
	record("no_frame", list[0]);
}

CASE(XEN_DOMCTL_getvcpuextstate)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_getvcpuextstate, made), 0);
	record("mask", d.u.vcpuextstate.xfeature_mask);
	record("size", d.u.vcpuextstate.size);
}

CASE(XEN_DOMCTL_get_vcpu_msrs)
{
	require(made);
	clear();
	check_eq(domctl(XEN_DOMCTL_get_vcpu_msrs, made), 0);
	record("count", d.u.vcpu_msrs.msr_count > 0);
}

CASE(XEN_DOMCTL_shadow_op)
{
	require(made);
	clear();
	record("off", (uint64_t)domctl(XEN_DOMCTL_shadow_op, made));
}

CASE(XEN_DOMCTL_setdomainhandle)
{
	require(made);
	clear();
	d.u.setdomainhandle.handle[0] = 0xab;
	check_eq(domctl(XEN_DOMCTL_setdomainhandle, made), 0);
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), 0);
	check_eq(d.u.getdomaininfo.handle[0], 0xab);
	check_eq(d.u.getdomaininfo.handle[5], 0);
}

CASE(XEN_DOMCTL_setvcpucontext)
{
	require(made);
	clear();
	record("pointer", (uint64_t)domctl(XEN_DOMCTL_setvcpucontext, made));
	d.u.vcpucontext.vcpu = 7;
	record("no_vcpu", (uint64_t)domctl(XEN_DOMCTL_setvcpucontext, made));
}

CASE(XEN_DOMCTL_getvcpucontext)
{
	static struct vcpu_guest_context ctxt;

	require(made);
	clear();
	set_xen_guest_handle(d.u.vcpucontext.ctxt, &ctxt);
	/* Never initialised. */
	record("fresh", (uint64_t)domctl(XEN_DOMCTL_getvcpucontext, made));
}

CASE(unbound_port_for_the_domain)
{
	struct evtchn_alloc_unbound a = {.dom = made, .remote_dom = 0};
	struct evtchn_status st;

	require(made);
	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (unsigned long)&a), 0);
	record("port", a.port);
	st = (struct evtchn_status){.dom = made, .port = a.port};
	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, (unsigned long)&st), 0);
	check_eq(st.status, EVTCHNSTAT_unbound);
	check_eq(st.u.unbound.dom, 0);
}

CASE(XEN_DOMCTL_destroydomain)
{
	long ret;

	require(made);
	clear();
	do
		ret = domctl(XEN_DOMCTL_destroydomain, made);
	while (ret == -XEN_EAGAIN);
	check_eq(ret, 0);
	clear();
	check_eq(domctl(XEN_DOMCTL_getdomaininfo, made), -XEN_ESRCH);
	record("self", (uint64_t)domctl(XEN_DOMCTL_destroydomain, 0));
	made = 0;
}

CASE(sysctl_version)
{
	clear();
	s.cmd = XEN_SYSCTL_physinfo;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION + 1;
	check_eq(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s), -XEN_EACCES);
	check_eq(hypercall1(__HYPERVISOR_sysctl, 0), -XEN_EFAULT);
	record("unknown", (uint64_t)sysctl(999));
}

CASE(XEN_SYSCTL_physinfo)
{
	clear();
	check_eq(sysctl(XEN_SYSCTL_physinfo), 0);
	record("threads_per_core", s.u.physinfo.threads_per_core);
	record("nr_cpus", s.u.physinfo.nr_cpus);
	record("max_cpu_id", s.u.physinfo.max_cpu_id);
	record("nr_nodes", s.u.physinfo.nr_nodes);
	check(s.u.physinfo.total_pages > s.u.physinfo.free_pages);
	check(s.u.physinfo.cpu_khz > 0);
	record("capabilities", s.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_pv);
}

CASE(XEN_SYSCTL_sched_id)
{
	clear();
	check_eq(sysctl(XEN_SYSCTL_sched_id), 0);
	record("scheduler", s.u.sched_id.sched_id);
}

CASE(XEN_SYSCTL_getdomaininfolist)
{
	static struct xen_domctl_getdomaininfo list[4];

	clear();
	s.u.getdomaininfolist.max_domains = 4;
	set_xen_guest_handle(s.u.getdomaininfolist.buffer, list);
	check_eq(sysctl(XEN_SYSCTL_getdomaininfolist), 0);
	check_eq(s.u.getdomaininfolist.num_domains, 1);
	check_eq(list[0].domain, 0);
}

CASE(XEN_SYSCTL_cputopoinfo)
{
	static struct xen_sysctl_cputopo topo[8];

	clear();
	check_eq(sysctl(XEN_SYSCTL_cputopoinfo), 0);
	record("cpus", s.u.cputopoinfo.num_cpus);
	set_xen_guest_handle(s.u.cputopoinfo.cputopo, topo);
	s.u.cputopoinfo.num_cpus = 8;
	check_eq(sysctl(XEN_SYSCTL_cputopoinfo), 0);
	record("core0", topo[0].core);
	record("core1", topo[1].core);
	record("socket1", topo[1].socket);
}

CASE(XEN_SYSCTL_numainfo)
{
	clear();
	check_eq(sysctl(XEN_SYSCTL_numainfo), 0);
	record("nodes", s.u.numainfo.num_nodes);
}

CASE(XEN_SYSCTL_cpupool_op)
{
	static uint8_t map[8];

	clear();
	s.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	set_xen_guest_handle(s.u.cpupool_op.cpumap.bitmap, map);
	s.u.cpupool_op.cpumap.nr_bits = 64;
	check_eq(sysctl(XEN_SYSCTL_cpupool_op), 0);
	record("pool", s.u.cpupool_op.cpupool_id);
	record("scheduler", s.u.cpupool_op.sched_id);
	record("domains", s.u.cpupool_op.n_dom);
	record("cpus", map[0]);
	s.u.cpupool_op.cpupool_id = 5;
	check_eq(sysctl(XEN_SYSCTL_cpupool_op), -XEN_ENOENT);
}

CASE(XEN_SYSCTL_get_cpu_featureset)
{
	static uint32_t set[32];

	clear();
	s.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_pv;
	check_eq(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
	record("words", s.u.cpu_featureset.nr_features);
	s.u.cpu_featureset.nr_features = 32;
	set_xen_guest_handle(s.u.cpu_featureset.features, set);
	check_eq(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
	record("word0", set[0]);
	record("word1", set[1]);
	record("word5", set[5]);
	s.u.cpu_featureset.index = 99;
	record("index", (uint64_t)sysctl(XEN_SYSCTL_get_cpu_featureset));
}

CASE(XEN_SYSCTL_get_cpu_policy)
{
	clear();
	s.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_pv_default;
	check_eq(sysctl(XEN_SYSCTL_get_cpu_policy), 0);
	record("leaves", s.u.cpu_policy.nr_leaves);
	record("msrs", s.u.cpu_policy.nr_msrs);
}

CASE(XEN_SYSCTL_readconsole)
{
	static char buf[128];

	clear();
	set_xen_guest_handle(s.u.readconsole.buffer, buf);
	s.u.readconsole.count = sizeof(buf);
	check_eq(sysctl(XEN_SYSCTL_readconsole), 0);
	check(s.u.readconsole.count > 0);
}

CASE(XEN_SYSCTL_debug_keys)
{
	static char keys[1] = {'*'};

	clear();
	set_xen_guest_handle(s.u.debug_keys.keys, keys);
	s.u.debug_keys.nr_keys = 0;
	check_eq(sysctl(XEN_SYSCTL_debug_keys), 0);
}

CASE(XEN_SYSCTL_perfc_op)
{
	clear();
	record("result", (uint64_t)sysctl(XEN_SYSCTL_perfc_op));
}

CASE(platform_version)
{
	clear();
	p.cmd = XENPF_settime64;
	p.interface_version = XENPF_INTERFACE_VERSION + 1;
	check_eq(hypercall1(__HYPERVISOR_platform_op, (unsigned long)&p), -XEN_EACCES);
	check_eq(hypercall1(__HYPERVISOR_platform_op, 0), -XEN_EFAULT);
	record("unknown", (uint64_t)platform(999));
}

CASE(XENPF_settime64)
{
	clear();
	p.u.settime64.secs = 1700000000;
	p.u.settime64.nsecs = 5;
	p.u.settime64.system_time = 0;
	p.u.settime64.mbz = 0;
	check_eq(platform(XENPF_settime64), 0);
	check(shared_info->wc_sec >= 1699999999u && shared_info->wc_sec <= 1700000001u);
	p.u.settime64.mbz = 1;
	record("mbz", (uint64_t)platform(XENPF_settime64));
}

CASE(XENPF_get_cpuinfo)
{
	clear();
	check_eq(platform(XENPF_get_cpuinfo), 0);
	record("max_present", p.u.pcpu_info.max_present);
	record("flags", p.u.pcpu_info.flags);
	record("apic_id", p.u.pcpu_info.apic_id);
	p.u.pcpu_info.xen_cpuid = 4000;
	record("no_cpu", (uint64_t)platform(XENPF_get_cpuinfo));
}

CASE(XENPF_firmware_info)
{
	clear();
	p.u.firmware_info.type = XEN_FW_KBD_SHIFT_FLAGS;
	check_eq(platform(XENPF_firmware_info), 0);
	p.u.firmware_info.type = XEN_FW_EFI_INFO;
	record("efi", (uint64_t)platform(XENPF_firmware_info));
	p.u.firmware_info.type = XEN_FW_DISK_INFO;
	p.u.firmware_info.index = 77;
	record("no_disk", (uint64_t)platform(XENPF_firmware_info));
	p.u.firmware_info.type = 77;
	record("type", (uint64_t)platform(XENPF_firmware_info));
}

CASE(XENPF_enter_acpi_sleep)
{
	clear();
	p.u.enter_acpi_sleep.sleep_state = 77;
	record("no_state", (uint64_t)platform(XENPF_enter_acpi_sleep));
}

static long physdev(unsigned int cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_physdev_op, cmd, (unsigned long)arg);
}

CASE(PHYSDEVOP_irq_status_query)
{
	struct physdev_irq_status_query q = {.irq = 1};

	record("irq1", (uint64_t)physdev(PHYSDEVOP_irq_status_query, &q));
	record("irq1_flags", q.flags);
	q.irq = 100000;
	record("no_irq", (uint64_t)physdev(PHYSDEVOP_irq_status_query, &q));
}

CASE(PHYSDEVOP_eoi)
{
	struct physdev_eoi e = {.irq = 100000};

	record("no_irq", (uint64_t)physdev(PHYSDEVOP_eoi, &e));
}

CASE(PHYSDEVOP_apic_read)
{
	struct physdev_apic a = {.apic_physbase = 0xfec00000, .reg = 1};

	check_eq(physdev(PHYSDEVOP_apic_read, &a), 0);
	record("version", a.value);
	a.apic_physbase = 0x1000;
	record("no_apic", (uint64_t)physdev(PHYSDEVOP_apic_read, &a));
}

CASE(PHYSDEVOP_map_pirq)
{
	struct physdev_map_pirq m = {.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 1, .pirq = 1};
	struct physdev_unmap_pirq u = {.domid = DOMID_SELF, .pirq = 1};

	record("gsi1", (uint64_t)physdev(PHYSDEVOP_map_pirq, &m));
	record("pirq", (uint64_t)m.pirq);
	record("unmap", (uint64_t)physdev(PHYSDEVOP_unmap_pirq, &u));
	m.domid = 0x7000;
	record("no_domain", (uint64_t)physdev(PHYSDEVOP_map_pirq, &m));
	m = (struct physdev_map_pirq){
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 100000, .pirq = -1};
	record("no_gsi", (uint64_t)physdev(PHYSDEVOP_map_pirq, &m));
}

CASE(PHYSDEVOP_setup_gsi)
{
	struct physdev_setup_gsi g = {.gsi = 9, .triggering = 1, .polarity = 0};

	record("gsi9", (uint64_t)physdev(PHYSDEVOP_setup_gsi, &g));
	g.gsi = 4; /* the console's */
	record("gsi4", (uint64_t)physdev(PHYSDEVOP_setup_gsi, &g));
	g.gsi = 100000;
	record("no_gsi", (uint64_t)physdev(PHYSDEVOP_setup_gsi, &g));
}

CASE(pirq_event_channel)
{
	struct evtchn_bind_pirq b = {.pirq = 8, .flags = 0};
	struct physdev_map_pirq m = {.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 8, .pirq = 8};
	struct evtchn_close c;

	record("map", (uint64_t)physdev(PHYSDEVOP_map_pirq, &m));
	record("bind",
	       (uint64_t)hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, (unsigned long)&b));
	c.port = b.port;
	record("again",
	       (uint64_t)hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, (unsigned long)&b));
	record("close",
	       (uint64_t)hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, (unsigned long)&c));
}

CASE(PHYSDEVOP_pci_device_add)
{
	struct physdev_pci_device_add a = {.seg = 0, .bus = 0, .devfn = 0};
	struct physdev_pci_device r = {.seg = 0, .bus = 0, .devfn = 0};

	record("add", (uint64_t)physdev(PHYSDEVOP_pci_device_add, &a));
	record("remove", (uint64_t)physdev(PHYSDEVOP_pci_device_remove, &r));
	record("add_again", (uint64_t)physdev(PHYSDEVOP_pci_device_add, &a));
	r.bus = 200;
	record("remove_absent", (uint64_t)physdev(PHYSDEVOP_pci_device_remove, &r));
}

CASE(physdev_unknown)
{
	record("op", (uint64_t)physdev(77, NULL));
	record("pointer", (uint64_t)physdev(PHYSDEVOP_eoi, NULL));
	record("compat", (uint64_t)hypercall1(__HYPERVISOR_physdev_op_compat, 0));
}
