/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs to one physical CPU.
 *
 * A CPU's stack is STACK_SIZE bytes, aligned to its size:
 *
 *   base                                                                 base + STACK_SIZE
 *   | #DF | NMI | #MC | #DB |            main stack, grows down  <--  | struct cpu_info |
 *
 * so that any code, on the main stack or on an IST stack, finds struct cpu_info from %rsp alone. GS belongs
 * to the guest at all times.
 */
#ifndef SERAI_PERCPU_H
#define SERAI_PERCPU_H

#include <types.h>

#define STACK_ORDER 3
#define STACK_SIZE (PAGE_SIZE << STACK_ORDER)
#define IST_PAGES 4

struct vcpu;

/* Work to be done before the CPU returns to a guest: bits of cpu_info.softirq */
enum softirq {
	SOFTIRQ_TIMER,    /* the CPU's timer heap has due entries */
	SOFTIRQ_SCHEDULE, /* pick another vCPU */
	SOFTIRQ_TASKLET,  /* deferred work: RCU-like reclaim, domain destruction, console */
	SOFTIRQ_TIME,     /* recalibrate clocks */
	SOFTIRQ_CONSOLE,  /* the log grew: VIRQ_CON_RING */
	NR_SOFTIRQS
};

struct cpu_info {
	struct vcpu *current_vcpu;
	u32 softirq; /* set by anyone, atomically; cleared by the CPU itself */
	u32 cpu;
	u32 flush_request; /* another CPU wants TLB work done: bits of x86/mm/tlb.c */
	u32 pad0;
	u64 xpti_cr3; /* what the guest runs on, with Meltdown isolation (xpti.h); 0: to be looked for */
	u64 pad[2];
};

static inline struct cpu_info *cpu_info(void)
{
	unsigned long sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp & ~(STACK_SIZE - 1)) + STACK_SIZE - sizeof(struct cpu_info));
}
static inline unsigned int smp_processor_id(void)
{
	return cpu_info()->cpu;
}
#define current (cpu_info()->current_vcpu)

struct cpu_info *cpu_info_of(unsigned int cpu);

static inline void raise_softirq(enum softirq nr)
{
	__atomic_fetch_or(&cpu_info()->softirq, 1U << nr, __ATOMIC_RELAXED);
}
/* Set on another CPU, and an IPI if it is not the caller's own. */
void cpu_raise_softirq(unsigned int cpu, enum softirq nr);
void softirq_register(enum softirq nr, void (*fn)(void));

#endif
