/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/syscall.md promises: a SYSCALL in user mode enters the kernel at the registered
 * callback, on the stack given to stack_switch, with
 *
 *	rcx  r11  rip  cs  rflags  rsp  ss
 *
 * on it, lowest address first. rcx and rip are the address behind the instruction, r11 and
 * rflags the user's flags, in the frame and in the registers alike (Xen: in the frame only); the
 * thirteen other registers and the selectors are the user's own. TF, AC and NT are clear at entry whatever the
 * user had set. Pending upcalls neither get lost nor change any of it.
 */
#include <xen/callback.h>
#include <xen/event_channel.h>

#include "guest.h"
#include "internal.h"
#include "usercode.h"

USER_ASM(syscall, "syscall\n ud2");
USER_ASM(ud2, "ud2");
USER_ASM(int80, "int $0x80\n ud2");
USER_ASM(int30, "int $0x30\n ud2");
USER_ASM(sysenter, "sysenter\n ud2");
USER_ASM(cli, "cli\n ud2");
USER_ASM(loop, "1: dec %ecx\n jnz 1b\n syscall\n ud2");
USER_ASM32(syscall32, "syscall\n ud2");
USER_ASM32(int80_32, "int $0x80\n ud2");
USER_ASM32(sysenter32, "sysenter\n ud2");
USER_ASM32(ud2_32, "ud2");

static struct user_state u;
static struct user_result r;

static void check_selectors(void)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("mov %%ds, %0\n mov %%es, %1\n mov %%fs, %2\n mov %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	record("ds", ds);
	record("es", es);
	record("fs", fs);
	record("gs", gs);
}

/* What every entry by SYSCALL of 64-bit code looks like, for the state in u. */
static void check_syscall(uint64_t user_flags, uint64_t at)
{
	require(r.why == VECTOR_SYSCALL);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rip, at);
	check_eq(r.rcx, at);
	check_eq(r.r11, user_flags);
	check_eq(r.rflags, user_flags);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS64);
	check_eq(r.ss, FLAT_USER_SS64);
	check_eq(r.rsp, u.regs.rsp);
	check_eq(r.frame, 7 * 8);
	check_eq(r.regs.rflags & (FL_TF | FL_AC | FL_NT), 0);
}

static void run(uint64_t seed, uint64_t flags, uint64_t iret_flags)
{
	user_state64(&u, seed);
	u.regs.rflags |= flags;
	USER_RUN(syscall, &u, iret_flags, &r);
	check_syscall(FL_FIXED | FL_IF | flags, USER_CODE + 2);
}

CASE(entry_registers)
{
	require(user_init());
	run(1, 0, 0);
	check_selectors();
	record("entry_rflags", r.regs.rflags & ~FL_ARITH);
}

CASE(entry_registers_after_sysret)
{
	require(user_init());
	run(2, 0, VGCF_in_syscall);
}

CASE(registers_as_in_frame)
{
	/* A kernel may leave the two words of the frame unread. */
	require(user_init());
	run(24, FL_CF, 0);
	check_eq(r.regs.rcx, USER_CODE + 2);
	check_eq(r.regs.r11, FL_FIXED | FL_IF | FL_CF);
	run(25, FL_ZF, VGCF_in_syscall);
	check_eq(r.regs.rcx, USER_CODE + 2);
	check_eq(r.regs.r11, FL_FIXED | FL_IF | FL_ZF);
}

CASE(r11_is_user_rflags)
{
	uint64_t seed;

	require(user_init());
	for (seed = 10; seed < 74; seed++) {
		uint64_t flags = 0;

		flags |= seed & 1 ? FL_CF : 0;
		flags |= seed & 2 ? FL_ZF : 0;
		flags |= seed & 4 ? FL_SF : 0;
		flags |= seed & 8 ? FL_OF : 0;
		flags |= seed & 16 ? FL_DF : 0;
		flags |= seed & 32 ? FL_ID : 0;
		run(seed, flags, seed & 3 ? VGCF_in_syscall : 0);
	}
}

CASE(rcx_is_user_rip)
{
	require(user_init());
	user_state64(&u, 3);
	u.regs.rcx = 1000;
	USER_RUN(loop, &u, 0, &r);
	u.regs.rflags |= FL_ZF | FL_PF;
	check_syscall(FL_FIXED | FL_IF | FL_ZF | FL_PF, USER_CODE + 6);
}

CASE(trap_flag)
{
	require(user_init());
	run(4, FL_TF, 0);
	check_eq(r.rflags & FL_TF, FL_TF);
}

CASE(alignment_check)
{
	require(user_init());
	run(5, FL_AC, 0);
	run(6, FL_AC, VGCF_in_syscall);
}

CASE(nested_task_flag)
{
	require(user_init());
	run(7, FL_NT, 0);
}

CASE(frame_upcall_mask_open)
{
	require(user_init());
	upcalls_on();
	run(8, 0, 0);
	record("cs_high", r.cs >> 32);
	record("mask", r.upcall_mask);
	check_eq(r.upcall_mask, 0);
}

CASE(masked_user_entry)
{
	/* iret with IF clear enters user mode with upcalls masked; the frame says so. */
	require(user_init());
	user_state64(&u, 9);
	u.regs.rflags = FL_FIXED;
	USER_RUN(syscall, &u, 0, &r);
	require(r.why == VECTOR_SYSCALL);
	record("rflags", r.rflags);
	record("r11", r.r11);
	record("cs_high", r.cs >> 32);
	record("mask", r.upcall_mask);
	upcalls_on();
}

CASE(callback_masks_events)
{
	struct callback_register cb = {CALLBACKTYPE_syscall, CALLBACKF_mask_events,
				       (unsigned long)entry_syscall};

	require(user_init());
	upcalls_on();
	check_eq(hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb), 0);
	run(11, 0, 0);
	check_eq(r.upcall_mask, 1);
	upcalls_on();
	cb.flags = 0;
	check_eq(hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb), 0);
}

static unsigned int events;

static void count_event(uint32_t port)
{
	(void)port;
	events++;
}

/* A port to ourselves: an IPI, the simplest sender there is. */
static uint32_t bind_ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&b)) {
		error("bind_ipi");
		return 0;
	}
	event_set_handler(count_event);
	event_unmask(b.port);
	return b.port;
}

static void send(uint32_t port)
{
	struct evtchn_send s = {.port = port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&s);
}

static void close_port(uint32_t port)
{
	struct evtchn_close c = {.port = port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, (unsigned long)&c);
}

CASE(pending_event_before_user_code)
{
	/* The upcall comes before the first user instruction and every register survives it. */
	uint32_t port;
	uint64_t seed;

	require(user_init());
	port = bind_ipi();
	require(port);
	for (seed = 100; seed < 116; seed++) {
		events = 0;
		upcalls_off();
		send(port);
		run(seed, seed & 1 ? FL_CF : 0, seed & 2 ? VGCF_in_syscall : 0);
		check_eq(events, 1);
	}
	close_port(port);
	upcalls_on();
}

CASE(pending_event_with_trap_flag)
{
	uint32_t port;

	require(user_init());
	port = bind_ipi();
	require(port);
	events = 0;
	upcalls_off();
	send(port);
	user_state64(&u, 12);
	u.regs.rflags |= FL_TF;
	USER_RUN(syscall, &u, 0, &r);
	check_eq(events, 1);
	record("why", r.why);
	record("rip", r.rip);
	record("rflags", r.rflags);
	close_port(port);
	upcalls_on();
}

CASE(sysret_return_registers)
{
	/* VGCF_in_syscall: user mode finds rcx = rip and r11 = rflags, the rest as given. */
	require(user_init());
	user_state64(&u, 13);
	u.regs.rflags |= FL_CF;
	USER_RUN(ud2, &u, VGCF_in_syscall, &r);
	require(r.why == 6);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rip, USER_CODE);
	check_eq(r.rcx, USER_CODE);
	check_eq(r.r11, FL_FIXED | FL_IF | FL_CF);
	check_eq(r.rflags & ~FL_RF, FL_FIXED | FL_IF | FL_CF);
}

CASE(iret_return_registers)
{
	/* Without it all sixteen registers are those of the frame. */
	require(user_init());
	user_state64(&u, 14);
	USER_RUN(ud2, &u, 0, &r);
	require(r.why == 6);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rcx, u.regs.rcx);
	check_eq(r.r11, u.regs.r11);
	check_eq(r.rsp, u.regs.rsp);
	check_eq(r.rip, USER_CODE);
}

CASE(int80_64)
{
	/* A trap, not a system call: rcx and r11 are the user's. */
	require(user_init());
	user_state64(&u, 15);
	USER_RUN(int80, &u, 0, &r);
	require(r.why == 0x80);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rip, USER_CODE + 2);
	check_eq(r.rcx, u.regs.rcx);
	check_eq(r.r11, u.regs.r11);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS64);
	check_eq(r.frame, 7 * 8);
}

CASE(sysenter_64)
{
	require(user_init());
	user_state64(&u, 16);
	USER_RUN(sysenter, &u, 0, &r);
	record("why", r.why);
	record("cs", FRAME_CS(r.cs));
}

CASE(syscall32_registers)
{
	require(user_init());
	user_state32(&u, 17);
	u.regs.rsp = USER_STACK_TOP - 64;
	USER_RUN(syscall32, &u, 0, &r);
	record("why", r.why);
	require(r.why == VECTOR_SYSCALL32);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rip, USER_CODE + 2);
	check_eq(r.rcx, USER_CODE + 2);
	check_eq(r.rflags, FL_FIXED | FL_IF);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS32);
	check_eq(r.ss, FLAT_USER_SS32);
	check_eq(r.rsp, u.regs.rsp);
	check_eq(r.frame, 7 * 8);
	record("r11", r.r11);
	check_selectors();
}

CASE(syscall32_flags)
{
	require(user_init());
	user_state32(&u, 18);
	u.regs.rflags |= FL_AC | FL_TF | FL_DF;
	USER_RUN(syscall32, &u, 0, &r);
	require(r.why == VECTOR_SYSCALL32);
	check_eq(r.rflags, FL_FIXED | FL_IF | FL_AC | FL_TF | FL_DF);
	check_eq(r.regs.rflags & (FL_TF | FL_AC | FL_NT), 0);
}

CASE(int80_32)
{
	require(user_init());
	user_state32(&u, 19);
	USER_RUN(int80_32, &u, 0, &r);
	require(r.why == 0x80);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rcx, u.regs.rcx);
	check_eq(r.r11, u.regs.r11);
	check_eq(r.rip, USER_CODE + 2);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS32);
}

CASE(sysenter_32)
{
	require(user_init());
	user_state32(&u, 20);
	USER_RUN(sysenter32, &u, 0, &r);
	record("why", r.why);
	record("cs", FRAME_CS(r.cs));
	record("error", r.error);
}

CASE(exception_32)
{
	require(user_init());
	user_state32(&u, 21);
	USER_RUN(ud2_32, &u, 0, &r);
	require(r.why == 6);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rip, USER_CODE);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS32);
}

CASE(refused_software_interrupt)
{
	/* A gate whose level is below 3 answers #GP with the selector-like error code. */
	require(user_init());
	trap_set_gate(0x30, 0);
	user_state64(&u, 22);
	USER_RUN(int30, &u, 0, &r);
	trap_set_gate(0x30, 3);
	require(r.why == 13);
	check_eq(r.error & 7, 2);
	check_eq(r.rip, USER_CODE);
}

CASE(user_cli)
{
	/* Privileged instructions in user mode are the user's fault, whatever the kernel's level. */
	require(user_init());
	user_state64(&u, 23);
	USER_RUN(cli, &u, 0, &r);
	record("why", r.why);
	record("error", r.error);
	check_eq(r.rip, USER_CODE);
}

static volatile bool stop;
static volatile uint32_t storm_port;
static volatile bool running;

/* vCPU 1: events at vCPU 0 as fast as they go. */
static void storm(void)
{
	running = true;
	while (!stop)
		send(storm_port);
	running = false;
	hypercall3(__HYPERVISOR_vcpu_op, 2 /* VCPUOP_down */, 1, 0);
	for (;;)
		;
}

CASE(under_load)
{
	uint64_t seed;

	require(user_init());
	storm_port = bind_ipi();
	require(storm_port);
	if (vcpu_start(1, storm)) {
		skip("one vCPU only");
		return;
	}
	upcalls_on();
	while (!running)
		hypercall2(__HYPERVISOR_sched_op, 0, 0);
	events = 0;
	for (seed = 1000; seed < 3000; seed++)
		run(seed, seed & 1 ? FL_CF : FL_ZF, seed & 2 ? VGCF_in_syscall : 0);
	stop = true;
	while (running)
		hypercall2(__HYPERVISOR_sched_op, 0, 0);
	check(events > 0);
	close_port(storm_port);
}
