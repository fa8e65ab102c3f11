/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls: every number, every sub-operation, arguments that are small, huge, on a boundary, or pointers
 * good and bad. Left out is only what ends this kernel by its own wish (shutting down, blocking for ever, handlers
 * at random addresses, giving up its console, answers longer than the room for them) and, in the control domain, what
 * is its right to do to the machine.
 */
#include "hostile.h"

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

/* As many of the longest operation on grants as scratch holds. */
#define COPIES (SCRATCH_WORDS * 8 / sizeof(struct gnttab_copy))

struct call {
	unsigned int nr;
	unsigned long args[5];
};

static const uint64_t boundaries[] = {
	~0UL,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x8000000000000000UL,
	0x7fffffffffffffffUL,
	DOMID_SELF,
	DOMID_IO,
	DOMID_XEN,
	DOMID_COW,
	DOMID_INVALID,
	DOMID_FIRST_RESERVED,
	PAGE_SIZE,
	PAGE_SIZE - 1,
	0xffff,
	0x10000,
	0x100000000UL,
	0x000fffffffffffffUL,
	0x0010000000000000UL,
	511,
};

static const unsigned long bad_pointers[] = {
	0,
	8,
	0xffff800000000000UL, /* the machine-to-physical table */
	0xffff830000000000UL,
	0xffff87fffffffff8UL,
	0x0000800000000000UL,
	0x00007ffffffffffcUL,
	0xfffffffffffffff8UL,
	0xffff880000000000UL,
};

static unsigned long bad_pointer(struct rough *me)
{
	return bad_pointers[rnd(me) % ARRAY_SIZE(bad_pointers)];
}

/* One from which no argument can come either: of the table above, the first may be read by everybody. */
static unsigned long unreadable(struct rough *me)
{
	unsigned long p = bad_pointer(me);

	return p == 0xffff800000000000UL ? p - rnd(me) : p;
}

/* An address no handler can have: it is not canonical. */
static unsigned long nowhere(struct rough *me)
{
	return 0x0000800000000000UL | rnd(me) >> 18;
}

static unsigned long pointer(struct rough *me)
{
	switch (rnd(me) % 8) {
	case 0:
		return bad_pointer(me);
	case 1: /* the page ends within */
		return (unsigned long)(me->scratch + SCRATCH_WORDS) - rnd(me) % 64;
	case 2:
		return (unsigned long)me->scratch + rnd(me) % sizeof(me->scratch);
	default:
		return (unsigned long)me->scratch;
	}
}

uint64_t random_word(struct rough *me)
{
	switch (rnd(me) % 12) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
		return rnd(me) % 8;
	case 4:
		return rnd(me) % 64;
	case 5:
		return boundaries[rnd(me) % ARRAY_SIZE(boundaries)];
	case 6:
		return boundaries[rnd(me) % ARRAY_SIZE(boundaries)] << 32 | rnd(me) % 16;
	case 7:
		return random_frame(me);
	case 8:
	case 9:
		return pointer(me);
	case 10:
		return rnd(me) % 65536;
	default:
		return rnd(me);
	}
}

static void fill_scratch(struct rough *me)
{
	unsigned int n = 8 + (unsigned int)(rnd(me) % 24);

	for (unsigned int i = 0; i < n; i++)
		me->scratch[i] = random_word(me);
	for (unsigned int i = 0; i < 8; i++)
		me->scratch[SCRATCH_WORDS - 8 + i] = random_word(me);
}

static void sched_call(struct rough *me, struct call *c)
{
	static const unsigned int cmds[] = {SCHEDOP_yield, SCHEDOP_poll, SCHEDOP_watchdog,
					    SCHEDOP_pin_override, 77};
	unsigned int cmd = cmds[rnd(me) % ARRAY_SIZE(cmds)];
	struct sched_poll *p = (struct sched_poll *)me->scratch;

	c->args[0] = cmd;
	c->args[1] = unreadable(me);
	if (cmd == SCHEDOP_poll && rnd(me) % 4) {
		set_xen_guest_handle(p->ports, (evtchn_port_t *)pointer(me));
		p->nr_ports = (unsigned int)random_word(me) | 1;
		p->timeout = rnd(me) % 1000000 + 1; /* long past */
		c->args[1] = (unsigned long)p;
	}
	if (is_dom0() && cmd == SCHEDOP_pin_override)
		c->args[0] = SCHEDOP_yield;
}

static void event_call(struct rough *me, struct call *c)
{
	unsigned int cmd = (unsigned int)(rnd(me) % 16);
	struct evtchn_close *e = (struct evtchn_close *)me->scratch;

	c->args[0] = cmd;
	c->args[1] = pointer(me);
	/* The first ports are the console's and xenstore's. */
	if (cmd == EVTCHNOP_close) {
		e->port = 3 + (unsigned int)rnd(me) % (rnd(me) % 2 ? 30 : ~0u);
		c->args[1] = (unsigned long)e;
	} else if (cmd == EVTCHNOP_reset || cmd == EVTCHNOP_bind_pirq) {
		c->args[1] = unreadable(me);
	} else if (cmd == EVTCHNOP_init_control || cmd == EVTCHNOP_expand_array) {
		/* The hypervisor writes to these frames from then on. */
		me->scratch[0] = rnd(me) % 4 ? pool_frame(me) : boundaries[rnd(me) % ARRAY_SIZE(boundaries)];
		c->args[1] = rnd(me) % 8 ? (unsigned long)me->scratch : unreadable(me);
	}
}

/*
 * Every operation has its status written back, and nothing says that the first wrong one is the last: a count says
 * how much of this kernel's memory is written over.
 */
static void grant_call(struct rough *me, struct call *c)
{
	struct gnttab_copy *copy = (struct gnttab_copy *)me->scratch;

	c->args[0] = rnd(me) % 14;
	c->args[1] = pointer(me);
	switch (rnd(me) % 8) {
	case 0:
		c->args[1] = unreadable(me);
		c->args[2] = random_word(me);
		break;
	case 1:
		c->args[1] = (unsigned long)me->scratch;
		c->args[2] = rnd(me) % COPIES;
		break;
	default:
		c->args[2] = rnd(me) % 4;
	}
	if (c->args[0] != GNTTABOP_copy)
		return;
	for (unsigned int i = 0; i < COPIES; i++)
		copy[i].dest.u.gmfn = pool_frame(me);
	if (c->args[1] >= (unsigned long)me->scratch && c->args[1] < (unsigned long)me->behind)
		c->args[1] = (unsigned long)me->scratch;
}

/* As many frames are answered as were asked for. */
static void memory_call(struct rough *me, struct call *c)
{
	unsigned int cmd = (unsigned int)(rnd(me) % 32);
	uint64_t *w = me->scratch + (rnd(me) % 2 ? 0 : SCRATCH_WORDS - rnd(me) % 8);

	c->args[0] = cmd | (rnd(me) % 8 ? 0 : rnd(me) << 6);
	c->args[1] = pointer(me);
	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		w[1] %= 65;
		break;
	case XENMEM_exchange:
		w[1] %= 65;
		w[4] %= 65;
		break;
	case XENMEM_add_to_physmap_batch:
		w[0] &= ~(0xffc0UL << 32);
		break;
	default:
		return;
	}
	if (rnd(me) % 8)
		c->args[1] = (unsigned long)w;
	else
		c->args[1] = unreadable(me);
}

static void vcpu_call(struct rough *me, struct call *c)
{
	unsigned int cmd = (unsigned int)(rnd(me) % 16);

	c->args[0] = cmd;
	c->args[1] = rnd(me) % 4 ? rnd(me) % (MAX_VCPUS + 1) : random_word(me);
	c->args[2] = pointer(me);
	if (cmd == VCPUOP_down && c->args[1] != me->id)
		c->args[1] = me->id;
	if (cmd == VCPUOP_down && (me->id == 0 || rnd(me) % 8))
		c->args[1] = MAX_VCPUS + rnd(me) % 1000;
	if (cmd == VCPUOP_register_vcpu_info || cmd == VCPUOP_initialise)
		c->args[2] = unreadable(me);
	if (cmd == VCPUOP_send_nmi)
		c->args[1] = MAX_VCPUS + rnd(me) % 1000;
}

/* Interface versions right, or nobody would look further. */
static void control_call(struct rough *me, struct call *c)
{
	uint32_t *head = (uint32_t *)me->scratch;

	head[0] = (uint32_t)(rnd(me) % 100);
	head[1] = c->nr == __HYPERVISOR_domctl   ? XEN_DOMCTL_INTERFACE_VERSION
		  : c->nr == __HYPERVISOR_sysctl ? XEN_SYSCTL_INTERFACE_VERSION
						 : XENPF_INTERFACE_VERSION;
	if (c->nr == __HYPERVISOR_domctl && rnd(me) % 2)
		*(domid_t *)&head[2] = (domid_t)(rnd(me) % 8);
	c->args[0] = rnd(me) % 8 ? (unsigned long)head : pointer(me);
}

/* What a number needs beyond random words; false when this call is not to be made. */
static bool tame(struct rough *me, struct call *c)
{
	switch (c->nr) {
	case __HYPERVISOR_iret:
		return false;
	case __HYPERVISOR_set_callbacks: /* addresses, and what is not canonical is refused */
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_callback_op:
	case __HYPERVISOR_nmi_op:
	case __HYPERVISOR_event_channel_op_compat:
		for (unsigned int i = 0; i < 3; i++)
			c->args[i] = nowhere(me);
		if (c->nr == __HYPERVISOR_callback_op || c->nr == __HYPERVISOR_nmi_op)
			c->args[0] = rnd(me) % 4;
		return true;
	case __HYPERVISOR_multicall:
		c->args[0] = unreadable(me);
		return true;
	case __HYPERVISOR_sched_op:
		sched_call(me, c);
		return true;
	case __HYPERVISOR_sched_op_compat:
		c->args[0] = rnd(me) % 2 ? 0 : 3 + rnd(me) % 100;
		return true;
	case __HYPERVISOR_event_channel_op:
		event_call(me, c);
		return true;
	case __HYPERVISOR_vcpu_op:
		vcpu_call(me, c);
		return true;
	case __HYPERVISOR_grant_table_op:
		grant_call(me, c);
		return true;
	case __HYPERVISOR_memory_op:
		memory_call(me, c);
		return true;
	case __HYPERVISOR_set_debugreg:
		c->args[0] = rnd(me) % 10;
		if (c->args[0] == 7 && rnd(me) % 64) /* see random_instruction() */
			c->args[1] = 0;
		return true;
	case __HYPERVISOR_update_va_mapping:
	case __HYPERVISOR_update_va_mapping_otherdomain:
		c->args[0] = rnd(me) % 2 ? (unsigned long)window : bad_pointer(me);
		c->args[1] = random_entry(me);
		return true;
	case __HYPERVISOR_mmuext_op: /* tables.c has the ones with good arguments */
	case __HYPERVISOR_mmu_update:
		c->args[0] = unreadable(me);
		return true;
	case __HYPERVISOR_domctl:
	case __HYPERVISOR_sysctl:
	case __HYPERVISOR_platform_op:
		control_call(me, c);
		return !is_dom0();
	case __HYPERVISOR_physdev_op:
	case __HYPERVISOR_console_io:
	case __HYPERVISOR_kexec_op:
	case __HYPERVISOR_arch_0: /* mca */
		c->args[0] = rnd(me) % 40;
		c->args[1] = pointer(me);
		return !is_dom0();
	case __HYPERVISOR_set_gdt:
		c->args[1] = random_word(me) | 1; /* none at all is tables.c's */
		c->args[0] = bad_pointer(me);
		return true;
	default:
		return true;
	}
}

static bool make_call(struct rough *me, struct call *c)
{
	c->nr = (unsigned int)(rnd(me) % 64);
	for (unsigned int i = 0; i < 5; i++)
		c->args[i] = random_word(me);
	return tame(me, c);
}

static void random_multicall(struct rough *me)
{
	struct multicall_entry entries[8];
	unsigned int n = 0, want = 1 + (unsigned int)(rnd(me) % 8);
	struct call c;

	while (n < want) {
		if (!make_call(me, &c))
			continue;
		/* Their arguments are in the one scratch, where the next call's will be. */
		if (c.nr == __HYPERVISOR_memory_op || c.nr == __HYPERVISOR_event_channel_op ||
		    c.nr == __HYPERVISOR_grant_table_op)
			c.args[1] = unreadable(me);
		entries[n].op = c.nr;
		entries[n].result = 0;
		for (unsigned int i = 0; i < 6; i++)
			entries[n].args[i] = i < 5 ? c.args[i] : 0;
		n++;
	}
	count(me, hypercall2(__HYPERVISOR_multicall, (unsigned long)entries, n));
	for (unsigned int i = 0; i < n; i++)
		count(me, (long)entries[i].result);
}

void random_call(struct rough *me)
{
	struct call c;

	fill_scratch(me);
	if (rnd(me) % 16 == 0) {
		random_multicall(me);
		return;
	}
	if (!make_call(me, &c))
		return;
	if (rnd(me) % 64 == 0)
		c.nr += (unsigned int)rnd(me) << 6;
	count(me, hypercall5(c.nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4]));
}
