/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks: system time, calibration, guests' time pages, wall clock. */
#ifndef SERAI_TIME_H
#define SERAI_TIME_H

#include <domain.h>
#include <percpu.h>
#include <timer.h>
#include <tsc_scale.h>
#include <types.h>

#define SECONDS(n) ((stime_t)(n)*1000000000ULL)
#define MILLISECS(n) ((stime_t)(n)*1000000ULL)
#define MICROSECS(n) ((stime_t)(n)*1000ULL)

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}
static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (u64)hi << 32 | lo;
}

extern u64 cpu_khz; /* TSC frequency */

/* system time = stime + scale(TSC - tsc), on that CPU */
struct cpu_time {
	u64 tsc;
	stime_t stime;
	struct tsc_scale scale;
	u32 generation; /* differs whenever the rest differs; never 0 */
};
extern struct cpu_time cpu_times[NR_CPUS];
extern bool tsc_synchronised; /* no CPU's TSC needed correction */

/* A domain's notion of time. */
struct domain_time {
	u32 tsc_mode; /* XEN_CPUID TSC_MODE_*: 0 default, 1 emulate, 2 native */
	bool emulated;
	u32 khz; /* of the TSC the guest sees */
	u32 incarnation;
	stime_t tsc_offset;       /* system time at which the guest's emulated TSC was 0 */
	u64 ticks_per_ns;         /* guest ticks per ns, 32 fraction bits */
	s64 wallclock_offset;     /* seconds, XEN_DOMCTL_settimeoffset */
	struct timer watchdog[2]; /* SCHEDOP_watchdog */
};

stime_t now(void);          /* ns since boot, monotonic on a CPU and between CPUs within the skew */
void time_early_init(void); /* TSC calibrated against HPET, PM timer or PIT */
void time_init(void);       /* after APs: platform timer, wall clock from CMOS */
void time_cpu_init(unsigned int cpu);
void time_cpu_online(unsigned int cpu); /* cpu came back: measures its TSC again */
void delay_us(unsigned int us);

/* Guest side: vcpu_time_info in vcpu_info and a registered secondary area, on context switch and
 * recalibration; wall clock in shared_info. */
void time_write_vcpu(struct vcpu *v);
static inline void time_update_vcpu(struct vcpu *v)
{
	if (v->time_generation != cpu_times[smp_processor_id()].generation)
		time_write_vcpu(v);
}
/* The registered secondary area alone; v is current and in its kernel. */
void time_update_vcpu_area(struct vcpu *v);
void time_update_wallclock(struct domain *d);
void time_set_wallclock(u64 secs, u32 nsecs, stime_t system_time); /* settime: all domains */
int time_domain_init(struct domain *d);
void time_domain_destroy(struct domain *d);
/* XEN_DOMCTL_settscinfo / gettscinfo */
int tsc_set_info(struct domain *d, u32 mode, u64 elapsed_nsec, u32 gtsc_khz, u32 incarnation);
void tsc_get_info(struct domain *d, u32 *mode, u64 *elapsed_nsec, u32 *gtsc_khz, u32 *incarnation);
static inline bool tsc_is_emulated(const struct domain *d)
{
	return d->time && d->time->emulated;
}
void time_set_domain_offset(struct domain *d, s64 seconds);
u64 tsc_guest_read(struct vcpu *v); /* value of an emulated RDTSC */

#endif
