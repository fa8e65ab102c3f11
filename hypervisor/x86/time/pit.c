/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8254's channel 2 as a reference clock: every PC has it and it needs no tables. It counts
 * 65536 ticks down, once, so it is good for one comparison of less than 54 ms.
 */
#include "internal.h"
#include <io.h>

#define PIT_HZ 1193182ULL
#define PORT_CH2 0x42
#define PORT_MODE 0x43
#define PORT_GATE 0x61 /* bit 0: gate of channel 2, bit 1: speaker */

static u64 pit_read(void)
{
	u8 lo, hi;

	outb(PORT_MODE, 0x80); /* latch channel 2 */
	lo = inb(PORT_CH2);
	hi = inb(PORT_CH2);
	return (u64)hi << 8 | lo;
}

const struct ref_clock *pit_clock(void)
{
	static const struct ref_clock pit = {
		.name = "PIT",
		.hz = PIT_HZ,
		.mask = 0xffff,
		.usec = 40000,
		.counts_down = true,
		.read = pit_read,
	};
	u64 first;

	outb(PORT_GATE, (u8)((inb(PORT_GATE) & ~2U) | 1U));
	outb(PORT_MODE, 0xb0); /* channel 2, low then high byte, mode 0, binary */
	outb(PORT_CH2, 0xff);
	outb(PORT_CH2, 0xff);
	/* Is it there? It must move, if only a little, within some port accesses. */
	first = pit_read();
	for (int i = 0; i < 1000; i++) {
		if (pit_read() != first)
			return &pit;
	}
	return NULL;
}
