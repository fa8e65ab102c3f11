/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path lengths in instructions. Under QEMU's -icount shift=0 the time-stamp counter ticks once
 * an executed instruction, so the difference of two readings around an operation, less the
 * null sample, is what the operation cost: guest part and hypervisor part together.
 */
#ifndef BENCH_H
#define BENCH_H

#include "guest.h"

#define SAMPLES 1000
extern uint32_t samples[SAMPLES];

/* Sorts, subtracts the null sample and prints a row: name, median, least. */
void row(const char *name, unsigned int n);
/* A row that cannot be measured here, with the reason. */
void no_row(const char *name, long why);

static inline __attribute__((always_inline)) uint32_t tick(void)
{
	uint32_t lo;

	__asm__ volatile("rdtsc" : "=a"(lo) : : "edx", "memory");
	return lo;
}

/* Runs prep and op n times; only op is between the readings. */
#define MEASURE_N(name, n, prep, op)                        \
	do {                                                \
		for (unsigned int i_ = 0; i_ < (n); i_++) { \
			uint32_t t_;                        \
			prep;                               \
			t_ = tick();                        \
			op;                                 \
			samples[i_] = tick() - t_;          \
		}                                           \
		row(name, n);                               \
	} while (0)
#define MEASURE(name, prep, op) MEASURE_N(name, SAMPLES, prep, op)

/* Through gates of the hypercall page's shape (entry.S), as kernels without their own thunk do. */
#define CALL(nr, a1, a2, a3, a4)                                                           \
	__extension__({                                                                    \
		register unsigned long r10_ __asm__("r10") = (unsigned long)(a4);          \
		unsigned long a1_ = (unsigned long)(a1), a2_ = (unsigned long)(a2),        \
			      a3_ = (unsigned long)(a3);                                   \
		long ret_;                                                                 \
		__asm__ volatile("call bench_page + %c[n] * 32"                            \
				 : "=a"(ret_), "+D"(a1_), "+S"(a2_), "+d"(a3_), "+r"(r10_) \
				 : [n] "i"(nr)                                             \
				 : "rcx", "r11", "r8", "memory");                          \
		ret_;                                                                      \
	})
#define CALL1(nr, a1)                                                     \
	__extension__({                                                   \
		unsigned long a1_ = (unsigned long)(a1);                  \
		long ret_;                                                \
		__asm__ volatile("call bench_page + %c[n] * 32"           \
				 : "=a"(ret_), "+D"(a1_)                  \
				 : [n] "i"(nr)                            \
				 : "rcx", "r11", "rsi", "rdx", "memory"); \
		ret_;                                                     \
	})
#define CALL2(nr, a1, a2)                                                           \
	__extension__({                                                             \
		unsigned long a1_ = (unsigned long)(a1), a2_ = (unsigned long)(a2); \
		long ret_;                                                          \
		__asm__ volatile("call bench_page + %c[n] * 32"                     \
				 : "=a"(ret_), "+D"(a1_), "+S"(a2_)                 \
				 : [n] "i"(nr)                                      \
				 : "rcx", "r11", "rdx", "memory");                  \
		ret_;                                                               \
	})
#define CALL3(nr, a1, a2, a3)                                                       \
	__extension__({                                                             \
		unsigned long a1_ = (unsigned long)(a1), a2_ = (unsigned long)(a2), \
			      a3_ = (unsigned long)(a3);                            \
		long ret_;                                                          \
		__asm__ volatile("call bench_page + %c[n] * 32"                     \
				 : "=a"(ret_), "+D"(a1_), "+S"(a2_), "+d"(a3_)      \
				 : [n] "i"(nr)                                      \
				 : "rcx", "r11", "memory");                         \
		ret_;                                                               \
	})

void bench_calls(void);
void bench_traps(void);
void bench_user(void);
void bench_mm(void);
void bench_events(void);
void bench_grants(void);
void bench_vcpus(void);

#endif
