/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib share among themselves. */
#ifndef GUEST_INTERNAL_H
#define GUEST_INTERNAL_H

#include "guest.h"

#define VECTOR_SYSCALL 0x100
#define VECTOR_SYSCALL32 0x101
#define VECTOR_SYSENTER 0x102
#define VECTOR_EVENT 0x200
#define VECTOR_NMI 0x201
#define VECTOR_FAILSAFE 0x202

extern const char entry_syscall[], entry_syscall32[], entry_sysenter[], entry_event[];
extern const char entry_failsafe[], entry_nmi[];
extern uint64_t failsafe_selectors[4]; /* ds es fs gs */
extern char boot_stack_top[];

void event_dispatch(void);
void __noreturn user_came_back(struct trap_frame *f);
void user_enter(const struct regs *regs, const struct iret_context *frame);
void __noreturn user_leave(void);

#endif
