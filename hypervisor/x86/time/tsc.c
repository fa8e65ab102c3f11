/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System time from the TSC: calibration against a reference clock, and the difference between the
 * TSCs of different CPUs.
 *
 * cpu_times[] is written by the CPU it belongs to, or while that CPU is not yet (or no longer)
 * running guests.
 */
#include "internal.h"
#include <lib.h>
#include <options.h>
#include <smp.h>

u64 cpu_khz;
static u64 tsc_hz;
bool tsc_synchronised = true;
struct cpu_time cpu_times[NR_CPUS];
static u32 generations; /* handed out */

stime_t now(void)
{
	const struct cpu_time *t = &cpu_times[smp_processor_id()];

	return t->stime + tsc_scale_ns(rdtsc() - t->tsc, t->scale);
}

void delay_us(unsigned int us)
{
	u64 end = rdtsc() + ns_to_ticks(us * 1000ULL, tsc_hz);

	while ((s64)(rdtsc() - end) < 0)
		cpu_relax_poll();
}

/* ---- calibration ---- */

static const char *wanted_clock;
static char wanted_clock_buf[8];

static int parse_clocksource(const char *value)
{
	if (strcmp(value, "pit") && strcmp(value, "hpet") && strcmp(value, "acpi") && strcmp(value, "tsc"))
		return -1;
	memcpy(wanted_clock_buf, value, strlen(value) + 1);
	wanted_clock = wanted_clock_buf;
	return 0;
}
OPTION("clocksource", parse_clocksource);

struct sample {
	u64 tsc, count;
};

/* Reads both counters; of several tries the one during which the fewest TSC ticks passed. */
static struct sample sample(const struct ref_clock *c)
{
	struct sample best = {0, 0};
	u64 best_width = ~0ULL;

	for (int i = 0; i < 16; i++) {
		u64 t0 = rdtsc_ordered(), count = c->read(), t1 = rdtsc_ordered();

		if (t1 - t0 < best_width) {
			best_width = t1 - t0;
			best.tsc = t0 + (t1 - t0) / 2;
			best.count = count;
		}
	}
	return best;
}

static u64 counted(const struct ref_clock *c, u64 from, u64 to)
{
	return (c->counts_down ? from - to : to - from) & c->mask;
}

static u64 measure_hz(const struct ref_clock *c)
{
	u64 want = c->hz * c->usec / 1000000, seen = 0, last;
	struct sample a = sample(c), b;

	last = a.count;
	while (seen < want) {
		u64 count = c->read();

		seen += counted(c, last, count);
		last = count;
	}
	b = sample(c);
	seen += counted(c, last, b.count);
	return (u64)((unsigned __int128)(b.tsc - a.tsc) * c->hz / seen);
}

static const struct ref_clock *choose_clock(void)
{
	const struct ref_clock *c = NULL;

	if (wanted_clock && !strcmp(wanted_clock, "pit"))
		c = pit_clock();
	else if (wanted_clock && !strcmp(wanted_clock, "acpi"))
		c = pm_timer_clock();
	if (!c)
		c = hpet_clock();
	if (!c)
		c = pm_timer_clock();
	if (!c)
		c = pit_clock();
	return c;
}

static void stamp(unsigned int cpu, u64 tsc, stime_t stime)
{
	struct cpu_time *t = &cpu_times[cpu];

	t->tsc = tsc;
	t->stime = stime;
	t->scale = tsc_scale_of(tsc_hz);
	t->generation = 1;
}

void time_early_init(void)
{
	const struct ref_clock *c = choose_clock();

	if (!c)
		panic("no clock to measure the TSC with: neither HPET, ACPI PM timer nor PIT "
		      "answers\n");
	tsc_hz = measure_hz(c);
	if (tsc_hz < 1000000 || tsc_hz > 1000000000000ULL)
		panic("TSC of %u kHz by the %s is not credible; try clocksource=pit\n",
		      (unsigned int)(tsc_hz / 1000), c->name);
	cpu_khz = tsc_hz / 1000;
	generations = 1;
	stamp(0, rdtsc(), 0);
	printk(XLOG_INFO "TSC: %u.%03u MHz (measured against %s)\n", (unsigned int)(cpu_khz / 1000),
	       (unsigned int)(cpu_khz % 1000), c->name);
}

/* ---- difference between CPUs ---- */

/*
 *   CPU 0:   t0 = rdtsc; turn = 1 ........................ turn == 2: t1 = rdtsc
 *   other:   ................... turn == 1: tsc = rdtsc; turn = 2
 *
 * The other's TSC reading lies between t0 and t1 of CPU 0's; the round with the smallest t1 - t0
 * bounds the difference best. If nothing contradicts equal TSCs, they are taken to be equal.
 */
#define SKEW_ROUNDS 32

static struct {
	u32 turn, other;
	u64 tsc;
} skew_probe;

static void skew_other(void *arg __unused)
{
	for (u32 round = 0; round < SKEW_ROUNDS; round++) {
		while (__atomic_load_n(&skew_probe.turn, __ATOMIC_ACQUIRE) != 2 * round + 1)
			__builtin_ia32_pause();
		skew_probe.tsc = rdtsc_ordered();
		__atomic_store_n(&skew_probe.turn, 2 * round + 2, __ATOMIC_RELEASE);
	}
}

/* Called on CPU 0 while the other runs skew_other(). */
static s64 skew_measure(u64 *error)
{
	u64 best = ~0ULL;
	s64 skew = 0;

	for (u32 round = 0; round < SKEW_ROUNDS; round++) {
		u64 t0, t1, tsc;

		t0 = rdtsc_ordered();
		__atomic_store_n(&skew_probe.turn, 2 * round + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&skew_probe.turn, __ATOMIC_ACQUIRE) != 2 * round + 2)
			__builtin_ia32_pause();
		t1 = rdtsc_ordered();
		tsc = skew_probe.tsc;
		if (t1 - t0 < best) {
			best = t1 - t0;
			skew = (s64)(tsc - (t0 + (t1 - t0) / 2));
		}
	}
	*error = best / 2 + 1;
	return skew;
}

static void skew_rendezvous(void *arg)
{
	s64 *skew = arg;

	if (smp_processor_id() == skew_probe.other)
		skew_other(NULL);
	else
		*skew = skew_measure((u64 *)skew + 1);
}

static void correct_skew(unsigned int cpu)
{
	s64 result[2];
	cpumask_t both;

	skew_probe.turn = 0;
	skew_probe.other = cpu;
	cpumask_clear(&both);
	cpumask_set(0, &both);
	cpumask_set(cpu, &both);
	smp_call(&both, skew_rendezvous, result);
	if (result[0] > result[1] || result[0] < -result[1]) {
		cpu_times[cpu].tsc = cpu_times[0].tsc + (u64)result[0];
		cpu_times[cpu].generation = ++generations;
		tsc_synchronised = false;
		printk(XLOG_WARNING "CPU%u: TSC differs by %d ticks from CPU0's, corrected\n", cpu,
		       (int)result[0]);
	}
}

/* On the CPU itself, its local APIC initialised: as CPU 0's until measured. */
void time_cpu_init(unsigned int cpu)
{
	if (cpu)
		cpu_times[cpu] = cpu_times[0];
	clockevent_cpu_init(cpu);
}

void time_init(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		if (cpu)
			correct_skew(cpu);
	}
	time_set_wallclock(rtc_read_seconds(), 0, now());
}

/* A CPU that came back: its TSC may have been reset. */
void time_cpu_online(unsigned int cpu)
{
	correct_skew(cpu);
}
