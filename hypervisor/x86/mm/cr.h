/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few privileged instructions of the mm room. */
#ifndef SERAI_X86_MM_CR_H
#define SERAI_X86_MM_CR_H

#include <types.h>

#define CR4_PGE BIT(7)

static inline u64 cr3_read(void)
{
	u64 v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}
static inline void cr3_load(u64 v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}
static inline u64 cr4_get(void)
{
	u64 v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void cr4_put(u64 v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}
static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}
static inline void lldt(u16 sel)
{
	__asm__ volatile("lldt %0" : : "r"(sel));
}
static inline void cpuid_raw(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

#endif
