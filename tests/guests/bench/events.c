/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels and timers. */
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "bench.h"
#include "internal.h"

extern const char fast_event[];
extern uint64_t *fast_event_word;

static void event_entry(const char *entry)
{
	struct callback_register cb = {CALLBACKTYPE_event, 0, (unsigned long)entry};

	hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb);
}

static void quiet(uint32_t port)
{
	event_clear(port);
	vcpu_info0->evtchn_pending_sel = 0;
	vcpu_info0->evtchn_upcall_pending = 0;
	barrier();
}

static void use_port(uint32_t port)
{
	fast_event_word = (uint64_t *)&shared_info->evtchn_pending[port / 64];
}

#define SEND(s) CALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, s)

static void sends(const char *const names[4], uint32_t port, struct evtchn_send *s)
{
	use_port(port);
	upcalls_off();
	event_mask(port);
	MEASURE(names[0], quiet(port), SEND(s));
	if (names[1])
		MEASURE(names[1], , SEND(s));
	quiet(port);
	event_unmask(port);
	if (names[2])
		MEASURE(names[2], quiet(port), SEND(s));
	quiet(port);
	vcpu_info0->evtchn_upcall_mask = 0;
	barrier();
	MEASURE(names[3], , SEND(s));
	upcalls_off();
	event_mask(port);
	quiet(port);
}

static void channels(void)
{
	static const char *const ipi_names[] = {"evtchn_send_ipi_masked", "evtchn_send_ipi_already_pending",
						"evtchn_send_ipi_upcall_masked", "evtchn_send_ipi_upcall"};
	static const char *const loop_names[] = {"evtchn_send_loopback_masked", NULL, NULL,
						 "evtchn_send_loopback_upcall"};
	struct evtchn_bind_ipi b = {.vcpu = 0};
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain i = {.remote_dom = DOMID_SELF};
	struct evtchn_send s;
	struct evtchn_close c;
	struct sched_poll p = {.nr_ports = 1};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&b);
	s.port = b.port;
	sends(ipi_names, b.port, &s);
	event_mask(b.port);
	SEND(&s);
	set_xen_guest_handle(p.ports, &b.port);
	MEASURE("sched_poll_pending", , CALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p));
	quiet(b.port);
	if (!hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (unsigned long)&a)) {
		i.remote_port = a.port;
		hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, (unsigned long)&i);
		quiet(i.local_port);
		s.port = i.local_port;
		sends(loop_names, a.port, &s);
	}
	MEASURE("evtchn_bind_ipi_close", , {
		CALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &b);
		c.port = b.port;
		CALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &c);
	});
}

static uint64_t now(void)
{
	struct vcpu_time_info *t = &vcpu_info0->time;
	uint64_t delta = rdtsc() - t->tsc_timestamp;

	delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
	return t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

/* A small number of nanoseconds as ticks of the counter. */
static uint32_t ns_to_ticks(uint64_t ns)
{
	struct vcpu_time_info *t = &vcpu_info0->time;
	uint64_t ticks = (ns << 32) / t->tsc_to_system_mul;

	return (uint32_t)(t->tsc_shift >= 0 ? ticks >> t->tsc_shift : ticks << -t->tsc_shift);
}

static void late(const char *name, uint64_t wait)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		uint64_t deadline;

		upcalls_off();
		deadline = now() + wait;
		CALL1(__HYPERVISOR_set_timer_op, deadline);
		CALL2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
		samples[i] = ns_to_ticks(now() - deadline);
	}
	row(name, 100);
}

static void timers(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER};
	uint64_t t;

	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	MEASURE("set_timer_op_future", t = now() + 1000000000, CALL1(__HYPERVISOR_set_timer_op, t));
	MEASURE("set_timer_op_stop", CALL1(__HYPERVISOR_set_timer_op, now() + 1000000000),
		CALL1(__HYPERVISOR_set_timer_op, 0));
	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&v))
		return;
	use_port(v.port);
	event_unmask(v.port);
	MEASURE(
		"timer_past_and_block",
		{
			upcalls_off();
			t = now() - 1000;
		},
		{
			CALL1(__HYPERVISOR_set_timer_op, t);
			CALL2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
		});
	late("timer_block_wake_late_100us", 100000);
	late("timer_block_wake_late_300us", 300000);
	late("timer_block_wake_late_1000us", 1000000);
	event_mask(v.port);
	upcalls_off();
}

void bench_events(void)
{
	event_entry(fast_event);
	channels();
	timers();
	event_entry(entry_event);
}
