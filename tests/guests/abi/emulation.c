/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/privileged.md promises: the kernel runs unprivileged; the hypervisor emulates for it
 * the control registers, the model-specific registers it may know, CPUID behind the prefix, and
 * port I/O it has the right to. What is not emulated is #GP with error code 0, and no register
 * has changed then.
 */
#include <xen/arch-x86/cpuid.h>
#include <xen/physdev.h>

#include "guest.h"
#include "internal.h"
#include "usercode.h"

#define CODE(name, insns)         \
	extern const char name[]; \
	__asm__(".pushsection .text\n" #name ": " insns "\n jmp probe_done\n .popsection")

CODE(e_cpuid, ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n cpuid");
CODE(e_cpuid_native, "cpuid");
CODE(e_rdmsr, "rdmsr");
CODE(e_wrmsr, "wrmsr");
CODE(e_cr0, "mov %cr0, %rax");
CODE(e_cr2, "mov %cr2, %rax");
CODE(e_cr3, "mov %cr3, %rax");
CODE(e_cr4, "mov %cr4, %rax");
CODE(e_cr8, "mov %cr8, %rax");
CODE(e_set_cr0, "mov %rax, %cr0");
CODE(e_set_cr2, "mov %rax, %cr2");
CODE(e_set_cr3, "mov %rax, %cr3");
CODE(e_set_cr4, "mov %rax, %cr4");
CODE(e_clts, "clts");
CODE(e_cli, "cli");
CODE(e_sti, "sti");
CODE(e_dr6, "mov %dr6, %rax");
CODE(e_dr7, "mov %dr7, %rax");
CODE(e_set_dr0, "mov %rax, %dr0");
CODE(e_inb, "inb %dx, %al");
CODE(e_inl, "inl %dx, %eax");
CODE(e_outb, "outb %al, %dx");
CODE(e_insb, "insb");
CODE(e_outsb, "outsb");
CODE(e_rdtsc, "rdtsc");
CODE(e_rdtscp, "rdtscp");
CODE(e_rdpmc, "rdpmc");
CODE(e_invlpg, "invlpg (%rax)");
CODE(e_wbinvd, "wbinvd");
CODE(e_invd, "invd");
CODE(e_lgdt, "lgdt (%rsp)");
CODE(e_lidt, "lidt (%rsp)");
CODE(e_ltr, "ltr %ax");
CODE(e_lldt, "lldt %ax");
CODE(e_sgdt, "sub $16, %rsp\n sgdt (%rsp)\n add $16, %rsp");
CODE(e_smsw, "smsw %eax");
CODE(e_lmsw, "lmsw %ax");
CODE(e_xgetbv, "xgetbv");
CODE(e_xsetbv, "xsetbv");
CODE(e_swapgs, "swapgs");
CODE(e_sysret, "sysretq");
CODE(e_monitor, "monitor");
CODE(e_vmcall, "vmmcall");
CODE(e_clac, "clac");
CODE(e_rdfsbase, "rdfsbase %rax");
CODE(e_pushf, "pushf\n pop %rax");

static struct regs in, out;

static unsigned int go(const char *code, uint64_t rax, uint64_t rcx, uint64_t rdx)
{
	regs_fill(&in, 99);
	in.rax = rax;
	in.rcx = rcx;
	in.rdx = rdx;
	return trap_probe(&in, &out, code);
}

/* Result and vector of one instruction. */
static void note(const char *name, const char *code, uint64_t rax, uint64_t rcx, uint64_t rdx)
{
	unsigned int v = go(code, rax, rcx, rdx);

	record(name, v);
	if (v != NO_TRAP) {
		check_eq(last_trap.error, 0);
		check_eq(last_trap.rip, code);
		check_regs(&in, &last_trap.regs, R_RCX | R_RSP | R_R11 | R_RFLAGS, __LINE__);
	}
}

static long set_iopl(uint32_t level)
{
	struct physdev_set_iopl iopl = {level};

	return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl);
}

CASE(cpuid_signature)
{
	check_eq(go(e_cpuid, 0x40000000, 0, 0), NO_TRAP);
	check(out.rax >= 0x40000002);
	check_eq(out.rbx, XEN_CPUID_SIGNATURE_EBX);
	check_eq(out.rcx, XEN_CPUID_SIGNATURE_ECX);
	check_eq(out.rdx, XEN_CPUID_SIGNATURE_EDX);
	record("max", out.rax);
	check_regs(&in, &out, R_RAX | 1u << 1 | R_RCX | 1u << 3 | R_RSP | R_RFLAGS, __LINE__);
}

CASE(cpuid_version)
{
	check_eq(go(e_cpuid, 0x40000001, 0, 0), NO_TRAP);
	check_eq(out.rax, 4u << 16 | 17);
	check_eq(go(e_cpuid, 0x40000002, 0, 0), NO_TRAP);
	record("pages", out.rax);
	record("msr", out.rbx);
}

CASE(cpuid_features)
{
	static const uint32_t leaf[][2] = {{1, 0},          {7, 0},          {0xd, 0},       {0xd, 1},
					   {0x80000001, 0}, {0x80000007, 0}, {0x80000008, 0}};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(leaf); i++) {
		char name[24];

		check_eq(go(e_cpuid, leaf[i][0], leaf[i][1], 0), NO_TRAP);
		snprintf(name, sizeof(name), "a_%x_%x", leaf[i][0], leaf[i][1]);
		record(name, out.rax);
		name[0] = 'b';
		/* Leaf 1 EBX holds the number of the processor that ran it. */
		record(name, leaf[i][0] == 1 ? out.rbx & 0xff00 : out.rbx);
		name[0] = 'c';
		record(name, out.rcx);
		name[0] = 'd';
		record(name, out.rdx);
	}
}

CASE(cpuid_native)
{
	check_eq(go(e_cpuid_native, 0, 0, 0), NO_TRAP);
}

CASE(read_control_registers)
{
	check_eq(go(e_cr0, 0, 0, 0), NO_TRAP);
	record("cr0", out.rax);
	check_eq(go(e_cr2, 0, 0, 0), NO_TRAP);
	check_eq(out.rax, vcpu_info0->arch.cr2);
	check_eq(go(e_cr3, 0, 0, 0), NO_TRAP);
	check_eq(out.rax, xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base)));
	check_eq(go(e_cr4, 0, 0, 0), NO_TRAP);
	record("cr4", out.rax);
	note("cr8", e_cr8, 0, 0, 0);
}

CASE(write_control_registers)
{
	uint64_t cr0, cr4;

	go(e_cr0, 0, 0, 0);
	cr0 = out.rax;
	go(e_cr4, 0, 0, 0);
	cr4 = out.rax;
	check_eq(go(e_set_cr0, cr0, 0, 0), NO_TRAP);
	note("cr0_wp_off", e_set_cr0, cr0 & ~(1UL << 16), 0, 0);
	note("cr0_pg_off", e_set_cr0, cr0 & ~(1UL << 31), 0, 0);
	check_eq(go(e_set_cr2, 0x5555, 0, 0), NO_TRAP);
	check_eq(vcpu_info0->arch.cr2, 0x5555);
	check_eq(go(e_set_cr4, cr4, 0, 0), NO_TRAP);
	note("cr4_smap", e_set_cr4, cr4 | 1UL << 21, 0, 0);
	go(e_cr4, 0, 0, 0);
	record("cr4_after", out.rax ^ cr4);
	note("cr3_same", e_set_cr3, xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base)), 0, 0);
	note("cr3_bad", e_set_cr3, 0xfffffffff000UL, 0, 0);
}

CASE(task_switched)
{
	uint64_t cr0;

	go(e_cr0, 0, 0, 0);
	cr0 = out.rax & ~8UL;
	check_eq(go(e_set_cr0, cr0 | 8, 0, 0), NO_TRAP);
	go(e_cr0, 0, 0, 0);
	check_eq(out.rax, cr0 | 8);
	check_eq(go(e_clts, 0, 0, 0), NO_TRAP);
	go(e_cr0, 0, 0, 0);
	check_eq(out.rax, cr0);
}

CASE(interrupt_flag)
{
	/* Without virtual I/O privilege CLI and STI are refused, with it they do nothing. */
	check_eq(set_iopl(0), 0);
	note("cli0", e_cli, 0, 0, 0);
	note("sti0", e_sti, 0, 0, 0);
	check_eq(set_iopl(1), 0);
	note("cli1", e_cli, 0, 0, 0);
	note("sti1", e_sti, 0, 0, 0);
	go(e_pushf, 0, 0, 0);
	check_eq(out.rax & FL_IF, FL_IF);
	record("iopl", out.rax & FL_IOPL);
	record("four", (uint64_t)set_iopl(4));
	set_iopl(0);
}

CASE(port_io)
{
	if (!is_dom0()) {
		skip("no port rights");
		return;
	}
	note("without_iopl", e_outb, 0x55, 0, 0x80);
	set_iopl(1);
	check_eq(go(e_outb, 0x55, 0, 0x80), NO_TRAP);
	note("inb_80", e_inb, 0, 0, 0x80);
	check_regs(&in, &out, R_RAX | R_RSP | R_RFLAGS, __LINE__);
	note("inl_cfc", e_inl, 0, 0, 0xcfc);
	/* The hypervisor's own console port is not the guest's. */
	note("inb_3fd", e_inb, 0, 0, 0x3fd);
	/* Ports the hypervisor keeps read as all ones or are refused. */
	note("pic", e_inb, 0, 0, 0x21);
	set_iopl(0);
}

CASE(string_io)
{
	static char buffer[16];
	unsigned int v;

	if (!is_dom0()) {
		skip("no port rights");
		return;
	}
	set_iopl(1);
	regs_fill(&in, 5);
	in.rdx = 0x80;
	in.rdi = (uint64_t)buffer;
	v = trap_probe(&in, &out, e_insb);
	record("insb", v);
	if (v == NO_TRAP)
		check_eq(out.rdi, buffer + 1);
	in.rsi = (uint64_t)buffer;
	v = trap_probe(&in, &out, e_outsb);
	record("outsb", v);
	if (v == NO_TRAP)
		check_eq(out.rsi, buffer + 1);
	set_iopl(0);
}

CASE(msr_reads)
{
	static const uint32_t msrs[] = {0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000102, 0x1b,
					0x277,      0x8b,       0x179,      0xfe,       0x10,       0x48,
					0x49,       0x10a,      0x140,      0xce,       0x174,      0x1d9,
					0xc0010015, 0xc001001f, 0x12345678};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		unsigned int v = go(e_rdmsr, 0, msrs[i], 0);
		char name[24];

		snprintf(name, sizeof(name), "msr_%x", msrs[i]);
		record(name, v);
		/* The time-stamp counter differs by nature, and what faults has no value. */
		if (v == NO_TRAP && msrs[i] != 0x10) {
			snprintf(name, sizeof(name), "val_%x", msrs[i]);
			record(name, out.rdx << 32 | (uint32_t)out.rax);
		}
	}
}

CASE(msr_writes)
{
	note("efer", e_wrmsr, 0, 0xc0000080, 0);
	note("lstar", e_wrmsr, 0, 0xc0000082, 0);
	note("unknown", e_wrmsr, 0, 0x12345678, 0);
	note("sysenter", e_wrmsr, 0, 0x174, 0);
	note("fs_noncanonical", e_wrmsr, 0, 0xc0000100, 0x8000);
	note("spec_ctrl_bad", e_wrmsr, 0xffff, 0x48, 0);
	note("shadow_gs", e_wrmsr, 0, 0xc0000102, 0);
}

CASE(debug_registers)
{
	check_eq(go(e_set_dr0, 0x4321, 0, 0), NO_TRAP);
	check_eq(hypercall1(__HYPERVISOR_get_debugreg, 0), 0x4321);
	check_eq(go(e_dr6, 0, 0, 0), NO_TRAP);
	record("dr6", out.rax);
	check_eq(go(e_dr7, 0, 0, 0), NO_TRAP);
	record("dr7", out.rax);
	note("hypervisor_address", e_set_dr0, 0xffff830000000000UL, 0, 0);
	hypercall2(__HYPERVISOR_set_debugreg, 0, 0);
}

CASE(privileged_instructions)
{
	note("invlpg", e_invlpg, VIRT_BASE + 0x100000, 0, 0);
	note("wbinvd", e_wbinvd, 0, 0, 0);
	note("invd", e_invd, 0, 0, 0);
	note("lgdt", e_lgdt, 0, 0, 0);
	note("lidt", e_lidt, 0, 0, 0);
	note("ltr", e_ltr, 0xe033, 0, 0);
	note("lldt", e_lldt, 0, 0, 0);
	note("lmsw", e_lmsw, 1, 0, 0);
	note("swapgs", e_swapgs, 0, 0, 0);
	note("sysret", e_sysret, 0, 0, 0);
	note("rdpmc", e_rdpmc, 0, 0, 0);
}

CASE(unprivileged_instructions)
{
	check_eq(go(e_rdtsc, 0, 0, 0), NO_TRAP);
	note("sgdt", e_sgdt, 0, 0, 0);
	note("smsw", e_smsw, 0, 0, 0);
	note("rdfsbase", e_rdfsbase, 0, 0, 0);
	record("rdtscp", go(e_rdtscp, 0, 0, 0));
	record("monitor", go(e_monitor, 0, 0, 0));
	record("vmmcall", go(e_vmcall, 0, 0, 0));
	record("clac", go(e_clac, 0, 0, 0));
}

CASE(extended_state_mask)
{
	uint64_t mask, cr4;

	/* Announced in CR4 first, as on the processor. */
	note("without_osxsave", e_xsetbv, 3, 0, 0);
	go(e_cr4, 0, 0, 0);
	cr4 = out.rax;
	check_eq(go(e_set_cr4, cr4 | 1UL << 18, 0, 0), NO_TRAP);
	go(e_cr4, 0, 0, 0);
	record("cr4_osxsave", out.rax);
	go(e_cpuid, 1, 0, 0);
	check_eq(out.rcx >> 27 & 1, 1);
	check_eq(go(e_xgetbv, 0, 0, 0), NO_TRAP);
	mask = out.rdx << 32 | (uint32_t)out.rax;
	record("xcr0", mask);
	check_eq(go(e_xsetbv, mask, 0, 0), NO_TRAP);
	/* x87 cannot be left out, unknown components and other registers are refused. */
	note("without_x87", e_xsetbv, mask & ~1UL, 0, 0);
	note("unknown", e_xsetbv, mask | 1UL << 30, 0, 0);
	note("avx_without_sse", e_xsetbv, 5, 0, 0);
	note("xcr1", e_xsetbv, 1, 1, 0);
	check_eq(go(e_xsetbv, 7, 0, 0), NO_TRAP);
	go(e_xgetbv, 0, 0, 0);
	check_eq((uint32_t)out.rax, 7);
	go(e_xsetbv, mask, 0, 0);
	go(e_set_cr4, cr4, 0, 0);
}

CASE(user_mode_gets_nothing)
{
	USER_ASM(ucr, "mov %cr0, %rax\n ud2");
	USER_ASM(umsr, "rdmsr\n ud2");
	USER_ASM(uin, "inb $0x80, %al\n ud2");
	static struct user_state u;
	static struct user_result r;

	require(user_init());
	user_state64(&u, 1);
	USER_RUN(ucr, &u, 0, &r);
	check_eq(r.why, 13);
	u.regs.rcx = 0xc0000080;
	USER_RUN(umsr, &u, 0, &r);
	check_eq(r.why, 13);
	USER_RUN(uin, &u, 0, &r);
	check_eq(r.why, 13);
	check_eq(r.rip, USER_CODE);
}
