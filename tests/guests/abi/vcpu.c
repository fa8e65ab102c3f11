/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/vcpu.md promises: a vCPU is initialised once from a full context, then goes up and
 * down; is_up tells; a vCPU that was never given is -ENOENT. Runstate and vcpu_info may be
 * placed in guest memory.
 */
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"
#include "usercode.h"

static long vcpu_op(unsigned int cmd, unsigned int id, void *arg)
{
	return hypercall3(__HYPERVISOR_vcpu_op, cmd, id, (unsigned long)arg);
}

CASE(VCPUOP_is_up)
{
	check_eq(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	record("one", (uint64_t)vcpu_op(VCPUOP_is_up, 1, NULL));
	check_eq(vcpu_op(VCPUOP_is_up, 64, NULL), -XEN_ENOENT);
	check_eq(vcpu_op(VCPUOP_is_up, 8191, NULL), -XEN_ENOENT);
	record("wild", (uint64_t)vcpu_op(VCPUOP_is_up, 0xffffffff, NULL));
}

static volatile int stage;
static volatile uint64_t seen[4];

static void second(void)
{
	uint64_t cs, ss, rsp;

	__asm__ volatile("mov %%cs, %0\n mov %%ss, %1\n mov %%rsp, %2" : "=r"(cs), "=r"(ss), "=r"(rsp));
	seen[0] = cs;
	seen[1] = ss;
	seen[2] = rsp & 15;
	stage = 1;
	while (stage < 2)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	stage = 3;
	vcpu_op(VCPUOP_down, 1, NULL);
	stage = 4; /* up again goes on here */
	vcpu_op(VCPUOP_down, 1, NULL);
	for (;;)
		;
}

static void wait_stage(int n)
{
	while (stage < n)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static void wait_down(void)
{
	while (vcpu_op(VCPUOP_is_up, 1, NULL) == 1)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

CASE(up_before_initialise)
{
	record("result", (uint64_t)vcpu_op(VCPUOP_up, 1, NULL));
}

CASE(VCPUOP_initialise)
{
	record("bad_pointer", (uint64_t)vcpu_op(VCPUOP_initialise, 1, NULL));
	record("no_vcpu", (uint64_t)vcpu_op(VCPUOP_initialise, 77, NULL));
	check_eq(vcpu_start(1, second), 0);
	wait_stage(1);
	check_eq(seen[0], FLAT_KERNEL_CS);
	check_eq(seen[1], FLAT_KERNEL_SS);
	check_eq(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
	record("again", (uint64_t)vcpu_start(1, second));
}

CASE(VCPUOP_up)
{
	record("running", (uint64_t)vcpu_op(VCPUOP_up, 1, NULL));
}

CASE(VCPUOP_down)
{
	require(stage == 1);
	stage = 2;
	wait_stage(3);
	wait_down();
	check_eq(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	/* Up again goes on behind the call that took it down. */
	check_eq(vcpu_op(VCPUOP_up, 1, NULL), 0);
	wait_stage(4);
	wait_down();
}

CASE(VCPUOP_get_runstate_info)
{
	struct vcpu_runstate_info r = {.state = 9};

	check_eq(vcpu_op(VCPUOP_get_runstate_info, 0, &r), 0);
	check_eq(r.state, RUNSTATE_running);
	check(r.time[RUNSTATE_running] > 0);
	/* The one that went down is offline once its processor has let go of it. */
	do {
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		check_eq(vcpu_op(VCPUOP_get_runstate_info, 1, &r), 0);
	} while (r.state == RUNSTATE_running);
	check_eq(r.state, RUNSTATE_offline);
	record("pointer", (uint64_t)vcpu_op(VCPUOP_get_runstate_info, 0, NULL));
}

CASE(VCPUOP_register_runstate_memory_area)
{
	static struct vcpu_runstate_info area;
	struct vcpu_register_runstate_memory_area a = {.addr = {.v = &area}};

	area.state = 9;
	check_eq(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &a), 0);
	/* Filled in at once. */
	check_eq(*(volatile int *)&area.state, RUNSTATE_running);
	record("pointer", (uint64_t)vcpu_op(VCPUOP_register_runstate_memory_area, 0, NULL));
}

CASE(VCPUOP_register_vcpu_time_memory_area)
{
	static struct vcpu_time_info area;
	struct vcpu_register_time_memory_area a = {.addr = {.v = &area}};

	check_eq(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &a), 0);
	check(*(volatile uint32_t *)&area.tsc_to_system_mul != 0);
}

CASE(VCPUOP_register_vcpu_info)
{
	static struct {
		char room[256];
		struct vcpu_info info;
	} page __page_aligned;
	struct vcpu_register_vcpu_info r = {.mfn = virt_to_mfn(&page)};

	r.offset = 4090;
	record("bad_offset", (uint64_t)vcpu_op(VCPUOP_register_vcpu_info, 1, &r));
	r.offset = 256;
	record("no_vcpu", (uint64_t)vcpu_op(VCPUOP_register_vcpu_info, 77, &r));
	page.info.evtchn_upcall_mask = 0;
	check_eq(vcpu_op(VCPUOP_register_vcpu_info, 1, &r), 0);
	/* The old contents move along; the vCPU is told to look at everything. */
	check_eq(page.info.evtchn_upcall_pending, 1);
	check_eq(page.info.evtchn_pending_sel, ~0UL);
	record("again", (uint64_t)vcpu_op(VCPUOP_register_vcpu_info, 1, &r));
	r.mfn = 0xffffffff;
	record("no_frame", (uint64_t)vcpu_op(VCPUOP_register_vcpu_info, 0, &r));
}

CASE(VCPUOP_get_physid)
{
	struct vcpu_get_physid p;

	record("result", (uint64_t)vcpu_op(VCPUOP_get_physid, 0, &p));
}

CASE(VCPUOP_set_periodic_timer)
{
	struct vcpu_set_periodic_timer t = {.period_ns = 10};

	record("too_short", (uint64_t)vcpu_op(VCPUOP_set_periodic_timer, 0, &t));
	t.period_ns = 10000000;
	check_eq(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), 0);
	record("no_vcpu", (uint64_t)vcpu_op(VCPUOP_set_periodic_timer, 77, &t));
}

CASE(VCPUOP_stop_periodic_timer)
{
	check_eq(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
}

CASE(VCPUOP_set_singleshot_timer)
{
	struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};

	record("past", (uint64_t)vcpu_op(VCPUOP_set_singleshot_timer, 0, &t));
	t.flags = 0;
	check_eq(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
	record("other_vcpu", (uint64_t)vcpu_op(VCPUOP_set_singleshot_timer, 1, &t));
}

CASE(VCPUOP_stop_singleshot_timer)
{
	check_eq(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	record("other_vcpu", (uint64_t)vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL));
}

CASE(VCPUOP_send_nmi)
{
	/* To a vCPU that is down, so that nothing comes of it. */
	record("result", (uint64_t)vcpu_op(VCPUOP_send_nmi, 1, NULL));
}

static void nmi_to_self(void *arg)
{
	*(uint64_t *)arg = (uint64_t)vcpu_op(VCPUOP_send_nmi, vcpu_id(), NULL);
}

/* Through vector 2 of the trap table; nobody registered a callback. */
CASE(nmi_by_trap_table)
{
	uint64_t result = 1;

	check_eq(trap_call(nmi_to_self, &result), 2);
	check_eq(last_trap.error, 0);
}

CASE(unknown)
{
	record("op", (uint64_t)vcpu_op(77, 0, NULL));
}
