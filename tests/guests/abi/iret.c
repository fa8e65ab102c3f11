/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/iret.md promises: the iret hypercall takes rax r11 rcx flags rip cs rflags rsp ss from
 * the stack and goes there with all other registers as they are. Privilege 3 in cs means user
 * mode and a switch to the user's tables, anything less means kernel mode. IF in rflags becomes
 * the upcall mask; IOPL, VM and the like are the hypervisor's and are not taken.
 */
#include "guest.h"
#include "internal.h"
#include "usercode.h"

static struct user_state u;
static struct user_result r;

/*
 * Kernel to kernel: the registers in `in` reach the target through the hypercall, with rax, rcx
 * and r11 from the frame.
 */
static struct iret_context frame[32]; /* the one used is in the middle */
static uint64_t iret_rsp;
extern const char do_iret[];
__asm__(".text\n"
	"do_iret: mov iret_frame_at(%rip), %rsp\n mov $23, %eax\n syscall\n ud2\n"
	".data\n"
	".globl iret_frame_at\n"
	"iret_frame_at: .quad 0\n"
	".text");
extern uint64_t iret_frame_at;

static void kernel_iret(struct regs *in, struct regs *out, uint64_t flags, uint64_t cs, uint64_t rflags,
			uint64_t vgcf)
{
	struct iret_context *f = &frame[16];

	(void)flags;
	*f = (struct iret_context){.rax = in->rax,
				   .r11 = in->r11,
				   .rcx = in->rcx,
				   .flags = vgcf,
				   .rip = (uint64_t)probe_done,
				   .cs = cs,
				   .rflags = rflags,
				   .rsp = (uint64_t)&frame[30],
				   .ss = FLAT_KERNEL_SS};
	iret_rsp = f->rsp;
	iret_frame_at = (uint64_t)f;
	check_eq(trap_probe(in, out, do_iret), NO_TRAP);
}

CASE(kernel_to_kernel)
{
	struct regs in, out;

	regs_fill(&in, 1);
	kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED, 0);
	check_regs(&in, &out, R_RSP | R_RFLAGS, __LINE__);
	check_eq(out.rsp, iret_rsp);
}

CASE(kernel_rpl)
{
	/* Levels 0, 1 and 2 all mean the kernel. */
	struct regs in, out;
	uint64_t rpl;

	for (rpl = 0; rpl < 3; rpl++) {
		regs_fill(&in, 2 + rpl);
		kernel_iret(&in, &out, 0, (FLAT_KERNEL_CS & ~3UL) | rpl, FL_FIXED, 0);
		check_regs(&in, &out, R_RSP | R_RFLAGS, __LINE__);
	}
}

CASE(if_is_the_upcall_mask)
{
	struct regs in, out;

	regs_fill(&in, 5);
	kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED | FL_IF, 0);
	check_eq(vcpu_info0->evtchn_upcall_mask, 0);
	regs_fill(&in, 6);
	kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED, 0);
	check_eq(vcpu_info0->evtchn_upcall_mask, 1);
	/* The real flag stays set either way. */
	check_eq(out.rflags & FL_IF, FL_IF);
	upcalls_on();
}

CASE(arithmetic_flags)
{
	struct regs in, out;
	uint64_t n;

	for (n = 0; n < 8; n++) {
		uint64_t fl = (n & 1 ? FL_CF : 0) | (n & 2 ? FL_ZF : 0) | (n & 4 ? FL_DF : 0);

		regs_fill(&in, 7 + n);
		kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED | fl, 0);
		check_eq(out.rflags & (FL_CF | FL_ZF | FL_DF), fl);
	}
}

CASE(iopl_not_taken)
{
	struct regs in, out;

	regs_fill(&in, 20);
	kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED | FL_IOPL | FL_IF, 0);
	check_eq(out.rflags & FL_IOPL, 0);
}

CASE(ac_in_kernel)
{
	struct regs in, out;

	regs_fill(&in, 21);
	kernel_iret(&in, &out, 0, FLAT_KERNEL_CS & ~3, FL_FIXED | FL_AC | FL_ID, 0);
	record("rflags", out.rflags & (FL_AC | FL_ID));
}

CASE(to_user_all_registers)
{
	USER_ASM(ud, "ud2");
	uint64_t seed;

	require(user_init());
	for (seed = 30; seed < 40; seed++) {
		user_state64(&u, seed);
		u.regs.rflags |= seed & 1 ? FL_CF | FL_DF : FL_ZF;
		USER_RUN(ud, &u, 0, &r);
		check_eq(r.why, 6);
		check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
		check_eq(r.rcx, u.regs.rcx);
		check_eq(r.r11, u.regs.r11);
		check_eq(r.rsp, u.regs.rsp);
		check_eq(r.rflags & (FL_CF | FL_DF | FL_ZF | FL_IF), u.regs.rflags & ~FL_FIXED);
	}
}

CASE(user_iopl_not_taken)
{
	USER_ASM(ud3, "ud2");

	require(user_init());
	user_state64(&u, 41);
	u.regs.rflags |= FL_IOPL;
	USER_RUN(ud3, &u, 0, &r);
	check_eq(r.why, 6);
	record("rflags", r.rflags & FL_IOPL);
}

CASE(user_rf)
{
	USER_ASM(ud4, "ud2");

	require(user_init());
	user_state64(&u, 42);
	u.regs.rflags |= FL_RF;
	USER_RUN(ud4, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(r.rip, USER_CODE);
}

CASE(user_stack_pointer_any)
{
	/* Nothing looks at the user's stack: it may point nowhere. */
	USER_ASM(ud5, "ud2");

	require(user_init());
	user_state64(&u, 43);
	u.regs.rsp = 0x1234567812345678UL;
	USER_RUN(ud5, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(r.rsp, 0x1234567812345678UL);
}

CASE(user_32bit_stack)
{
	USER_ASM32(ud6, "ud2");

	require(user_init());
	user_state32(&u, 44);
	u.regs.rsp = 0x12345678;
	USER_RUN(ud6, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS32);
	check_eq(r.rsp, 0x12345678);
}

CASE(user_null_rip)
{
	USER_ASM(ud7, "ud2");

	require(user_init());
	user_state64(&u, 45);
	u.rip = 0;
	USER_RUN(ud7, &u, 0, &r);
	check_eq(r.why, 14);
	check_eq(r.rip, 0);
	record("error", r.error);
	/* And by SYSRET. */
	USER_RUN(ud7, &u, VGCF_in_syscall, &r);
	check_eq(r.why, 14);
	check_eq(r.rip, 0);
	check_eq(r.rcx, 0);
}

CASE(user_rip_at_the_edge)
{
	/* The last canonical address: fetching it faults, going there is legal. */
	USER_ASM(ud8, "ud2");

	require(user_init());
	user_state64(&u, 46);
	u.rip = 0x7ffffffff000UL;
	USER_RUN(ud8, &u, VGCF_in_syscall, &r);
	check_eq(r.why, 14);
	check_eq(r.rip, 0x7ffffffff000UL);
}

CASE(user_rip_noncanonical)
{
	/* Entered by iret and by SYSRET alike: #GP there or the failsafe callback, never a crash. */
	USER_ASM(ud9, "ud2");

	require(user_init());
	user_state64(&u, 47);
	u.rip = 0x800000000000UL;
	USER_RUN(ud9, &u, VGCF_in_syscall, &r);
	record("why_sysret", r.why);
	record("error", r.error);
	record("rip_sysret", r.rip);
}

CASE(user_bad_cs)
{
	/* A selector without a code segment behind it. */
	USER_ASM(ud10, "ud2");

	require(user_init());
	user_state64(&u, 48);
	u.cs = 0x1003;
	USER_RUN(ud10, &u, 0, &r);
	record("why", r.why);
}
