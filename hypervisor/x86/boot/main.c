/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start of day of the machine, in order; each line rests on the ones before it. */
#include "../entry/traps.h"
#include "boot.h"
#include <acpi.h>
#include <apic.h>
#include <console.h>
#include <cpu.h>
#include <hypercall.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <pv.h>
#include <sched.h>
#include <smp.h>
#include <time.h>

extern u8 boot_cpu_stack[];
void boot_main(u32 magic, u32 info, u32 load_base) __noreturn;

static struct vcpu *idle_vcpu(unsigned int cpu)
{
	struct vcpu *v = vcpu_create(idle_domain, cpu);

	if (!v)
		panic("No memory for CPU %u", cpu);
	v->vcpu_info = hv_new(struct vcpu_info);
	v->cr3_kernel = idle_cr3;
	return v;
}

/* An AP arrives here on its own stack with its tables loaded. */
void ap_main(unsigned int cpu)
{
	cpu_info()->current_vcpu = idle_domain->vcpus[cpu];
	fpu_cpu_init();
	time_cpu_init(cpu);
	if (sched_cpu_init(cpu))
		panic("CPU %u cannot join the scheduler", cpu);
	run_on_empty_stack(idle_loop);
}

static void boot_cpu_init(void)
{
	cpumask_set(0, &cpu_online_map);
	if (cpu_prepare(0, boot_cpu_stack))
		panic("No memory for the boot CPU");
	cpu_init_this(0);
	idle_domain = domain_create_system(DOMID_IDLE);
	dom_xen = domain_create_system(DOMID_XEN);
	dom_io = domain_create_system(DOMID_IO);
	mm_share_m2p();
}

static void create_idle_vcpus(void)
{
	unsigned int cpu;

	for_each_cpu(cpu, &cpu_present_map)
		idle_vcpu(cpu);
	cpu_info()->current_vcpu = idle_domain->vcpus[0];
}

void boot_main(u32 magic, u32 info, u32 load_base)
{
	image_load_base = load_base;
	idt_early_load();
	multiboot_parse(magic, info);
	options_parse(boot_info.cmdline);
	console_early_init();
	printk("Serai: loaded at %#lx by %s\n", image_load_base, boot_info.loader);
	printk("Command line: %s\n", boot_info.cmdline);
	cpu_features_init();
	spec_init();
	memory_map_finish();
	boot_memory_init();
	mm_init();
	hypercalls_init();
	boot_cpu_init();
	acpi_init(boot_info.rsdp);
	lapic_init();
	create_idle_vcpus();
	fpu_init();
	fpu_cpu_init();
	policy_host_init();
	time_early_init();
	sched_init();
	time_cpu_init(0);
	if (sched_cpu_init(0))
		panic("The boot CPU cannot join the scheduler");

	console_init_postirq();
	printk("CPUs online: %d\n", smp_boot_cpus());
	time_init();
	build_dom0();
	boot_protect_image();
	console_give_to_dom0();
	raise_softirq(SOFTIRQ_SCHEDULE);
	run_on_empty_stack(idle_loop);
}
