/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One-shot timers, one heap a CPU (core/sched/timer.c pure heap; x86/time the clock event). */
#ifndef SERAI_TIMER_H
#define SERAI_TIMER_H

#include <types.h>

struct timer {
	stime_t expires;
	void (*fn)(void *data); /* in SOFTIRQ_TIMER on the timer's CPU, no locks held */
	void *data;
	u32 cpu;
	u32 heap_index; /* 0 = not queued */
	bool killed;
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
void timer_set(struct timer *t, stime_t expires); /* (re)arms; earlier than now fires at once */
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
void timer_kill(struct timer *t); /* stops for good, waits for a running callback on another CPU */
/* Program this CPU's clock event for deadline (0 = none); implemented by x86/time over the local APIC.
 * Returns false when the deadline has passed already (the caller raises SOFTIRQ_TIMER). */
bool clockevent_set(stime_t deadline);
void timers_cpu_init(unsigned int cpu);

#endif
