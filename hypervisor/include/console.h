/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Console: UART, log ring, console_io, debug keys. */
#ifndef SERAI_CONSOLE_H
#define SERAI_CONSOLE_H

#include <types.h>

void console_early_init(void);	 /* UART usable polled; from options com1= console= */
void console_init_postirq(void); /* receive interrupts, VIRQ_CONSOLE */
void console_start_sync(void);	 /* panic: everything is written out before returning */
void console_puts_raw(const char *s, size_t n); /* to the UART and the ring, as is */
/* Ring, for XEN_SYSCTL_readconsole. Returns bytes copied; *index as the ABI defines. */
size_t console_ring_read(char *buf, size_t size, bool clear, bool incremental, u32 *index);
void debug_key(char c);
void debug_key_register(char c, const char *help, void (*fn)(void));

#endif
