/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who lives beside the hostile kernel and minds his own business: what he wrote stays written, his time
 * goes forward, his timer comes, for seconds=N.
 *
 * What must hold: docs/abi/time.md, docs/abi/page-tables.md.
 */
#include <xen/event_channel.h>
#include <xen/sched.h>

#include "guest.h"

#define PAGES 256
#define PAUSE_NS 5000000UL
#define PATIENCE_NS 10000000000UL /* an emulated host beside other work has long delays */

static uint64_t memory[PAGES][PAGE_SIZE / 8] __page_aligned;

static void write_all(uint64_t seed)
{
	for (unsigned int p = 0; p < PAGES; p++)
		for (unsigned int i = 0; i < PAGE_SIZE / 8; i += 8)
			memory[p][i] = (seed + p) * 0x9e3779b97f4a7c15UL + i;
}

static unsigned int wrong_words(uint64_t seed)
{
	unsigned int n = 0;

	for (unsigned int p = 0; p < PAGES; p++)
		for (unsigned int i = 0; i < PAGE_SIZE / 8; i += 8)
			n += memory[p][i] != (seed + p) * 0x9e3779b97f4a7c15UL + i;
	return n;
}

static bool sleep_a_little(uint64_t *late)
{
	uint64_t deadline = uptime_ns() + PAUSE_NS;

	if (hypercall1(__HYPERVISOR_set_timer_op, deadline))
		return false;
	while (uptime_ns() < deadline)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
	*late = uptime_ns() - deadline;
	return true;
}

CASE(undisturbed)
{
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER, .vcpu = 0};
	char buf[24];
	const char *p = cmdline_option("seconds", buf, sizeof(buf));
	uint64_t seconds = 0, begin = uptime_ns(), last = begin, late = 0, worst = 0;
	unsigned long rounds = 0;

	for (; p && *p >= '0' && *p <= '9'; p++)
		seconds = seconds * 10 + (uint64_t)(*p - '0');
	if (!seconds)
		seconds = 1;
	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&b), 0);
	event_unmask(b.port);
	while (last - begin < seconds * 1000000000UL) {
		write_all(rounds);
		require(sleep_a_little(&late));
		require(wrong_words(rounds) == 0);
		require(uptime_ns() >= last);
		last = uptime_ns();
		if (late > worst)
			worst = late;
		rounds++;
	}
	printk("neighbour: %lu rounds, woken %lu us late at worst\n", rounds, worst / 1000);
	check(rounds >= seconds);
	check(worst < PATIENCE_NS);
}
