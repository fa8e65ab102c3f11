/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One physical CPU: features, descriptors, start-up. */
#ifndef SERAI_CPU_H
#define SERAI_CPU_H

#include <types.h>

struct cpu_features {
	bool nx, smep, smap, pcid, invpcid, fsgsbase, xsave, x2apic, pge, page1gb, rdtscp, umip;
	bool amd, intel;
	u8 phys_bits;
};
extern struct cpu_features cpu_feat;

static inline void cpuid_raw(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "0"(leaf), "2"(sub));
}
static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
#define READ_CR(n)                                                 \
	({                                                         \
		u64 v_;                                            \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v_)); \
		v_;                                                \
	})
#define WRITE_CR(n, v) __asm__ volatile("mov %0, %%cr" #n : : "r"((u64)(v)) : "memory")

#define X86_CR0_PE 0x1UL
#define X86_CR0_MP 0x2UL
#define X86_CR0_TS 0x8UL
#define X86_CR0_NE 0x20UL
#define X86_CR0_WP 0x10000UL
#define X86_CR0_PG 0x80000000UL
#define X86_CR4_TSD 0x4UL
#define X86_CR4_DE 0x8UL
#define X86_CR4_PAE 0x20UL
#define X86_CR4_MCE 0x40UL
#define X86_CR4_PGE 0x80UL
#define X86_CR4_PCE 0x100UL
#define X86_CR4_OSFXSR 0x200UL
#define X86_CR4_OSXMMEXCPT 0x400UL
#define X86_CR4_UMIP 0x800UL
#define X86_CR4_FSGSBASE 0x10000UL
#define X86_CR4_PCIDE 0x20000UL
#define X86_CR4_OSXSAVE 0x40000UL
#define X86_CR4_SMEP 0x100000UL
#define X86_CR4_SMAP 0x200000UL
#define X86_CR4_PKE 0x400000UL

#define MSR_EFER 0xc0000080U
#define MSR_STAR 0xc0000081U
#define MSR_LSTAR 0xc0000082U
#define MSR_CSTAR 0xc0000083U
#define MSR_SYSCALL_MASK 0xc0000084U
#define MSR_FS_BASE 0xc0000100U
#define MSR_GS_BASE 0xc0000101U
#define MSR_KERNEL_GS_BASE 0xc0000102U
#define MSR_SYSENTER_CS 0x174U
#define MSR_SYSENTER_ESP 0x175U
#define MSR_SYSENTER_EIP 0x176U
#define MSR_PAT 0x277U

/* Hardware CR4 while any guest runs, before per-vCPU bits (TSD). */
extern u64 hv_cr4;

void cpu_features_init(void); /* boot CPU: CPUID into cpu_feat, patches SMAP sites */
/* Speculation (x86/cpu/spec.c): decides and patches, after cpu_features_init(). */
void spec_init(void);
extern bool spec_ibpb;
void spec_domain_switch(void); /* IBPB: predictions of one domain end here */
/* Any CPU, on its own stack: cpu_info, GDT, IDT, TSS, syscall MSRs, CR0/CR4/EFER/PAT. stack: its base. */
void cpu_init_this(unsigned int cpu);
/* Before cpu_init_this: allocates what the CPU needs (TSS, GDT page, syscall stub) and fills cpu_info. */
int cpu_prepare(unsigned int cpu, void *stack_base);
void ap_main(unsigned int cpu) __noreturn;

static inline u64 rdfsbase(void)
{
	u64 v;

	if (likely(cpu_feat.fsgsbase)) {
		__asm__ volatile("rdfsbase %0" : "=r"(v));
		return v;
	}
	return rdmsr(MSR_FS_BASE);
}
static inline u64 rdgsbase(void)
{
	u64 v;

	if (likely(cpu_feat.fsgsbase)) {
		__asm__ volatile("rdgsbase %0" : "=r"(v));
		return v;
	}
	return rdmsr(MSR_GS_BASE);
}
static inline void wrfsbase(u64 v)
{
	if (likely(cpu_feat.fsgsbase))
		__asm__ volatile("wrfsbase %0" : : "r"(v));
	else
		wrmsr(MSR_FS_BASE, v);
}
static inline void wrgsbase(u64 v)
{
	if (likely(cpu_feat.fsgsbase))
		__asm__ volatile("wrgsbase %0" : : "r"(v));
	else
		wrmsr(MSR_GS_BASE, v);
}
static inline bool is_canonical(u64 a)
{
	return (u64)((s64)(a << 16) >> 16) == a;
}

#endif
