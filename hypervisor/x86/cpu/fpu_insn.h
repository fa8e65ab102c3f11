/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FPU and XSAVE instructions, one function each. Included by x86/cpu/fpu*.c only. */
#ifndef SERAI_FPU_INSN_H
#define SERAI_FPU_INSN_H

#include <extable.h>
#include <xstate.h>

#define XSAVE_INSN(name)                                                  \
	static inline void insn_##name(void *area, u64 rfbm)              \
	{                                                                 \
		__asm__ volatile(#name " %0"                              \
				 : "+m"(*(u8(*)[4096])area)               \
				 : "a"((u32)rfbm), "d"((u32)(rfbm >> 32)) \
				 : "memory");                             \
	}
XSAVE_INSN(xsave64)
XSAVE_INSN(xsaveopt64)
XSAVE_INSN(xsavec64)
XSAVE_INSN(xsaves64)

/* A restore may fault on a bad image and then says false. */
#define XRSTOR_INSN(name)                                                                                \
	static inline bool insn_##name(const void *area, u64 rfbm)                                       \
	{                                                                                                \
		bool ok;                                                                                 \
                                                                                                         \
		__asm__ volatile("xor %%ecx, %%ecx\n"                                                    \
				 "1: " #name " %1\n\t"                                                   \
				 "inc %%ecx\n"                                                           \
				 "2:\n" EXTABLE(1b, 2b)                                                  \
				 : "=&c"(ok)                                                             \
				 : "m"(*(const u8(*)[4096])area), "a"((u32)rfbm), "d"((u32)(rfbm >> 32)) \
				 : "memory");                                                            \
		return ok;                                                                               \
	}
XRSTOR_INSN(xrstor)
XRSTOR_INSN(xrstor64)
XRSTOR_INSN(xrstors)
XRSTOR_INSN(xrstors64)
XRSTOR_INSN(fxrstor)
XRSTOR_INSN(fxrstor64)

static inline void insn_fxsave64(void *area)
{
	__asm__ volatile("fxsave64 %0" : "+m"(*(u8(*)[512])area));
}
static inline void insn_fnstenv(struct xstate_fenv32 *env)
{
	__asm__ volatile("fnstenv %0" : "=m"(*env));
}
static inline void insn_fldenv(const struct xstate_fenv32 *env)
{
	__asm__ volatile("fldenv %0" ::"m"(*env));
}
static inline void insn_fldcw(u16 fcw)
{
	__asm__ volatile("fldcw %0" ::"m"(fcw));
}
static inline void insn_fninit(void)
{
	__asm__ volatile("fninit");
}
static inline void insn_clts(void)
{
	__asm__ volatile("clts");
}
static inline u64 read_cr0(void)
{
	u64 v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}
static inline void write_cr0(u64 v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}
static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr4(u64 v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}
static inline void insn_xsetbv(u32 nr, u64 v)
{
	__asm__ volatile("xsetbv" ::"c"(nr), "a"((u32)v), "d"((u32)(v >> 32)));
}
static inline u64 insn_xgetbv(u32 nr)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(nr));
	return lo | (u64)hi << 32;
}
static inline u64 fpu_rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}
static inline void fpu_wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
static inline void fpu_cpuid(u32 leaf, u32 sub, struct xstate_leaf *r)
{
	__asm__ volatile("cpuid" : "=a"(r->a), "=b"(r->b), "=c"(r->c), "=d"(r->d) : "0"(leaf), "2"(sub));
}

#define CR0_MP 0x2UL
#define CR0_EM 0x4UL
#define CR0_TS 0x8UL
#define CR0_NE 0x20UL
#define CR4_OSFXSR 0x200UL
#define CR4_OSXMMEXCPT 0x400UL
#define CR4_OSXSAVE 0x40000UL
#define MSR_IA32_XSS 0xda0U

#endif
