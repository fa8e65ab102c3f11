/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NS16550A serial port (National Semiconductor PC16550D data sheet).
 *
 *   com1=<baud>|auto[,<bits><parity><stop>[,<port>[,<irq>]]]        com1=115200,8n1,0x3f8,4
 *
 * Before interrupts work, and in a panic, the transmitter is polled: one status read for each
 * sixteen bytes, which also keeps it cheap where a port access is emulated. Afterwards text goes
 * through a buffer which the transmit interrupt empties, so that a guest's output does not stop the
 * machine for the length of a line at 115200 baud. When the buffer is full the writer polls:
 * nothing is lost.
 *
 * The console lock protects everything here.
 */
#include <console.h>
#include <io.h>
#include <irq.h>
#include <lib.h>
#include <options.h>
#include <xerrno.h>

#include "uart.h"

enum {
	R_DATA = 0,
	R_DLL = 0,
	R_IER = 1,
	R_DLM = 1,
	R_FCR = 2,
	R_IIR = 2,
	R_LCR = 3,
	R_MCR = 4,
	R_LSR = 5,
	R_SCR = 7
};
#define IER_RX 0x01
#define IER_TX 0x02
#define FCR_ENABLE 0x07 /* on, both FIFOs cleared */
#define FCR_TRIG8 0x80
#define IIR_NONE 0x01
#define IIR_FIFO 0xc0
#define LCR_DLAB 0x80
#define MCR_DTR_RTS 0x03
#define MCR_OUT2 0x08 /* gates the interrupt line on PCs */
#define LSR_DR 0x01
#define LSR_THRE 0x20
#define BASE_BAUD 115200U
#define TX_POLL_LIMIT 200000U /* far longer than a FIFO takes at 9600 baud */
#define IRQ_ROUNDS 64U
#define TXBUF 16384U /* power of two */

static struct {
	u16 base;
	unsigned int irq, baud; /* baud 0: leave the divisor as the firmware set it */
	u8 lcr;
	bool configured, present, stuck, irq_on;
	unsigned int fifo;
} uart = {.base = 0x3f8, .irq = 4, .baud = BASE_BAUD, .lcr = 3, .fifo = 1};

static char txbuf[TXBUF];
static u32 tx_in, tx_out;

static u8 rd(unsigned int reg)
{
	return inb((u16)(uart.base + reg));
}
static void wr(unsigned int reg, u8 v)
{
	outb((u16)(uart.base + reg), v);
}

/* "8n1" */
static const char *parse_format(const char *s, u8 *lcr)
{
	static const char parity[] = "n\0o\0e\0m\0s";
	static const u8 parity_bits[] = {0x00, 0x08, 0x18, 0x28, 0x38};
	u8 v;

	if (s[0] < '5' || s[0] > '8')
		return NULL;
	v = (u8)(s[0] - '5');
	for (unsigned int i = 0;; i++) {
		if (i == ARRAY_SIZE(parity_bits))
			return NULL;
		if (s[1] == parity[2 * i]) {
			v |= parity_bits[i];
			break;
		}
	}
	if (s[2] != '1' && s[2] != '2')
		return NULL;
	*lcr = s[2] == '2' ? v | 0x04 : v;
	return s + 3;
}

static int parse_com1(const char *s)
{
	u64 baud = BASE_BAUD, port = uart.base, irq = uart.irq;
	u8 lcr = uart.lcr;

	if (!strncmp(s, "auto", 4)) {
		baud = 0;
		s += 4;
	} else if (*s && *s != ',') {
		s = option_number(s, &baud);
		if (!s || !baud || baud > BASE_BAUD)
			return -EINVAL;
	}
	if (*s == ',' && *++s != ',' && *s)
		s = parse_format(s, &lcr);
	if (s && *s == ',' && *++s != ',' && *s)
		s = option_number(s, &port);
	if (s && *s == ',' && *++s)
		s = option_number(s, &irq);
	if (!s || *s || port > 0xfff8 || irq > 255)
		return -EINVAL;
	uart.baud = (unsigned int)baud;
	uart.lcr = lcr;
	uart.base = (u16)port;
	uart.irq = (unsigned int)irq;
	uart.configured = true;
	return 0;
}
OPTION("com1", parse_com1);

static int parse_com2(const char *s)
{
	uart.base = 0x2f8;
	uart.irq = 3;
	return parse_com1(s);
}
OPTION("com2", parse_com2);

bool uart_configured(void)
{
	return uart.configured;
}

u16 uart_io_base(void)
{
	return uart.present ? uart.base : 0;
}

bool uart_init(void)
{
	unsigned int divisor;

	/* The scratch register holds what is written to it; an empty bus reads all ones. */
	wr(R_SCR, 0x5a);
	if (rd(R_SCR) != 0x5a)
		return false;
	wr(R_IER, 0);
	if (uart.baud) {
		divisor = max(BASE_BAUD / uart.baud, 1U);
		wr(R_LCR, uart.lcr | LCR_DLAB);
		wr(R_DLL, (u8)divisor);
		wr(R_DLM, (u8)(divisor >> 8));
	}
	wr(R_LCR, uart.lcr);
	wr(R_MCR, MCR_DTR_RTS);
	wr(R_FCR, FCR_ENABLE | FCR_TRIG8);
	if ((rd(R_IIR) & IIR_FIFO) == IIR_FIFO)
		uart.fifo = 16;
	uart.present = true;
	return true;
}

/* Waits until the FIFO is empty. A port that never gets there is given up: better mute than hung.
 */
static bool tx_wait(void)
{
	if (uart.stuck)
		return false;
	for (unsigned int i = 0; i < TX_POLL_LIMIT; i++)
		if (rd(R_LSR) & LSR_THRE)
			return true;
	uart.stuck = true;
	return false;
}

/* One FIFO full from the buffer. */
static void tx_fill(void)
{
	for (unsigned int room = uart.fifo; room && tx_out != tx_in; room--)
		wr(R_DATA, (u8)txbuf[tx_out++ % TXBUF]);
}

static void tx_drain(void)
{
	while (tx_out != tx_in) {
		if (!tx_wait()) {
			tx_out = tx_in;
			return;
		}
		tx_fill();
	}
}

static void tx_put(char c)
{
	if (tx_in - tx_out == TXBUF) {
		if (!tx_wait())
			tx_out = tx_in;
		tx_fill();
	}
	txbuf[tx_in++ % TXBUF] = c;
}

void uart_write(const char *s, size_t n)
{
	bool was_empty = tx_in == tx_out;

	if (!uart.present)
		return;
	for (; n; n--, s++) {
		if (*s == '\n')
			tx_put('\r');
		tx_put(*s);
	}
	if (!uart.irq_on) {
		tx_drain();
	} else if (was_empty && tx_in != tx_out) {
		/* The interrupt fires at once if the holding register is empty already. */
		wr(R_IER, IER_RX | IER_TX);
	}
}

int uart_getc(void)
{
	if (!uart.present || !(rd(R_LSR) & LSR_DR))
		return -1;
	return rd(R_DATA);
}

void uart_set_sync(void)
{
	if (!uart.present)
		return;
	if (uart.irq_on)
		wr(R_IER, IER_RX);
	uart.irq_on = false;
	tx_drain();
	tx_wait();
}

/*
 * The line is edge triggered: unless every cause is gone at some moment, there will be no further
 * edge. What is left after so many rounds gets an edge by switching the causes off and on.
 */
static void uart_irq(void *rx)
{
	unsigned int i;

	for (i = 0; i < IRQ_ROUNDS && !(rd(R_IIR) & IIR_NONE); i++) {
		console_lock();
		if (uart.irq_on && (rd(R_LSR) & LSR_THRE)) {
			tx_fill();
			if (tx_in == tx_out)
				wr(R_IER, IER_RX);
		}
		console_unlock();
		((void (*)(void))rx)();
	}
	if (i < IRQ_ROUNDS)
		return;
	console_lock();
	wr(R_IER, 0);
	wr(R_IER, uart.irq_on && tx_in != tx_out ? IER_RX | IER_TX : IER_RX);
	console_unlock();
}

void uart_start_irq(void (*rx)(void))
{
	if (!uart.present || !uart.irq)
		return;
	if (irq_request(uart.irq, uart_irq, (void *)rx, "com1") != 0) {
		printk(XLOG_WARNING "com1: interrupt %u not available, input is off\n", uart.irq);
		return;
	}
	wr(R_MCR, MCR_DTR_RTS | MCR_OUT2);
	wr(R_IER, IER_RX);
	uart.irq_on = !console_is_sync();
}
