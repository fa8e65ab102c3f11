/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two places console text goes to besides the ring. */
#ifndef SERAI_DRIVERS_UART_H
#define SERAI_DRIVERS_UART_H

#include <types.h>

/* One NS16550 family port. All calls under the console lock, but for uart_irq's own part. */
bool uart_init(void);                     /* false: not configured, or nobody there */
void uart_write(const char *s, size_t n); /* "\n" goes out as CR LF */
int uart_getc(void);                      /* -1: nothing waiting */
void uart_start_irq(void (*rx)(void));    /* receive by interrupt from now on, send buffered */
void uart_set_sync(void);                 /* drains the buffer; from now on writes wait */
bool uart_configured(void);
u16 uart_io_base(void); /* 0: none */

void vga_text_init(void);
void vga_text_write(const char *s, size_t n);

#endif
