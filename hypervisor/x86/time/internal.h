/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of x86/time. */
#ifndef SERAI_X86_TIME_INTERNAL_H
#define SERAI_X86_TIME_INTERNAL_H

#include <time.h>

/* A counter of known frequency to hold the TSC against. */
struct ref_clock {
	const char *name;
	u64 hz;
	u64 mask;          /* of the counter's bits */
	unsigned int usec; /* how long to compare: longer for coarser counters */
	bool counts_down;
	u64 (*read)(void);
};
/* NULL where the machine has none. */
const struct ref_clock *hpet_clock(void);
const struct ref_clock *pm_timer_clock(void);
const struct ref_clock *pit_clock(void);

u64 rtc_read_seconds(void); /* CMOS clock, seconds since 1970 */

#endif
