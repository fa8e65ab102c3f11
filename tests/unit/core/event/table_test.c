/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking and releasing ports, and the two-level ABI. */
#include <core/event/table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	(void)l;
	(void)ticket;
	abort(); /* one thread: nobody else can hold it */
}

static struct evtchn_table *table_new(u32 max_ports)
{
	struct evtchn_table *t = calloc(1, sizeof(*t));

	t->max_ports = max_ports;
	t->pages = calloc(evtchn_page_slots(max_ports), sizeof(*t->pages));
	return t;
}

static int take(struct evtchn_table *t)
{
	int port = evtchn_take(t);

	if (port == -ENOBUFS) {
		evtchn_add_page(t, calloc(1, PAGE_SIZE));
		port = evtchn_take(t);
	}
	return port;
}

static void table_free(struct evtchn_table *t)
{
	for (u32 i = 0; i < t->nr_ports / EVTCHN_PORTS_PER_PAGE; i++)
		free(t->pages[i]);
	free(t->pages);
	free(t);
}

static void ports_come_in_order_and_again(void **state)
{
	struct evtchn_table *t = table_new(EVTCHN_FIFO_NR_CHANNELS);

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(take(t), i);
	assert_int_equal(t->in_use, 300);
	evtchn_release(t, 130);
	evtchn_release(t, 17);
	assert_int_equal(take(t), 17);
	assert_int_equal(take(t), 130);
	assert_int_equal(take(t), 300);
	assert_null(evtchn_find(t, t->nr_ports));
	assert_null(evtchn_find(t, ~0U));
	table_free(t);
}

static void limits_hold(void **state)
{
	struct evtchn_table *t = table_new(5), *big = table_new(EVTCHN_FIFO_NR_CHANNELS);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(take(t), i);
	assert_int_equal(take(t), -ENOSPC);
	/* The two-level ABI has 4096 bits, however many the domain may have. */
	for (int i = 0; i < (int)EVTCHN_2L_NR_CHANNELS; i++)
		assert_int_equal(take(big), i);
	assert_int_equal(take(big), -ENOSPC);
	table_free(t);
	table_free(big);
}

static void a_linked_port_is_not_reused(void **state)
{
	struct evtchn_table *t = table_new(EVTCHN_FIFO_NR_CHANNELS);
	struct evtchn_fifo *f = calloc(1, sizeof(*f) + sizeof(f->vcpu[0]));
	event_word_t *words = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	(void)state;
	memset(words, 0, PAGE_SIZE);
	for (int i = 0; i < 10; i++)
		take(t);
	t->fifo = f;
	evtchn_fifo_add_page(f, words);
	words[4] = 1U << EVTCHN_FIFO_LINKED;
	evtchn_release(t, 4);
	assert_int_equal(take(t), 10);
	words[4] = 0;
	assert_int_equal(take(t), 4);
	free(words);
	free(f);
	table_free(t);
}

static void two_levels(void **state)
{
	struct shared_info *s = calloc(1, sizeof(*s));
	struct vcpu_info vi = {0};

	(void)state;
	assert_int_equal(evtchn_2l_raise(s, &vi, 70), EVTCHN_NEW | EVTCHN_NOTIFY);
	assert_true(s->evtchn_pending[1] == 1UL << 6 && vi.evtchn_pending_sel == 2);
	assert_int_equal(evtchn_2l_raise(s, &vi, 70), 0);
	/* The selector bit is set already: no new upcall. */
	assert_int_equal(evtchn_2l_raise(s, &vi, 71), EVTCHN_NEW);
	s->evtchn_mask[2] = 1;
	assert_int_equal(evtchn_2l_raise(s, &vi, 128), EVTCHN_NEW);
	assert_int_equal(vi.evtchn_pending_sel, 2);
	assert_int_equal(evtchn_2l_unmask(s, &vi, 128), EVTCHN_NOTIFY);
	assert_int_equal(vi.evtchn_pending_sel, 6);
	assert_int_equal(evtchn_2l_unmask(s, &vi, 128), 0);
	assert_int_equal(evtchn_2l_raise(s, NULL, 4095), EVTCHN_NEW);
	free(s);
}

static void adopting_keeps_what_is_pending(void **state)
{
	struct evtchn_table *t = table_new(EVTCHN_FIFO_NR_CHANNELS);
	struct evtchn_fifo *f = calloc(1, sizeof(*f) + sizeof(f->vcpu[0]));
	struct shared_info *s = calloc(1, sizeof(*s));

	(void)state;
	for (int i = 0; i < 10; i++)
		take(t);
	evtchn_2l_raise(s, NULL, 3);
	evtchn_fifo_adopt(t, f, s);
	assert_int_equal(evtchn_find(t, 3)->early, 1);
	assert_int_equal(evtchn_find(t, 4)->early, 0);
	assert_ptr_equal(t->fifo, f);
	free(s);
	free(f);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_come_in_order_and_again),  cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_linked_port_is_not_reused),    cmocka_unit_test(two_levels),
		cmocka_unit_test(adopting_keeps_what_is_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
