/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APICs (SDM vol. 3, chapter 10). x2APIC mode is used whenever the CPU has it: a register
 * access is an MSR instead of device memory, and ids are 32 bits wide. Nothing here needs a lock: a
 * CPU touches only its own APIC, with interrupts off.
 */
#include <acpi.h>
#include <apic.h>
#include <cpu.h>
#include <io.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <smp.h>

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2 0x400U
#define APIC_BASE_ENABLE 0x800U
#define MSR_X2APIC(reg) (0x800U + ((reg) >> 4))
#define SVR_ENABLE 0x100U

bool x2apic_mode;
volatile u32 *lapic_mmio;
u32 cpu_apic_id[NR_CPUS], cpu_acpi_id[NR_CPUS];

static bool want_x2apic = true;

static int parse_x2apic(const char *s)
{
	return option_bool(s, &want_x2apic);
}
OPTION("x2apic", parse_x2apic);

u32 lapic_read(unsigned int reg)
{
	return x2apic_mode ? (u32)rdmsr(MSR_X2APIC(reg)) : lapic_mmio[reg / 4];
}

void lapic_write(unsigned int reg, u32 v)
{
	if (x2apic_mode)
		wrmsr(MSR_X2APIC(reg), v);
	else
		lapic_mmio[reg / 4] = v;
}

u32 lapic_id(void)
{
	u32 id = lapic_read(LAPIC_ID);

	return x2apic_mode ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_send(u32 apic_id, u32 icr_low)
{
	if (x2apic_mode) {
		/* Not serialising: what the receiver is to see must be visible first (10.12.3). */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC(LAPIC_ICR), (u64)apic_id << 32 | icr_low);
		return;
	}
	while (lapic_mmio[LAPIC_ICR / 4] & ICR_BUSY)
		__asm__ volatile("pause");
	lapic_mmio[LAPIC_ICR_HIGH / 4] = apic_id << 24;
	lapic_mmio[LAPIC_ICR / 4] = icr_low;
}

/* Both 8259s: moved off the exception vectors, then every line masked. */
static void mask_8259(void)
{
	static const u8 master[] = {0x11, 0x20, 0x04, 0x01}, slave[] = {0x11, 0x28, 0x02, 0x01};

	for (unsigned int i = 0; i < 4; i++) {
		outb(i ? 0x21 : 0x20, master[i]);
		outb(i ? 0xa1 : 0xa0, slave[i]);
	}
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static void enter_mode(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (x2apic_mode) {
		/* Off -> xAPIC -> x2APIC is the only way (figure 10-27). */
		if (!(base & APIC_BASE_ENABLE))
			wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
	} else if (!(base & APIC_BASE_ENABLE)) {
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	}
}

static unsigned int max_lvt(void)
{
	return lapic_read(LAPIC_VERSION) >> 16 & 0xff;
}

/* LINT pins: everything masked but the NMI line the firmware names; the boot CPU's in any case on
 * LINT1. */
static u32 lint_value(unsigned int lint, unsigned int cpu)
{
	for (unsigned int i = 0; i < acpi.nr_nmis; i++) {
		const struct acpi_nmi *n = &acpi.nmis[i];

		if (n->lint == lint && (n->acpi_id == 0xffffffff || n->acpi_id == cpu_acpi_id[cpu]))
			return LVT_DM_NMI;
	}
	return LVT_MASKED;
}

void lapic_cpu_init(void)
{
	unsigned int cpu = smp_processor_id();

	enter_mode();
	lapic_write(LAPIC_SVR, SVR_ENABLE | VEC_SPURIOUS);
	lapic_write(LAPIC_TPR, 0);
	if (!x2apic_mode) {
		lapic_write(LAPIC_DFR, 0xffffffff);
		lapic_write(LAPIC_LDR, 0);
	}
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VEC_LAPIC_TIMER);
	lapic_write(LAPIC_LVT_LINT0, lint_value(0, cpu));
	lapic_write(LAPIC_LVT_LINT1, lint_value(1, cpu));
	if (max_lvt() >= 4)
		lapic_write(LAPIC_LVT_PC, LVT_MASKED);
	if (max_lvt() >= 5)
		lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
	lapic_write(LAPIC_ESR, 0);
	lapic_write(LAPIC_LVT_ERROR, VEC_ERROR);
	/* Left over from the firmware: in service, so nothing below would ever come. */
	for (unsigned int i = 0; i < 8; i++)
		for (u32 isr = lapic_read(LAPIC_ISR + i * 0x10); isr; isr &= isr - 1)
			lapic_eoi();
}

/* Numbers CPUs as the MADT lists them, but for the one we are on, which is 0. */
static void number_cpus(u32 boot_id)
{
	unsigned int n = 1;

	cpu_apic_id[0] = boot_id;
	cpumask_set(0, &cpu_present_map);
	for (unsigned int i = 0; i < acpi.nr_cpus; i++) {
		unsigned int cpu;

		if (acpi.cpus[i].apic_id == boot_id)
			cpu = 0;
		else if (n == NR_CPUS || (!x2apic_mode && acpi.cpus[i].apic_id > 254))
			continue;
		else
			cpu = n++;
		cpu_apic_id[cpu] = acpi.cpus[i].apic_id;
		cpu_acpi_id[cpu] = acpi.cpus[i].acpi_id;
		cpumask_set(cpu, &cpu_present_map);
	}
	nr_cpu_ids = n;
}

void lapic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 a, b, c, d;

	cpuid_raw(1, 0, &a, &b, &c, &d);
	if (!(d >> 9 & 1))
		panic("This CPU has no local APIC\n");
	/* A firmware that left it on must be followed: the way back loses ids beyond 255. */
	x2apic_mode = ((c >> 21 & 1) && want_x2apic) || (base & APIC_BASE_X2);
	if (!x2apic_mode) {
		lapic_mmio = vmap_io(base & PTE_ADDR_MASK, PAGE_SIZE);
		if (!lapic_mmio)
			panic("Local APIC at %#lx cannot be mapped\n", base & PTE_ADDR_MASK);
	}
	mask_8259();
	enter_mode();
	number_cpus(lapic_id());
	lapic_cpu_init();
	printk(XLOG_INFO "APIC: %s mode, %u CPUs present\n", x2apic_mode ? "x2APIC" : "xAPIC",
	       cpumask_weight(&cpu_present_map));
	irq_init();
}

void lapic_disable_for_reset(void)
{
	lapic_write(LAPIC_SVR, VEC_SPURIOUS);
}
