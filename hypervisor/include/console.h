/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Console: UART, screen, log ring, console_io, debug keys. */
#ifndef SERAI_CONSOLE_H
#define SERAI_CONSOLE_H

#include <types.h>

void console_early_init(void);   /* UART usable polled; from options com1= console= */
void console_init_postirq(void); /* receive interrupts, VIRQ_CONSOLE */
void console_give_to_dom0(void); /* just before dom0 first runs: the screen becomes its own */
void console_start_sync(void);   /* panic: everything is written out before returning */
bool console_is_sync(void);
void console_puts_raw(const char *s, size_t n);    /* to the UART and the ring, as is */
void console_guest_write(const char *s, size_t n); /* to the UART only */
/* A lock that is never waited for with a ticket, so that functions run from the wait loop may print
 * too; the CPU that holds it may take it again (a fault while printing). */
void console_lock(void);
void console_unlock(void);

/* First of the eight ports of the serial console, which are nobody else's; 0: there is none. */
u16 console_io_base(void);

/* Ring, for XEN_SYSCTL_readconsole. Returns bytes copied; *index as the ABI defines. */
size_t console_ring_read(char *buf, size_t size, bool clear, bool incremental, u32 *index);
/* Serial input the control domain has not read yet; returns bytes copied. */
size_t console_input_read(char *buf, size_t size);

void debug_keys_init(void);
void debug_key(char c);
void debug_key_register(char c, const char *help, void (*fn)(void));

#endif
