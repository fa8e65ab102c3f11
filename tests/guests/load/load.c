/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load for scheduling tests, not a test of its own. One case is chosen by only= on the command line:
 *
 *   hog      computes for ever, on every vCPU it has
 *   sleeper  sleeps until a time again and again, and prints how late it was woken, in microseconds:
 *            "late mean worst", every 100 times
 *   sleeper_beside_hogs  both: the first vCPU sleeps, the others compute
 */
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"

#define PAUSE_NS (5000000 + i * 37000) /* no fixed beat with anybody's time slice */
#define ROUND 100

static void spin(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static unsigned int start_others(void)
{
	unsigned int id;

	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	for (id = 1; id < 4 && hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, id, 0) >= 0; id++)
		if (vcpu_start(id, spin))
			printk("vCPU %u does not start\n", id);
	return id;
}

CASE(hog)
{
	printk("hog: %u vCPUs\n", start_others());
	spin();
}

static void sleep_for_ever(void)
{
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER, .vcpu = 0};
	uint64_t deadline, late, worst, sum;
	unsigned int i;

	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&b))
		return;
	event_unmask(b.port);
	for (;;) {
		worst = sum = 0;
		for (i = 0; i < ROUND; i++) {
			deadline = uptime_ns() + PAUSE_NS;
			hypercall1(__HYPERVISOR_set_timer_op, deadline);
			do {
				hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
				late = uptime_ns();
			} while (late < deadline);
			late -= deadline;
			sum += late;
			if (late > worst)
				worst = late;
		}
		printk("late %lu %lu\n", sum / ROUND / 1000, worst / 1000);
	}
}

CASE(sleeper)
{
	sleep_for_ever();
}

/* All but the first vCPU compute, the first sleeps: for one machine with one CPU. */
CASE(sleeper_beside_hogs)
{
	start_others();
	sleep_for_ever();
}
