/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking between physical CPUs. */
#ifndef SERAI_SMP_H
#define SERAI_SMP_H

/* Where CPUs are started: a page below 1 MiB that is nobody's (boot_frame_used() says so). */
#define AP_TRAMPOLINE 0x8000

#ifndef __ASSEMBLY__
#include <cpumask.h>
#include <percpu.h>

/* Vectors the hypervisor keeps for itself (device vectors are 0x30..0xdf, see irq.h). */
#define VEC_SPURIOUS 0xff
#define VEC_ERROR 0xfe
#define VEC_LAPIC_TIMER 0xf9
#define VEC_EVENT_CHECK \
	0xfb           /* no work of its own: the way out to the guest looks at everything \
			      */
#define VEC_CALL 0xfc  /* smp_call: run a function */
#define VEC_FLUSH 0xfd /* TLB flush request waiting in cpu_info.flush_request */

void smp_send_ipi(unsigned int cpu, u8 vector);           /* drivers/x86 local APIC */
void smp_send_ipi_mask(const cpumask_t *mask, u8 vector); /* skips the calling CPU */
void smp_send_event_check(unsigned int cpu);

/* Run fn(arg) on every CPU of mask (the caller's own included if set), return when all have run. fn
 * runs with interrupts off and must not take locks of a rank at or below one the caller holds. */
void smp_call(const cpumask_t *mask, void (*fn)(void *), void *arg);

/* Serves an incoming smp_call request; from VEC_CALL and cpu_relax_poll(). */
void smp_call_poll(void);
/* The NMI handler's first act: does not return when the machine is being stopped. */
void smp_nmi_check(void);

/* In every wait loop: serves TLB-flush and smp_call requests of other CPUs, and pauses. */
void cpu_relax_poll(void);

/* Opens interrupts for an instant, so that pending ones set their softirq bits. Only where no lock
 * is held. Returns true when the CPU has other work and a long operation should return for restart.
 */
bool preempt_window(void);

int smp_boot_cpus(void);            /* starts every CPU of cpu_present_map; returns the number online */
int smp_boot_cpu(unsigned int cpu); /* one present CPU; 0 when it is online */

#endif /* __ASSEMBLY__ */

#endif
