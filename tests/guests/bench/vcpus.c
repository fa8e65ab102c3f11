/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two vCPUs on one processor: handing over by event and by yield, with and without live FPU. */
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

#include "bench.h"

static volatile enum { IDLE, PINGPONG, YIELD, YIELD_FPU, STOP } mode;
static uint32_t port[2]; /* port n wakes vCPU n */

static void poll(uint32_t p)
{
	struct sched_poll s = {.nr_ports = 1};

	set_xen_guest_handle(s.ports, &p);
	CALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &s);
	event_clear(p);
}

static void send(uint32_t p)
{
	struct evtchn_send s = {p};

	CALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &s);
}

static void second(void)
{
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 1, 0);
	while (mode != STOP) {
		switch (mode) {
		case PINGPONG:
			poll(port[1]);
			send(port[0]);
			break;
		case YIELD_FPU:
			__asm__ volatile("pxor %xmm0, %xmm0");
			/* fall through */
		default:
			CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		}
	}
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
	for (;;)
		;
}

static void round_trip(void)
{
	send(port[1]);
	poll(port[0]);
}

/* Serai's console tells how often state was saved, and how often that took FNSTENV. */
static void say_counts(void)
{
	static char key[] = "f";
	static struct xen_sysctl s;

	s.cmd = XEN_SYSCTL_debug_keys;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	set_xen_guest_handle(s.u.debug_keys.keys, key);
	s.u.debug_keys.nr_keys = 1;
	hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s);
}

void bench_vcpus(void)
{
	struct evtchn_bind_ipi b;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		b = (struct evtchn_bind_ipi){.vcpu = i};
		hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&b);
		port[i] = b.port;
		event_mask(b.port);
	}
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	mode = YIELD;
	if (vcpu_start(1, second)) {
		no_row("vcpu_yield_switch_rt", -1);
		return;
	}
	for (i = 0; i < 100; i++)
		CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	MEASURE("vcpu_yield_switch_rt", , CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
	mode = YIELD_FPU;
	CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	MEASURE("vcpu_yield_switch_fpu_rt", __asm__ volatile("pxor %xmm0, %xmm0"),
		CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
	mode = PINGPONG;
	CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	for (i = 0; i < 100; i++)
		round_trip();
	MEASURE("vcpu_pingpong_ipi_poll_rt", , round_trip());
	mode = STOP;
	send(port[1]);
	say_counts();
}
