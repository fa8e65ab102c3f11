/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootloader =: a program finds the kernel on the domain's first disk, as pygrub does.
 *
 *   PROGRAM [--kernel=..] [--ramdisk=..] [--args=..] --output=FILE --output-format=simple0
 *           --output-directory=DIR [bootloader_args...] DISK
 *
 * It copies what it found into DIR and writes "kernel PATH", "ramdisk PATH" and "args TEXT" to FILE, each with a NUL
 * behind it. Its terminal is a log: nobody is asked, and a menu's default is what starts.
 */
#ifndef SERAI_BOOTLOADER_H
#define SERAI_BOOTLOADER_H

#include "serai.h"

struct boot_files {
	char dir[64]; /* "": nothing to remove */
	char *kernel, *ramdisk, *args;
};

/* Where things are; tests have their own. */
struct boot_host {
	const char *run, *log;
	const char *const *path; /* patterns of directories with boot loaders, NULL at the end; then $PATH */
	int limit_ms;
};
extern const struct boot_host boot_this_host;

/*
 * Run c's boot loader on its first disk. 0, and the caller calls boot_files_remove() when it has read the files;
 * -ENOENT: no such program, no disk or no kernel; -EIO: it failed; -ETIMEDOUT; -EPERM: one without privileges names
 * a file outside of its directory. s->error has its last line.
 */
int bootloader_run(struct serai *s, const struct boot_host *h, const struct domain_config *c,
		   struct boot_files *b);
void boot_files_remove(struct boot_files *b);
/* What it wrote: strings of n bytes in all. -ENOENT: no kernel is named. -EINVAL: none of this is what is expected. */
int boot_output_parse(const char *text, size_t n, struct boot_files *b);

#endif
