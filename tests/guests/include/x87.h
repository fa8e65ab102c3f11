/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87 state as FNSTENV and FXSAVE64 show it, and whether the processor keeps the pointers in it at all. */
#ifndef GUEST_X87_H
#define GUEST_X87_H

#include "guest.h"

struct fenv32 {
	uint32_t fcw, fsw, ftw, fip;
	uint16_t fcs, fop;
	uint32_t fdp;
	uint16_t fds, rsvd;
};

struct fxsave64 {
	uint16_t fcw, fsw, ftw, fop;
	uint64_t fip, fdp;
	uint8_t rest[512 - 24];
} __attribute__((aligned(64)));

/* User code of 32 bits loads a number, and shows the environment before and after. By the stack segment: DS is null. */
USER_ASM32(load32, "fninit\n flds %ss:0x401000\n fnstenv %ss:0x401100\n ud2");
USER_ASM32(look32, "fnstenv %ss:0x401200\n ud2");

/* Runs it in state u and with result r, to its ud2. */
#define RUN32(name)                        \
	do {                               \
		user_state32(&u, 3);       \
		USER_RUN(name, &u, 0, &r); \
		check_eq(r.why, 6);        \
	} while (0)

/* Does the processor give back the selectors and offsets, or the wide offsets, it was given? */
static inline bool x87_pointers_kept(bool wide)
{
	static struct fxsave64 image, image2;
	struct fenv32 env;

	__asm__ volatile("fninit\n fxsave64 %0" : "=m"(image));
	if (wide) {
		image.fip = 0xffffffff80123456UL;
		__asm__ volatile("fxrstor64 %1\n fxsave64 %0" : "=m"(image2) : "m"(image));
		return image2.fip == image.fip;
	}
	image.fip = 0x0000123400005678UL;
	__asm__ volatile("fxrstor %1\n fnstenv %0" : "=m"(env) : "m"(image));
	return env.fcs == 0x1234 && env.fip == 0x5678;
}

/* The vCPU uses XSAVE from here on, as far as x87 and SSE go. False: there is none. */
static inline bool x87_use_xsave(void)
{
	unsigned int a = 1, b, c, d, hi;
	unsigned long cr4;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if (!(c >> 26 & 1))
		return false;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | 1UL << 18));
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(hi) : "c"(0));
	__asm__ volatile("xsetbv" ::"a"(a | 3), "d"(hi), "c"(0));
	return true;
}

#endif
