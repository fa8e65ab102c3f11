/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds of a live move, against guests and links that are numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toolstack/stream/pace.h"

/* A guest of so many pages, which writes so many different ones a second, but no more than its working set. */
struct guest {
	double pages, writes, set;
};

/* Moves it over a link of so many pages a second: how that ends, with rounds and time. */
static enum pace_next move(const struct guest *g, double link, const struct save_options *o, struct pace *p,
			   double *elapsed)
{
	double dirty = g->pages;
	enum pace_next next;

	*p = (struct pace){0};
	*elapsed = 0;
	do {
		double seconds = dirty / link, left = g->writes * seconds;

		left = left < g->set ? left : g->set;
		*elapsed += seconds;
		pace_round(p, dirty, seconds, left);
		next = pace_next(p, o, *elapsed);
		dirty = left;
		assert_in_range(p->rounds, 1, PACE_MAX_ROUNDS);
	} while (next == PACE_MORE);
	return next;
}

static struct pace p;
static double elapsed;

static void idle(void **state)
{
	const struct save_options o = {.downtime_ms = 300};

	(void)state;
	assert_int_equal(move(&(struct guest){65536, 10, 100}, 20000, &o, &p, &elapsed), PACE_STOP);
	assert_int_equal(p.rounds, 1);
}

/* Slower than the link: rounds get shorter until the rest fits, with a strict budget until it fits into half. */
static void converges(void **state)
{
	const struct guest g = {262144, 10000, 200000};
	struct save_options o = {.downtime_ms = 300};
	unsigned int rounds;

	(void)state;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_STOP);
	assert_in_range(p.rounds, 4, 8);
	assert_true(p.down_ms < 300);
	rounds = p.rounds;
	o.downtime_strict = true;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_STOP);
	assert_true(p.down_ms < 150 && p.rounds > rounds);
}

/* As fast as the link: a few rounds show it. */
static void too_fast(void **state)
{
	const struct guest g = {262144, 30000, 50000};
	struct save_options o = {.downtime_ms = 300};

	(void)state;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_STOP);
	assert_in_range(p.rounds, PACE_STUCK_ROUNDS + 1, PACE_STUCK_ROUNDS + 2);
	o.downtime_strict = true;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_UNFIT);
	assert_in_range(p.rounds, PACE_STUCK_ROUNDS + 1, PACE_STUCK_ROUNDS + 2);
	/* With a time of one's own that is what is waited for, or the last round. */
	o.timeout_s = 30;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_LATE);
	assert_true(elapsed > 30 && elapsed < 33);
	o.timeout_s = 3000;
	assert_int_equal(move(&g, 20000, &o, &p, &elapsed), PACE_UNFIT);
	assert_int_equal(p.rounds, PACE_MAX_ROUNDS);
}

/* A small working set that fits at once is no reason for rounds, however fast it is written. */
static void small_set(void **state)
{
	const struct save_options o = {.downtime_ms = 300};

	(void)state;
	assert_int_equal(move(&(struct guest){262144, 1e6, 4000}, 20000, &o, &p, &elapsed), PACE_STOP);
	assert_int_equal(p.rounds, 1);
}

/* Rounds of a few pages do not change what is known of the link. */
static void short_rounds(void **state)
{
	(void)state;
	p = (struct pace){0};
	pace_round(&p, 100000, 5, 200);
	pace_round(&p, 200, 2, 100);
	assert_in_range(p.rate, 19000, 20000);
	pace_round(&p, 0, 0, 0);
	assert_true(p.down_ms == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),      cmocka_unit_test(converges),    cmocka_unit_test(too_fast),
		cmocka_unit_test(small_set), cmocka_unit_test(short_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
