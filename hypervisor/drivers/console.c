/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: a ring that keeps the log for `xl dmesg`, the serial port and the screen.
 *
 *     printk ---> ring -------------------> XEN_SYSCTL_readconsole
 *        \-----> serial, screen             ^ VIRQ_CON_RING when there is more
 *     CONSOLEIO_write ---> serial
 *     serial input --+--> input ring -----> VIRQ_CONSOLE, CONSOLEIO_read      (Ctrl-a three times
 *                    \--> debug keys                                           switches between the
 * two)
 *
 *   console=com1[,vga]   sync_console   conswitch=<letter>[x]
 *
 * The console lock (RANK_CONSOLE) protects all of it. It is taken by trying, never with a ticket: a
 * CPU that waits for it serves requests of other CPUs meanwhile, and those may print.
 */
#include <console.h>
#include <event.h>
#include <lib.h>
#include <options.h>
#include <percpu.h>
#include <smp.h>
#include <spinlock.h>
#include <xerrno.h>

#include "uart.h"

#define RING_SIZE (128U * 1024) /* power of two */
#define INPUT_SIZE 256U         /* power of two */
#define LOCK_PATIENCE \
	20000000U /* tries before a panicking CPU takes the lock from a dead holder \
		   */

static spinlock_t lock = SPINLOCK_INIT(RANK_CONSOLE);
static u32 lock_holder; /* CPU + 1 */
static u32 lock_depth;

static char ring[RING_SIZE];
static u32 ring_in, ring_cleared; /* free running */
static char input[INPUT_SIZE];
static u32 input_in, input_out;

static bool to_serial, to_screen, sync, started;
static bool want_serial, want_screen = true, want_set;

static int parse_console(const char *s)
{
	bool serial = false, screen = false;

	while (*s) {
		size_t n = strchr(s, ',') ? (size_t)(strchr(s, ',') - s) : strlen(s);

		if (n >= 4 && (!strncmp(s, "com1", 4) || !strncmp(s, "com2", 4)))
			serial = true;
		else if (n == 3 && !strncmp(s, "vga", 3))
			screen = true;
		else if (!(n == 4 && !strncmp(s, "none", 4)))
			return -EINVAL;
		s += n;
		if (*s)
			s++;
	}
	want_serial = serial;
	want_screen = screen;
	want_set = true;
	return 0;
}
OPTION("console", parse_console);

static int parse_sync_console(const char *s)
{
	return option_bool(s, &sync);
}
OPTION("sync_console", parse_sync_console);

static char switch_char = 1; /* Ctrl-a */
static bool input_to_dom0 = true;

static int parse_conswitch(const char *s)
{
	if (*s < 'a' || *s > 'z' || (s[1] && (s[1] != 'x' || s[2])))
		return -EINVAL;
	switch_char = (char)(*s - 'a' + 1);
	input_to_dom0 = s[1] != 'x';
	return 0;
}
OPTION("conswitch", parse_conswitch);

bool console_is_sync(void)
{
	return sync && started;
}

void console_lock(void)
{
	u32 me = smp_processor_id() + 1;
	unsigned int tries = 0;

	if (READ_ONCE(lock_holder) == me) {
		lock_depth++;
		return;
	}
	while (!spin_trylock(&lock)) {
		cpu_relax_poll();
		if (sync && ++tries > LOCK_PATIENCE) {
			spin_lock_init(&lock, RANK_CONSOLE);
			tries = 0;
		}
	}
	WRITE_ONCE(lock_holder, me);
	lock_depth = 1;
}

void console_unlock(void)
{
	if (--lock_depth)
		return;
	WRITE_ONCE(lock_holder, 0);
	spin_unlock(&lock);
}

static void put_sinks(const char *s, size_t n)
{
	if (to_serial)
		uart_write(s, n);
	if (to_screen)
		vga_text_write(s, n);
}

void console_puts_raw(const char *s, size_t n)
{
	console_lock();
	for (size_t i = 0; i < n; i++)
		ring[ring_in++ % RING_SIZE] = s[i];
	put_sinks(s, n);
	console_unlock();
	if (started)
		raise_softirq(SOFTIRQ_CONSOLE);
}

/* Behind printk, where no lock is held. */
static void ring_grew(void)
{
	evtchn_send_host_virq(VIRQ_CON_RING);
}

void console_guest_write(const char *s, size_t n)
{
	console_lock();
	put_sinks(s, n);
	console_unlock();
}

/* Oldest byte the ring still has. */
static u32 ring_oldest(void)
{
	return ring_in - ring_cleared > RING_SIZE ? ring_in - RING_SIZE : ring_cleared;
}

size_t console_ring_read(char *buf, size_t size, bool clear, bool incremental, u32 *index)
{
	u32 from;
	size_t n = 0;

	console_lock();
	from = ring_oldest();
	if (incremental && (s32)(*index - from) > 0)
		from = *index;
	while (n < size && (s32)(ring_in - from) > 0)
		buf[n++] = ring[from++ % RING_SIZE];
	if (clear)
		ring_cleared = from;
	*index = from;
	console_unlock();
	return n;
}

size_t console_input_read(char *buf, size_t size)
{
	size_t n = 0;

	console_lock();
	while (n < size && input_out != input_in)
		buf[n++] = input[input_out++ % INPUT_SIZE];
	console_unlock();
	return n;
}

/* What was logged before there was anywhere to write it. */
static void replay_ring(void)
{
	for (u32 i = ring_oldest(), n; i != ring_in; i += n) {
		n = min(ring_in - i, RING_SIZE - i % RING_SIZE);
		put_sinks(&ring[i % RING_SIZE], n);
	}
}

void console_early_init(void)
{
	bool serial = want_set ? want_serial : uart_configured();

	console_lock();
	if (serial)
		to_serial = uart_init();
	if (want_screen) {
		vga_text_init();
		to_screen = true;
	}
	replay_ring();
	console_unlock();
	if (serial && !to_serial)
		printk(XLOG_WARNING "com1: no serial port found\n");
}

static void switch_input(void)
{
	input_to_dom0 = !input_to_dom0;
	printk("*** Serial input to %s (type 'CTRL-%c' three times to switch input)\n",
	       input_to_dom0 ? "DOM0" : "Serai", switch_char + 'a' - 1);
}

/* From the receive interrupt: no locks are held. */
static void console_receive(void)
{
	static unsigned int presses;
	bool tell = false;
	int c;

	for (;;) {
		console_lock();
		c = uart_getc();
		console_unlock();
		if (c < 0)
			break;
		if (c == switch_char) {
			if (++presses == 3) {
				presses = 0;
				switch_input();
				continue;
			}
		} else {
			presses = 0;
		}
		if (!input_to_dom0) {
			if (c != switch_char)
				debug_key((char)c);
			continue;
		}
		console_lock();
		if (input_in - input_out < INPUT_SIZE)
			input[input_in++ % INPUT_SIZE] = (char)c;
		console_unlock();
		tell = true;
	}
	if (tell)
		evtchn_send_host_virq(VIRQ_CONSOLE);
}

u16 console_io_base(void)
{
	return to_serial ? uart_io_base() : 0;
}

void console_init_postirq(void)
{
	debug_keys_init();
	softirq_register(SOFTIRQ_CONSOLE, ring_grew);
	console_lock();
	started = true;
	console_unlock();
	if (to_serial)
		uart_start_irq(console_receive);
	if (sync)
		printk(XLOG_WARNING "sync_console: every message waits for the serial line\n");
}

void console_give_to_dom0(void)
{
	if (to_serial)
		printk("*** Serial input to %s (type 'CTRL-%c' three times to switch input)\n",
		       input_to_dom0 ? "DOM0" : "Serai", switch_char + 'a' - 1);
	console_lock();
	to_screen = false;
	console_unlock();
}

void console_start_sync(void)
{
	sync = true;
	started = true;
	console_lock();
	if (to_serial)
		uart_set_sync();
	console_unlock();
}
