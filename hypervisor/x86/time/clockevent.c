/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock event of a CPU: its local APIC's timer, by TSC deadline where the CPU can (SDM vol.
 * 3, 10.5.4.1), else counting down once at a measured rate. All CPUs' APICs run off the same clock.
 */
#include "internal.h"
#include <apic.h>
#include <lib.h>
#include <options.h>
#include <smp.h>
#include <timer.h>

#define MSR_TSC_DEADLINE 0x6e0
#define DIV_BY_1 0xb

static bool use_deadline;
static u64 apic_hz, ticks_per_ns; /* the latter with 32 fraction bits */
static bool allow_deadline = true;

static int parse_tdt(const char *value)
{
	return option_bool(value, &allow_deadline);
}
OPTION("tdt", parse_tdt);

static bool cpu_has_deadline(void)
{
	u32 a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 24 & 1;
}

static void wrmsr_deadline(u64 tsc)
{
	__asm__ volatile("wrmsr" : : "c"(MSR_TSC_DEADLINE), "a"((u32)tsc), "d"((u32)(tsc >> 32)) : "memory");
}

bool clockevent_set(stime_t deadline)
{
	const struct cpu_time *t = &cpu_times[smp_processor_id()];
	u64 count;
	s64 ns;

	if (use_deadline) {
		ns = (s64)(deadline - t->stime);
		if (ns < 0)
			return false;
		/* One tick late rather than early: the timer is found due when it fires. */
		wrmsr_deadline(t->tsc + (u64)(((unsigned __int128)(u64)ns * ticks_per_ns) >> 32) + 1);
		return true;
	}
	ns = (s64)(deadline - now());
	if (ns <= 0)
		return false;
	/* Beyond what the counter holds it fires early and is set again. */
	count = ns > 2000000000 ? 2000000000 : (u64)ns;
	count = (u64)(((unsigned __int128)count * ticks_per_ns) >> 32) + 1;
	lapic_write(LAPIC_TIMER_INIT, count > 0xffffffff ? 0xffffffff : (u32)count);
	return true;
}

static void measure_apic(void)
{
	u64 t0, t1;
	u32 c0, c1;

	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VEC_LAPIC_TIMER);
	lapic_write(LAPIC_TIMER_DIV, DIV_BY_1);
	lapic_write(LAPIC_TIMER_INIT, 0xffffffff);
	c0 = lapic_read(LAPIC_TIMER_CUR);
	t0 = rdtsc_ordered();
	delay_us(10000);
	c1 = lapic_read(LAPIC_TIMER_CUR);
	t1 = rdtsc_ordered();
	lapic_write(LAPIC_TIMER_INIT, 0);
	if (c0 <= c1)
		panic("local APIC timer does not count\n");
	apic_hz = (u64)((unsigned __int128)(c0 - c1) * cpu_khz * 1000 / (t1 - t0));
	ticks_per_ns = (u64)(((unsigned __int128)apic_hz << 32) / 1000000000);
	printk(XLOG_INFO "local APIC timer: %u.%03u MHz\n", (unsigned int)(apic_hz / 1000000),
	       (unsigned int)(apic_hz / 1000 % 1000));
}

void clockevent_cpu_init(unsigned int cpu)
{
	if (cpu == 0) {
		use_deadline = allow_deadline && cpu_has_deadline();
		if (use_deadline)
			ticks_per_ns = (u64)(((unsigned __int128)cpu_khz * 1000 << 32) / 1000000000);
		else
			measure_apic();
	}
	if (use_deadline) {
		lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_TSCDEADLINE | VEC_LAPIC_TIMER);
		/* The mode must have arrived before the MSR is written (SDM vol. 3, 10.5.4.1). */
		__asm__ volatile("mfence" ::: "memory");
	} else {
		lapic_write(LAPIC_TIMER_DIV, DIV_BY_1);
		lapic_write(LAPIC_LVT_TIMER, VEC_LAPIC_TIMER);
	}
}
