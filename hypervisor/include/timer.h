/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One-shot timers, one heap a CPU (core/sched/heap.c pure; x86/time/timer.c the rest). */
#ifndef SERAI_TIMER_H
#define SERAI_TIMER_H

#include <types.h>

struct timer {
	stime_t expires;
	void (*fn)(void *data); /* in SOFTIRQ_TIMER on the timer's CPU, no locks held */
	void *data;
	struct timer *child, *next, *prev; /* pairing heap; prev: left sibling, or parent of a first child */
	u32 cpu;
	bool queued;
	bool killed;
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
void timer_set(struct timer *t, stime_t expires); /* (re)arms; earlier than now fires at once */
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
void timer_kill(struct timer *t); /* stops for good, waits for a running callback on another CPU */
void timers_cpu_init(unsigned int cpu);
void timers_cpu_drain(unsigned int from, unsigned int to); /* from has gone offline */

/* What the vCPU about to run on this CPU needs, 0 = nothing: the end of its time slice, which raises
 * SOFTIRQ_SCHEDULE, and its next periodic tick. Kept beside the heap, because they change with every
 * context switch. */
void timer_slice_set(stime_t until, stime_t tick);
void timer_slice_advance(stime_t until); /* the slice ends then, if not earlier */
/* The tick is due: delivers it to the running vCPU, returns when the next is. hypercall/timer.c */
stime_t vcpu_tick(stime_t t);

/* Program this CPU's clock event for deadline; implemented by x86/time over the local APIC. Returns
 * false when the deadline has passed already (the caller raises SOFTIRQ_TIMER). It may fire early.
 */
bool clockevent_set(stime_t deadline);
void clockevent_cpu_init(unsigned int cpu);
/* VEC_LAPIC_TIMER arrived (called by do_irq(), which acknowledges it). */
void clockevent_interrupt(void);

/* Heap of timers by expiry; *root is the first to expire. */
void timer_heap_insert(struct timer **root, struct timer *t);
void timer_heap_remove(struct timer **root, struct timer *t);

#endif
