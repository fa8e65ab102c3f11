/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted fair sharing with virtual deadlines.
 *
 * A vCPU's vruntime advances by the time it runs, divided by its weight. It is served in requests:
 * a request of r ns made at vruntime v has the virtual deadline v + r / weight, and the ready vCPU
 * with the earliest deadline runs. The queue's virtual clock is the vruntime of whoever is least
 * served. One that wakes up starts at its own vruntime or a little behind the clock, whichever is
 * later: sleeping earns no more than that; its first request is short, so its deadline is early and
 * it is served soon without getting a larger share.
 *
 * Every CPU has its own queue and clock. Clocks of two queues are compared by adding the queues'
 * offsets
 * ("global frame"). A CPU with nothing to do takes work from others at once; a busy one looks at
 * one other queue whenever it picks, and takes a vCPU whose deadline is MARGIN before the best it
 * has itself. So all queues together behave like one fair queue on a scale of some ten
 * milliseconds, wherever affinity lets vCPUs move. Where it does not, or a weight is larger than a
 * CPU can serve, a queue's clock would fall behind for ever; its offset is then raised to keep it
 * within 2 * MARGIN of the furthest, so that what a queue is owed (or owes) stays bounded.
 *
 *   ready:  deadline -> deadline -> deadline          (sorted list; queues are short)
 *   parked: refill time -> refill time                (cap used up, see cap.c)
 *
 * Lock: the queue's. Other queues are only trylocked.
 */
#include <lib.h>
#include <sched_policy.h>
#include <xen/domctl.h>

#define REQUEST 5000000LL      /* ns between decisions when vCPUs compete */
#define WAKE_REQUEST 1000000LL /* first request after waking */
#define CREDIT 2500000ULL      /* how far behind the clock a sleeper may resume, virtual ns */
#define RETRY 200000ULL        /* ns until a missed take-over is tried again */
#define MARGIN 10000000ULL     /* how much earlier a deadline elsewhere must be to be taken over */

static inline bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static inline struct sched_vcpu *first_ready(const struct sched_rq *rq)
{
	return list_empty(&rq->ready) ? NULL : list_first(&rq->ready, struct sched_vcpu, link);
}

static inline void publish(struct sched_rq *rq)
{
	if (rq->nr_ready)
		WRITE_ONCE(rq->head_deadline, first_ready(rq)->deadline + rq->offset);
}

static void enqueue(struct sched_rq *rq, struct sched_vcpu *sv)
{
	struct list *at = rq->ready.prev;

	while (at != &rq->ready && before(sv->deadline, list_entry(at, struct sched_vcpu, link)->deadline))
		at = at->prev;
	list_insert_after(&sv->link, at);
	sv->state = SV_READY;
	rq->nr_ready++;
	publish(rq);
}

static void dequeue(struct sched_rq *rq, struct sched_vcpu *sv)
{
	list_del(&sv->link);
	rq->nr_ready--;
	publish(rq);
}

static void new_request(struct sched_vcpu *sv, s64 ns)
{
	sv->request = ns;
	sv->deadline = sv->vruntime + sched_weighted(sv->dom, (u64)ns);
}

static void charge(struct sched_vcpu *sv, stime_t now)
{
	s64 ran = (s64)(now - sv->charged_to);

	if (ran <= 0)
		return;
	sv->charged_to = now;
	sv->vruntime += sched_weighted(sv->dom, (u64)ran);
	sv->request -= ran;
	if (sv->request <= 0)
		new_request(sv, REQUEST);
	if (unlikely(sv->dom->cap))
		sv->quota -= ran;
}

/* Moves the queue's clock on, and keeps it in sight of the others'. */
static void advance(struct sched *s, struct sched_rq *rq)
{
	const struct sched_vcpu *head = first_ready(rq), *least = rq->curr;
	u64 global, furthest;

	if (!least || (head && before(head->vruntime, least->vruntime)))
		least = head;
	if (least && before(rq->vtime, least->vruntime))
		rq->vtime = least->vruntime;

	global = rq->vtime + rq->offset;
	furthest = READ_ONCE(s->vmax);
	if (before(furthest, global)) {
		WRITE_ONCE(s->vmax, global);
	} else if (unlikely(furthest - global > 2 * MARGIN)) {
		rq->offset += furthest - global - 2 * MARGIN;
		publish(rq);
	}
}

static void park(struct sched_rq *rq, struct sched_vcpu *sv, stime_t until)
{
	struct list *at = rq->parked.prev;

	while (at != &rq->parked && before(until, list_entry(at, struct sched_vcpu, link)->park_until))
		at = at->prev;
	list_insert_after(&sv->link, at);
	sv->park_until = until;
	sv->state = SV_PARKED;
}

static void resume_behind_clock(struct sched_rq *rq, struct sched_vcpu *sv)
{
	u64 floor = rq->vtime - CREDIT;

	if (before(sv->vruntime, floor))
		sv->vruntime = floor;
	new_request(sv, WAKE_REQUEST);
}

static void unpark_due(struct sched_rq *rq, stime_t now)
{
	while (!list_empty(&rq->parked)) {
		struct sched_vcpu *sv = list_first(&rq->parked, struct sched_vcpu, link);

		if (before(now, sv->park_until))
			break;
		list_del(&sv->link);
		resume_behind_clock(rq, sv);
		enqueue(rq, sv);
	}
}

static stime_t fair_wake(struct sched *s, struct sched_vcpu *sv, stime_t now)
{
	struct sched_rq *rq = &s->rq[sv->cpu];
	struct sched_vcpu *curr = rq->curr;

	if (curr)
		charge(curr, now);
	else if (cpumask_test(sv->cpu, &s->idle))
		cpumask_unset(sv->cpu, &s->idle); /* taken: the next to wake looks elsewhere */
	advance(s, rq);
	if (unlikely(sv->dom->cap))
		sched_quota_wake(sv->dom, now);
	resume_behind_clock(rq, sv);
	enqueue(rq, sv);
	if (!curr)
		return now;
	if (before(sv->deadline, curr->deadline)) {
		rq->slice_armed = true;
		return curr->picked_at + s->ratelimit;
	}
	if (rq->slice_armed)
		return 0;
	rq->slice_armed = true;
	return now + (stime_t)curr->request;
}

static void fair_sleep(struct sched *s, struct sched_vcpu *sv)
{
	struct sched_rq *rq = &s->rq[sv->cpu];

	if (sv->state == SV_READY)
		dequeue(rq, sv);
	else
		list_del(&sv->link);
	sv->state = SV_OFF;
}

/* The first of victim's that may run here; *busy if one would, once its registers are saved. */
static struct sched_vcpu *stealable(const struct sched_rq *victim, unsigned int cpu, bool any, bool *busy)
{
	struct sched_vcpu *sv;

	list_for_each(sv, &victim->ready, link) {
		if (!cpumask_test(cpu, &sv->hard) || !(any || !sv->has_soft || cpumask_test(cpu, &sv->soft)))
			continue;
		if (!READ_ONCE(*sv->on_cpu))
			return sv;
		*busy = true;
	}
	return NULL;
}

enum taken { NOTHING, BUSY, TAKEN };

/* Takes one vCPU over from another queue into ours, sorted in. */
static enum taken take_from(struct sched *s, unsigned int cpu, unsigned int from, bool any)
{
	struct sched_rq *rq = &s->rq[cpu], *victim = &s->rq[from];
	struct sched_vcpu *sv;
	bool busy = false;

	if (!spin_trylock_nested(&victim->lock))
		return BUSY;
	sv = stealable(victim, cpu, false, &busy);
	if (!sv && any)
		sv = stealable(victim, cpu, true, &busy);
	if (sv) {
		dequeue(victim, sv);
		sched_move(s, sv, cpu);
	}
	spin_unlock_nested(&victim->lock);
	if (!sv)
		return busy ? BUSY : NOTHING;
	enqueue(rq, sv);
	s->nr_steals++;
	return TAKEN;
}

static bool steal_for_idle(struct sched *s, unsigned int cpu)
{
	cpumask_t left = s->online;

	cpumask_unset(cpu, &left);
	for (;;) {
		unsigned int other, best = NR_CPUS;

		for_each_cpu(other, &left) {
			if (!READ_ONCE(s->rq[other].nr_ready))
				cpumask_unset(other, &left);
			else if (best == NR_CPUS || before(READ_ONCE(s->rq[other].head_deadline),
							   READ_ONCE(s->rq[best].head_deadline)))
				best = other;
		}
		if (best == NR_CPUS)
			return false;
		if (take_from(s, cpu, best, true) == TAKEN)
			return true;
		cpumask_unset(best, &left);
	}
}

/*
 * Looks at one other queue: takes its first vCPU over when that is long overdue compared with ours.
 * If the other CPU runs the only vCPU it has, no timer makes it look here; it is told to when
 * somebody waits here.
 */
static void balance(struct sched *s, unsigned int cpu, u64 best_deadline)
{
	struct sched_rq *rq = &s->rq[cpu], *victim;
	unsigned int v = READ_ONCE(rq->next_victim);

	if (v >= s->nr_cpus)
		v = 0;
	rq->retry = false;
	WRITE_ONCE(rq->next_victim, v + 1);
	if (v == cpu)
		return;
	victim = &s->rq[v];
	if (READ_ONCE(victim->nr_ready)) {
		if (before(READ_ONCE(victim->head_deadline) + MARGIN, best_deadline + rq->offset))
			rq->retry = take_from(s, cpu, v, false) == BUSY;
		if (rq->retry)
			WRITE_ONCE(rq->next_victim, v);
	} else if (rq->nr_ready && READ_ONCE(victim->curr) && !READ_ONCE(victim->slice_armed)) {
		WRITE_ONCE(victim->next_victim, cpu);
		rq->kick = v;
	}
}

/* The running vCPU stops: to sleep, without budget, or to make room. Returns it when it may go on.
 */
static struct sched_vcpu *settle_prev(struct sched *s, struct sched_rq *rq, unsigned int cpu, stime_t now,
				      bool stay)
{
	struct sched_vcpu *prev = rq->curr;
	stime_t refill;

	charge(prev, now);
	if (likely(stay)) {
		if (unlikely(!cpumask_test(cpu, &prev->hard) || !rq->online)) {
			cpumask_t allowed;

			sched_allowed_cpus(s, prev, &allowed);
			prev->push = !cpumask_test(cpu, &allowed);
		}
		if (unlikely(prev->dom->cap) && prev->quota <= 0) {
			sched_quota_return(prev, now);
			if (!sched_quota_take(prev, now, &refill)) {
				park(rq, prev, refill);
				rq->curr = NULL;
				return NULL;
			}
		}
		return prev;
	}
	if (unlikely(prev->quota))
		sched_quota_return(prev, now);
	prev->state = SV_OFF;
	prev->yielded = false;
	rq->curr = NULL;
	return NULL;
}

/* First ready one that may run here. */
static struct sched_vcpu *best_ready(const struct sched_rq *rq)
{
	struct sched_vcpu *sv;

	list_for_each(sv, &rq->ready, link) {
		if (likely(!sv->push)) /* else on its way to another CPU */
			return sv;
	}
	return NULL;
}

/* Does prev go on although best is waiting? */
static bool prev_goes_on(const struct sched *s, const struct sched_vcpu *prev, const struct sched_vcpu *best,
			 stime_t now)
{
	if (unlikely(prev->push))
		return false;
	if (!best)
		return true;
	if (prev->yielded)
		return false;
	return !before(best->deadline, prev->deadline) || now - prev->picked_at < s->ratelimit;
}

static stime_t next_decision(const struct sched *s, const struct sched_rq *rq, const struct sched_vcpu *next,
			     stime_t now)
{
	stime_t until = 0;

	if (next) {
		if (rq->nr_ready) {
			until = now + (stime_t)next->request;
			if (before(first_ready(rq)->deadline, next->deadline))
				until = now; /* only the rate limit keeps it */
			if (before(until, next->picked_at + s->ratelimit))
				until = next->picked_at + s->ratelimit;
		}
		if (unlikely(rq->retry) && (!until || before(now + RETRY, until)))
			until = now + RETRY;
		if (unlikely(next->dom->cap) && (!until || before(now + (stime_t)next->quota, until)))
			until = now + (stime_t)next->quota;
	}
	if (unlikely(!list_empty(&rq->parked))) {
		stime_t t = list_first(&rq->parked, struct sched_vcpu, link)->park_until;

		if (!until || before(t, until))
			until = t;
	}
	return until;
}

/* Looks at other queues when this one has nothing, or less urgent work than they. */
static struct sched_vcpu *look_elsewhere(struct sched *s, struct sched_rq *rq, unsigned int cpu,
					 const struct sched_vcpu *prev, struct sched_vcpu *best)
{
	if (best || prev) {
		bool prev_first = prev && (!best || before(prev->deadline, best->deadline));

		balance(s, cpu, prev_first ? prev->deadline : best->deadline);
	} else {
		/* Seen as idle before looking for work: whoever makes a vCPU movable after this
		 * look sees the bit and sends it here (sched_context_saved() in the mechanism). */
		if (rq->online) {
			cpumask_set(cpu, &s->idle);
			steal_for_idle(s, cpu);
		}
	}
	return best_ready(rq);
}

/* prev or the best of the queue, which then leaves it; one without budget is parked on the way. */
static struct sched_vcpu *choose(struct sched *s, struct sched_rq *rq, unsigned int cpu,
				 struct sched_vcpu *prev, stime_t now)
{
	struct sched_vcpu *best = best_ready(rq);
	stime_t refill;

	if (s->nr_cpus > 1)
		best = look_elsewhere(s, rq, cpu, prev, best);
	for (;;) {
		if (prev && prev_goes_on(s, prev, best, now))
			return prev;
		if (!best)
			return NULL;
		dequeue(rq, best);
		if (likely(!best->dom->cap) || sched_quota_take(best, now, &refill))
			return best;
		park(rq, best, refill);
		best = best_ready(rq);
	}
}

static struct sched_decision fair_pick(struct sched *s, unsigned int cpu, stime_t now, bool stay)
{
	struct sched_rq *rq = &s->rq[cpu];
	struct sched_vcpu *prev = rq->curr, *next;
	struct sched_decision d;

	if (prev)
		prev = settle_prev(s, rq, cpu, now, stay);
	if (unlikely(!list_empty(&rq->parked)))
		unpark_due(rq, now);
	advance(s, rq);

	next = choose(s, rq, cpu, prev, now);
	if (next != prev) {
		if (prev) {
			if (unlikely(prev->quota))
				sched_quota_return(prev, now);
			enqueue(rq, prev);
		}
		if (next) {
			next->charged_to = next->picked_at = now;
			next->state = SV_RUNNING;
		}
		rq->curr = next;
	}
	if (next && s->nr_cpus > 1 && cpumask_test(cpu, &s->idle))
		cpumask_unset(cpu, &s->idle);
	if (prev)
		prev->yielded = false;
	d.next = next;
	d.until = next_decision(s, rq, next, now);
	rq->slice_armed = d.until != 0;
	return d;
}

/* The CPU of mask with the shortest queue; ties go to the first. */
static unsigned int shortest_queue(const struct sched *s, const cpumask_t *mask)
{
	unsigned int cpu, best = NR_CPUS, best_len = ~0U;

	for_each_cpu(cpu, mask) {
		unsigned int len = READ_ONCE(s->rq[cpu].nr_ready) + (READ_ONCE(s->rq[cpu].curr) != NULL);

		if (len < best_len) {
			best = cpu;
			best_len = len;
		}
	}
	return best;
}

static unsigned int fair_place(struct sched *s, const struct sched_vcpu *sv)
{
	cpumask_t allowed, preferred, idle;

	/* Where it was is right unless another CPU stands idle; and it cannot leave while being
	 * saved. */
	if (s->nr_cpus == 1 || READ_ONCE(*sv->on_cpu))
		return sv->cpu;
	sched_allowed_cpus(s, sv, &allowed);
	cpumask_and(&preferred, &allowed, &sv->soft);
	if (!sv->has_soft || cpumask_empty(&preferred))
		preferred = allowed;

	if (cpumask_test(sv->cpu, &preferred) && cpumask_test(sv->cpu, &s->idle))
		return sv->cpu;
	cpumask_and(&idle, &preferred, &s->idle);
	if (cpumask_empty(&idle))
		cpumask_and(&idle, &allowed, &s->idle);
	if (!cpumask_empty(&idle))
		return cpumask_test(sv->cpu, &idle) ? sv->cpu : cpumask_first(&idle);
	if (cpumask_test(sv->cpu, &preferred))
		return sv->cpu;
	return shortest_queue(s, &preferred);
}

static void fair_add(struct sched *s, struct sched_vcpu *sv)
{
	sv->vruntime = s->rq[sv->cpu].vtime;
	sv->dom->nr_vcpus++;
}

static unsigned int fair_remove(struct sched *s __unused, struct sched_vcpu *sv)
{
	sv->dom->nr_vcpus--;
	return NR_CPUS;
}

const struct sched_ops sched_fair = {
	.name = "fair",
	.id = XEN_SCHEDULER_CREDIT2,
	.place = fair_place,
	.wake = fair_wake,
	.sleep = fair_sleep,
	.pick = fair_pick,
	.add = fair_add,
	.remove = fair_remove,
};
