/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking CPUs out of service and back. An offline CPU is parked: it stays in its idle loop with
 * nothing to run, no interrupts routed to it and no timers, and is not in cpu_online_map, so nobody
 * counts on it or waits for it. It is never reset, so coming back costs one TLB flush. Under the
 * control operations' serialisation.
 */
#include <domain.h>
#include <event.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <sched.h>
#include <smp.h>
#include <timer.h>
#include <time.h>
#include <xerrno.h>

static cpumask_t parked;

static void call_on(unsigned int cpu, void (*fn)(void *), void *arg)
{
	cpumask_t m;

	cpumask_clear(&m);
	cpumask_set(cpu, &m);
	smp_call(&m, fn, arg);
}

static void flush_here(void *arg)
{
	(void)arg;
	flush_tlb_local();
}

/* Registers of vCPUs that last ran on cpu may still be in it. */
static void sync_vcpus_of(unsigned int cpu)
{
	struct domain *d;
	struct vcpu *v;

	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, list)
		for_each_vcpu(d, v) if (READ_ONCE(v->loaded_on) == (int)cpu &&
					!READ_ONCE(v->running)) vcpu_sync_state(v);
	spin_unlock(&domlist_lock);
}

static bool cpu_is_idle(unsigned int cpu)
{
	const struct vcpu *v = READ_ONCE(cpu_info_of(cpu)->current_vcpu);

	return v->is_idle;
}

int cpu_down(unsigned int cpu)
{
	unsigned int me = smp_processor_id();
	stime_t until;

	if (cpu == 0 || cpu >= NR_CPUS || !cpumask_test(cpu, &cpu_present_map))
		return -EINVAL;
	if (!cpumask_test(cpu, &cpu_online_map))
		return 0;
	sched_cpu_offline(cpu);
	cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
	/* The caller's own CPU: its vCPU is moved on the way out, and asks again from elsewhere. */
	if (me == cpu)
		return -ERESTART;
	until = now() + MILLISECS(100);
	while (!cpu_is_idle(cpu)) {
		cpu_relax_poll();
		if (now() > until) {
			sched_cpu_online(cpu);
			return -EBUSY;
		}
	}
	sync_vcpus_of(cpu);
	cpumask_unset(cpu, &cpu_online_map);
	irq_leave_cpu(cpu);
	timers_cpu_drain(cpu, me);
	cpumask_set(cpu, &parked);
	printk(XLOG_INFO "CPU %u offline\n", cpu);
	evtchn_send_host_virq(VIRQ_PCPU_STATE);
	return 0;
}

int cpu_up(unsigned int cpu)
{
	int rc;

	if (cpu >= NR_CPUS || !cpumask_test(cpu, &cpu_present_map))
		return -EINVAL;
	if (cpumask_test(cpu, &cpu_online_map))
		return 0;
	if (!cpumask_test(cpu, &parked)) {
		rc = smp_boot_cpu(cpu); /* kept out by maxcpus= */
		if (rc)
			return rc;
	} else {
		cpumask_unset(cpu, &parked);
		cpumask_set(cpu, &cpu_online_map);
		call_on(cpu, flush_here, NULL);
		sched_cpu_online(cpu);
	}
	printk(XLOG_INFO "CPU %u online\n", cpu);
	evtchn_send_host_virq(VIRQ_PCPU_STATE);
	return 0;
}
