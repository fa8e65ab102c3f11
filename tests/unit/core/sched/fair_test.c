/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fair policy, replayed for minutes to hours: shares, caps, bounds on waiting, affinity. */
#include "sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void domain(struct sched_domain *d, u32 weight, u32 cap)
{
	sched_domain_state_init(d);
	sched_set_weight(d, weight);
	if (cap)
		sched_set_cap(d, cap, SEC);
}

static double share(u64 a, u64 total)
{
	return (double)a / (double)total;
}

static void assert_near(double got, double want, double tolerance)
{
	if (!(got >= want - tolerance && got <= want + tolerance))
		fail_msg("got %.4f, want %.4f +- %.4f", got, want, tolerance);
}

static void weights_on_one_cpu(void **state)
{
	struct sched_domain a, b;
	struct sim *m = sim_new(&sched_fair, 1, 1);
	struct vcpu *va, *vb;

	(void)state;
	domain(&a, 256, 0);
	domain(&b, 512, 0);
	va = sim_hog(m, &a);
	vb = sim_hog(m, &b);
	sim_run(m, 3600 * SEC);
	assert_near(share(vb->got, va->got), 2.0, 0.01);
	assert_int_equal(va->got + vb->got, 3600 * SEC); /* nothing is lost */
	/* already over a second, not only over an hour */
	sim_clear(m);
	sim_run(m, SEC);
	assert_near(share(vb->got, va->got), 2.0, 0.1);
	sim_free(m);
}

static void weights_at_the_extremes(void **state)
{
	struct sched_domain a, b;
	struct sim *m = sim_new(&sched_fair, 1, 2);
	struct vcpu *va, *vb;

	(void)state;
	domain(&a, 1, 0);
	domain(&b, 65535, 0);
	va = sim_hog(m, &a);
	vb = sim_hog(m, &b);
	sim_run(m, 6000 * SEC);
	assert_near(share(vb->got, va->got), 65535.0, 6000.0);
	assert_true(va->got > 0);
	sim_free(m);
}

/* Two CPUs, two vCPUs of each domain, placed as badly as can be: the queues must even out. */
static void weights_across_cpus(void **state)
{
	struct sched_domain a, b;

	(void)state;
	for (u64 seed = 1; seed < 8; seed++) {
		struct sim *m = sim_new(&sched_fair, 2, seed);
		struct vcpu *v[4];

		domain(&a, 256, 0);
		domain(&b, 512, 0);
		v[0] = sim_hog(m, &a);
		v[1] = sim_hog(m, &b);
		v[2] = sim_hog(m, &a);
		v[3] = sim_hog(m, &b);
		sim_pin(m, v[0], 1, 1);
		sim_pin(m, v[2], 1, 1);
		sim_pin(m, v[1], 2, 2);
		sim_pin(m, v[3], 2, 2);
		sim_run(m, 10 * SEC);
		/* pinned apart, each pair has its CPU to itself */
		assert_near(share(v[0]->got + v[2]->got, 20 * SEC), 0.5, 0.001);
		for (int i = 0; i < 4; i++)
			sim_pin(m, v[i], ~0ULL, ~0ULL);
		sim_run(m, SEC);
		sim_clear(m);
		sim_run(m, 60 * SEC);
		assert_near(share(v[1]->got + v[3]->got, v[0]->got + v[2]->got), 2.0, 0.1);
		assert_near(share(v[0]->got, v[2]->got), 1.0, 0.05);
		assert_near(share(v[1]->got, v[3]->got), 1.0, 0.05);
		assert_int_equal(v[0]->got + v[1]->got + v[2]->got + v[3]->got, 120 * SEC);
		sim_free(m);
	}
}

/* Three equal ones on two CPUs: two thirds each, which no assignment that stands still can give. */
static void three_on_two(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_fair, 2, 3);
	struct vcpu *v[3];

	(void)state;
	domain(&d, 256, 0);
	for (int i = 0; i < 3; i++)
		v[i] = sim_hog(m, &d);
	sim_run(m, 60 * SEC);
	for (int i = 0; i < 3; i++)
		assert_near(share(v[i]->got, 60 * SEC), 2.0 / 3, 0.02);
	/* ... without moving at every turn */
	assert_true(m->s.nr_steals < 60 * 200);
	sim_free(m);
}

static void many_on_four(void **state)
{
	struct sched_domain d[12];
	struct sim *m = sim_new(&sched_fair, 4, 4);
	struct vcpu *v[24];
	u64 weight_sum = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		domain(&d[i], i < 6 ? 256 : 512, 0);
		v[2 * i] = sim_hog(m, &d[i]);
		v[2 * i + 1] = sim_hog(m, &d[i]);
		weight_sum += 2 * d[i].weight;
	}
	sim_run(m, 2 * SEC);
	sim_clear(m);
	sim_run(m, 120 * SEC);
	for (int i = 0; i < 24; i++) {
		double fair = 480.0 * v[i]->sv.dom->weight / (double)weight_sum;

		assert_near((double)v[i]->got / SEC / fair, 1.0, 0.05);
	}
	sim_free(m);
}

/* A weight no CPU can honour must not disturb the others, nor those who come later. */
static void infeasible_weight(void **state)
{
	struct sched_domain huge, d;
	struct sim *m = sim_new(&sched_fair, 2, 5);
	struct vcpu *h, *v[3];

	(void)state;
	domain(&huge, 65535, 0);
	domain(&d, 256, 0);
	h = sim_hog(m, &huge);
	v[0] = sim_hog(m, &d);
	v[1] = sim_hog(m, &d);
	sim_run(m, 600 * SEC);
	assert_near(share(h->got, 600 * SEC), 1.0, 0.02);
	assert_near(share(v[0]->got, v[1]->got), 1.0, 0.05);
	v[2] = sim_hog(m, &d); /* does not start ages behind */
	sim_clear(m);
	sim_run(m, 2 * SEC);
	for (int i = 0; i < 3; i++)
		assert_near(share(v[i]->got, 2 * SEC), 1.0 / 3, 0.06);
	sim_free(m);
}

static void cap_holds(void **state)
{
	static const u32 caps[] = {1, 10, 40, 75, 99, 150, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		for (unsigned int vcpus = 1; vcpus <= 4; vcpus++) {
			struct sched_domain d, other;
			struct sim *m = sim_new(&sched_fair, 4, i);
			u64 got = 0;
			double want = caps[i] / 100.0;

			domain(&d, 256, caps[i]);
			domain(&other, 256, 0);
			for (unsigned int k = 0; k < vcpus; k++)
				sim_hog(m, &d);
			sim_run(m, 100 * SEC);
			for (unsigned int k = 0; k < vcpus; k++)
				got += m->v[k]->got;
			if (want > vcpus)
				want = vcpus;
			assert_near((double)got / (100.0 * SEC), want, 0.02);
			sim_free(m);
		}
	}
}

/* A capped domain beside hogs, and one that sleeps: never above, and the hogs take the rest. */
static void cap_beside_others(void **state)
{
	struct sched_domain d, hogs, idler;
	struct sim *m = sim_new(&sched_fair, 1, 7);
	struct vcpu *c, *s, *h;

	(void)state;
	domain(&d, 2560, 40);
	domain(&hogs, 256, 0);
	domain(&idler, 256, 20);
	c = sim_hog(m, &d);
	s = sim_sleeper(m, &idler, 3 * MS, 2 * MS, 50);
	h = sim_hog(m, &hogs);
	sim_run(m, 300 * SEC);
	assert_near(share(c->got, 300 * SEC), 0.40, 0.02);
	assert_true(share(s->got, 300 * SEC) < 0.21);
	assert_int_equal(c->got + s->got + h->got, 300 * SEC);
	sched_set_cap(&d, 0, m->now); /* the cap is lifted: it finds out when its period ends */
	sim_run(m, SEC);
	sim_clear(m);
	sim_run(m, 10 * SEC);
	assert_true(share(c->got, 10 * SEC) > 0.6);
	sim_free(m);
}

/* The CPU is taken away for a tenth of a second now and then, as firmware or another hypervisor below does:
 * whom that hits is chance, in the long run both still get theirs. */
static void cap_survives_interruptions(void **state)
{
	struct sched_domain d, other;
	struct sim *m = sim_new(&sched_fair, 1, 14);
	struct vcpu *c;

	(void)state;
	domain(&d, 512, 40);
	domain(&other, 256, 0);
	m->late = 100 * MS;
	c = sim_hog(m, &d);
	sim_hog(m, &other);
	sim_run(m, 300 * SEC);
	assert_near(share(c->got, 300 * SEC), 0.40, 0.02);
	sim_free(m);
}

/* Who slept has saved nothing up: not more than its cap in the first tenth of a second awake. */
static void cap_saves_nothing_up(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_fair, 1, 15);
	struct vcpu *c;

	(void)state;
	domain(&d, 256, 20);
	c = sim_hog(m, &d);
	sim_run(m, SEC);
	sim_stop(m, c);
	sim_run(m, 10 * SEC);
	sim_clear(m);
	sim_start(m, c);
	sim_run(m, 100 * MS);
	assert_true(c->got <= 24 * MS);
	sim_free(m);
}

/* Nobody waits longer than a round of everybody's slices. */
static void starvation_bound(void **state)
{
	struct sched_domain d, s;
	struct sim *m = sim_new(&sched_fair, 2, 8);

	(void)state;
	domain(&d, 256, 0);
	domain(&s, 256, 0);
	for (int i = 0; i < 10; i++)
		sim_hog(m, &d);
	for (int i = 0; i < 20; i++)
		sim_sleeper(m, &s, 300000, 5 * MS, 80);
	sim_run(m, 5 * SEC);
	sim_clear(m);
	sim_run(m, 600 * SEC);
	for (unsigned int i = 0; i < m->nr_vcpus; i++) {
		if (m->v[i]->worst_wait > 150 * MS)
			fail_msg("vCPU %u waited %llu us", i, (unsigned long long)m->v[i]->worst_wait / 1000);
	}
	sim_free(m);
}

/* One that sleeps most of the time runs soon, whatever hogs do beside it. (With weight 64 its share
 * is 6 %, and when its pauses happen to be short it wants more than that: then it has to wait for
 * its turn.) */
static void wakeup_delay(void **state)
{
	static const u32 weights[] = {64, 256, 1024};
	static const u64 worst[] = {20 * MS, 6 * MS, 2 * MS};

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		struct sched_domain hogs, d;
		struct sim *m = sim_new(&sched_fair, 1, 9);
		struct vcpu *s;

		domain(&hogs, 256, 0);
		domain(&d, weights[w], 0);
		for (int i = 0; i < 4; i++)
			sim_hog(m, &hogs);
		s = sim_sleeper(m, &d, 100000, 10 * MS, 90);
		sim_run(m, 600 * SEC);
		assert_true(s->wakes > 50000);
		if (s->worst_wake > worst[w] || s->total_wake / s->wakes > MS)
			fail_msg("weight %u: worst %llu us, mean %llu us", weights[w],
				 (unsigned long long)s->worst_wake / 1000,
				 (unsigned long long)(s->total_wake / s->wakes / 1000));
		sim_free(m);
	}
}

/* Sleeping often must not gain time: a cheat that sleeps 10 us before each decision. */
static void no_gain_by_sleeping(void **state)
{
	static const u64 bursts[] = {200000, 900000, 1100000, 2000000, 4900000};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct sched_domain a, b;
		struct sim *m = sim_new(&sched_fair, 1, 10);
		struct vcpu *cheat, *honest;

		domain(&a, 256, 0);
		domain(&b, 256, 0);
		cheat = sim_sleeper(m, &a, bursts[i], 10000, 0);
		honest = sim_hog(m, &b);
		sim_run(m, 100 * SEC);
		if (share(cheat->got, 100 * SEC) > 0.52)
			fail_msg("bursts of %llu us got %.3f", (unsigned long long)bursts[i] / 1000,
				 share(cheat->got, 100 * SEC));
		assert_true(honest->got >= 48 * SEC);
		sim_free(m);
	}
}

static void affinity_is_respected(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_fair, 4, 11);
	struct vcpu *v[10];
	u64 mask[10];

	(void)state;
	domain(&d, 256, 0);
	for (int i = 0; i < 10; i++) {
		v[i] = i % 2 ? sim_hog(m, &d) : sim_sleeper(m, &d, 2 * MS, MS, 90);
		mask[i] = 1 + sim_random(m, 15);
		sim_pin(m, v[i], mask[i], ~0ULL);
	}
	for (int round = 0; round < 300; round++) {
		int i = (int)sim_random(m, 10);

		sim_run(m, 5 * MS);
		sim_clear(m);
		sim_run(m, 200 * MS);
		for (int k = 0; k < 10; k++)
			assert_int_equal(v[k]->ran_on & ~mask[k], 0);
		mask[i] = 1 + sim_random(m, 15);
		sim_pin(m, v[i], mask[i], ~0ULL);
	}
	sim_free(m);
}

/* With room for all, soft affinity decides; when its CPUs are busy and others idle, it yields. */
static void soft_affinity_is_a_preference(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_fair, 4, 12);
	struct vcpu *a, *b, *c;

	(void)state;
	domain(&d, 256, 0);
	a = sim_sleeper(m, &d, MS, 3 * MS, 50);
	sim_pin(m, a, ~0ULL, 4);
	sim_run(m, 50 * MS);
	sim_clear(m);
	sim_run(m, SEC);
	assert_int_equal(a->ran_on, 4);
	b = sim_hog(m, &d);
	c = sim_hog(m, &d);
	sim_pin(m, b, ~0ULL, 4);
	sim_pin(m, c, ~0ULL, 4);
	sim_run(m, SEC);
	sim_clear(m);
	sim_run(m, 10 * SEC);
	assert_near(share(b->got + c->got, 20 * SEC), 1.0, 0.01);
	sim_free(m);
}

/* No CPU idles while somebody who may use it waits (for longer than it takes to notice). */
static void work_conserving(void **state)
{
	(void)state;
	for (u64 seed = 20; seed < 26; seed++) {
		struct sched_domain d;
		struct sim *m = sim_new(&sched_fair, 4, seed);
		u64 got = 0, want = 0;

		domain(&d, 256, 0);
		for (int i = 0; i < 4; i++)
			sim_hog(m, &d);
		for (int i = 0; i < 6; i++)
			sim_sleeper(m, &d, 500000, 700000, 90);
		sim_run(m, SEC);
		sim_clear(m);
		sim_run(m, 20 * SEC);
		for (unsigned int i = 0; i < m->nr_vcpus; i++)
			got += m->v[i]->got;
		want = 4 * 20 * SEC;
		assert_near(share(got, want), 1.0, 0.0005);
		sim_free(m);
	}
}

static void yield_lets_others_go_first(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_fair, 1, 13);
	struct vcpu *spinner, *worker;

	(void)state;
	domain(&d, 256, 0);
	spinner = sim_sleeper(m, &d, 2000, 0, 0); /* 2 us, then yields, for ever */
	worker = sim_hog(m, &d);
	sim_run(m, 10 * SEC);
	/* A spinner that waits for the worker hardly costs it anything. */
	assert_true(share(worker->got, 10 * SEC) > 0.99);
	assert_true(spinner->got > 0);
	sim_free(m);
}

/* Everything at once, for a simulated while: only the invariants (sim_check) are looked at. */
static void soak(void **state)
{
	(void)state;
	for (u64 seed = 100; seed < 110; seed++) {
		struct sched_domain d[6];
		unsigned int cpus = 1 + (unsigned int)(seed % 5);
		struct sim *m = sim_new(&sched_fair, cpus, seed);

		for (int i = 0; i < 6; i++)
			domain(&d[i], 1 + (u32)sim_random(m, 2000), i < 2 ? 10 + 30 * (u32)i : 0);
		for (int i = 0; i < 30; i++) {
			struct sched_domain *dom = &d[sim_random(m, 6)];

			if (sim_random(m, 3))
				sim_sleeper(m, dom, 1000 + sim_random(m, 5 * MS),
					    sim_random(m, 4) ? sim_random(m, 10 * MS) : 0, 90);
			else
				sim_hog(m, dom);
		}
		for (int step = 0; step < 2000; step++) {
			struct vcpu *v = m->v[sim_random(m, m->nr_vcpus)];

			switch (sim_random(m, 5)) {
			case 0:
				sim_stop(m, v);
				break;
			case 1:
				if (!v->wake_at)
					sim_start(m, v);
				break;
			case 2:
				sim_pin(m, v, 1 + sim_random(m, (1ULL << cpus) - 1), ~0ULL);
				break;
			case 3:
				sched_set_weight(v->sv.dom, 1 + (u32)sim_random(m, 3000));
				break;
			default:
				sched_set_cap(v->sv.dom, (u32)sim_random(m, 3) * 35, m->now);
			}
			sim_run(m, sim_random(m, 5 * MS));
			sim_check(m);
		}
		sim_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_on_one_cpu),
		cmocka_unit_test(weights_at_the_extremes),
		cmocka_unit_test(weights_across_cpus),
		cmocka_unit_test(three_on_two),
		cmocka_unit_test(many_on_four),
		cmocka_unit_test(infeasible_weight),
		cmocka_unit_test(cap_holds),
		cmocka_unit_test(cap_beside_others),
		cmocka_unit_test(cap_survives_interruptions),
		cmocka_unit_test(cap_saves_nothing_up),
		cmocka_unit_test(starvation_bound),
		cmocka_unit_test(wakeup_delay),
		cmocka_unit_test(no_gain_by_sleeping),
		cmocka_unit_test(affinity_is_respected),
		cmocka_unit_test(soft_affinity_is_a_preference),
		cmocka_unit_test(work_conserving),
		cmocka_unit_test(yield_lets_others_go_first),
		cmocka_unit_test(soak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
