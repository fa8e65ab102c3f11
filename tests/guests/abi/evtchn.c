/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/event-channels.md promises: a port is free, reserved, unbound, or bound to a peer, a
 * virtual or physical interrupt, or a vCPU; each operation takes it from one state to another
 * or answers the errno of that page and changes nothing.
 */
#include <xen/event_channel.h>

#include "guest.h"

static long evtchn(unsigned int cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg);
}

static long close_port(uint32_t port)
{
	struct evtchn_close c = {port};

	return evtchn(EVTCHNOP_close, &c);
}

static long send(uint32_t port)
{
	struct evtchn_send s = {port};

	return evtchn(EVTCHNOP_send, &s);
}

static uint32_t unbound(domid_t remote)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};

	check_eq(evtchn(EVTCHNOP_alloc_unbound, &a), 0);
	return a.port;
}

static uint32_t status_of(uint32_t port)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

	return evtchn(EVTCHNOP_status, &s) ? 0xff : s.status;
}

CASE(EVTCHNOP_alloc_unbound)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

	check_eq(evtchn(EVTCHNOP_alloc_unbound, &a), 0);
	record("first_port", a.port);
	check_eq(status_of(a.port), EVTCHNSTAT_unbound);
	check_eq(close_port(a.port), 0);
	a.dom = 0x7000;
	record("no_domain", (uint64_t)evtchn(EVTCHNOP_alloc_unbound, &a));
	a = (struct evtchn_alloc_unbound){.dom = DOMID_SELF, .remote_dom = 0x7000};
	record("no_remote", (uint64_t)evtchn(EVTCHNOP_alloc_unbound, &a));
	if (!a.port)
		close_port(a.port);
	check_eq(evtchn(EVTCHNOP_alloc_unbound, NULL), -XEN_EFAULT);
}

CASE(EVTCHNOP_bind_interdomain)
{
	uint32_t a = unbound(DOMID_SELF);
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF, .remote_port = a};
	struct evtchn_status s = {.dom = DOMID_SELF};

	check_eq(evtchn(EVTCHNOP_bind_interdomain, &b), 0);
	check(b.local_port != a);
	s.port = a;
	check_eq(evtchn(EVTCHNOP_status, &s), 0);
	check_eq(s.status, EVTCHNSTAT_interdomain);
	check_eq(s.u.interdomain.port, b.local_port);
	/* Binding marks the local end pending, so that nothing sent before is missed. */
	check(event_pending(b.local_port));
	event_clear(b.local_port);
	check_eq(send(a), 0);
	check(event_pending(b.local_port));
	check(!event_pending(a));
	check_eq(send(b.local_port), 0);
	check(event_pending(a));
	event_clear(a);
	event_clear(b.local_port);
	/* A bound port cannot be bound again. */
	record("again", (uint64_t)evtchn(EVTCHNOP_bind_interdomain, &b));
	check_eq(close_port(b.local_port), 0);
	check_eq(status_of(a), EVTCHNSTAT_unbound);
	check_eq(close_port(a), 0);
	check_eq(status_of(a), EVTCHNSTAT_closed);
}

CASE(bind_interdomain_errors)
{
	struct evtchn_bind_interdomain b = {.remote_dom = 0x7000, .remote_port = 1};

	record("no_domain", (uint64_t)evtchn(EVTCHNOP_bind_interdomain, &b));
	b = (struct evtchn_bind_interdomain){.remote_dom = DOMID_SELF, .remote_port = 900};
	record("no_port", (uint64_t)evtchn(EVTCHNOP_bind_interdomain, &b));
	b.remote_port = 0xffffffff;
	record("wild_port", (uint64_t)evtchn(EVTCHNOP_bind_interdomain, &b));
}

CASE(EVTCHNOP_bind_virq)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
	struct evtchn_status s = {.dom = DOMID_SELF};
	uint32_t port;

	check_eq(evtchn(EVTCHNOP_bind_virq, &v), 0);
	port = v.port;
	s.port = port;
	check_eq(evtchn(EVTCHNOP_status, &s), 0);
	check_eq(s.status, EVTCHNSTAT_virq);
	check_eq(s.u.virq, VIRQ_TIMER);
	check_eq(s.vcpu, 0);
	record("again", (uint64_t)evtchn(EVTCHNOP_bind_virq, &v));
	check_eq(close_port(port), 0);
	check_eq(evtchn(EVTCHNOP_bind_virq, &v), 0);
	check_eq(close_port(v.port), 0);
	v.virq = NR_VIRQS;
	record("no_virq", (uint64_t)evtchn(EVTCHNOP_bind_virq, &v));
	v.virq = VIRQ_TIMER;
	v.vcpu = 77;
	record("no_vcpu", (uint64_t)evtchn(EVTCHNOP_bind_virq, &v));
	v.virq = VIRQ_CONSOLE;
	v.vcpu = 1;
	record("global_elsewhere", (uint64_t)evtchn(EVTCHNOP_bind_virq, &v));
	/* Sending by hand on a virtual interrupt's port is refused. */
	v = (struct evtchn_bind_virq){.virq = VIRQ_DEBUG};
	check_eq(evtchn(EVTCHNOP_bind_virq, &v), 0);
	record("send", (uint64_t)send(v.port));
	check_eq(close_port(v.port), 0);
}

CASE(EVTCHNOP_bind_ipi)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};
	struct evtchn_status s = {.dom = DOMID_SELF};

	check_eq(evtchn(EVTCHNOP_bind_ipi, &b), 0);
	s.port = b.port;
	check_eq(evtchn(EVTCHNOP_status, &s), 0);
	check_eq(s.status, EVTCHNSTAT_ipi);
	check_eq(send(b.port), 0);
	check(event_pending(b.port));
	event_clear(b.port);
	check_eq(close_port(b.port), 0);
	b.vcpu = 99;
	record("no_vcpu", (uint64_t)evtchn(EVTCHNOP_bind_ipi, &b));
}

CASE(EVTCHNOP_bind_pirq)
{
	struct evtchn_bind_pirq b = {.pirq = 100000};

	record("no_pirq", (uint64_t)evtchn(EVTCHNOP_bind_pirq, &b));
}

CASE(EVTCHNOP_close)
{
	uint32_t a = unbound(DOMID_SELF);

	check_eq(close_port(a), 0);
	record("again", (uint64_t)close_port(a));
	record("zero", (uint64_t)close_port(0));
	record("wild", (uint64_t)close_port(0xffffffff));
	/* The lowest free port is the next one handed out. */
	check_eq(unbound(DOMID_SELF), a);
	check_eq(close_port(a), 0);
}

CASE(EVTCHNOP_send)
{
	uint32_t a = unbound(DOMID_SELF);

	/* An unbound port swallows it: the peer may come later. */
	record("unbound", (uint64_t)send(a));
	check(!event_pending(a));
	check_eq(close_port(a), 0);
	record("closed", (uint64_t)send(a));
	record("wild", (uint64_t)send(0xffffffff));
}

CASE(EVTCHNOP_status)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = 900};
	uint32_t a = unbound(DOMID_SELF);

	/* A port beyond those handed out so far. */
	record("beyond", (uint64_t)evtchn(EVTCHNOP_status, &s));
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = a};
	check_eq(evtchn(EVTCHNOP_status, &s), 0);
	record("remote_self", s.u.unbound.dom);
	check_eq(close_port(a), 0);
	s.dom = 0x7000;
	record("no_domain", (uint64_t)evtchn(EVTCHNOP_status, &s));
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = 0xffffffff};
	record("wild", (uint64_t)evtchn(EVTCHNOP_status, &s));
	s.port = 0;
	record("port0", (uint64_t)evtchn(EVTCHNOP_status, &s));
	record("port0_status", s.status);
}

CASE(EVTCHNOP_bind_vcpu)
{
	uint32_t a = unbound(DOMID_SELF);
	struct evtchn_bind_vcpu b = {.port = a, .vcpu = 0};
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};

	check_eq(evtchn(EVTCHNOP_bind_vcpu, &b), 0);
	b.vcpu = 99;
	record("no_vcpu", (uint64_t)evtchn(EVTCHNOP_bind_vcpu, &b));
	check_eq(close_port(a), 0);
	b.vcpu = 0;
	record("closed", (uint64_t)evtchn(EVTCHNOP_bind_vcpu, &b));
	check_eq(evtchn(EVTCHNOP_bind_virq, &v), 0);
	b.port = v.port;
	record("per_vcpu_virq", (uint64_t)evtchn(EVTCHNOP_bind_vcpu, &b));
	check_eq(close_port(v.port), 0);
}

CASE(EVTCHNOP_unmask)
{
	struct evtchn_unmask u = {.port = unbound(DOMID_SELF)};

	check_eq(evtchn(EVTCHNOP_unmask, &u), 0);
	check_eq(shared_info->evtchn_mask[u.port / 64] >> (u.port % 64) & 1, 0);
	event_mask(u.port);
	check_eq(close_port(u.port), 0);
	u.port = 0xffffffff;
	record("wild", (uint64_t)evtchn(EVTCHNOP_unmask, &u));
}

CASE(EVTCHNOP_set_priority)
{
	struct evtchn_set_priority p = {.port = unbound(DOMID_SELF), .priority = 0};

	/* Priorities belong to the FIFO layout. */
	record("two_level", (uint64_t)evtchn(EVTCHNOP_set_priority, &p));
	check_eq(close_port(p.port), 0);
}

CASE(EVTCHNOP_reset)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	uint32_t a = unbound(DOMID_SELF), b = unbound(DOMID_SELF);

	check_eq(evtchn(EVTCHNOP_reset, &r), 0);
	check_eq(status_of(a), EVTCHNSTAT_closed);
	check_eq(status_of(b), EVTCHNSTAT_closed);
	r.dom = 0x7000;
	record("no_domain", (uint64_t)evtchn(EVTCHNOP_reset, &r));
}

CASE(unknown)
{
	record("op", (uint64_t)evtchn(77, NULL));
	record("compat", (uint64_t)hypercall1(__HYPERVISOR_event_channel_op_compat, 0));
}

CASE(ports_run_out)
{
	/* The domain's limit, or the two-level layout's, ends it with -ENOSPC. */
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_reset r = {.dom = DOMID_SELF};
	unsigned int n = 0;
	long ret;

	static struct evtchn_close taken[5000];

	while (!(ret = evtchn(EVTCHNOP_alloc_unbound, &a)) && n < 5000)
		taken[n++].port = a.port;
	record("result", (uint64_t)ret);
	if (is_dom0()) {
		record("count", n);
		check_eq(evtchn(EVTCHNOP_reset, &r), 0);
		return;
	}
	/* A reset would take the console's port too. */
	while (n--)
		check_eq(evtchn(EVTCHNOP_close, &taken[n]), 0);
}

/* The FIFO layout last: there is no way back but reset. */
static struct evtchn_fifo_control_block *control;
static uint32_t *words;

CASE(EVTCHNOP_init_control)
{
	struct evtchn_init_control c = {.vcpu = 0};
	struct evtchn_expand_array e = {0};
	static char page[PAGE_SIZE] __page_aligned;

	record("expand_first", (uint64_t)evtchn(EVTCHNOP_expand_array, &e));
	c.control_gfn = virt_to_pfn(page);
	c.control_gfn = virt_to_mfn(page);
	c.offset = 4090;
	record("bad_offset", (uint64_t)evtchn(EVTCHNOP_init_control, &c));
	c.offset = 4;
	record("unaligned", (uint64_t)evtchn(EVTCHNOP_init_control, &c));
	c.offset = 0;
	c.vcpu = 99;
	record("no_vcpu", (uint64_t)evtchn(EVTCHNOP_init_control, &c));
	c.vcpu = 0;
	check_eq(evtchn(EVTCHNOP_init_control, &c), 0);
	check_eq(c.link_bits, EVTCHN_FIFO_LINK_BITS);
	control = (struct evtchn_fifo_control_block *)page;
	record("again", (uint64_t)evtchn(EVTCHNOP_init_control, &c));
}

CASE(EVTCHNOP_expand_array)
{
	struct evtchn_expand_array e;
	static char page[PAGE_SIZE] __page_aligned;

	require(control);
	e.array_gfn = virt_to_mfn(page);
	check_eq(evtchn(EVTCHNOP_expand_array, &e), 0);
	words = (uint32_t *)page;
	e.array_gfn = 0xffffffff;
	record("no_frame", (uint64_t)evtchn(EVTCHNOP_expand_array, &e));
}

CASE(fifo_delivery)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};
	struct evtchn_set_priority p = {0};
	struct evtchn_unmask u;

	require(words);
	check_eq(evtchn(EVTCHNOP_bind_ipi, &b), 0);
	p.port = b.port;
	p.priority = 3;
	check_eq(evtchn(EVTCHNOP_set_priority, &p), 0);
	p.priority = 16;
	record("bad_priority", (uint64_t)evtchn(EVTCHNOP_set_priority, &p));
	u.port = b.port;
	record("fresh_word", words[b.port]);
	check_eq(evtchn(EVTCHNOP_unmask, &u), 0);
	vcpu_info0->evtchn_upcall_mask = 1;
	check_eq(send(b.port), 0);
	/* Pending and linked; its queue's head names it and the queue is ready. */
	check_eq(words[b.port] >> EVTCHN_FIFO_PENDING & 1, 1);
	check_eq(words[b.port] >> EVTCHN_FIFO_LINKED & 1, 1);
	check_eq(control->head[3], b.port);
	check_eq(control->ready, 1u << 3);
	check_eq(vcpu_info0->evtchn_upcall_pending, 1);
	words[b.port] = 0;
	control->ready = 0;
	vcpu_info0->evtchn_upcall_pending = 0;
}

CASE(fifo_order)
{
	/* One queue is served in the order of sending: the words form a chain. */
	struct evtchn_bind_ipi b[3] = {{0}};
	struct evtchn_unmask u;
	unsigned int i;

	require(words);
	vcpu_info0->evtchn_upcall_mask = 1;
	for (i = 0; i < 3; i++) {
		check_eq(evtchn(EVTCHNOP_bind_ipi, &b[i]), 0);
		u.port = b[i].port;
		check_eq(evtchn(EVTCHNOP_unmask, &u), 0);
	}
	check_eq(send(b[1].port), 0);
	check_eq(send(b[0].port), 0);
	check_eq(send(b[2].port), 0);
	check_eq(control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], b[1].port);
	check_eq(words[b[1].port] & EVTCHN_FIFO_LINK_MASK, b[0].port);
	check_eq(words[b[0].port] & EVTCHN_FIFO_LINK_MASK, b[2].port);
	check_eq(words[b[2].port] & EVTCHN_FIFO_LINK_MASK, 0);
	vcpu_info0->evtchn_upcall_pending = 0;
}
