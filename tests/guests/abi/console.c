/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/console.md promises: the control domain writes to and reads from the hypervisor's
 * console; any other domain is refused with -EPERM and has its shared ring.
 */
#include "guest.h"

static long console_io(unsigned int cmd, unsigned long n, const void *p)
{
	return hypercall3(__HYPERVISOR_console_io, cmd, n, (unsigned long)p);
}

CASE(CONSOLEIO_write)
{
	static const char text[] = "a line by CONSOLEIO_write\n";

	check_eq(console_io(CONSOLEIO_write, sizeof(text) - 1, text), is_dom0() ? 0 : -XEN_EPERM);
	check_eq(console_io(CONSOLEIO_write, 0, NULL), is_dom0() ? 0 : -XEN_EPERM);
	record("pointer", (uint64_t)console_io(CONSOLEIO_write, 5, NULL));
}

CASE(long_write)
{
	static char text[2000];
	unsigned int i;

	if (!is_dom0()) {
		skip("control domain only");
		return;
	}
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 80 == 79 ? '\n' : '.';
	text[sizeof(text) - 1] = '\n';
	check_eq(console_io(CONSOLEIO_write, sizeof(text), text), 0);
}

CASE(CONSOLEIO_read)
{
	char buf[16];

	/* Nothing was typed. */
	check_eq(console_io(CONSOLEIO_read, sizeof(buf), buf), is_dom0() ? 0 : -XEN_EPERM);
}

CASE(unknown)
{
	record("op", (uint64_t)console_io(9, 0, NULL));
}
