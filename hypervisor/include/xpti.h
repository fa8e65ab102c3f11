/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Meltdown isolation (x86/mm/xpti.c): guests run on roots that do not map the hypervisor. What a CPU needs, which
 * domains get it, and the patching of entry.S: x86/cpu/spec.c.
 */
#ifndef SERAI_XPTI_H
#define SERAI_XPTI_H

#include <core/mm/isolate.h>

extern bool xpti_active;                       /* some domains are isolated; constant after spec_init() */
extern bool xpti_for_control, xpti_for_others; /* which */

/* A CPU's roots, before it runs guests: they map what the list names, and the CPU's window of descriptors. Called
 * again for the same CPU it does nothing. 0 or -ENOMEM. */
int xpti_cpu_prepare(unsigned int cpu, const struct isolate_range *r, unsigned int nr);
/* Context switch, root of next loaded: its page with the register frame appears at the CPU's entry address. */
void xpti_load(struct vcpu *next, unsigned int cpu);
/* The copies may be out of date: CR3 was loaded for the sake of a flush, or roots changed. */
void xpti_forget(void);
/* The running vCPU's root is cr3 now, one of its two. */
void xpti_toggled(u64 cr3);
/* A fault of the guest at addr. True: its copy was out of date; it may try again. */
bool xpti_out_of_date(u64 addr);
/* INVLPG of addr. */
void xpti_invlpg(u64 addr);
/* An IST stack holds registers now: wiped before the next guest instruction. */
void xpti_ist_used(void);
/* From entry.S, on the way out with cpu_info.xpti_cr3 == 0: sets it. */
void xpti_prepare(void);

#define XPTI_NOT_ISOLATED 1UL /* value of cpu_info.xpti_cr3 */

#endif
