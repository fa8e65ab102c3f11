/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions in the kernel: bounced to a handler of three or four instructions and back. */
#include <xen/callback.h>

#include "bench.h"

extern const char fast_skip0[], fast_skip2[], fast_skip3[], fast_error_skip2[], fast_error_skip3[];

static void gate(unsigned int vector, unsigned int flags, const char *handler)
{
	struct trap_info t[2] = {{(uint8_t)vector, (uint8_t)flags, FLAT_KERNEL_CS, (unsigned long)handler},
				 {0}};

	hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)t);
}

#define ASM(...) __asm__ volatile(__VA_ARGS__)

void bench_traps(void)
{
	static uint64_t readonly[512] __page_aligned;
	uint64_t where = 0x123456000UL;

	MEASURE("iret_kernel_to_kernel", ,
		ASM("mov %%rsp, %%rax\n push %0\n push %%rax\n push $0x202\n push %1\n"
		    "lea 1f(%%rip), %%rax\n push %%rax\n push $0\n"
		    "jmp bench_page + 23 * 32\n 1:" ::"i"(FLAT_KERNEL_SS),
		    "i"(FLAT_KERNEL_CS & ~3)
		    : "rax", "rcx", "r11", "memory"));
	gate(6, 0, fast_skip2);
	MEASURE("exc_ud2_kernel", , ASM("ud2"));
	gate(3, 3, fast_skip0);
	MEASURE("exc_int3_kernel", , ASM("int3"));
	gate(0, 0, fast_skip2);
	MEASURE("exc_divide_kernel", , ASM("div %%ecx" ::"c"(0), "a"(1), "d"(0)));
	gate(0x80, 3, fast_skip0);
	MEASURE("int80_kernel", , ASM("int $0x80"));
	gate(13, 0, fast_error_skip2);
	MEASURE("int30_kernel", , ASM("int $0x33"));
	gate(13, 0, fast_error_skip3);
	MEASURE("exc_gp_noncanon_kernel", , ASM("mov (%0), %%rax" ::"D"(0x8000000000000000UL) : "rax"));
	gate(14, 0, fast_error_skip3);
	MEASURE("exc_pf_np_read_kernel", , ASM("mov (%0), %%rax" ::"D"(where) : "rax"));
	set_readonly(readonly);
	MEASURE("exc_pf_ro_write_kernel", , ASM("mov %%rax, (%0)" ::"D"(readonly) : "memory"));
	set_writable(readonly);
	gate(7, 0, fast_skip2);
	MEASURE("exc_nm_kernel", hypercall1(__HYPERVISOR_fpu_taskswitch, 1), ASM("fninit"));
	hypercall1(__HYPERVISOR_fpu_taskswitch, 0);
	trap_init();
}
