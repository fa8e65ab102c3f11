/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/traps.md promises: an exception enters the handler of the trap table with
 *
 *	rcx  r11  [error]  rip  cs  rflags  rsp  ss
 *
 * on the stack: from kernel mode on the current one, aligned down to 16 bytes, from user mode on
 * the one given to stack_switch. All other registers are those of the interrupted code; rip,
 * error and vcpu_info.arch.cr2 are as the architecture says; cs has privilege 0 for the kernel,
 * 3 for user mode. Upcalls are masked only if the gate asks for it.
 */
#include <xen/nmi.h>

#include "guest.h"
#include "internal.h"
#include "usercode.h"

#define CODE(name, insns)         \
	extern const char name[]; \
	__asm__(".pushsection .text\n" #name ": " insns "\n jmp probe_done\n .popsection")

CODE(c_ud2, "ud2");
CODE(c_int3, "int3");
CODE(c_bp2, ".byte 0xcd, 3");
CODE(c_into, "int $4");
CODE(c_div, "xor %edx, %edx\n xor %ecx, %ecx\n div %ecx");
CODE(c_read, "mov (%rdi), %rax");
CODE(c_write, "mov %rax, (%rdi)");
CODE(c_exec, "jmp *%rdi");
CODE(c_int80, "int $0x80");
CODE(c_int81, "int $0x81");
CODE(c_int13, "int $13");
CODE(c_tf, "pushf\n orl $0x100, (%rsp)\n popf\n nop\n nop");
CODE(c_hlt_user, "nop");
CODE(c_movss, "mov %edi, %ss");
CODE(c_movds, "mov %edi, %ds");
CODE(c_nm, "fninit");
CODE(c_push, "mov %rdi, %rbp\n mov (%rbp), %rax");
CODE(c_icebp, ".byte 0xf1");

static struct regs in, out;
static struct user_state u;
static struct user_result r;

static unsigned int at(const char *code, uint64_t rdi)
{
	regs_fill(&in, 42);
	in.rdi = rdi;
	return trap_probe(&in, &out, code);
}

static void check_frame(const char *code, unsigned int length)
{
	check_regs(&in, &last_trap.regs, R_RAX | R_RCX | 1u << 3 | R_RSP | R_R11 | R_RFLAGS, __LINE__);
	check_eq(last_trap.r11, in.r11);
	check_eq(last_trap.rip, code + length);
	check_eq(FRAME_CS(last_trap.cs), FLAT_KERNEL_CS64 & ~3);
	check_eq(last_trap.ss & ~3UL, FLAT_KERNEL_SS64 & ~3);
	check_eq(last_trap.regs.rflags & FL_TF, 0);
}

CASE(invalid_opcode)
{
	check_eq(at(c_ud2, 0), 6);
	check_frame(c_ud2, 0);
	check_eq(last_trap.rcx, in.rcx);
	check_eq(last_trap.regs.rax, in.rax);
	record("cs", last_trap.cs);
	record("ss", last_trap.ss);
	record("rflags", last_trap.rflags & ~FL_ARITH);
}

CASE(breakpoint)
{
	check_eq(at(c_int3, 0), 3);
	check_frame(c_int3, 1);
	check_eq(at(c_bp2, 0), 3);
	check_frame(c_bp2, 2);
}

CASE(overflow)
{
	check_eq(at(c_into, 0), 4);
	check_frame(c_into, 2);
}

CASE(divide_error)
{
	check_eq(at(c_div, 0), 0);
	check_frame(c_div, 4);
}

CASE(single_step)
{
	/* The step over the popf is the first; the trap is behind the next instruction. */
	check_eq(at(c_tf, 0), 1);
	record("offset", last_trap.rip - (uint64_t)c_tf);
	check_eq(last_trap.rflags & FL_TF, FL_TF);
	check_eq(last_trap.regs.rflags & FL_TF, 0);
	record("dr6", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 6));
}

CASE(icebp)
{
	/* Emulated machines may not have the instruction; both hypervisors see the same. */
	record("vector", at(c_icebp, 0));
	record("offset", last_trap.rip - (uint64_t)c_icebp);
}

CASE(general_protection_noncanonical)
{
	check_eq(at(c_read, 0x800000000000UL), 13);
	check_frame(c_read, 0);
	check_eq(last_trap.error, 0);
}

CASE(stack_fault_noncanonical)
{
	/* The manual's vector is 12; emulated machines answer 13. */
	record("vector", at(c_push, 0x800000000000UL));
	check_eq(last_trap.error, 0);
}

CASE(page_fault_read)
{
	check_eq(at(c_read, 0x123456000UL), 14);
	check_frame(c_read, 0);
	record("error", last_trap.error);
	check_eq(vcpu_info0->arch.cr2, 0x123456000UL);
}

CASE(page_fault_write)
{
	check_eq(at(c_write, 0x123457008UL), 14);
	record("error", last_trap.error);
	check_eq(vcpu_info0->arch.cr2, 0x123457008UL);
}

CASE(page_fault_readonly)
{
	void *page = page_alloc();

	check_eq(set_readonly(page), 0);
	check_eq(at(c_write, (uint64_t)page + 16), 14);
	record("error", last_trap.error);
	check_eq(vcpu_info0->arch.cr2, page + 16);
	check_eq(set_writable(page), 0);
	check_eq(at(c_write, (uint64_t)page + 16), NO_TRAP);
	page_free(page);
}

CASE(page_fault_fetch)
{
	check_eq(at(c_exec, 0x123458000UL), 14);
	record("error", last_trap.error);
	check_eq(last_trap.rip, 0x123458000UL);
}

CASE(page_fault_hypervisor)
{
	/* The hypervisor's own memory is as good as absent; nothing of it leaks. */
	check_eq(at(c_read, 0xffff830000000000UL), 14);
	record("read", last_trap.error);
	check_eq(vcpu_info0->arch.cr2, 0xffff830000000000UL);
	check_eq(at(c_write, MACH2PHYS_VIRT_START), 14);
	record("m2p_write", last_trap.error);
}

CASE(page_fault_user)
{
	USER_ASM(touch, "mov (%rdi), %eax\n ud2");

	require(user_init());
	user_state64(&u, 1);
	u.regs.rdi = 0x700000;
	USER_RUN(touch, &u, 0, &r);
	require(r.why == 14);
	check_regs(&u.regs, &r.regs, R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(r.rcx, u.regs.rcx);
	check_eq(r.r11, u.regs.r11);
	check_eq(r.rip, USER_CODE);
	check_eq(FRAME_CS(r.cs), FLAT_USER_CS64);
	check_eq(r.frame, 8 * 8);
	record("error", r.error);
	check_eq(vcpu_info0->arch.cr2, 0x700000);
}

CASE(page_fault_user_kernel_address)
{
	USER_ASM(touchk, "mov (%rdi), %eax\n ud2");

	/* The kernel's pages are not in the user's tables. */
	require(user_init());
	user_state64(&u, 2);
	u.regs.rdi = VIRT_BASE + 0x100000;
	USER_RUN(touchk, &u, 0, &r);
	require(r.why == 14);
	record("error", r.error);
}

CASE(software_interrupt)
{
	check_eq(at(c_int80, 0), 0x80);
	check_frame(c_int80, 2);
}

CASE(software_interrupt_without_gate)
{
	check_eq(at(c_int81, 0), 13);
	check_frame(c_int81, 0);
	check_eq(last_trap.error & 7, 2);
}

CASE(software_interrupt_level)
{
	/* A kernel's int n to a gate of level 0 is refused as well. */
	record("vector", at(c_int13, 0));
	record("rip_offset", last_trap.rip - (uint64_t)c_int13);
}

CASE(device_not_available)
{
	check_eq(hypercall1(__HYPERVISOR_fpu_taskswitch, 1), 0);
	check_eq(at(c_nm, 0), 7);
	check_frame(c_nm, 0);
	/* Delivering the exception cleared TS. */
	record("again", at(c_nm, 0));
	check_eq(hypercall1(__HYPERVISOR_fpu_taskswitch, 0), 0);
	check_eq(at(c_nm, 0), NO_TRAP);
}

CASE(bad_selector)
{
	check_eq(at(c_movds, 0x1003), 13);
	record("error", last_trap.error);
	check_eq(at(c_movss, 0), 13);
}

CASE(stack_alignment)
{
	/* Frames from kernel mode begin 16-aligned wherever the stack pointer was. */
	static char stack[512] __attribute__((aligned(16)));
	unsigned int off;

	for (off = 0; off < 16; off += 8) {
		regs_fill(&in, 7);
		in.rsp = (uint64_t)stack + 400 + off;
		check_eq(trap_probe(&in, &out, c_ud2), 6);
		check_eq(last_trap.rsp, in.rsp);
	}
}

CASE(gate_masks_upcalls)
{
	upcalls_on();
	check_eq(at(c_ud2, 0), 6);
	record("open_cs_high", last_trap.cs >> 32);
	check_eq(vcpu_info0->evtchn_upcall_mask, 0);
	trap_set_gate(6, 4);
	require(user_init());
	user_state64(&u, 3);
	{
		USER_ASM(ud, "ud2");
		USER_RUN(ud, &u, 0, &r);
	}
	check_eq(r.upcall_mask, 1);
	trap_set_gate(6, 0);
	upcalls_on();
}

CASE(set_trap_table_bad_pointer)
{
	check_eq(hypercall1(__HYPERVISOR_set_trap_table, 0xffff830000000000UL), -XEN_EFAULT);
}

CASE(set_trap_table_bad_address)
{
	struct trap_info t[2] = {{200, 0, FLAT_KERNEL_CS, 0x800000000000UL}, {0}};

	record("noncanonical", (uint64_t)hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)t));
	t[0].address = 0xffff830000000000UL;
	record("hypervisor", (uint64_t)hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)t));
}

CASE(stack_switch)
{
	require(user_init());
	record("null_ss", (uint64_t)hypercall2(__HYPERVISOR_stack_switch, 0, 0x1000));
	record("bad_ss", (uint64_t)hypercall2(__HYPERVISOR_stack_switch, 0xe008, 0x1000));
}

CASE(debug_registers)
{
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 0, 0x1234), 0);
	check_eq(hypercall1(__HYPERVISOR_get_debugreg, 0), 0x1234);
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 3, VIRT_BASE), 0);
	check_eq(hypercall1(__HYPERVISOR_get_debugreg, 3), VIRT_BASE);
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 0, 0xffff830000000000UL), -XEN_EPERM);
	record("dr6", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 6));
	record("dr7", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 7));
	record("set_dr6", (uint64_t)hypercall2(__HYPERVISOR_set_debugreg, 6, 0));
	record("dr4", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 4));
	record("dr8", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 8));
	record("set_dr8", (uint64_t)hypercall2(__HYPERVISOR_set_debugreg, 8, 0));
	/* General detect and reserved bits are refused. */
	record("gd", (uint64_t)hypercall2(__HYPERVISOR_set_debugreg, 7, 0x2000));
	record("io", (uint64_t)hypercall2(__HYPERVISOR_set_debugreg, 7, 0x20001));
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 0, 0), 0);
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 3, 0), 0);
}

static uint64_t watched;

CASE(watchpoint)
{
	watched = 0;
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 1, (unsigned long)&watched), 0);
	/* Local enable of 1, eight bytes, write. */
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 7, 1u << 2 | 9u << 20), 0);
	check_eq(at(c_write, (uint64_t)&watched), 1);
	check_frame(c_write, 3);
	check_eq(watched, in.rax);
	record("dr6", (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, 6));
	check_eq(hypercall2(__HYPERVISOR_set_debugreg, 7, 0), 0);
	check_eq(at(c_write, (uint64_t)&watched), NO_TRAP);
}

CASE(nmi_callback)
{
	struct xennmi_callback cb = {(unsigned long)entry_nmi, 0};

	record("register",
	       (uint64_t)hypercall2(__HYPERVISOR_nmi_op, XENNMI_register_callback, (unsigned long)&cb));
	record("unregister", (uint64_t)hypercall2(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0));
	record("unknown", (uint64_t)hypercall2(__HYPERVISOR_nmi_op, 9, 0));
}
