/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timer heap against the obvious model, and the arithmetic of clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <timer.h>
#include <tsc_scale.h>

#define N 200

static stime_t earliest(const struct timer *t, int *count)
{
	stime_t best = ~0ULL;

	*count = 0;
	for (int i = 0; i < N; i++) {
		if (!t[i].queued)
			continue;
		(*count)++;
		if (t[i].expires < best)
			best = t[i].expires;
	}
	return best;
}

/* Number of nodes reachable; every child no earlier than its parent, every back link right. */
static int walk(const struct timer *t, const struct timer *left_or_parent)
{
	int n = 0;

	for (; t; left_or_parent = t, t = t->next) {
		assert_ptr_equal(t->prev, left_or_parent);
		assert_true(t->queued);
		if (t->child)
			assert_true(t->child->expires >= t->expires);
		for (const struct timer *c = t->child; c; c = c->next)
			assert_true(c->expires >= t->expires);
		n += 1 + walk(t->child, t);
	}
	return n;
}

static void heap_is_a_heap(void **state)
{
	static struct timer t[N];
	struct timer *root = NULL;
	int count;

	(void)state;
	srandom(1);
	for (int step = 0; step < 100000; step++) {
		struct timer *x = &t[random() % N];
		long what = random() % 3;

		if (what == 0 && root)
			x = root;
		if (x->queued) {
			timer_heap_remove(&root, x);
			assert_false(x->queued);
		} else {
			x->expires = (stime_t)random() % 1000;
			timer_heap_insert(&root, x);
		}
		if (step % 16 == 0) {
			stime_t first = earliest(t, &count);

			assert_int_equal(root ? root->expires : ~0ULL, first);
			assert_int_equal(walk(root, NULL), count);
		}
	}
	/* emptied in order */
	for (stime_t last = 0; root;) {
		assert_true(root->expires >= last);
		last = root->expires;
		timer_heap_remove(&root, root);
	}
	earliest(t, &count);
	assert_int_equal(count, 0);
}

/* A frequency's scale turns an hour of ticks into an hour, within what 32 bits of fraction allow.
 */
static void scales(void **state)
{
	static const u64 hz[] = {1000000,    3579545,    62500000,     999999999,     1000000000,
				 1000000001, 2000000000, 2100000000,   2999999000ULL, 4000000000ULL,
				 5000000000, 9999999999, 1000000000000};

	(void)state;
	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		struct tsc_scale s = tsc_scale_of(hz[i]);
		u64 ns = tsc_scale_ns(hz[i] * 3600, s), want = 3600ULL * 1000000000;
		u64 error = ns > want ? ns - want : want - ns;

		assert_true(s.mul >= 1U << 31);
		assert_true(error <= 3600); /* 1 in 10^9 */
		assert_true(ns_to_ticks(1000000000, hz[i]) == hz[i]);
	}
	assert_int_equal(tsc_scale_of(1000000000).shift, 1);
	assert_int_equal(tsc_scale_of(1000000000).mul, 0x80000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_is_a_heap),
		cmocka_unit_test(scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
