/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a CPU's vectors serves which irq. Pure. 0x80 is left out: a guest may have a gate there.
 * Vectors are handed out 16 apart first, so that interrupts spread over the priority classes (SDM
 * vol. 3, 10.8.3.1).
 */
#include "internal.h"

#define VEC_SYSCALL_GATE 0x80

void vector_table_init(u16 table[256])
{
	for (unsigned int i = 0; i < 256; i++)
		table[i] = IRQ_NONE;
}

static bool usable(const u16 table[256], unsigned int v)
{
	return v >= VEC_DEVICE_FIRST && v <= VEC_DEVICE_LAST && v != VEC_SYSCALL_GATE && table[v] == IRQ_NONE;
}

u8 vector_find(const u16 table[256], u8 hint)
{
	if (usable(table, hint))
		return hint;
	for (unsigned int low = 0; low < 16; low++)
		for (unsigned int v = VEC_DEVICE_FIRST + low; v <= VEC_DEVICE_LAST; v += 16)
			if (usable(table, v))
				return (u8)v;
	return 0;
}
