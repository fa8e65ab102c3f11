/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins every constant of asm_offsets.h to the structure it describes. */
#include <asm_offsets.h>
#include <domain.h>
#include <hypercall.h>
#include <percpu.h>
#include <xpti.h>

#define PIN(c, v) _Static_assert((c) == (v), #c)
#define V(member) (offsetof(struct vcpu, member) - offsetof(struct vcpu, regs))

PIN(R_R15, offsetof(struct regs, r15));
PIN(R_R12, offsetof(struct regs, r12));
PIN(R_RBP, offsetof(struct regs, rbp));
PIN(R_RBX, offsetof(struct regs, rbx));
PIN(R_R11, offsetof(struct regs, r11));
PIN(R_R10, offsetof(struct regs, r10));
PIN(R_R8, offsetof(struct regs, r8));
PIN(R_RAX, offsetof(struct regs, rax));
PIN(R_RCX, offsetof(struct regs, rcx));
PIN(R_RDI, offsetof(struct regs, rdi));
PIN(R_ERR, offsetof(struct regs, error_code));
PIN(R_VEC, offsetof(struct regs, entry_vector));
PIN(R_RIP, offsetof(struct regs, rip));
PIN(R_CS, offsetof(struct regs, cs));
PIN(R_UPMASK, offsetof(struct regs, saved_upcall_mask));
PIN(R_RFLAGS, offsetof(struct regs, rflags));
PIN(R_RSP, offsetof(struct regs, rsp));
PIN(R_SS, offsetof(struct regs, ss));
PIN(R_SIZE, sizeof(struct regs));

PIN(V_STACK_TOP, V(stack_top));
PIN(V_VCPU_INFO, V(vcpu_info));
PIN(V_CR3_KERNEL, V(cr3_kernel));
PIN(V_CR3_USER, V(cr3_user));
PIN(V_ASYNC, V(async_pending));
PIN(V_DOMAIN, V(domain));
PIN(V_CR3_FULL, V(cr3_full));
PIN(V_SELF_REGS, V(self_regs));
PIN(V_ENTRY_REGS, V(entry_regs));
PIN(V_KERNEL_SP, V(pv.kernel_sp));
PIN(V_KERNEL_SS, V(pv.kernel_ss));
PIN(V_SYSCALL_ENTRY, V(pv.syscall_entry));
PIN(V_KERNEL_MODE, V(pv.kernel_mode));
PIN(V_SYSCALL_MASK, V(pv.syscall_mask));
PIN(V_REGS_OFFSET, offsetof(struct vcpu, regs));
PIN(0, (offsetof(struct vcpu, regs) + sizeof(struct regs)) % 16);

PIN(CPU_INFO_SIZE, sizeof(struct cpu_info));
PIN(0, CPU_INFO_SIZE % 16);
PIN(CI_CURRENT, offsetof(struct cpu_info, current_vcpu));
PIN(CI_SOFTIRQ, offsetof(struct cpu_info, softirq));
PIN(CI_CPU, offsetof(struct cpu_info, cpu));
PIN(CI_FLUSH, offsetof(struct cpu_info, flush_request));
PIN(CI_XPTI_CR3, offsetof(struct cpu_info, xpti_cr3));
PIN(XPTI_NOT_ISOLATED_ASM, XPTI_NOT_ISOLATED);
PIN(STACK_SIZE_ASM, STACK_SIZE);
PIN(NR_HYPERCALLS_ASM, NR_HYPERCALLS);
