/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks: system time, calibration, guests' time pages, wall clock. */
#ifndef SERAI_TIME_H
#define SERAI_TIME_H

#include <domain.h>
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

stime_t now(void); /* ns since boot, monotonic on a CPU and between CPUs within the skew */
void time_early_init(void);	       /* TSC calibrated against HPET, PM timer or PIT */
void time_init(void);		       /* after APs: platform timer, wall clock from CMOS */
void time_cpu_init(unsigned int cpu);
void delay_us(unsigned int us);

/* Guest side: vcpu_time_info in vcpu_info and a registered secondary area, on context switch and
 * recalibration; wall clock in shared_info. */
void time_update_vcpu(struct vcpu *v);
void time_update_wallclock(struct domain *d);
void time_set_wallclock(u64 secs, u32 nsecs, stime_t system_time); /* settime: all domains */
int time_domain_init(struct domain *d);
void time_domain_destroy(struct domain *d);
/* XEN_DOMCTL_settscinfo / gettscinfo */
int tsc_set_info(struct domain *d, u32 mode, u64 elapsed_nsec, u32 gtsc_khz, u32 incarnation);
void tsc_get_info(struct domain *d, u32 *mode, u64 *elapsed_nsec, u32 *gtsc_khz, u32 *incarnation);
bool tsc_is_emulated(const struct domain *d);
u64 tsc_guest_read(struct vcpu *v); /* value of an emulated RDTSC */

#endif
