/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Atomic and plain bit operations on arrays of unsigned long (guest-shared words included). */
#ifndef SERAI_BITOPS_H
#define SERAI_BITOPS_H

#include <types.h>

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) (((n) + 63) / 64)

static inline void set_bit(unsigned long nr, volatile void *p)
{
	__atomic_fetch_or((volatile u64 *)p + nr / 64, 1UL << (nr % 64), __ATOMIC_SEQ_CST);
}
static inline void clear_bit(unsigned long nr, volatile void *p)
{
	__atomic_fetch_and((volatile u64 *)p + nr / 64, ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST);
}
static inline bool test_bit(unsigned long nr, const volatile void *p)
{
	return ((const volatile u64 *)p)[nr / 64] >> (nr % 64) & 1;
}
static inline bool test_and_set_bit(unsigned long nr, volatile void *p)
{
	u64 m = 1UL << (nr % 64);
	return __atomic_fetch_or((volatile u64 *)p + nr / 64, m, __ATOMIC_SEQ_CST) & m;
}
static inline bool test_and_clear_bit(unsigned long nr, volatile void *p)
{
	u64 m = 1UL << (nr % 64);
	return __atomic_fetch_and((volatile u64 *)p + nr / 64, ~m, __ATOMIC_SEQ_CST) & m;
}
/* First set (clear) bit at or above start; size when there is none. */
static inline unsigned long find_next_bit(const void *p, unsigned long size, unsigned long start)
{
	const u64 *w = p;
	while (start < size) {
		u64 v = w[start / 64] >> (start % 64);
		if (v) {
			start += (unsigned long)__builtin_ctzll(v);
			return start < size ? start : size;
		}
		start = (start / 64 + 1) * 64;
	}
	return size;
}
static inline unsigned long find_next_zero_bit(const void *p, unsigned long size, unsigned long start)
{
	const u64 *w = p;
	while (start < size) {
		u64 v = ~w[start / 64] >> (start % 64);
		if (v) {
			start += (unsigned long)__builtin_ctzll(v);
			return start < size ? start : size;
		}
		start = (start / 64 + 1) * 64;
	}
	return size;
}

#endif
