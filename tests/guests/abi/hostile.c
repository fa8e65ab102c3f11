/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that means no good: seeded random hypercalls, page-table updates, descriptors, exceptions and I/O, legal
 * and not, on frames it owns, frames it does not, and frames that do not exist. Nothing is promised about any one
 * result; the hypervisor must live, and its frame checker (debug key M) must find every count right afterwards.
 *
 * What must hold: docs/abi/page-tables.md, docs/abi/segments.md, docs/abi/hypercalls.md. seed=N, rounds=N and
 * seconds=N on the command line replay a run: each vCPU has a sequence of its own, begun from the seed.
 */
#include "../hostile/hostile.h"

#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

static struct rough roughs[MAX_VCPUS];

static unsigned long number(const char *name, unsigned long otherwise)
{
	char buf[24];
	const char *p = cmdline_option(name, buf, sizeof(buf));
	unsigned long n = 0;

	for (; p && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (unsigned long)(*p - '0');
	return n ? n : otherwise;
}

static struct rough *rough_init(unsigned int id)
{
	struct rough *me = &roughs[id];

	me->id = id;
	me->state = number("seed", 88172645463325252UL) + id * 0x9e3779b97f4a7c15UL;
	if (!me->state)
		me->state = 1;
	me->done = me->ok = 0;
	return me;
}

static void restore(struct rough *me)
{
	tables_clean_up(me);
	check_eq(tables_restore_window(), 0);
}

CASE(page_tables)
{
	unsigned long n = number("rounds", 40000);
	struct rough *me = rough_init(0);

	require(tables_begin());
	insns_begin();
	for (unsigned long i = 0; i < n; i++)
		random_table_operation(me);
	restore(me);
	/* Both kinds of answers, or the test tests nothing. */
	check(me->ok > n / 20);
	check(me->done - me->ok > n / 20);
}

static volatile bool stop;
static volatile unsigned int running;

static void rough_round(struct rough *me)
{
	switch (rnd(me) % 8) {
	case 0:
	case 1:
	case 2:
		random_table_operation(me);
		break;
	case 3:
	case 4:
		random_instruction(me);
		break;
	default:
		random_call(me);
	}
}

static void other(void)
{
	struct rough *me = rough_init(vcpu_id());

	trap_table_load();
	while (!stop)
		rough_round(me);
	__atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
	for (;;)
		hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_down, me->id, 0);
}

static void wake_others(unsigned int vcpus)
{
	for (unsigned int id = 1; id < vcpus; id++)
		hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_up, id, 0);
}

static void report(unsigned int vcpus)
{
	unsigned long done = 0, ok = 0;

	for (unsigned int id = 0; id < vcpus; id++) {
		done += roughs[id].done;
		ok += roughs[id].ok;
	}
	printk("hostile: %lu operations, %lu accepted, %lu exceptions, %u vCPUs\n", done, ok,
	       (unsigned long)trap_count, vcpus);
}

/* Everything at once, from all vCPUs, on the same frames. */
CASE(storm)
{
	uint64_t next_report = uptime_ns() + 1000000000UL,
		 end = uptime_ns() + number("seconds", 3) * 1000000000UL;
	struct rough *me = rough_init(0);
	unsigned long done = 0, ok = 0;
	unsigned int vcpus = 1;

	require(tables_begin());
	insns_begin();
	stop = false;
	while (vcpus < MAX_VCPUS && vcpu_start(vcpus, other) == 0) {
		__atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
		vcpus++;
	}
	while (uptime_ns() < end) {
		/* Now and then, for those who want to know how far it came should it hurt itself. */
		if (uptime_ns() > next_report) {
			report(vcpus);
			next_report = uptime_ns() + 1000000000UL;
		}
		for (unsigned int i = 0; i < 64; i++)
			rough_round(me);
		wake_others(vcpus); /* they take themselves down every now and then */
	}
	stop = true;
	while (running) {
		wake_others(vcpus);
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	insns_end();
	restore(me);
	for (unsigned int id = 0; id < vcpus; id++) {
		done += roughs[id].done;
		ok += roughs[id].ok;
		check(roughs[id].done > 0);
	}
	report(vcpus);
	check(ok > done / 50);
	check(done - ok > done / 50);
}

/* The checker's line on the console: "mm check: N contradictions". Other hypervisors have no such key. */
CASE(frames_add_up)
{
	static char buf[16384];
	static char key[1] = {'M'};
	static struct xen_sysctl s;
	const char *p, *last = NULL;

	if (!is_dom0()) {
		skip("control domain only");
		return;
	}
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	s.cmd = XEN_SYSCTL_debug_keys;
	set_xen_guest_handle(s.u.debug_keys.keys, key);
	s.u.debug_keys.nr_keys = 1;
	check_eq(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s), 0);
	memset(&s, 0, sizeof(s));
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	s.cmd = XEN_SYSCTL_readconsole;
	set_xen_guest_handle(s.u.readconsole.buffer, buf);
	s.u.readconsole.count = sizeof(buf) - 1;
	check_eq(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s), 0);
	for (p = buf; p + 20 < buf + s.u.readconsole.count; p++)
		if (!strncmp(p, "mm check: ", 10) && p[10] >= '0' && p[10] <= '9')
			last = p + 10;
	if (last)
		check(!strncmp(last, "0 contradictions", 16));
}
