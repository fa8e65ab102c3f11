/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register frame of an interrupted context, laid out as struct cpu_user_regs of the public ABI so
 * that a vCPU context is copied, not translated.
 *
 * For a guest the frame lives inside struct vcpu: the TSS's RSP0 and the syscall stub point right behind
 * ss, the CPU pushes into the vCPU, and entry code pushes the rest. Nothing is copied when vCPUs switch.
 * Inside the hypervisor the same frame is on the CPU's stack.
 */
#ifndef SERAI_REGS_H
#define SERAI_REGS_H

#include <types.h>

struct regs {
	u64 r15, r14, r13, r12, rbp, rbx; /* pushed last */
	u64 r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u32 error_code;   /* pushed by the CPU or as 0 by the stub */
	u32 entry_vector; /* vector, or one of ENTRY_* */
	u64 rip;
	u16 cs, pad0;
	u8 saved_upcall_mask;
	u8 pad1[3];
	u64 rflags;
	u64 rsp;
	u16 ss, pad2[3];
};

#define ENTRY_SYSCALL 0x100 /* from SYSCALL: rcx and r11 of the guest are already lost */
#define ENTRY_SYSENTER 0x101

#define X86_EFLAGS_CF 0x00000001UL
#define X86_EFLAGS_PF 0x00000004UL
#define X86_EFLAGS_AF 0x00000010UL
#define X86_EFLAGS_ZF 0x00000040UL
#define X86_EFLAGS_SF 0x00000080UL
#define X86_EFLAGS_TF 0x00000100UL
#define X86_EFLAGS_IF 0x00000200UL
#define X86_EFLAGS_DF 0x00000400UL
#define X86_EFLAGS_OF 0x00000800UL
#define X86_EFLAGS_IOPL 0x00003000UL
#define X86_EFLAGS_NT 0x00004000UL
#define X86_EFLAGS_RF 0x00010000UL
#define X86_EFLAGS_VM 0x00020000UL
#define X86_EFLAGS_AC 0x00040000UL
#define X86_EFLAGS_VIF 0x00080000UL
#define X86_EFLAGS_VIP 0x00100000UL
#define X86_EFLAGS_ID 0x00200000UL
#define X86_EFLAGS_MBS 0x00000002UL

/* Exception vectors (SDM vol. 3, 6.3.1) */
enum {
	X86_EXC_DE = 0,
	X86_EXC_DB = 1,
	X86_EXC_NMI = 2,
	X86_EXC_BP = 3,
	X86_EXC_OF = 4,
	X86_EXC_BR = 5,
	X86_EXC_UD = 6,
	X86_EXC_NM = 7,
	X86_EXC_DF = 8,
	X86_EXC_TS = 10,
	X86_EXC_NP = 11,
	X86_EXC_SS = 12,
	X86_EXC_GP = 13,
	X86_EXC_PF = 14,
	X86_EXC_MF = 16,
	X86_EXC_AC = 17,
	X86_EXC_MC = 18,
	X86_EXC_XM = 19,
	X86_EXC_VE = 20,
	X86_EXC_CP = 21,
};

/* Page-fault error code */
#define PFEC_PRESENT 1U
#define PFEC_WRITE 2U
#define PFEC_USER 4U
#define PFEC_RESERVED 8U
#define PFEC_INSN 16U

static inline bool regs_from_guest(const struct regs *r)
{
	return r->cs & 3;
}

#endif
