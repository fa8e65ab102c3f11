/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From TSC ticks to nanoseconds the way the ABI's vcpu_time_info does it: shift, multiply by a
 * 32-bit binary fraction. The hypervisor's own clock uses the same arithmetic on the same numbers,
 * so that it and a guest that follows the ABI read the same time from the same tick. Pure.
 */
#ifndef SERAI_TSC_SCALE_H
#define SERAI_TSC_SCALE_H

#include <types.h>

struct tsc_scale {
	u32 mul;
	s8 shift;
};

static inline u64 tsc_scale_ns(u64 ticks, struct tsc_scale s)
{
	ticks = s.shift < 0 ? ticks >> -s.shift : ticks << s.shift;
	return (u64)(((unsigned __int128)ticks * s.mul) >> 32);
}
/* The scale of a counter of that frequency, 1 MHz to 1 THz. */
static inline struct tsc_scale tsc_scale_of(u64 hz)
{
	struct tsc_scale s = {0, 0};
	u64 ns_per_s = 1000000000;

	/* mul = ns per tick * 2^32 must fit 32 bits and should fill them */
	while (ns_per_s >= hz) {
		ns_per_s >>= 1;
		s.shift++;
	}
	if (s.shift) { /* halving may have lost a bit: scale the divisor up instead */
		s.mul = (u32)(((unsigned __int128)1000000000 << 32) / ((unsigned __int128)hz << s.shift));
		return s;
	}
	while (ns_per_s * 2 < hz) {
		ns_per_s *= 2;
		s.shift--;
	}
	s.mul = (u32)(((unsigned __int128)1000000000 << (32 - s.shift)) / hz);
	return s;
}
/* The inverse direction, for programming hardware: ticks in so many ns, rounded up. */
static inline u64 ns_to_ticks(u64 ns, u64 hz)
{
	return (u64)(((unsigned __int128)ns * hz + 999999999) / 1000000000);
}

#endif
