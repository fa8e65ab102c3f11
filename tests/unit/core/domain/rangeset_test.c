/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of ranges against a bit array; the ends of the number space; the representation stays
 * canonical. */
#include <rangeset.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

void *hv_zalloc(size_t size);
void hv_free(void *p);

void *hv_zalloc(size_t size)
{
	return calloc(1, size);
}
void hv_free(void *p)
{
	free(p);
}

#define SPACE 96U

static void check(const struct iorange_list *l, const bool *in)
{
	u32 nr = l ? l->nr : 0;

	for (u64 first = 0; first < SPACE; first++) {
		bool all = true;

		for (u64 last = first; last < SPACE; last++) {
			all &= in[last];
			assert_int_equal(iorange_contains(l, first, last), all);
		}
	}
	for (u32 i = 0; i < nr; i++)
		assert_true(l->r[i].first <= l->r[i].last && (!i || l->r[i - 1].last + 1 < l->r[i].first));
}

static void against_bits(void **state)
{
	struct iorange_list *l = NULL;
	bool in[SPACE] = {false};

	(void)state;
	srand(5);
	for (unsigned int step = 0; step < 2000; step++) {
		u64 first = (u64)rand() % SPACE, last = first + (u64)rand() % (SPACE - first);
		bool add = rand() % 2;

		if (last - first > 12)
			last = first + 12;
		assert_int_equal(add ? iorange_add(&l, first, last) : iorange_remove(&l, first, last), 0);
		for (u64 i = first; i <= last; i++)
			in[i] = add;
		check(l, in);
	}
	iorange_destroy(&l);
	assert_null(l);
}

static void ends_of_the_number_space(void **state)
{
	struct iorange_list *l = NULL;

	(void)state;
	assert_int_equal(iorange_add(&l, 0, ~0ULL), 0);
	assert_int_equal(iorange_add(&l, ~0ULL, ~0ULL), 0);
	assert_int_equal(l->nr, 1);
	assert_true(iorange_contains(l, 0, ~0ULL));
	assert_int_equal(iorange_remove(&l, ~0ULL, ~0ULL), 0);
	assert_int_equal(iorange_remove(&l, 0, 0), 0);
	assert_true(iorange_contains(l, 1, ~0ULL - 1));
	assert_false(iorange_contains(l, 0, 0));
	assert_false(iorange_contains(l, ~0ULL, ~0ULL));
	assert_int_equal(iorange_add(&l, 0, 0), 0);
	assert_int_equal(l->nr, 1);
	iorange_destroy(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_bits),
		cmocka_unit_test(ends_of_the_number_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
