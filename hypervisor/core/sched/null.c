/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The null policy (sched=null): every vCPU has a CPU of its own, none is ever shared. A vCPU for
 * which no allowed CPU is free waits, not running at all, until one becomes free. For pinned hosts:
 * picking costs nothing and nobody is ever displaced.
 *
 * Lock: rq->assigned is written under its queue's lock; a vCPU that waits for a CPU is found by
 * walking the ready list of the queue it was put on, where it stands without being eligible.
 */
#include <lib.h>
#include <sched_policy.h>
#include <xen/domctl.h>

static bool claim(struct sched_rq *rq, struct sched_vcpu *sv)
{
	if (rq->assigned && rq->assigned != sv)
		return false;
	rq->assigned = sv;
	return true;
}

static unsigned int null_place(struct sched *s, const struct sched_vcpu *sv)
{
	cpumask_t allowed, soft;
	unsigned int cpu;

	sched_allowed_cpus(s, sv, &allowed);
	if (READ_ONCE(*sv->on_cpu) ||
	    (READ_ONCE(s->rq[sv->cpu].assigned) == sv && cpumask_test(sv->cpu, &allowed)))
		return sv->cpu;
	cpumask_and(&soft, &allowed, &sv->soft);
	for_each_cpu(cpu, &soft) {
		if (!READ_ONCE(s->rq[cpu].assigned))
			return cpu;
	}
	for_each_cpu(cpu, &allowed) {
		if (!READ_ONCE(s->rq[cpu].assigned))
			return cpu;
	}
	return cpumask_test(sv->cpu, &allowed) ? sv->cpu : cpumask_first(&allowed);
}

static stime_t null_wake(struct sched *s, struct sched_vcpu *sv, stime_t now)
{
	struct sched_rq *rq = &s->rq[sv->cpu];
	bool mine = claim(rq, sv);

	list_add_tail(&sv->link, &rq->ready);
	sv->state = SV_READY;
	rq->nr_ready++;
	return mine ? now : 0;
}

static void null_sleep(struct sched *s, struct sched_vcpu *sv)
{
	list_del(&sv->link);
	s->rq[sv->cpu].nr_ready--;
	sv->state = SV_OFF;
}

/* The CPU is free: the first that waits for one, here or elsewhere, gets it. */
static void adopt(struct sched *s, struct sched_rq *rq, unsigned int cpu)
{
	unsigned int other;

	for_each_cpu(other, &s->online) {
		struct sched_rq *o = &s->rq[other];
		struct sched_vcpu *sv, *found = NULL;

		if (!READ_ONCE(o->nr_ready) || (other != cpu && !spin_trylock_nested(&o->lock)))
			continue;
		list_for_each(sv, &o->ready, link) {
			if (o->assigned != sv && cpumask_test(cpu, &sv->hard) && !READ_ONCE(*sv->on_cpu)) {
				found = sv;
				break;
			}
		}
		if (found && other != cpu) {
			null_sleep(s, found);
			sched_move(s, found, cpu);
			list_add_tail(&found->link, &rq->ready);
			found->state = SV_READY;
			rq->nr_ready++;
		}
		if (other != cpu)
			spin_unlock_nested(&o->lock);
		if (found) {
			rq->assigned = found;
			return;
		}
	}
}

static struct sched_decision null_pick(struct sched *s, unsigned int cpu, stime_t now, bool stay)
{
	struct sched_rq *rq = &s->rq[cpu];
	struct sched_vcpu *prev = rq->curr, *mine;
	struct sched_decision d = {NULL, 0};

	if (prev && stay && cpumask_test(cpu, &prev->hard) && rq->online) {
		prev->yielded = false;
		d.next = prev;
		return d;
	}
	if (prev) {
		prev->yielded = false;
		prev->state = SV_OFF;
		rq->curr = NULL;
		if (stay) { /* its affinity changed: it gives this CPU up */
			prev->push = true;
			rq->assigned = NULL;
			null_wake(s, prev, now);
			rq->assigned = NULL;
		}
	}
	if (!rq->assigned && rq->online)
		adopt(s, rq, cpu);
	mine = rq->assigned;
	if (mine && mine->state == SV_READY && !mine->push) {
		null_sleep(s, mine);
		mine->state = SV_RUNNING;
		mine->picked_at = mine->charged_to = now;
		rq->curr = d.next = mine;
	}
	return d;
}

static void null_add(struct sched *s, struct sched_vcpu *sv)
{
	claim(&s->rq[sv->cpu], sv);
	sv->dom->nr_vcpus++;
}

static unsigned int null_remove(struct sched *s, struct sched_vcpu *sv)
{
	struct sched_rq *rq = &s->rq[sv->cpu];

	sv->dom->nr_vcpus--;
	if (rq->assigned != sv)
		return NR_CPUS;
	rq->assigned = NULL;
	return sv->cpu;
}

const struct sched_ops sched_null = {
	.name = "null",
	.id = XEN_SCHEDULER_NULL,
	.place = null_place,
	.wake = null_wake,
	.sleep = null_sleep,
	.pick = null_pick,
	.add = null_add,
	.remove = null_remove,
};
