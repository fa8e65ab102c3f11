/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offsets entry code uses. x86/entry/offsets.c pins each to the structure it comes from. */
#ifndef SERAI_ASM_OFFSETS_H
#define SERAI_ASM_OFFSETS_H

/* struct regs */
#define R_R15 0
#define R_R14 8
#define R_R13 16
#define R_R12 24
#define R_RBP 32
#define R_RBX 40
#define R_R11 48
#define R_R10 56
#define R_R9 64
#define R_R8 72
#define R_RAX 80
#define R_RCX 88
#define R_RDX 96
#define R_RSI 104
#define R_RDI 112
#define R_ERR 120
#define R_VEC 124
#define R_RIP 128
#define R_CS 136
#define R_UPMASK 140
#define R_RFLAGS 144
#define R_RSP 152
#define R_SS 160
#define R_SIZE 168

/* struct vcpu, counted from its regs */
#define V_STACK_TOP 168
#define V_VCPU_INFO 176
#define V_CR3_KERNEL 184
#define V_CR3_USER 192
#define V_ASYNC 200
#define V_DOMAIN 208
#define V_CR3_FULL 216
#define V_SELF_REGS 224
#define V_ENTRY_REGS 232
#define V_KERNEL_SP 240
#define V_KERNEL_SS 248
#define V_SYSCALL_ENTRY 256
#define V_KERNEL_MODE 296
#define V_SYSCALL_MASK 297
#define V_REGS_OFFSET 56

/* struct cpu_info, counted from its start; its end is the end of the CPU's stack */
#define CPU_INFO_SIZE 48
#define CI_CURRENT 0
#define CI_SOFTIRQ 8
#define CI_CPU 12
#define CI_FLUSH 16
#define CI_XPTI_CR3 24
#define XPTI_NOT_ISOLATED_ASM 1

#define STACK_SIZE_ASM 0x8000
#define NR_HYPERCALLS_ASM 56

#endif
