/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking CPUs from the guests and giving them back.
 *
 * A CPU that is offline runs no guest and holds no guest's state; it stays halted in its idle loop
 * with interrupts open, so that an IPI or a device interrupt still on its way finds somebody. It is
 * in neither cpu_online_map nor the scheduler's.
 *
 * Called with the control operations' lock held: one at a time.
 */
#include "internal.h"
#include <event.h>
#include <irq.h>
#include <lib.h>
#include <smp.h>
#include <time.h>
#include <xen/xen.h>

/* Places elsewhere whoever waits on cpu; false when somebody is still there. */
static bool move_waiting(unsigned int cpu)
{
	struct sched_rq *rq = &scheduler.rq[cpu];
	struct domain *d;
	struct vcpu *v;

	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, list) {
		for_each_vcpu(d, v) {
			struct sched_vcpu *sv = v->sched;

			if (!sv || READ_ONCE(sv->cpu) != cpu)
				continue;
			if (READ_ONCE(sv->state) == SV_READY || READ_ONCE(sv->state) == SV_PARKED) {
				sv->push = true;
				sched_replace(v);
			}
		}
	}
	spin_unlock(&domlist_lock);
	return !READ_ONCE(rq->curr) && !READ_ONCE(rq->nr_ready) && list_empty(&rq->parked);
}

/* The idle CPU keeps the last guest's registers: fetches them. */
static void unload(unsigned int cpu)
{
	struct domain *d;
	struct vcpu *v;

	spin_lock(&domlist_lock);
	list_for_each(d, &domain_list, list) {
		for_each_vcpu(d, v) {
			if (READ_ONCE(v->loaded_on) == (int)cpu)
				vcpu_sync_state(v);
		}
	}
	spin_unlock(&domlist_lock);
}

int cpu_down(unsigned int cpu)
{
	unsigned int here = smp_processor_id();

	if (cpu >= nr_cpu_ids || cpu == 0)
		return -EINVAL;
	if (!cpumask_test(cpu, &cpu_online_map))
		return -ENOENT;
	sched_state_cpu_offline(&scheduler, cpu);
	if (cpu == here) {
		/* The caller itself runs there: it is moved on the way out, and calls again from
		 * wherever it got to. */
		raise_softirq(SOFTIRQ_SCHEDULE);
		return -ERESTART;
	}
	do {
		cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
		for (int i = 0; i < 1000; i++)
			cpu_relax_poll();
	} while (!move_waiting(cpu));
	unload(cpu);
	timers_cpu_drain(cpu, here);
	cpumask_unset(cpu, &cpu_online_map);
	irq_leave_cpu(cpu);
	printk(XLOG_INFO "CPU%u offline\n", cpu);
	evtchn_send_host_virq(VIRQ_PCPU_STATE);
	return 0;
}

int cpu_up(unsigned int cpu)
{
	int rc = 0;

	if (cpu >= nr_cpu_ids || !cpumask_test(cpu, &cpu_present_map))
		return -EINVAL;
	if (cpumask_test(cpu, &cpu_online_map))
		return -EEXIST;
	if (scheduler.rq[cpu].started) {
		cpumask_set(cpu, &cpu_online_map);
		time_cpu_online(cpu);
		sched_state_cpu_online(&scheduler, cpu);
		cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
	} else {
		rc = smp_boot_cpu(cpu); /* left out by maxcpus= */
		if (rc)
			return rc;
		time_cpu_online(cpu);
	}
	printk(XLOG_INFO "CPU%u online\n", cpu);
	evtchn_send_host_virq(VIRQ_PCPU_STATE);
	return 0;
}
