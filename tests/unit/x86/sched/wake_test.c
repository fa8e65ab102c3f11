/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86/sched/wake.c: whoever wakes a polling vCPU may be held up between any two of its steps. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <bitops.h>
#include <domain.h>
#include <event.h>
#include <sched.h>
#include <smp.h>

static unsigned int woken;
/* The waker is held up as it takes the poll back: meanwhile somebody else wakes the vCPU, which polls anew. */
static bool held_up;

void sched_wake(struct vcpu *v)
{
	assert_false(v->pause_flags & BIT(VPF_BLOCKED));
	woken++;
}

void smp_send_event_check(unsigned int cpu)
{
	fail_msg("CPU %u is told of nothing", cpu);
}

static void poll(struct vcpu *v, u32 port)
{
	set_bit(VPF_BLOCKED, &v->pause_flags);
	v->poll_evtchn = port;
}

void evtchn_poll_set(struct vcpu *v, u32 port)
{
	assert_int_equal(port, 0);
	if (held_up) {
		clear_bit(VPF_BLOCKED, &v->pause_flags);
		poll(v, 7);
	}
	v->poll_evtchn = port;
}

static void test_unblock(void **state)
{
	struct vcpu v = {0};

	(void)state;
	woken = 0;
	vcpu_unblock(&v);
	assert_int_equal(woken, 0);
	poll(&v, 5);
	vcpu_unblock(&v);
	assert_int_equal(woken, 1);
	assert_int_equal(v.pause_flags, 0);
	assert_int_equal(v.poll_evtchn, 0);
	/* Awake, with a poll that somebody else is about to take back: not this caller's business. */
	v.poll_evtchn = 5;
	vcpu_unblock(&v);
	assert_int_equal(woken, 1);
}

/* Blocked, and nobody knows what for: it would sleep for ever. */
static void test_new_poll_is_not_lost(void **state)
{
	struct vcpu v = {0};

	(void)state;
	woken = 0;
	held_up = true;
	poll(&v, 5);
	vcpu_unblock(&v);
	held_up = false;
	assert_true(v.poll_evtchn || !(v.pause_flags & BIT(VPF_BLOCKED)));
	assert_int_equal(woken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unblock),
		cmocka_unit_test(test_new_poll_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
