/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instruction on the real CPU, in 64-bit or 32-bit user mode, and the state it leaves. */
#ifndef TEST_EMULATE_NATIVE_H
#define TEST_EMULATE_NATIVE_H

#include <types.h>

struct cpu_state {
	u64 gpr[16]; /* in encoding order */
	u64 rip, rflags;
};

/* Code and data share one mapping below 2 GiB: all of CODE that is not the instruction is INT3. */
#define CODE_SIZE 8192U
#define DATA_SIZE 8192U
#define CODE_AT 4096U /* where the instruction starts */

struct arena {
	u8 code[CODE_SIZE];
	u8 data[DATA_SIZE];
};
extern struct arena *arena;

bool native_setup(void); /* again in every test: cmocka takes the signals before each */
/* Runs from s->rip until the INT3 after it or a fault. Returns the vector: 3 when it came through. */
unsigned int native_run(struct cpu_state *s, bool compat);

#endif
