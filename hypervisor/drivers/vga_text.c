/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 80x25 colour text screen at 0xb8000, until the control domain takes it over. Console lock. */
#include <io.h>
#include <lib.h>
#include <mm.h>

#include "uart.h"

#define COLS 80U
#define ROWS 25U
#define BLANK 0x0720 /* light grey on black */

static u16 *screen;
static unsigned int col;

static bool colour_text_mode(void)
{
	/* Graphics controller, miscellaneous register: memory map B8000-BFFFF, text. All ones: no
	 * VGA. */
	outb(0x3ce, 6);
	return (inb(0x3cf) & 0x0d) == 0x0c;
}

void vga_text_init(void)
{
	if (!colour_text_mode())
		return;
	screen = paddr_to_virt(0xb8000);
	for (unsigned int i = 0; i < COLS * ROWS; i++)
		screen[i] = BLANK;
}

static void scroll(void)
{
	memmove(screen, screen + COLS, (size_t)COLS * (ROWS - 1) * 2);
	for (unsigned int i = 0; i < COLS; i++)
		screen[COLS * (ROWS - 1) + i] = BLANK;
	col = 0;
}

void vga_text_write(const char *s, size_t n)
{
	for (; screen && n; n--, s++) {
		if (*s == '\n' || col == COLS)
			scroll();
		if ((u8)*s >= ' ')
			screen[COLS * (ROWS - 1) + col++] = (u16)(0x0700 | (u8)*s);
	}
}
