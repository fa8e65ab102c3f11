/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("xenstored: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *new_zeroed(size_t size)
{
	return checked(calloc(1, size));
}

void *new_array(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size));
}

void *grow_array(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size));
}

void *copy_bytes(const void *p, size_t len)
{
	void *c = checked(malloc(len + 1));

	if (len)
		memcpy(c, p, len);
	((char *)c)[len] = 0;
	return c;
}

char *copy_text(const char *text)
{
	return copy_bytes(text, strlen(text));
}
