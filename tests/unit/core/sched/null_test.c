/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The null policy: a CPU each, nobody shares, whoever has none waits until one is free. */
#include "sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_cpu_each(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_null, 4, 1);
	struct vcpu *v[4];

	(void)state;
	sched_domain_state_init(&d);
	for (int i = 0; i < 4; i++)
		v[i] = i % 2 ? sim_sleeper(m, &d, MS, MS, 50) : sim_hog(m, &d);
	sim_run(m, 10 * SEC);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(__builtin_popcount(v[i]->ran_on), 1);
		for (int k = 0; k < i; k++)
			assert_int_equal(v[i]->ran_on & v[k]->ran_on, 0);
		assert_true(v[i]->worst_wait <= 2 * SIM_SAVE_NS);
	}
	assert_int_equal(v[0]->got, 10 * SEC);
	sim_free(m);
}

static void the_surplus_waits(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_null, 2, 2);
	struct vcpu *a, *b, *c;
	unsigned int kick;

	(void)state;
	sched_domain_state_init(&d);
	a = sim_hog(m, &d);
	b = sim_hog(m, &d);
	c = sim_hog(m, &d);
	sim_run(m, SEC);
	assert_int_equal(a->got, SEC);
	assert_int_equal(b->got, SEC);
	assert_int_equal(c->got, 0);

	/* b is destroyed: its CPU takes c */
	sim_stop(m, b);
	sim_run(m, MS);
	assert_int_equal(c->got, 0); /* blocked is not gone: the CPU stays b's */
	kick = m->s.ops->remove(&m->s, &b->sv);
	assert_true(kick < 2);
	m->cpu[kick].kicked = true;
	sim_run(m, SEC);
	assert_int_equal(c->got, SEC);
	sim_free(m);
}

static void affinity_moves(void **state)
{
	struct sched_domain d;
	struct sim *m = sim_new(&sched_null, 3, 3);
	struct vcpu *a;

	(void)state;
	sched_domain_state_init(&d);
	a = sim_hog(m, &d);
	sim_run(m, MS);
	for (u64 mask = 1; mask < 8; mask <<= 1) {
		sim_pin(m, a, mask, ~0ULL);
		sim_run(m, MS);
		sim_clear(m);
		sim_run(m, MS);
		assert_int_equal(a->ran_on | mask, mask);
		assert_int_equal(a->got, MS);
	}
	sim_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cpu_each),
		cmocka_unit_test(the_surplus_waits),
		cmocka_unit_test(affinity_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
