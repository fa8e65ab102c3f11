/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hosted FPU files call of the rest of the hypervisor: the C library's memory, no console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lib.h>
#include <mm.h>

void *hv_zalloc(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

	return p ? memset(p, 0, (size + 63) & ~(size_t)63) : NULL;
}

void hv_free(void *p)
{
	free(p);
}

void printk(const char *fmt, ...)
{
	(void)fmt;
}

void bug(const char *what, const char *file, int line)
{
	print_error("%s at %s:%d\n", what, file, line);
	abort();
}
