/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of x86/cpu/fpu_insn.h, included before anything else: the instructions of a CPU that a test program
 * plays (fpu_switch_test.c), and whose CPU this is.
 */
#ifndef TEST_CPU_MODEL_H
#define TEST_CPU_MODEL_H

#include <percpu.h>
#include <xstate.h>

#define SERAI_FPU_INSN_H

extern struct vcpu *model_current;
extern unsigned int model_cpu;
#undef current
#define current model_current
#define smp_processor_id() model_cpu

#define CR0_TS 0x8UL

void insn_fnstenv(struct xstate_fenv32 *env);
void insn_fldenv(const struct xstate_fenv32 *env);
void insn_fldcw(u16 fcw);
void insn_fninit(void);
void insn_clts(void);
u64 read_cr0(void);
void write_cr0(u64 v);
void insn_xsetbv(u32 nr, u64 v);
u64 insn_xgetbv(u32 nr);
u64 fpu_rdmsr(u32 msr);
void fpu_wrmsr(u32 msr, u64 v);

#endif
