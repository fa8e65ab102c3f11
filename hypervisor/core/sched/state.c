/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every policy shares: setting up queues, domains and vCPUs, weights, affinity, and carrying a
 * vCPU from one queue to another. Pure; locks as sched_policy.h says.
 */
#include <lib.h>
#include <sched_policy.h>

void sched_state_init(struct sched *s, const struct sched_ops *ops, struct sched_rq *rq, unsigned int nr_cpus)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->rq = rq;
	s->nr_cpus = nr_cpus;
	s->ratelimit = SCHED_DEFAULT_RATELIMIT;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		memset(&rq[cpu], 0, sizeof(rq[cpu]));
		spin_lock_init(&rq[cpu].lock, RANK_SCHED);
		rq[cpu].kick = NR_CPUS;
		list_init(&rq[cpu].ready);
		list_init(&rq[cpu].parked);
	}
}

void sched_state_cpu_online(struct sched *s, unsigned int cpu)
{
	s->rq[cpu].online = s->rq[cpu].started = true;
	cpumask_set(cpu, &s->online);
}

void sched_state_cpu_offline(struct sched *s, unsigned int cpu)
{
	cpumask_unset(cpu, &s->online);
	cpumask_unset(cpu, &s->idle);
	s->rq[cpu].online = false;
}

void sched_domain_state_init(struct sched_domain *d)
{
	memset(d, 0, sizeof(*d));
	spin_lock_init(&d->lock, RANK_SCHED);
	sched_set_weight(d, SCHED_DEFAULT_WEIGHT);
}

void sched_vcpu_state_init(struct sched_vcpu *sv, struct sched_domain *d, unsigned int cpu,
			   const bool *on_cpu)
{
	memset(sv, 0, sizeof(*sv));
	list_init(&sv->link);
	sv->dom = d;
	sv->cpu = cpu;
	sv->on_cpu = on_cpu;
	sv->state = SV_OFF;
	cpumask_setall(&sv->hard);
	cpumask_setall(&sv->soft);
}

void sched_set_weight(struct sched_domain *d, u32 weight)
{
	d->weight = weight;
	d->inv_weight = ((u64)SCHED_DEFAULT_WEIGHT << 24) / weight;
}

void sched_set_affinity(struct sched_vcpu *sv, const cpumask_t *hard, const cpumask_t *soft)
{
	cpumask_t both;

	sv->hard = *hard;
	sv->soft = *soft;
	cpumask_and(&both, hard, soft);
	/* A soft affinity that excludes everything allowed, or nothing, expresses no preference. */
	sv->has_soft = !cpumask_empty(&both) && memcmp(&both, hard, sizeof(both)) != 0;
}

void sched_allowed_cpus(const struct sched *s, const struct sched_vcpu *sv, cpumask_t *out)
{
	cpumask_and(out, &sv->hard, &s->online);
	if (cpumask_empty(out))
		*out = s->online;
}

void sched_move(struct sched *s, struct sched_vcpu *sv, unsigned int cpu)
{
	u64 shift = s->rq[sv->cpu].offset - READ_ONCE(s->rq[cpu].offset);

	if (sv->cpu == cpu)
		return;
	sv->vruntime += shift;
	sv->deadline += shift;
	sv->migrations++;
	WRITE_ONCE(sv->cpu, cpu);
}
