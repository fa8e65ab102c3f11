/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/upcalls.md promises: an unmasked event sets the selector and evtchn_upcall_pending,
 * and if evtchn_upcall_mask is clear enters the event callback with a frame like an exception's
 * without error code; the mask is set there. Clearing the mask delivers nothing by itself; the
 * way back from any hypercall or exception does. Nothing pending is lost.
 */
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/sched.h>

#include "guest.h"
#include "internal.h"
#include "usercode.h"

static uint32_t port;
static unsigned int events;
static uint8_t mask_inside;

static void on_event(uint32_t p)
{
	if (p == port)
		events++;
	mask_inside = vcpu_info0->evtchn_upcall_mask;
}

static void send(void)
{
	struct evtchn_send s = {.port = port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&s);
}

static bool setup(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	events = 0;
	upcalls_on();
	if (port)
		return true;
	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, (unsigned long)&b))
		return false;
	port = b.port;
	event_set_handler(on_event);
	event_unmask(port);
	return true;
}

CASE(delivered_before_the_call_returns)
{
	require(setup());
	send();
	check_eq(events, 1);
	check_eq(mask_inside, 1);
	check_eq(vcpu_info0->evtchn_upcall_mask, 0);
	check_eq(vcpu_info0->evtchn_upcall_pending, 0);
}

CASE(registers_over_an_upcall)
{
	extern const char do_call[];
	struct evtchn_send s = {.port = 0};
	struct regs in, out;
	uint64_t seed;

	require(setup());
	s.port = port;
	for (seed = 1; seed < 20; seed++) {
		regs_fill(&in, seed);
		in.rax = __HYPERVISOR_event_channel_op;
		in.rdi = EVTCHNOP_send;
		in.rsi = (uint64_t)&s;
		check_eq(trap_probe(&in, &out, do_call), NO_TRAP);
		check_regs(&in, &out, R_RAX | R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
		check_eq(out.rax, 0);
	}
	check_eq(events, 19);
}
__asm__(".text\n do_call: syscall\n jmp probe_done");

CASE(masked_vcpu)
{
	require(setup());
	upcalls_off();
	send();
	check_eq(events, 0);
	check_eq(vcpu_info0->evtchn_upcall_pending, 1);
	check(event_pending(port));
	/* Clearing the mask alone brings nothing. */
	vcpu_info0->evtchn_upcall_mask = 0;
	barrier();
	check_eq(events, 0);
	hypercall2(__HYPERVISOR_xen_version, 0, 0);
	check_eq(events, 1);
}

CASE(delivered_after_exception)
{
	extern const char do_ud2[];
	struct regs in = {.rflags = 2}, out;

	/* The way back from a fault's handler is the iret hypercall. */
	require(setup());
	upcalls_off();
	send();
	vcpu_info0->evtchn_upcall_mask = 0;
	barrier();
	check_eq(trap_probe(&in, &out, do_ud2), 6);
	check_eq(events, 1);
}
__asm__(".text\n do_ud2: ud2\n jmp probe_done");

CASE(masked_port)
{
	require(setup());
	event_mask(port);
	send();
	check_eq(events, 0);
	check(event_pending(port));
	check_eq(vcpu_info0->evtchn_upcall_pending, 0);
	/* Unmasking a pending port raises it. */
	event_unmask(port);
	check_eq(events, 1);
}

CASE(sent_twice_is_one)
{
	require(setup());
	upcalls_off();
	send();
	send();
	upcalls_on();
	check_eq(events, 1);
}

CASE(selector_word)
{
	require(setup());
	upcalls_off();
	send();
	check_eq(vcpu_info0->evtchn_pending_sel, 1UL << (port / 64));
	upcalls_on();
	check_eq(vcpu_info0->evtchn_pending_sel, 0);
}

CASE(into_user_mode)
{
	USER_ASM(ud, "ud2");
	static struct user_state u;
	static struct user_result r;

	require(setup() && user_init());
	upcalls_off();
	send();
	user_state64(&u, 3);
	USER_RUN(ud, &u, 0, &r);
	check_eq(events, 1);
	check_eq(r.why, 6);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rcx, u.regs.rcx);
	check_eq(r.r11, u.regs.r11);
	upcalls_on();
}

static long callback(unsigned int op, uint16_t type, uint16_t flags, unsigned long address)
{
	struct callback_register cb = {type, flags, address};

	return hypercall2(__HYPERVISOR_callback_op, op, (unsigned long)&cb);
}

CASE(CALLBACKOP_register)
{
	check_eq(callback(CALLBACKOP_register, CALLBACKTYPE_event, 0, (unsigned long)entry_event), 0);
	record("unknown", (uint64_t)callback(CALLBACKOP_register, 99, 0, (unsigned long)entry_event));
	record("old_sysenter", (uint64_t)callback(CALLBACKOP_register, CALLBACKTYPE_sysenter_deprecated, 0,
						  (unsigned long)entry_sysenter));
	record("noncanonical",
	       (uint64_t)callback(CALLBACKOP_register, CALLBACKTYPE_event, 0, 0x800000000000UL));
	record("nmi", (uint64_t)callback(CALLBACKOP_register, CALLBACKTYPE_nmi, 0, (unsigned long)entry_nmi));
	check_eq(hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, 0), -XEN_EFAULT);
	record("op", (uint64_t)callback(7, 0, 0, 0));
}

CASE(CALLBACKOP_unregister)
{
	record("event", (uint64_t)callback(CALLBACKOP_unregister, CALLBACKTYPE_event, 0, 0));
	record("nmi", (uint64_t)callback(CALLBACKOP_unregister, CALLBACKTYPE_nmi, 0, 0));
	record("unknown", (uint64_t)callback(CALLBACKOP_unregister, 99, 0, 0));
}

CASE(set_callbacks)
{
	/* The old call sets event, failsafe and syscall entry in one go. */
	require(setup());
	check_eq(hypercall3(__HYPERVISOR_set_callbacks, (unsigned long)entry_event,
			    (unsigned long)entry_failsafe, (unsigned long)entry_syscall),
		 0);
	send();
	check_eq(events, 1);
}

CASE(frame_of_kernel_mode)
{
	/* Seen by a handler of our own in place of the library's. */
	extern const char own_event[];
	extern uint64_t own_frame[9];
	struct regs in, out;
	extern const char do_send_here[], do_send_after[];
	struct evtchn_send s = {.port = 0};

	require(setup());
	s.port = port;
	check_eq(callback(CALLBACKOP_register, CALLBACKTYPE_event, 0, (unsigned long)own_event), 0);
	regs_fill(&in, 9);
	in.rax = __HYPERVISOR_event_channel_op;
	in.rdi = EVTCHNOP_send;
	in.rsi = (uint64_t)&s;
	check_eq(trap_probe(&in, &out, do_send_here), NO_TRAP);
	callback(CALLBACKOP_register, CALLBACKTYPE_event, 0, (unsigned long)entry_event);
	/* rcx r11 rip cs rflags rsp ss, then where it was */
	check_eq(own_frame[2], do_send_after);
	check_eq(FRAME_CS(own_frame[3]), FLAT_KERNEL_CS & ~3);
	check_eq(own_frame[3] >> 32, 0);
	check_eq(own_frame[4] & FL_IF, FL_IF);
	check_eq(own_frame[5] - own_frame[7], 7 * 8 + (own_frame[5] & 15));
	check_eq(own_frame[8], 1);
	record("rcx_is_rip", own_frame[0] == (uint64_t)do_send_after);
	vcpu_info0->evtchn_upcall_pending = 0;
	vcpu_info0->evtchn_pending_sel = 0;
	event_clear(port);
	upcalls_on();
}
__asm__(".text\n"
	"do_send_here: syscall\n"
	"do_send_after: jmp probe_done\n"
	"own_event:\n"
	"mov %rsp, own_frame + 56(%rip)\n"
	"push %rax\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6\n"
	"mov 8 + \\n * 8(%rsp), %rax\n"
	"mov %rax, own_frame + \\n * 8(%rip)\n"
	".endr\n"
	"mov shared_info(%rip), %rax\n"
	"movb $0, (%rax)\n"
	"movzbl 1(%rax), %eax\n"
	"mov %rax, own_frame + 64(%rip)\n"
	"pop %rax\n"
	"pop %rcx\n"
	"pop %r11\n"
	"push $0\n"
	"push %rcx\n"
	"push %r11\n"
	"push %rax\n"
	"mov $23, %eax\n"
	"syscall\n"
	".bss\n"
	".balign 8\n"
	"own_frame: .skip 72\n"
	".text");

CASE(block_opens_the_mask)
{
	/* SCHEDOP_block clears the mask and returns at once when something is pending. */
	require(setup());
	upcalls_off();
	send();
	check_eq(hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	check_eq(events, 1);
	check_eq(vcpu_info0->evtchn_upcall_mask, 0);
}
