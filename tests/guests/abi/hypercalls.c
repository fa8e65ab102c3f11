/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/hypercalls.md promises: a hypercall changes %rax, and %rcx and %r11 because the
 * SYSCALL instruction does; every other register and the arithmetic flags are kept. An unknown
 * number is -ENOSYS. The hypercall page keeps %rcx and %r11 as well. A multicall runs its
 * entries in order, each with a result of its own.
 */
#include <xen/pmu.h>
#include <xen/sched.h>
#include <xen/version.h>

#include "guest.h"
#include "usercode.h"

extern const char do_syscall[], do_page_call[];
__asm__(".text\n"
	"do_syscall: syscall\n jmp probe_done\n"
	"do_page_call: call hypercall_page + 17 * 32\n jmp probe_done");

static void plain(unsigned long nr, unsigned long a1, unsigned long a2, uint64_t seed, struct regs *out)
{
	struct regs in;

	regs_fill(&in, seed);
	in.rax = nr;
	in.rdi = a1;
	in.rsi = a2;
	in.rflags = FL_FIXED | (seed & FL_ARITH);
	check_eq(trap_probe(&in, out, do_syscall), NO_TRAP);
	check_regs(&in, out, R_RAX | R_RCX | R_RSP | R_R11 | R_RFLAGS, __LINE__);
	check_eq(out->rflags & FL_ARITH, in.rflags & FL_ARITH);
}

CASE(registers_kept)
{
	struct regs out;
	uint64_t seed;

	for (seed = 1; seed < 256; seed += 5) {
		plain(__HYPERVISOR_xen_version, XENVER_version, 0, seed, &out);
		check_eq(out.rax >> 16, 4);
	}
	record("rcx_is_rip", out.rcx == (uint64_t)do_syscall + 2);
	record("r11", out.r11 & ~FL_ARITH);
}

CASE(registers_kept_on_error)
{
	struct regs out;

	plain(1000, 0, 0, 3, &out);
	check_eq(out.rax, -XEN_ENOSYS);
	plain(__HYPERVISOR_xen_version, 99, 0, 4, &out);
	check_eq(out.rax, -XEN_ENOSYS);
}

CASE(registers_kept_over_yield)
{
	struct regs out;

	plain(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 5, &out);
	check_eq(out.rax, 0);
}

CASE(hypercall_page)
{
	struct regs in, out;

	regs_fill(&in, 6);
	in.rdi = XENVER_version;
	check_eq(trap_probe(&in, &out, do_page_call), NO_TRAP);
	check_regs(&in, &out, R_RAX | R_RSP | R_RFLAGS, __LINE__);
	check_eq(out.rax >> 16, 4);
}

CASE(hypercall_page_every_entry)
{
	/* Each entry loads its own number; whatever the call says to zero arguments, it returns. */
	static const unsigned char numbers[] = {17, 20, 32, 33, 34};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct regs in = {.rflags = 2}, out;

		in.rax = (uint64_t)hypercall_page + 32 * numbers[i];
		in.rdi = 99;
		check_eq(trap_probe(&in, &out, probe_call), NO_TRAP);
		record("result", out.rax);
	}
}

CASE(unknown_numbers)
{
	static const unsigned long numbers[] = {11, 38, 39, 43,  47,   50,         55,
						56, 63, 64, 255, 4096, 0x80000000, 0xffffffff};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		char name[24];

		snprintf(name, sizeof(name), "nr_%lu", numbers[i]);
		record(name, (uint64_t)hypercall1(numbers[i], 0));
	}
}

CASE(left_out)
{
	/* Profiling, kexec and the hidden continuation call of the reference. */
	check_eq(hypercall1(31, 0), -XEN_ENOSYS);
	check_eq(hypercall1(37, 0), -XEN_ENOSYS);
	check_eq(hypercall1(49, 0), -XEN_ENOSYS);
}

CASE(number_is_64_bits)
{
	record("high", (uint64_t)hypercall2(__HYPERVISOR_xen_version | 1UL << 32, 0, 0));
	record("minus", (uint64_t)hypercall2(~0UL, 0, 0));
}

CASE(xsm_op)
{
	check_eq(hypercall1(__HYPERVISOR_xsm_op, 0), -XEN_ENOSYS);
}

CASE(xenpmu_op)
{
	struct xen_pmu_params p = {.version = {0, 1}};

	record("mode_get", (uint64_t)hypercall2(__HYPERVISOR_xenpmu_op, XENPMU_mode_get, (unsigned long)&p));
}

CASE(sched_op_compat)
{
	check_eq(hypercall2(__HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0), 0);
	record("unknown", (uint64_t)hypercall2(__HYPERVISOR_sched_op_compat, 77, 0));
}

static long multicall(struct multicall_entry *m, unsigned int n)
{
	return hypercall2(__HYPERVISOR_multicall, (unsigned long)m, n);
}

CASE(multicall)
{
	struct multicall_entry m[4] = {
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_version}},
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}},
		{.op = __HYPERVISOR_xen_version, .args = {99}},
		{.op = 1000},
	};

	check_eq(multicall(m, 4), 0);
	check_eq(m[0].result >> 16, 4);
	check_eq(m[1].result, PAGE_SIZE);
	check_eq(m[2].result, -XEN_ENOSYS);
	check_eq(m[3].result, -XEN_ENOSYS);
	check_eq(m[0].op, __HYPERVISOR_xen_version);
	check_eq(m[0].args[0], XENVER_version);
}

CASE(multicall_none)
{
	check_eq(multicall(NULL, 0), 0);
}

CASE(multicall_bad_pointer)
{
	check_eq(multicall(NULL, 1), -XEN_EFAULT);
	check_eq(multicall((void *)0xffff830000000000UL, 1), -XEN_EFAULT);
}

CASE(multicall_nested)
{
	struct multicall_entry inner = {.op = __HYPERVISOR_xen_version},
			       outer = {.op = __HYPERVISOR_multicall, .args = {(unsigned long)&inner, 1}};

	record("result", (uint64_t)multicall(&outer, 1));
	record("outer", outer.result);
}

CASE(multicall_long)
{
	static struct multicall_entry m[512];
	unsigned int i;

	for (i = 0; i < 512; i++)
		m[i] = (struct multicall_entry){
			.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}, .result = 1};
	check_eq(multicall(m, 512), 0);
	for (i = 0; i < 512; i++)
		check_eq(m[i].result, PAGE_SIZE);
}

CASE(multicall_arguments_of_six)
{
	/* A fault in the middle leaves earlier results in place. */
	struct multicall_entry m[2] = {
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}},
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_platform_parameters, 0}},
	};

	check_eq(multicall(m, 2), 0);
	check_eq(m[0].result, PAGE_SIZE);
	check_eq(m[1].result, -XEN_EFAULT);
}
