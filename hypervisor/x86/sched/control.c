/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler as tools see it: weights, caps, the rate limit and affinities. The fair policy
 * answers with credit2's id and parameters.
 */
#include "internal.h"
#include <bitops.h>
#include <lib.h>
#include <smp.h>
#include <time.h>
#include <uaccess.h>

u32 sched_id(void)
{
	return scheduler.ops->id;
}

static int put_params(struct domain *d, const struct xen_domctl_sched_credit2 *p)
{
	struct sched_domain *sd = d->sched;

	/* Zero weight and the all-ones cap mean "leave as it is". */
	if (p->weight)
		sched_set_weight(sd, p->weight);
	if (p->cap != (u16)~0U)
		sched_set_cap(sd, p->cap, now());
	return 0;
}

static void get_params(const struct domain *d, struct xen_domctl_sched_credit2 *p)
{
	p->weight = (u16)d->sched->weight;
	p->cap = (u16)d->sched->cap;
}

static long vcpu_params(struct domain *d, struct xen_domctl_scheduler_op *op)
{
	xen_domctl_schedparam_vcpu_t e;

	/* Parameters belong to the domain; per-vCPU forms exist in the interface for RTDS only. */
	for (u32 i = 0; i < op->u.v.nr_vcpus; i++) {
		if (copy_from_guest_h_off(&e, op->u.v.vcpus, i, 1))
			return -EFAULT;
		if (e.vcpuid >= d->max_vcpus || !d->vcpus[e.vcpuid])
			return -EINVAL;
	}
	return -EINVAL;
}

long sched_domctl(struct domain *d, struct xen_domctl_scheduler_op *op)
{
	if (op->sched_id != scheduler.ops->id)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return scheduler.ops == &sched_null ? 0 : put_params(d, &op->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getinfo:
		if (scheduler.ops == &sched_null)
			return 0;
		get_params(d, &op->u.credit2);
		return 0;
	case XEN_DOMCTL_SCHEDOP_putvcpuinfo:
	case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
		return vcpu_params(d, op);
	default:
		return -EINVAL;
	}
}

long sched_sysctl(struct xen_sysctl_scheduler_op *op)
{
	u32 us = op->u.sched_credit2.ratelimit_us;

	if (op->cmd != XEN_SYSCTL_SCHEDOP_putinfo && op->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return -EINVAL;
	if (op->cpupool_id)
		return -ESRCH;
	if (op->sched_id != scheduler.ops->id)
		return -EINVAL;
	if (op->cmd == XEN_SYSCTL_SCHEDOP_getinfo) {
		op->u.sched_credit2.ratelimit_us = (u32)(scheduler.ratelimit / 1000);
		return 0;
	}
	if (us && (us > XEN_SYSCTL_SCHED_RATELIMIT_MAX || us < XEN_SYSCTL_SCHED_RATELIMIT_MIN))
		return -EINVAL;
	WRITE_ONCE(scheduler.ratelimit, us * 1000ULL);
	return 0;
}

static int set_affinity(struct vcpu *v, const cpumask_t *hard, const cpumask_t *soft)
{
	struct sched_vcpu *sv = v->sched;
	struct sched_rq *rq;
	cpumask_t online, allowed;
	bool waiting, running;
	unsigned int cpu;

	cpumask_and(&online, hard, &scheduler.online);
	if (cpumask_empty(&online))
		return -EINVAL;

	rq = sched_lock_vcpu(sv);
	sched_set_affinity(sv, hard, soft);
	sched_allowed_cpus(&scheduler, sv, &allowed);
	cpu = sv->cpu;
	waiting = sv->state == SV_READY || sv->state == SV_PARKED;
	running = sv->state == SV_RUNNING;
	if (waiting && !cpumask_test(cpu, &allowed))
		sv->push = true;
	spin_unlock(&rq->lock);

	if (waiting)
		sched_replace(v);
	else if (running)
		cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
	return 0;
}

int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m)
{
	return set_affinity(v, m, &v->sched->soft);
}

int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m)
{
	return set_affinity(v, &v->sched->hard, m);
}

void vcpu_get_affinity(const struct vcpu *v, cpumask_t *hard, cpumask_t *soft)
{
	*hard = v->sched->hard;
	*soft = v->sched->soft;
}

unsigned int vcpu_home_cpu(const struct vcpu *v)
{
	const struct sched_vcpu *sv = v->sched;
	cpumask_t allowed;

	if (READ_ONCE(v->running) || cpumask_test(v->cpu, &sv->hard))
		return v->cpu;
	cpumask_and(&allowed, &sv->hard, &scheduler.online);
	return cpumask_empty(&allowed) ? v->cpu : cpumask_first(&allowed);
}

int vcpu_pin_override(struct vcpu *v, int cpu)
{
	struct sched_vcpu *sv = v->sched;
	cpumask_t one;
	int rc;

	if (cpu < 0) {
		if (!sv->pinned)
			return -EINVAL;
		sv->pinned = false;
		return vcpu_set_hard_affinity(v, &sv->hard_saved);
	}
	if (sv->pinned)
		return -EBUSY;
	if ((unsigned int)cpu >= nr_cpu_ids || !cpumask_test((unsigned int)cpu, &scheduler.online))
		return -EINVAL;
	cpumask_clear(&one);
	cpumask_set((unsigned int)cpu, &one);
	sv->hard_saved = sv->hard;
	rc = vcpu_set_hard_affinity(v, &one);
	if (!rc)
		sv->pinned = true;
	return rc;
}

void sched_dump(void)
{
	unsigned int cpu;

	printk("scheduler %s: ratelimit %u us, %u steals\n", scheduler.ops->name,
	       (unsigned int)(scheduler.ratelimit / 1000), (unsigned int)scheduler.nr_steals);
	for_each_cpu(cpu, &scheduler.online) {
		struct sched_rq *rq = &scheduler.rq[cpu];
		struct sched_vcpu *sv;

		spin_lock(&rq->lock);
		printk(" CPU%u: clock %u ms, %u waiting, runs ", cpu,
		       (unsigned int)((rq->vtime + rq->offset) / 1000000), rq->nr_ready);
		if (rq->curr)
			printk("d%uv%u\n", rq->curr->vcpu->domain->id, rq->curr->vcpu->id);
		else
			printk("idle\n");
		list_for_each(sv, &rq->ready, link)
			printk("  ready d%uv%u, owed %d us\n", sv->vcpu->domain->id, sv->vcpu->id,
			       (int)((s64)(rq->vtime - sv->vruntime) / 1000));
		list_for_each(sv, &rq->parked, link)
			printk("  capped d%uv%u\n", sv->vcpu->domain->id, sv->vcpu->id);
		spin_unlock(&rq->lock);
	}
}
