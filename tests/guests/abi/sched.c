/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/scheduling.md promises: yield gives way and returns 0; block opens the upcall mask
 * and sleeps until an event; poll sleeps until one of its ports is pending or its time has come,
 * without an upcall; shutdown ends the domain with its reason.
 */
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"

static long sched(unsigned int cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_sched_op, cmd, (unsigned long)arg);
}

static uint64_t now(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info0->time;
	uint32_t version;
	uint64_t ns, delta;

	do {
		version = t->version & ~1u;
		barrier();
		delta = rdtsc() - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		ns = t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
		barrier();
	} while (version != t->version);
	return ns;
}

static uint32_t ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&b), 0);
	event_mask(b.port); /* another user of the number may have left it open */
	return b.port;
}

static void send(uint32_t port)
{
	struct evtchn_send s = {port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&s);
}

static void close_port(uint32_t port)
{
	struct evtchn_close c = {port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, (unsigned long)&c);
}

CASE(SCHEDOP_yield)
{
	check_eq(sched(SCHEDOP_yield, NULL), 0);
}

CASE(SCHEDOP_block)
{
	/* Until a timer of ours fires. */
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
	uint64_t from, deadline;

	upcalls_off();
	/* A vCPU begins with a tick of 10 ms, which is this port's as well. */
	check_eq(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&v), 0);
	event_unmask(v.port);
	from = now();
	deadline = from + 2000000;
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, deadline), 0);
	check_eq(sched(SCHEDOP_block, NULL), 0);
	check(now() >= deadline);
	check_eq(vcpu_info0->evtchn_upcall_mask, 0);
	close_port(v.port);
}

CASE(SCHEDOP_poll)
{
	uint32_t port = ipi();
	evtchn_port_t list[1] = {port};
	struct sched_poll p = {.nr_ports = 1};
	unsigned int before = upcall_count;

	upcalls_on();
	set_xen_guest_handle(p.ports, list);
	send(port);
	check_eq(sched(SCHEDOP_poll, &p), 0);
	check(event_pending(port));
	check_eq(upcall_count, before);
	event_clear(port);
	close_port(port);
}

CASE(poll_timeout)
{
	uint32_t port = ipi();
	evtchn_port_t list[1] = {port};
	struct sched_poll p = {.nr_ports = 1};
	uint64_t from = now();

	set_xen_guest_handle(p.ports, list);
	p.timeout = from + 1500000;
	check_eq(sched(SCHEDOP_poll, &p), 0);
	check(now() >= p.timeout);
	check(!event_pending(port));
	close_port(port);
}

/* A port that is nobody's cannot be waited for, whatever the time: neither 0, which is never given out. */
CASE(poll_unused)
{
	uint32_t port = ipi();
	evtchn_port_t list[2] = {0, port};
	struct sched_poll p = {.nr_ports = 1, .timeout = 1};

	set_xen_guest_handle(p.ports, list);
	check_eq(sched(SCHEDOP_poll, &p), -XEN_EINVAL);
	list[0] = port;
	check_eq(sched(SCHEDOP_poll, &p), 0);
	close_port(port);
	check_eq(sched(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 2;
	check_eq(sched(SCHEDOP_poll, &p), -XEN_EINVAL);
}

CASE(poll_errors)
{
	evtchn_port_t list[1] = {0x7fffffff};
	struct sched_poll p = {.nr_ports = 1, .timeout = 1};

	set_xen_guest_handle(p.ports, list);
	record("wild_port", (uint64_t)sched(SCHEDOP_poll, &p));
	p.nr_ports = 1000;
	record("too_many", (uint64_t)sched(SCHEDOP_poll, &p));
	set_xen_guest_handle(p.ports, NULL);
	p.nr_ports = 1;
	record("pointer", (uint64_t)sched(SCHEDOP_poll, &p));
	record("null", (uint64_t)sched(SCHEDOP_poll, NULL));
}

CASE(SCHEDOP_shutdown)
{
	record("pointer", (uint64_t)sched(SCHEDOP_shutdown, NULL));
}

CASE(SCHEDOP_shutdown_code)
{
	struct sched_shutdown s = {.reason = SHUTDOWN_poweroff};

	record("pointer", (uint64_t)sched(SCHEDOP_shutdown_code, NULL));
	check_eq(sched(SCHEDOP_shutdown_code, &s), 0);
	record("again", (uint64_t)sched(SCHEDOP_shutdown_code, &s));
}

CASE(SCHEDOP_remote_shutdown)
{
	struct sched_remote_shutdown r = {.domain_id = 0x7000};

	record("no_domain", (uint64_t)sched(SCHEDOP_remote_shutdown, &r));
	record("pointer", (uint64_t)sched(SCHEDOP_remote_shutdown, NULL));
}

CASE(SCHEDOP_watchdog)
{
	struct sched_watchdog w = {.id = 0, .timeout = 100};
	long id = sched(SCHEDOP_watchdog, &w);

	record("id", (uint64_t)id);
	w.id = (uint32_t)id;
	check_eq(sched(SCHEDOP_watchdog, &w), 0);
	w.timeout = 0;
	check_eq(sched(SCHEDOP_watchdog, &w), 0);
	w.id = 99;
	w.timeout = 10;
	record("no_dog", (uint64_t)sched(SCHEDOP_watchdog, &w));
}

CASE(SCHEDOP_pin_override)
{
	struct sched_pin_override p = {.pcpu = -1};

	record("restore", (uint64_t)sched(SCHEDOP_pin_override, &p));
	p.pcpu = 4000;
	record("no_cpu", (uint64_t)sched(SCHEDOP_pin_override, &p));
}

CASE(unknown)
{
	record("op", (uint64_t)sched(77, NULL));
}
