/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of each CPU: a heap, the end of the running time slice, and what the clock event is armed
 * for.
 *
 * The clock event may be armed for an earlier time than needed: it then fires, nothing is due, and
 * it is armed again. So stopping a timer or moving a deadline back costs no hardware access.
 *
 * Lock (RANK_TIMER): a CPU's heap and `running`. slice_end, tick and armed belong to the CPU
 * itself.
 */
#include <lib.h>
#include <smp.h>
#include <spinlock.h>
#include <time.h>
#include <timer.h>

struct __aligned(64) cpu_timers
{
	spinlock_t lock;
	struct timer *root;
	struct timer *running; /* its callback is being called */
	stime_t slice_end;     /* 0 = none */
	stime_t tick;          /* of the running vCPU, 0 = none */
	stime_t armed;         /* the clock event fires then; 0 = not armed */
};

static struct cpu_timers timers[NR_CPUS];

static void arm(struct cpu_timers *ct, stime_t deadline)
{
	if (ct->armed && ct->armed <= deadline)
		return;
	if (clockevent_set(deadline))
		ct->armed = deadline;
	else
		raise_softirq(SOFTIRQ_TIMER);
}

static struct cpu_timers *lock_timers_of(const struct timer *t)
{
	for (;;) {
		u32 cpu = READ_ONCE(t->cpu);
		struct cpu_timers *ct = &timers[cpu];

		spin_lock(&ct->lock);
		if (likely(cpu == READ_ONCE(t->cpu)))
			return ct;
		spin_unlock(&ct->lock);
	}
}

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->data = data;
	t->cpu = cpu;
}

void timer_set(struct timer *t, stime_t expires)
{
	struct cpu_timers *ct = lock_timers_of(t);
	bool first;

	if (t->queued)
		timer_heap_remove(&ct->root, t);
	if (t->killed) {
		spin_unlock(&ct->lock);
		return;
	}
	t->expires = expires;
	timer_heap_insert(&ct->root, t);
	first = ct->root == t;
	spin_unlock(&ct->lock);

	if (!first)
		return;
	if (t->cpu == smp_processor_id())
		arm(ct, expires);
	else
		cpu_raise_softirq(t->cpu, SOFTIRQ_TIMER);
}

void timer_stop(struct timer *t)
{
	struct cpu_timers *ct = lock_timers_of(t);

	if (t->queued)
		timer_heap_remove(&ct->root, t);
	spin_unlock(&ct->lock);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	struct cpu_timers *ct;
	bool queued;

	if (READ_ONCE(t->cpu) == cpu)
		return;
	ct = lock_timers_of(t);
	queued = t->queued;
	if (queued)
		timer_heap_remove(&ct->root, t);
	WRITE_ONCE(t->cpu, cpu);
	spin_unlock(&ct->lock);
	if (queued)
		timer_set(t, t->expires);
}

void timer_kill(struct timer *t)
{
	struct cpu_timers *ct = lock_timers_of(t);
	unsigned int cpu = t->cpu;

	if (t->queued)
		timer_heap_remove(&ct->root, t);
	t->killed = true;
	spin_unlock(&ct->lock);
	while (cpu != smp_processor_id() && READ_ONCE(ct->running) == t)
		cpu_relax_poll();
}

void timer_slice_set(stime_t until, stime_t tick)
{
	struct cpu_timers *ct = &timers[smp_processor_id()];

	ct->slice_end = until;
	ct->tick = tick;
	if (tick && (!until || tick < until))
		until = tick;
	if (until)
		arm(ct, until);
}

void timer_slice_advance(stime_t until)
{
	struct cpu_timers *ct = &timers[smp_processor_id()];

	if (!ct->slice_end || until < ct->slice_end) {
		ct->slice_end = until;
		arm(ct, until);
	}
}

void clockevent_interrupt(void)
{
	timers[smp_processor_id()].armed = 0;
	raise_softirq(SOFTIRQ_TIMER);
}

/* SOFTIRQ_TIMER: calls what is due, then arms the clock event for the next. */
static void run_timers(void)
{
	struct cpu_timers *ct = &timers[smp_processor_id()];
	stime_t t = now(), next;
	struct timer *first;

	spin_lock(&ct->lock);
	while ((first = ct->root) != NULL && first->expires <= t) {
		timer_heap_remove(&ct->root, first);
		ct->running = first;
		spin_unlock(&ct->lock);
		first->fn(first->data);
		spin_lock(&ct->lock);
		WRITE_ONCE(ct->running, NULL);
	}
	next = first ? first->expires : 0;
	spin_unlock(&ct->lock);

	if (ct->tick && ct->tick <= t)
		ct->tick = vcpu_tick(t);
	if (ct->tick && (!next || ct->tick < next))
		next = ct->tick;
	if (ct->slice_end && ct->slice_end <= t) {
		ct->slice_end = 0;
		raise_softirq(SOFTIRQ_SCHEDULE);
	} else if (ct->slice_end && (!next || ct->slice_end < next)) {
		next = ct->slice_end;
	}
	if (next)
		arm(ct, next);
}

void timers_cpu_init(unsigned int cpu)
{
	struct cpu_timers *ct = &timers[cpu];

	spin_lock_init(&ct->lock, RANK_TIMER);
	ct->slice_end = ct->tick = ct->armed = 0;
	softirq_register(SOFTIRQ_TIMER, run_timers);
}

void timers_cpu_drain(unsigned int from, unsigned int to)
{
	struct cpu_timers *ct = &timers[from];

	for (;;) {
		struct timer *t;

		spin_lock(&ct->lock);
		t = ct->root;
		spin_unlock(&ct->lock);
		if (!t)
			break;
		timer_migrate(t, to);
	}
}
