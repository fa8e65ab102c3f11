/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S calls. regs is &current->regs for everything that comes from a guest. */
#ifndef SERAI_X86_TRAPS_H
#define SERAI_X86_TRAPS_H

#include <domain.h>
#include <regs.h>

void trap_from_guest(struct regs *regs);
void trap_from_hypervisor(struct regs *regs);
struct regs *trap_ist(struct regs *regs);
void guest_exit_work(struct regs *regs);
void pv_iret_failed(struct regs *regs, u32 error_code, u32 vector);
void pv_deliver_events(struct regs *regs);
void pv_syscall_bounce(struct regs *regs);
void pv_syscall32_bounce(struct regs *regs);
void pv_sysenter_bounce(struct regs *regs);

/* Asm */
void resume_guest(struct regs *regs) __noreturn;
void run_on_empty_stack(void (*fn)(void)) __noreturn;
extern const u8 trap_stubs[256][16];
extern const u8 syscall_entry[], syscall32_entry[], sysenter_entry[];

static inline struct vcpu *regs_to_vcpu(struct regs *regs)
{
	return container_of(regs, struct vcpu, regs);
}

static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

void trap_fatal(const struct regs *regs, u64 cr2) __noreturn;
void do_softirqs(void);

#endif
