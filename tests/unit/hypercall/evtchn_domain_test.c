/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Closing all ports of a domain, interrupted as often as can be. */
#include <hypercall.h>
#include <hypercall/evtchn.h>
#include <lib.h>
#include <mm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static u32 closed[512], fifos_destroyed;
static bool interrupted;

void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	(void)l, (void)ticket;
	abort(); /* one thread: nobody else can hold it */
}
void printk(const char *fmt, ...)
{
	(void)fmt;
}
void *hv_zalloc(size_t size)
{
	return calloc(1, size);
}
void hv_free(void *p)
{
	free(p);
}
void *hv_alloc_pages(unsigned int order)
{
	return calloc(1, PAGE_SIZE << order);
}
void hv_free_pages(void *p, unsigned int order)
{
	(void)order;
	free(p);
}
bool hypercall_preempt_check(void)
{
	return interrupted;
}
void evtchn_drop_virq_handlers(struct domain *d)
{
	(void)d;
}
void evtchn_fifo_destroy(struct domain *d)
{
	(void)d;
	fifos_destroyed++;
}
int evtchn_port_close(struct domain *d, u32 port)
{
	closed[port]++;
	evtchn_release(d->evtchn, port);
	return 0;
}

/* A domain with three pages of ports, of which it uses some. */
static struct domain *domain_new(void)
{
	struct domain *d = calloc(1, sizeof(*d));

	d->max_evtchn_port = 400;
	assert_int_equal(evtchn_domain_init(d), 0);
	while (d->evtchn->nr_ports < 3 * EVTCHN_PORTS_PER_PAGE)
		if (evtchn_take(d->evtchn) == -ENOBUFS)
			evtchn_add_page(d->evtchn, hv_alloc_pages(0));
	memset(closed, 0, sizeof(closed));
	fifos_destroyed = 0;
	return d;
}

static void domain_free(struct domain *d)
{
	evtchn_domain_destroy(d);
	free(d);
}

static unsigned int restarts(int (*fn)(struct domain *d), struct domain *d)
{
	unsigned int n = 0;

	while (fn(d) == -ERESTART)
		assert_in_range(++n, 1, 3 * EVTCHN_PORTS_PER_PAGE / 64);
	return n;
}

static void reset_goes_on_where_it_was_interrupted(void **state)
{
	struct domain *d = domain_new();
	u32 used = d->evtchn->in_use;

	(void)state;
	assert_int_equal(used, 2 * EVTCHN_PORTS_PER_PAGE);
	interrupted = true;
	assert_int_equal(restarts(evtchn_domain_reset, d), 5);
	for (u32 port = 0; port < used; port++)
		assert_int_equal(closed[port], port != 0);
	assert_int_equal(d->evtchn->in_use, 1);
	assert_int_equal(fifos_destroyed, 1);
	/* Once more, with nothing to close and with a port in the part that comes first. */
	assert_int_equal(evtchn_take(d->evtchn), 1);
	assert_int_equal(restarts(evtchn_domain_reset, d), 5);
	assert_int_equal(closed[1], 2);
	assert_int_equal(fifos_destroyed, 2);
	domain_free(d);
}

static void port_taken_behind_a_reset_is_reported(void **state)
{
	struct domain *d = domain_new();

	(void)state;
	interrupted = true;
	assert_int_equal(evtchn_domain_reset(d), -ERESTART);
	assert_int_equal(evtchn_take(d->evtchn), 1);
	interrupted = false;
	assert_int_equal(evtchn_domain_reset(d), -EAGAIN);
	assert_int_equal(fifos_destroyed, 0);
	assert_int_equal(evtchn_domain_reset(d), 0);
	assert_int_equal(closed[1], 2);
	assert_int_equal(fifos_destroyed, 1);
	domain_free(d);
}

static void kill_closes_port_0_too(void **state)
{
	struct domain *d = domain_new();

	(void)state;
	interrupted = true;
	assert_int_equal(restarts(evtchn_domain_kill, d), 5);
	assert_int_equal(closed[0], 1);
	assert_int_equal(d->evtchn->in_use, 0);
	assert_int_equal(fifos_destroyed, 1);
	domain_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_goes_on_where_it_was_interrupted),
		cmocka_unit_test(port_taken_behind_a_reset_is_reported),
		cmocka_unit_test(kill_closes_port_0_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
