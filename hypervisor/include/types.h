/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fixed-width types, address types and small helpers; freestanding and hosted alike. */
#ifndef SERAI_TYPES_H
#define SERAI_TYPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 paddr_t; /* a machine address, in bytes */
typedef u64 stime_t; /* system time: nanoseconds since boot */

/* A machine frame number and a guest frame number are not the same thing, in any build. */
typedef struct {
	u64 n;
} mfn_t;
typedef struct {
	u64 n;
} gfn_t;

#define MFN(x) ((mfn_t){(x)})
#define GFN(x) ((gfn_t){(x)})
#define INVALID_MFN MFN(~0ULL)

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
	return a.n == b.n;
}
static inline mfn_t mfn_add(mfn_t m, u64 i)
{
	return MFN(m.n + i);
}
static inline paddr_t mfn_to_paddr(mfn_t m)
{
	return m.n << PAGE_SHIFT;
}
static inline mfn_t paddr_to_mfn(paddr_t p)
{
	return MFN(p >> PAGE_SHIFT);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1UL << (n))
#define ROUND_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ROUND_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define DIV_ROUND_UP(x, d) (((x) + (d)-1) / (d))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define min(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ < b_ ? a_ : b_;      \
	})
#define max(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ > b_ ? a_ : b_;      \
	})

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __must_check __attribute__((warn_unused_result))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noreturn __attribute__((noreturn))
#define __cold __attribute__((cold))
#define __unused __attribute__((unused))

/* One access, exactly as written: for words another CPU or a guest may change. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier() __asm__ volatile("" ::: "memory")

#endif
