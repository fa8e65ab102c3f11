/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine small enough to be made anew for every input: 1536 frames, a control domain and two guests with three
 * vCPUs each. Real: domains, frames, page tables, event channels, grants, pirqs and the handlers. Faked: the CPU, the
 * scheduler, clocks, interrupt hardware, devices, and guest memory access.
 *
 * What a guest can address:
 *
 *   0 .. 32 pages               through its own page tables (4 levels, built from its first four frames)
 *   ARGS .. + 4 pages           always there: arguments of calls, lists, results
 *   everything else             faults
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include <core/mm/table.h>
#include <hypercall.h>

#define MACHINE_FRAMES 1536UL
#define NR_DOMAINS 3U
#define VCPUS_EACH 3U  /* the last one is not initialised yet */
#define POOL 24U       /* frames a domain is born with */
#define POOL_MAPPED 4U /* the first ones are its page tables, the rest is mapped from address 0 */

#define ARGS 0x7f0000000000UL
#define ARGS_SIZE (4 * PAGE_SIZE)
#define LISTS (ARGS + PAGE_SIZE)
#define RESULTS (ARGS + 2 * PAGE_SIZE)
extern u8 args_memory[ARGS_SIZE];

struct machine {
	struct domain *d[NR_DOMAINS]; /* referenced; stays after death until the input ends */
	mfn_t pool[NR_DOMAINS][POOL];
	bool killed[NR_DOMAINS];
};
extern struct machine machine;

void machine_start(void);
void machine_stop(void); /* everything dies; what is left over aborts */
void machine_kill(unsigned int i);
void machine_softirqs(void);
void machine_irqs_init(void);

/* How often a long operation is told to let go: of 256. */
extern unsigned int machine_preempt;
extern u32 machine_dice;
extern u64 machine_now;

/* Aborts when something is not as it must be between two calls. */
void machine_check(const char *after);

/* Locks held now. */
extern unsigned int locks_held;

#endif
