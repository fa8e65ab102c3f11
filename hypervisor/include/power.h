/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the machine ends, and what is said before. */
#ifndef SERAI_POWER_H
#define SERAI_POWER_H

#include <types.h>

struct regs;

/* Stops the other CPUs, then resets by FADT reset register, keyboard controller, port 0xcf9, triple
 * fault, in that order until one works. Safe in any context. */
void machine_restart(void) __noreturn;
void machine_halt(void) __noreturn;
/* ACPI S5 with the values dom0's AML gave (enter_acpi_sleep), or the \_S5 package if we can read
 * it. */
void machine_power_off(void) __noreturn;
void power_set_s5(u16 val_a, u16 val_b); /* what to write to the PM1 control registers */
/* The hardware domain went away with a SHUTDOWN_* reason: the machine follows (noreboot: halts). */
void hwdom_shutdown(u32 reason) __noreturn;

/* The other CPUs stop for good, interrupts off; returns when they have, or after a while. */
void smp_stop_others(void);

/* Registers, code bytes and, for hypervisor frames, stack and symbolised backtrace. */
void dump_regs(const struct regs *r);
void dump_backtrace(u64 rip, u64 rbp);
/* panic() for a trap in the hypervisor: the frame is dumped too. */
void panic_regs(const struct regs *r, const char *fmt, ...) __printf(2, 3) __noreturn __cold;

/* "name+0x12/0x40" of a text address, or the number. Returns buf. */
const char *symbol_format(char *buf, size_t size, u64 addr);
/* The index-th symbol in address order, for XENPF_get_symbol. False: no such. */
bool symbol_nth(u32 index, u64 *addr, char *type, char *name, size_t size);
u32 symbol_count(void);

#endif
