/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mechanism around the policy: waking, putting to sleep, and switching.
 *
 * Whether a vCPU wants to run is vcpu_runnable(), a function of flags that anybody may change at
 * any time. Whoever makes it true calls sched_wake() afterwards, whoever makes it false
 * sched_sleep(); both, and schedule(), look at it again under the lock of the vCPU's queue, so that
 * the last one to look sees the final state.
 *
 *   v->running   set here when v is picked; cleared by sched_context_saved(). While it is set, v's
 *                registers are (partly) in the CPU v->cpu and no other CPU picks it.
 *
 * Lock: the queue's (RANK_SCHED), also for v->runstate.
 */
#include "internal.h"
#include <lib.h>
#include <options.h>
#include <smp.h>
#include <time.h>

struct sched scheduler;
static struct sched_rq run_queues[NR_CPUS];

struct sched_rq *sched_lock_vcpu(const struct sched_vcpu *sv)
{
	for (;;) {
		u32 cpu = READ_ONCE(sv->cpu);
		struct sched_rq *rq = &scheduler.rq[cpu];

		spin_lock(&rq->lock);
		if (likely(cpu == READ_ONCE(sv->cpu)))
			return rq;
		spin_unlock(&rq->lock);
	}
}

static inline stime_t tick_of(const struct vcpu *v)
{
	return v->timers ? v->timers->next_tick : 0;
}

static int stopped_runstate(const struct vcpu *v)
{
	return READ_ONCE(v->pause_flags) & BIT(VPF_BLOCKED) ? RUNSTATE_blocked : RUNSTATE_offline;
}

void sched_wake(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_rq *rq;
	unsigned int cpu;
	stime_t t, when;

	for (;;) {
		rq = sched_lock_vcpu(sv);
		t = now();
		if (sv->state != SV_OFF) {
			spin_unlock(&rq->lock);
			return;
		}
		if (unlikely(!vcpu_runnable(v))) {
			runstate_set(v, stopped_runstate(v), t);
			spin_unlock(&rq->lock);
			return;
		}
		cpu = scheduler.ops->place(&scheduler, sv);
		if (likely(cpu == sv->cpu))
			break;
		sched_move(&scheduler, sv, cpu);
		spin_unlock(&rq->lock);
	}
	runstate_set(v, RUNSTATE_runnable, t);
	when = scheduler.ops->wake(&scheduler, sv, t);
	spin_unlock(&rq->lock);
	if (!when)
		return;
	if (when > t && cpu == smp_processor_id())
		timer_slice_advance(when);
	else
		cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
}

void sched_sleep(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_rq *rq = sched_lock_vcpu(sv);
	unsigned int cpu = sv->cpu;
	bool kick = false;

	if (likely(!vcpu_runnable(v))) {
		if (sv->state == SV_RUNNING) {
			kick = true;
		} else {
			if (sv->state != SV_OFF)
				scheduler.ops->sleep(&scheduler, sv);
			runstate_set(v, stopped_runstate(v), now());
		}
	}
	spin_unlock(&rq->lock);
	if (kick)
		cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
}

void sched_sleep_sync(struct vcpu *v)
{
	ASSERT(v != current);
	sched_sleep(v);
	while (READ_ONCE(v->running))
		cpu_relax_poll();
	vcpu_sync_state(v);
}

void sched_yield(struct vcpu *v)
{
	v->sched->yielded = true;
	raise_softirq(SOFTIRQ_SCHEDULE);
}

/* v waits in a queue it should leave, or an idle CPU could run it: places it anew. */
void sched_replace(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_rq *rq = sched_lock_vcpu(sv);
	bool waiting = sv->state == SV_READY || sv->state == SV_PARKED;

	if (waiting && !READ_ONCE(v->running) &&
	    (sv->push || scheduler.ops->place(&scheduler, sv) != sv->cpu)) {
		sv->push = false;
		scheduler.ops->sleep(&scheduler, sv);
		spin_unlock(&rq->lock);
		sched_wake(v);
		return;
	}
	spin_unlock(&rq->lock);
}

void sched_context_saved(struct vcpu *prev)
{
	struct sched_vcpu *sv = prev->sched;
	cpumask_t idle;

	/* A full barrier between this and looking at the idle CPUs: a CPU that skipped prev because
	 * it was still running has set its idle bit before it looked. */
	(void)__atomic_exchange_n(&prev->running, false, __ATOMIC_SEQ_CST);
	if (!sv || READ_ONCE(sv->state) == SV_OFF || scheduler.nr_cpus == 1)
		return;
	cpumask_and(&idle, &scheduler.idle, &sv->hard);
	if (unlikely(sv->push || !cpumask_empty(&idle)))
		sched_replace(prev);
}

void schedule(void)
{
	struct vcpu *prev = current, *next;
	unsigned int cpu = smp_processor_id();
	struct sched_rq *rq = &run_queues[cpu];
	struct sched_decision d;
	stime_t t = now();
	bool stay;

	spin_lock(&rq->lock);
	stay = vcpu_runnable(prev);
	d = scheduler.ops->pick(&scheduler, cpu, t, stay);
	if (unlikely(rq->kick < NR_CPUS)) {
		cpu_raise_softirq(rq->kick, SOFTIRQ_SCHEDULE);
		rq->kick = NR_CPUS;
	}
	next = d.next ? d.next->vcpu : idle_domain->vcpus[cpu];
	if (next == prev) {
		spin_unlock(&rq->lock);
		timer_slice_set(d.until, tick_of(next));
		return;
	}
	runstate_set(prev, stay ? RUNSTATE_runnable : stopped_runstate(prev), t);
	runstate_set(next, RUNSTATE_running, t);
	/* Seen before next's pending events are looked at on the way to the guest: whoever raises one
	 * later finds it running and sends an IPI (vcpu_kick()). */
	(void)__atomic_exchange_n(&next->running, true, __ATOMIC_SEQ_CST);
	next->cpu = cpu;
	spin_unlock(&rq->lock);
	timer_slice_set(d.until, tick_of(next));
	context_switch(prev, next);
}

/* ---- coming and going ---- */

static const struct sched_ops *chosen_ops = &sched_fair;

static int parse_sched(const char *value)
{
	if (!strcmp(value, "null"))
		chosen_ops = &sched_null;
	else if (!strcmp(value, "credit2") || !strcmp(value, "fair"))
		chosen_ops = &sched_fair;
	else
		return -EINVAL;
	return 0;
}
OPTION("sched", parse_sched);

int sched_init(void)
{
	sched_state_init(&scheduler, chosen_ops, run_queues, max(nr_cpu_ids, 1U));
	softirq_register(SOFTIRQ_SCHEDULE, schedule);
	printk(XLOG_INFO "scheduler: %s\n", chosen_ops->name);
	return 0;
}

int sched_cpu_init(unsigned int cpu)
{
	if (cpu >= scheduler.nr_cpus)
		return -EINVAL;
	timers_cpu_init(cpu);
	idle_domain->vcpus[cpu]->runstate.state = RUNSTATE_running;
	idle_domain->vcpus[cpu]->runstate.state_entry_time = now();
	sched_state_cpu_online(&scheduler, cpu);
	return 0;
}

int sched_domain_init(struct domain *d, u32 cpupool)
{
	if (cpupool)
		return -ENOENT;
	d->sched = hv_new(struct sched_domain);
	if (!d->sched)
		return -ENOMEM;
	sched_domain_state_init(d->sched);
	return 0;
}

void sched_domain_destroy(struct domain *d)
{
	hv_free(d->sched);
	d->sched = NULL;
}

int sched_vcpu_init(struct vcpu *v)
{
	struct sched_vcpu *sv;
	struct sched_rq *rq;
	unsigned int cpu = smp_processor_id();

	if (v->is_idle) {
		v->cpu = v->id;
		return 0;
	}
	sv = hv_new(struct sched_vcpu);
	if (!sv)
		return -ENOMEM;
	sched_vcpu_state_init(sv, v->domain->sched, cpu, &v->running);
	sv->vcpu = v;
	/* Neighbours start on different CPUs; the first wake-up looks for the best. */
	for (unsigned int i = 0; i <= v->id % max(cpumask_weight(&scheduler.online), 1U); i++) {
		cpu = cpumask_next(cpu, &scheduler.online);
		if (cpu >= NR_CPUS)
			cpu = cpumask_first(&scheduler.online);
	}
	sv->cpu = cpu;
	v->cpu = sv->cpu = scheduler.ops->place(&scheduler, sv);
	v->sched = sv;
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = now();
	rq = sched_lock_vcpu(sv);
	scheduler.ops->add(&scheduler, sv);
	spin_unlock(&rq->lock);
	return 0;
}

void sched_vcpu_destroy(struct vcpu *v)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_rq *rq;
	unsigned int kick;

	if (!sv)
		return;
	rq = sched_lock_vcpu(sv);
	if (sv->state == SV_READY || sv->state == SV_PARKED)
		scheduler.ops->sleep(&scheduler, sv);
	BUG_ON(sv->state != SV_OFF);
	kick = scheduler.ops->remove(&scheduler, sv);
	spin_unlock(&rq->lock);
	if (kick < NR_CPUS)
		cpu_raise_softirq(kick, SOFTIRQ_SCHEDULE);
	v->sched = NULL;
	hv_free(sv);
}
