/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of user code by name: USER_ASM(name, "instructions") and a state to run them in. */
#ifndef GUEST_USERCODE_H
#define GUEST_USERCODE_H

#include "guest.h"

#define USER_ASM_BITS(name, bits, insns)                      \
	extern const char user_##name[], user_##name##_end[]; \
	__asm__(".pushsection .rodata\n"                      \
		".code" bits "\n"                             \
		"user_" #name ": " insns "\n"                 \
		"user_" #name "_end:\n"                       \
		".code64\n"                                   \
		".popsection")
#define USER_ASM(name, insns) USER_ASM_BITS(name, "64", insns)
#define USER_ASM32(name, insns) USER_ASM_BITS(name, "32", insns)
#define USER_RUN(name, u, flags, res) \
	user_run(u, user_##name, (size_t)(user_##name##_end - user_##name), flags, res)

/* Registers in a kernel's own frames keep the hypervisor's mask of upcalls in cs bits 32..39. */
#define FRAME_CS(cs) ((uint32_t)(cs))

#define FL_FIXED 0x2UL
#define FL_CF 0x1UL
#define FL_PF 0x4UL
#define FL_AF 0x10UL
#define FL_ZF 0x40UL
#define FL_SF 0x80UL
#define FL_TF 0x100UL
#define FL_IF 0x200UL
#define FL_DF 0x400UL
#define FL_OF 0x800UL
#define FL_IOPL 0x3000UL
#define FL_NT 0x4000UL
#define FL_RF 0x10000UL
#define FL_AC 0x40000UL
#define FL_ID 0x200000UL
#define FL_ARITH (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

static inline void user_state64(struct user_state *u, uint64_t seed)
{
	regs_fill(&u->regs, seed);
	u->regs.rsp = USER_STACK_TOP - 64;
	u->regs.rflags = FL_FIXED | FL_IF;
	u->rip = USER_CODE;
	u->cs = FLAT_USER_CS64;
	u->ss = FLAT_USER_SS64;
}

static inline void user_state32(struct user_state *u, uint64_t seed)
{
	uint64_t *r = (uint64_t *)&u->regs;
	unsigned int i;

	user_state64(u, seed);
	for (i = 0; i < 8; i++)
		r[i] = (uint32_t)r[i];
	u->cs = FLAT_USER_CS32;
	u->ss = FLAT_USER_SS32;
}

#endif
