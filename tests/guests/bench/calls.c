/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls that do little, and the instructions the hypervisor emulates. */
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "bench.h"

static uint64_t gdt[512] __page_aligned;

static void cheap_calls(void)
{
	static xen_extraversion_t extra;
	struct multicall_entry m[8];
	uint64_t desc;
	unsigned int i;

	MEASURE("null_hypercall", , CALL2(__HYPERVISOR_xen_version, 0, 0));
	MEASURE("bad_hypercall_enosys", , CALL2(63, 0, 0));
	MEASURE("xen_version_extraversion", , CALL2(__HYPERVISOR_xen_version, 1, extra));
	MEASURE("vcpu_op_is_up", , CALL3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0));
	for (i = 0; i < 8; i++)
		m[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
	MEASURE("multicall_1_null", , CALL2(__HYPERVISOR_multicall, m, 1));
	MEASURE("multicall_8_null", , CALL2(__HYPERVISOR_multicall, m, 8));
	MEASURE("stack_switch", , CALL2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, start_of_day.rsp));
	MEASURE("set_segment_base_fs", , CALL2(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x1000));
	set_readonly(gdt);
	desc = virt_to_mfn(gdt);
	if (!hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&desc, 512)) {
		desc = virt_to_mfn(gdt) << 12;
		MEASURE("update_descriptor", ,
			CALL2(__HYPERVISOR_update_descriptor, desc + 72, 0x00cff3000000ffffUL));
		hypercall2(__HYPERVISOR_set_gdt, 0, 0);
	}
	MEASURE("set_debugreg_dr0", , CALL2(__HYPERVISOR_set_debugreg, 0, 0x1000));
	hypercall2(__HYPERVISOR_set_debugreg, 0, 0);
	MEASURE("fpu_taskswitch_set", , CALL1(__HYPERVISOR_fpu_taskswitch, 1));
	MEASURE("fpu_taskswitch_clear", , CALL1(__HYPERVISOR_fpu_taskswitch, 0));
	MEASURE("fpu_taskswitch_toggle_clear", hypercall1(__HYPERVISOR_fpu_taskswitch, 1),
		CALL1(__HYPERVISOR_fpu_taskswitch, 0));
	MEASURE("sched_yield", , CALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0));
}

#define ASM(...) __asm__ volatile(__VA_ARGS__)

static void emulated(void)
{
	struct physdev_set_iopl iopl = {1};
	uint32_t a, b, c, d;
	uint64_t v;

	MEASURE("cpuid_native_insn", , {
		a = 0;
		ASM("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	});
#define CPUID(name, leaf)                                            \
	MEASURE(name, , {                                            \
		a = leaf;                                            \
		c = 0;                                               \
		ASM(XEN_CPUID : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); \
	})
	CPUID("emul_cpuid_fep_leaf1", 1);
	CPUID("emul_cpuid_fep_leaf7", 7);
	CPUID("emul_cpuid_fep_xen", 0x40000000);
	MEASURE("emul_rdmsr_efer", , ASM("rdmsr" : "=a"(a), "=d"(d) : "c"(0xc0000080)));
	MEASURE("emul_rdmsr_fsbase", , ASM("rdmsr" : "=a"(a), "=d"(d) : "c"(0xc0000100)));
	MEASURE("emul_wrmsr_fsbase", , ASM("wrmsr" ::"a"(0x1000), "d"(0), "c"(0xc0000100)));
	MEASURE("emul_read_cr0", , ASM("mov %%cr0, %0" : "=a"(v)));
	MEASURE("emul_read_cr2", , ASM("mov %%cr2, %0" : "=a"(v)));
	MEASURE("emul_read_cr3", , ASM("mov %%cr3, %0" : "=a"(v)));
	MEASURE("emul_read_cr4", , ASM("mov %%cr4, %0" : "=a"(v)));
	ASM("mov %%cr0, %0" : "=a"(v));
	MEASURE("emul_write_cr0_same", , ASM("mov %0, %%cr0" ::"a"(v)));
	MEASURE("emul_clts", , ASM("clts"));
	MEASURE("emul_read_dr6", , ASM("mov %%dr6, %0" : "=a"(v)));
	hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl);
	if (is_dom0()) {
		MEASURE("emul_inb_0x80", , ASM("inb $0x80, %%al" : "=a"(a)));
		MEASURE("emul_outb_0x80", , ASM("outb %%al, $0x80" ::"a"(0)));
	}
	MEASURE("physdev_set_iopl", , CALL2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl));
}

void bench_calls(void)
{
	cheap_calls();
	emulated();
}
