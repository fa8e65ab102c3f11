/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86/irq/vectors.c: every device vector is handed out once, none of the others ever. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <x86/irq/internal.h>

static void test_exhaust(void **state)
{
	u16 table[256];
	unsigned int n = 0;
	u8 v;

	(void)state;
	vector_table_init(table);
	while ((v = vector_find(table, 0)) != 0) {
		assert_in_range(v, VEC_DEVICE_FIRST, VEC_DEVICE_LAST);
		assert_int_not_equal(v, 0x80);
		assert_int_equal(table[v], IRQ_NONE);
		table[v] = (u16)n++;
	}
	assert_int_equal(n, VEC_DEVICE_LAST - VEC_DEVICE_FIRST + 1 - 1);
	table[0x77] = IRQ_NONE;
	assert_int_equal(vector_find(table, 0), 0x77);
}

static void test_hint(void **state)
{
	u16 table[256];

	(void)state;
	vector_table_init(table);
	assert_int_equal(vector_find(table, 0x9a), 0x9a);
	table[0x9a] = 3;
	assert_int_not_equal(vector_find(table, 0x9a), 0x9a);
	/* No hint can reach the hypervisor's own vectors, exceptions, or the guests' gate. */
	for (unsigned int h = 0; h < 256; h++) {
		u8 v = vector_find(table, (u8)h);

		assert_in_range(v, VEC_DEVICE_FIRST, VEC_DEVICE_LAST);
		assert_int_not_equal(v, 0x80);
	}
}

static void test_spread(void **state)
{
	u16 table[256];
	u8 a, b;

	(void)state;
	vector_table_init(table);
	a = vector_find(table, 0);
	table[a] = 1;
	b = vector_find(table, 0);
	assert_int_not_equal(a >> 4, b >> 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exhaust),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
