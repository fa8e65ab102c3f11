/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command-line options, named as Xen's where they mean the same. */
#ifndef SERAI_OPTIONS_H
#define SERAI_OPTIONS_H

#include <types.h>

/* In each file that owns an option:  OPTION("dom0_mem", parse_dom0_mem);
 * fn gets the text behind '=' ("" when there is none; "no-NAME" and NAME=off arrive as "no").
 * It returns 0, or -EINVAL: the boot log then says which value of which option was not understood.
 */
struct boot_option {
	const char *name;
	int (*fn)(const char *value);
};
#define OPTION(optname, func)                                                                  \
	static const struct boot_option __attribute__((used, section(".options"), aligned(8))) \
	option_##func = {optname, func}

extern char boot_cmdline[1024];
void options_parse(const char *cmdline);

/* Helpers for option functions */
int option_bool(const char *value, bool *out); /* "", yes, on, true, enable, 1 / no, off, false, disable, 0 */
int option_uint(const char *value, unsigned int *out);
/* 512M, 2G, 1024K, 100B, bare = KiB as Xen. *end: what follows; end == NULL: nothing may follow. */
int option_size(const char *value, const char **end, u64 *bytes);
/* Decimal or 0x hexadecimal at the start of s: returns what follows it, NULL when there is no
 * number. */
const char *option_number(const char *s, u64 *out);

#endif
