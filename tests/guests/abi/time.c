/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/time.md promises: vcpu_info.time turns a time-stamp counter into nanoseconds since
 * boot, under a version that is odd while it changes; time never goes back. One timer a vCPU
 * takes an absolute time and raises VIRQ_TIMER, at once when the time has passed.
 */
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"

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

static uint32_t timer_port;
static volatile unsigned int fired;

static void on_timer(uint32_t port)
{
	if (port == timer_port)
		fired++;
}

static bool setup(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};

	fired = 0;
	if (timer_port)
		return true;
	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&v))
		return false;
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	timer_port = v.port;
	event_set_handler(on_timer);
	event_unmask(timer_port);
	upcalls_on();
	return true;
}

CASE(version_is_even)
{
	check_eq(vcpu_info0->time.version & 1, 0);
	check(vcpu_info0->time.tsc_to_system_mul != 0);
	check(vcpu_info0->time.tsc_shift >= -31 && vcpu_info0->time.tsc_shift <= 31);
}

CASE(monotonic)
{
	uint64_t last = now();
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		uint64_t t = now();

		require(t >= last);
		last = t;
	}
}

CASE(advances)
{
	uint64_t from = now(), tsc = rdtsc();

	while (rdtsc() - tsc < 10000000)
		;
	check(now() > from);
}

CASE(wall_clock)
{
	/* Seconds since 1970 at system time zero, under a version of its own. */
	check_eq(shared_info->wc_version & 1, 0);
	check(shared_info->wc_sec > 1600000000u);
	check(shared_info->wc_nsec < 1000000000u);
}

CASE(flags)
{
	record("flags", vcpu_info0->time.flags & ~XEN_PVCLOCK_TSC_STABLE_BIT);
}

CASE(periodic_by_default)
{
	/* A vCPU starts with a tick of 10 ms, which comes while it runs and never wakes it. */
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
	struct evtchn_close c;
	uint64_t from = now();

	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&v), 0);
	while (!event_pending(v.port) && now() - from < 200000000)
		;
	record("ticks", event_pending(v.port));
	c.port = v.port;
	event_clear(v.port);
	check_eq(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, (unsigned long)&c), 0);
}

CASE(set_timer_op)
{
	uint64_t deadline;

	require(setup());
	deadline = now() + 3000000;
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, deadline), 0);
	while (!fired)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
	check(now() >= deadline);
	check_eq(fired, 1);
}

CASE(timer_in_the_past)
{
	uint64_t from;

	require(setup());
	from = now();
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, from - 1000), 0);
	while (!fired)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
	check_eq(fired, 1);
}

CASE(timer_stopped)
{
	uint64_t until;

	require(setup());
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, now() + 2000000), 0);
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, 0), 0);
	for (until = now() + 5000000; now() < until;)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	check_eq(fired, 0);
}

CASE(singleshot)
{
	struct vcpu_set_singleshot_timer t = {0};

	require(setup());
	t.timeout_abs_ns = now() + 3000000;
	check_eq(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, (unsigned long)&t), 0);
	while (!fired)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
	check(now() >= t.timeout_abs_ns);
}

CASE(singleshot_replaced)
{
	/* The later setting is the one that counts. */
	struct vcpu_set_singleshot_timer t = {0};
	uint64_t far;

	require(setup());
	far = now() + 100000000;
	t.timeout_abs_ns = far;
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, (unsigned long)&t);
	t.timeout_abs_ns = now() + 2000000;
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, (unsigned long)&t);
	while (!fired)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
	check(now() < far);
}

CASE(periodic)
{
	struct vcpu_set_periodic_timer t = {.period_ns = 5000000};
	uint64_t from;

	require(setup());
	from = now();
	check_eq(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, (unsigned long)&t), 0);
	while (fired < 4 && now() - from < 1000000000)
		;
	check(fired >= 4);
	check(now() - from >= 3 * t.period_ns);
	check_eq(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
}

CASE(interrupts_user_mode)
{
	/* The timer breaks into user code, which goes on unharmed. */
	static struct user_state u;
	static struct user_result r;
	extern const char user_spin[], user_spin_end[];

	require(setup() && user_init());
	regs_fill(&u.regs, 7);
	u.regs.rcx = 20000000;
	u.regs.rsp = USER_STACK_TOP;
	u.regs.rflags = 0x202;
	u.rip = USER_CODE;
	u.cs = FLAT_USER_CS64;
	u.ss = FLAT_USER_SS64;
	fired = 0;
	check_eq(hypercall1(__HYPERVISOR_set_timer_op, now() + 1000000), 0);
	user_run(&u, user_spin, (size_t)(user_spin_end - user_spin), 0, &r);
	check_eq(r.why, 6);
	check_eq(r.rcx, 0);
	check_eq(r.r11, u.regs.r11);
	check_regs(&u.regs, &r.regs, R_RCX | R_RSP | R_R11 | R_RFLAGS, __LINE__);
	check_eq(fired, 1);
}
__asm__(".pushsection .rodata\n user_spin: dec %rcx\n jnz user_spin\n ud2\n user_spin_end: .popsection");
