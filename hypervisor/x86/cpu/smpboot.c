/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the other CPUs (SDM vol. 3, 8.4): INIT, then two start-up IPIs, one CPU at a time.
 *
 *   boot CPU                                  CPU n
 *   stack, descriptors prepared
 *   trampoline copied below 1 MiB
 *   INIT, SIPI, SIPI ---------------------->  trampoline.S: long mode, its stack
 *   waits for its bit in cpu_online_map       ap_start(): descriptors, APIC, sets its bit
 *                                             ap_main(): scheduler, idle loop
 *
 * Not reentrant; the boot CPU runs it before there are guests, later the holder of the control
 * lock.
 */
#include <apic.h>
#include <cpu.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <smp.h>
#include <time.h>
#include <xerrno.h>

extern const u8 ap_trampoline[], ap_trampoline_end[];
extern const u64 ap_tramp_cr3, ap_tramp_entry, ap_tramp_stack;
extern const u32 ap_tramp_efer;

static u64 *tramp_l4; /* below 4 GiB, as CR3 is loaded in 16-bit code */
static u32 starting = NR_CPUS;
static unsigned int max_cpus = NR_CPUS;
static void *stacks[NR_CPUS];

static int parse_maxcpus(const char *s)
{
	unsigned int n;

	if (option_uint(s, &n) != 0)
		return -EINVAL;
	max_cpus = max(n, 1U);
	return 0;
}
OPTION("maxcpus", parse_maxcpus);

static void ap_start(void)
{
	unsigned int cpu = READ_ONCE(starting);

	write_cr3(virt_to_paddr(idle_l4));
	cpu_init_this(cpu);
	lapic_cpu_init();
	if (lapic_id() != cpu_apic_id[cpu])
		panic("CPU %u has APIC id %u, expected %u\n", cpu, lapic_id(), cpu_apic_id[cpu]);
	cpumask_set(cpu, &cpu_online_map);
	ap_main(cpu);
}

/* Our own address space plus the first 2 MiB at their own address. */
static int make_trampoline_tables(void)
{
	struct frame *f;
	u64 *l3, *l2;

	if (!tramp_l4) {
		f = alloc_frames(NULL, 0, 32);
		l3 = hv_alloc_pages(0);
		l2 = hv_alloc_pages(0);
		if (!f || !l3 || !l2)
			return -ENOMEM;
		l2[0] = PTE_PS | PTE_P | PTE_RW;
		l3[0] = virt_to_paddr(l2) | PTE_P | PTE_RW;
		tramp_l4 = map_frame(frame_to_mfn(f));
		tramp_l4[0] = virt_to_paddr(l3) | PTE_P | PTE_RW;
	}
	memcpy(tramp_l4 + HV_L4_FIRST, idle_l4 + HV_L4_FIRST,
	       (HV_L4_LAST - HV_L4_FIRST + 1) * sizeof(*tramp_l4));
	return 0;
}

static void *tramp_word(const void *sym)
{
	return (u8 *)paddr_to_virt(AP_TRAMPOLINE) + ((const u8 *)sym - ap_trampoline);
}

static void place_trampoline(void *stack)
{
	struct cpu_info *top = (struct cpu_info *)((u8 *)stack + STACK_SIZE) - 1;

	memcpy(paddr_to_virt(AP_TRAMPOLINE), ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	*(u64 *)tramp_word(&ap_tramp_cr3) = virt_to_paddr(tramp_l4);
	/* As a call would leave it: the ABI has the stack 16-byte aligned before the return
	 * address. */
	*(u64 *)tramp_word(&ap_tramp_stack) = ((u64)top & ~15UL) - 8;
	*(u64 *)tramp_word(&ap_tramp_entry) = (u64)ap_start;
	*(u32 *)tramp_word(&ap_tramp_efer) = (u32)rdmsr(MSR_EFER) & 0x901;
}

static bool wait_online(unsigned int cpu, unsigned int ms)
{
	for (unsigned int i = 0; i < ms * 10; i++) {
		if (cpumask_test(cpu, &cpu_online_map))
			return true;
		cpu_relax_poll();
		delay_us(100);
	}
	return cpumask_test(cpu, &cpu_online_map);
}

int smp_boot_cpu(unsigned int cpu)
{
	u32 id = cpu_apic_id[cpu];
	int rc = make_trampoline_tables();

	if (!stacks[cpu])
		stacks[cpu] = hv_alloc_pages(STACK_ORDER);
	if (rc || !stacks[cpu])
		return -ENOMEM;
	rc = cpu_prepare(cpu, stacks[cpu]);
	if (rc)
		return rc;
	place_trampoline(stacks[cpu]);
	WRITE_ONCE(starting, cpu);
	lapic_send(id, ICR_DM_INIT | ICR_ASSERT | ICR_LEVEL);
	delay_us(200);
	lapic_send(id, ICR_DM_INIT | ICR_LEVEL);
	delay_us(10000);
	for (unsigned int i = 0; i < 2 && !cpumask_test(cpu, &cpu_online_map); i++) {
		lapic_send(id, ICR_DM_STARTUP | (AP_TRAMPOLINE >> 12));
		delay_us(300);
	}
	if (wait_online(cpu, 2000))
		return 0;
	printk(XLOG_ERR "CPU %u (APIC id %u) does not come up\n", cpu, id);
	lapic_send(id, ICR_DM_INIT | ICR_ASSERT | ICR_LEVEL);
	return -EIO;
}

int smp_boot_cpus(void)
{
	unsigned int cpu, online = 1;

	cpumask_set(0, &cpu_online_map);
	for_each_cpu(cpu, &cpu_present_map) {
		if (cpu == 0)
			continue;
		if (online >= max_cpus)
			break;
		if (smp_boot_cpu(cpu) == 0)
			online++;
	}
	printk(XLOG_INFO "%u of %u CPUs online\n", online, cpumask_weight(&cpu_present_map));
	return (int)online;
}
