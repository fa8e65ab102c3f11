/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies to and from guest virtual addresses; a fault ends the copy. */
#include <extable.h>
#include <uaccess.h>
#include <xerrno.h>

static inline size_t copy_faulting(void *dst, const void *src, size_t n)
{
	__asm__ volatile(GUEST_ACCESS_BEGIN "1: rep movsb\n"
					    "2:\n" GUEST_ACCESS_END EXTABLE(1b, 2b)
			 : "+c"(n), "+D"(dst), "+S"(src)
			 :
			 : "memory");
	return n;
}

/* Most arguments are a few 8-byte words: no REP start-up, and few instructions. */
static inline size_t copy_words(void *dst, const void *src, size_t words)
{
	__asm__ volatile(GUEST_ACCESS_BEGIN "1: rep movsq\n"
					    "2:\n" GUEST_ACCESS_END EXTABLE(1b, 2b)
			 : "+c"(words), "+D"(dst), "+S"(src)
			 :
			 : "memory");
	return words * 8;
}

size_t raw_copy_from_guest(void *dst, u64 src, size_t n)
{
	if (!(n & 7))
		return copy_words(dst, (const void *)src, n / 8);
	return copy_faulting(dst, (const void *)src, n);
}

size_t raw_copy_to_guest(u64 dst, const void *src, size_t n)
{
	if (!(n & 7))
		return copy_words((void *)dst, src, n / 8);
	return copy_faulting((void *)dst, src, n);
}

int copy_from_guest_va(void *dst, u64 src, size_t n)
{
	if (unlikely(!guest_range_ok(src, n) || raw_copy_from_guest(dst, src, n)))
		return -EFAULT;
	return 0;
}

int copy_to_guest_va(u64 dst, const void *src, size_t n)
{
	if (unlikely(!guest_range_ok(dst, n) || raw_copy_to_guest(dst, src, n)))
		return -EFAULT;
	return 0;
}

int clear_guest_va(u64 dst, size_t n)
{
	if (!guest_range_ok(dst, n))
		return -EFAULT;
	__asm__ volatile(GUEST_ACCESS_BEGIN "1: rep stosb\n"
					    "2:\n" GUEST_ACCESS_END EXTABLE(1b, 2b)
			 : "+c"(n), "+D"(dst)
			 : "a"(0)
			 : "memory");
	return n ? -EFAULT : 0;
}

bool rdmsr_safe(u32 msr, u64 *val)
{
	u32 lo = 0, hi = 0, bad = 1;

	__asm__ volatile("1: rdmsr\n xorl %2, %2\n2:\n" EXTABLE(1b, 2b)
			 : "+a"(lo), "+d"(hi), "+r"(bad)
			 : "c"(msr));
	*val = (u64)hi << 32 | lo;
	return !bad;
}

bool wrmsr_safe(u32 msr, u64 val)
{
	u32 bad = 1;

	__asm__ volatile("1: wrmsr\n xorl %0, %0\n2:\n" EXTABLE(1b, 2b)
			 : "+r"(bad)
			 : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32))
			 : "memory");
	return !bad;
}
