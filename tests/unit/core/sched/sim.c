/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"
#include <lib.h>
#include <stdio.h>
#include <stdlib.h>

void bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	(void)ticket;
	fprintf(stderr, "lock %p taken twice\n", (void *)l);
	abort(); /* the simulation is one thread: waiting would be for ever */
}

#define CHECK(c)                                     \
	do {                                         \
		if (!(c))                            \
			bug(#c, __FILE__, __LINE__); \
	} while (0)

u64 sim_random(struct sim *m, u64 below)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed % below;
}

static u64 vary(struct sim *m, u64 ns, u64 per_cent)
{
	u64 range = ns * per_cent / 100;

	return range ? ns - range + sim_random(m, 2 * range + 1) : ns;
}

struct sim *sim_new(const struct sched_ops *ops, unsigned int cpus, u64 seed)
{
	struct sim *m = NULL;

	if (posix_memalign((void **)&m, 64, sizeof(*m)))
		abort();
	memset(m, 0, sizeof(*m));
	m->nr_cpus = cpus;
	m->seed = seed * 2654435761u + 88172645463325252ULL;
	m->now = SEC;
	sched_state_init(&m->s, ops, m->rq, cpus);
	for (unsigned int c = 0; c < cpus; c++) {
		sched_state_cpu_online(&m->s, c);
		m->cpu[c].kicked = true;
	}
	return m;
}

void sim_free(struct sim *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		free(m->v[i]);
	free(m);
}

static void kick(struct sim *m, unsigned int cpu)
{
	m->cpu[cpu].kicked = true;
	m->kicks++;
}

/* sched_wake() of the mechanism */
static void wake(struct sim *m, struct vcpu *v)
{
	struct sched_vcpu *sv = &v->sv;
	unsigned int cpu;
	stime_t when;

	if (sv->state != SV_OFF || !v->runnable)
		return;
	cpu = m->s.ops->place(&m->s, sv);
	sched_move(&m->s, sv, cpu);
	spin_lock(&m->rq[cpu].lock);
	when = m->s.ops->wake(&m->s, sv, m->now);
	spin_unlock(&m->rq[cpu].lock);
	v->since = m->now;
	if (when && when <= m->now)
		kick(m, cpu);
	else if (when && (!m->cpu[cpu].until || when < m->cpu[cpu].until))
		m->cpu[cpu].until = when;
}

/* sched_replace() of the mechanism */
static void replace(struct sim *m, struct vcpu *v)
{
	struct sched_vcpu *sv = &v->sv;
	stime_t since = v->since;

	if ((sv->state != SV_READY && sv->state != SV_PARKED) || v->on_cpu)
		return;
	if (!sv->push && m->s.ops->place(&m->s, sv) == sv->cpu)
		return;
	sv->push = false;
	m->s.ops->sleep(&m->s, sv);
	wake(m, v);
	v->since = since;
}

/* sched_context_saved() of the mechanism */
static void saved(struct sim *m, struct vcpu *v)
{
	cpumask_t idle;

	v->saved_at = 0;
	v->on_cpu = false;
	if (v->sv.state == SV_OFF)
		return;
	cpumask_and(&idle, &m->s.idle, &v->sv.hard);
	if (v->sv.push || !cpumask_empty(&idle))
		replace(m, v);
}

static struct vcpu *add(struct sim *m, struct sched_domain *d)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	CHECK(m->nr_vcpus < SIM_MAX_VCPUS);
	sched_vcpu_state_init(&v->sv, d, m->nr_vcpus % m->nr_cpus, &v->on_cpu);
	v->sv.vcpu = v;
	v->sv.cpu = m->s.ops->place(&m->s, &v->sv);
	m->s.ops->add(&m->s, &v->sv);
	m->v[m->nr_vcpus++] = v;
	return v;
}

struct vcpu *sim_hog(struct sim *m, struct sched_domain *d)
{
	struct vcpu *v = add(m, d);

	sim_start(m, v);
	return v;
}

struct vcpu *sim_sleeper(struct sim *m, struct sched_domain *d, u64 burst, u64 pause, u64 jitter)
{
	struct vcpu *v = add(m, d);

	v->burst = burst;
	v->pause = pause;
	v->jitter = jitter;
	v->left = vary(m, burst, jitter);
	sim_start(m, v);
	return v;
}

void sim_start(struct sim *m, struct vcpu *v)
{
	v->runnable = true;
	wake(m, v);
}

void sim_stop(struct sim *m, struct vcpu *v)
{
	v->runnable = false;
	v->wake_at = 0;
	if (v->sv.state == SV_RUNNING)
		kick(m, v->sv.cpu);
	else if (v->sv.state != SV_OFF)
		m->s.ops->sleep(&m->s, &v->sv);
}

void sim_pin(struct sim *m, struct vcpu *v, u64 hard, u64 soft)
{
	cpumask_t h = {{hard}}, s = {{soft}}, allowed;
	bool waiting = v->sv.state == SV_READY || v->sv.state == SV_PARKED;

	sched_set_affinity(&v->sv, &h, &s);
	sched_allowed_cpus(&m->s, &v->sv, &allowed);
	if (waiting && !cpumask_test(v->sv.cpu, &allowed))
		v->sv.push = true;
	if (waiting)
		replace(m, v);
	else if (v->sv.state == SV_RUNNING)
		kick(m, v->sv.cpu);
}

/* schedule() of the mechanism */
static void schedule_cpu(struct sim *m, unsigned int cpu)
{
	struct sched_rq *rq = &m->rq[cpu];
	struct vcpu *prev = rq->curr ? rq->curr->vcpu : NULL, *next;
	struct sched_decision d;

	/* A CPU finishes one switch before it begins another. */
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		if (m->v[i]->saved_at && m->v[i]->saved_by == cpu)
			saved(m, m->v[i]);
	}
	m->cpu[cpu].kicked = false;
	m->picks++;
	spin_lock(&rq->lock);
	d = m->s.ops->pick(&m->s, cpu, m->now, prev && prev->runnable);
	spin_unlock(&rq->lock);
	if (rq->kick < NR_CPUS) {
		kick(m, rq->kick);
		rq->kick = NR_CPUS;
	}
	next = d.next ? d.next->vcpu : NULL;
	m->cpu[cpu].until = d.until && m->late ? d.until + sim_random(m, m->late) : d.until;
	CHECK(!d.until || d.until > m->now);
	if (next == prev)
		return;
	m->switches++;
	if (prev) {
		prev->saved_at = m->now + SIM_SAVE_NS;
		prev->saved_by = cpu;
		prev->since = m->now;
	}
	if (next) {
		u64 waited = m->now - next->since;

		CHECK(!next->on_cpu && next->runnable);
		next->on_cpu = true;
		next->ran_on |= 1U << cpu;
		if (waited > next->worst_wait)
			next->worst_wait = waited;
		if (next->woken) {
			next->wakes++;
			next->total_wake += waited;
			if (waited > next->worst_wake)
				next->worst_wake = waited;
			next->woken = false;
		}
	}
	m->cpu[cpu].ran_to = m->now;
}

static void burst_over(struct sim *m, struct vcpu *v)
{
	v->left = vary(m, v->burst, v->jitter);
	if (v->pause) {
		v->runnable = false;
		v->wake_at = m->now + vary(m, v->pause, v->jitter);
	} else {
		v->sv.yielded = true;
	}
	kick(m, v->sv.cpu);
}

/* Lets the running ones run up to t. */
static void elapse(struct sim *m, stime_t t)
{
	m->now = t;
	for (unsigned int c = 0; c < m->nr_cpus; c++) {
		struct sched_vcpu *sv = m->rq[c].curr;
		u64 ran = t - m->cpu[c].ran_to;

		m->cpu[c].ran_to = t;
		if (!sv || !ran)
			continue;
		sv->vcpu->got += ran;
		if (sv->vcpu->burst && sv->vcpu->runnable && !m->cpu[c].kicked) {
			CHECK(ran <= sv->vcpu->left);
			sv->vcpu->left -= ran;
			if (!sv->vcpu->left)
				burst_over(m, sv->vcpu);
		}
	}
}

static void sooner(stime_t *t, stime_t candidate)
{
	if (candidate && candidate < *t)
		*t = candidate;
}

static stime_t next_event(const struct sim *m, stime_t end)
{
	stime_t t = end;

	for (unsigned int c = 0; c < m->nr_cpus; c++) {
		const struct sched_vcpu *sv = m->rq[c].curr;

		if (m->cpu[c].kicked)
			return m->now;
		sooner(&t, m->cpu[c].until);
		if (sv && sv->vcpu->burst)
			sooner(&t, m->cpu[c].ran_to + sv->vcpu->left);
	}
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		sooner(&t, m->v[i]->wake_at);
		sooner(&t, m->v[i]->saved_at);
	}
	return t < m->now ? m->now : t;
}

void sim_run(struct sim *m, u64 ns)
{
	stime_t end = m->now + ns;

	while (m->now < end) {
		elapse(m, next_event(m, end));
		for (unsigned int i = 0; i < m->nr_vcpus; i++) {
			struct vcpu *v = m->v[i];

			if (v->saved_at && v->saved_at <= m->now)
				saved(m, v);
			if (v->wake_at && v->wake_at <= m->now) {
				v->wake_at = 0;
				v->runnable = v->woken = true;
				wake(m, v);
			}
		}
		for (bool again = true; again;) {
			again = false;
			for (unsigned int c = 0; c < m->nr_cpus; c++) {
				if (m->cpu[c].until && m->cpu[c].until <= m->now)
					m->cpu[c].kicked = true;
				if (m->cpu[c].kicked) {
					schedule_cpu(m, c);
					again = true;
				}
			}
		}
		if (m->picks % 64 == 0)
			sim_check(m);
	}
}

void sim_clear(struct sim *m)
{
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		struct vcpu *v = m->v[i];

		v->got = v->wakes = v->worst_wait = v->worst_wake = v->total_wake = 0;
		v->ran_on = 0;
	}
	m->switches = m->picks = m->kicks = 0;
}

void sim_check(const struct sim *m)
{
	unsigned int ready = 0, parked = 0, running = 0, count[4] = {0};

	for (unsigned int c = 0; c < m->nr_cpus; c++) {
		const struct sched_rq *rq = &m->rq[c];
		const struct sched_vcpu *sv, *before = NULL;
		unsigned int here = 0;

		CHECK(!spin_is_locked(&rq->lock));
		list_for_each(sv, &rq->ready, link) {
			CHECK(sv->state == SV_READY && sv->cpu == c && sv->vcpu->runnable);
			CHECK(!before || (s64)(sv->deadline - before->deadline) >= 0 ||
			      m->s.ops == &sched_null);
			before = sv;
			here++;
		}
		CHECK(here == rq->nr_ready);
		ready += here;
		before = NULL;
		list_for_each(sv, &rq->parked, link) {
			CHECK(sv->state == SV_PARKED && sv->cpu == c);
			CHECK(!before || sv->park_until >= before->park_until);
			before = sv;
			parked++;
		}
		if (rq->curr) {
			CHECK(rq->curr->state == SV_RUNNING && rq->curr->cpu == c);
			CHECK(rq->curr->vcpu->on_cpu);
			running++;
		}
	}
	for (unsigned int i = 0; i < m->nr_vcpus; i++)
		count[m->v[i]->sv.state]++;
	CHECK(count[SV_READY] == ready && count[SV_PARKED] == parked && count[SV_RUNNING] == running);
}
