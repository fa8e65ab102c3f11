/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Included before everything else when hypercall handlers are compiled for the build host: the running CPU is a
 * variable instead of the top of an aligned stack, and the one privileged instruction handlers contain inline does
 * nothing.
 */
#ifndef FUZZ_HOSTED_H
#define FUZZ_HOSTED_H

#include <percpu.h>

extern struct cpu_info fuzz_cpu;

#undef current
#define current (fuzz_cpu.current_vcpu)
#define cpu_info() (&fuzz_cpu)
#define smp_processor_id() (fuzz_cpu.cpu)
#define raise_softirq(nr) ((void)__atomic_fetch_or(&fuzz_cpu.softirq, 1U << (nr), __ATOMIC_RELAXED))

/* In the place of x86/mm/cr.h. */
#define SERAI_X86_MM_CR_H
static inline void wbinvd(void)
{
}

#endif
