/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that write a page-table entry: decoded from bytes, executed on a value. Pure. */
#ifndef SERAI_X86_MM_PTWR_H
#define SERAI_X86_MM_PTWR_H

#include <regs.h>
#include <types.h>

#define PTWR_MAX_INSN 16

enum ptwr_kind { PTWR_MOV, PTWR_MOV_IMM, PTWR_XCHG, PTWR_CMPXCHG, PTWR_GROUP1, PTWR_BIT };

struct ptwr_insn {
	enum ptwr_kind kind;
	bool lock;
	u8 op;    /* reg field of ModRM: operation of a group */
	u8 reg;   /* register operand */
	u8 bytes; /* width of the memory operand */
	u8 imm_bytes;
	u8 length;
	u64 imm;
};

struct ptwr_effect {
	u64 value; /* for memory, within the width */
	u64 rax, reg, flags;
	bool write;
};

bool ptwr_decode(const u8 *p, unsigned int avail, struct ptwr_insn *in);
/* What the instruction does, memory holding old (shifted so that the operand is at bit 0). */
void ptwr_execute(const struct ptwr_insn *in, struct regs *r, u64 old, struct ptwr_effect *fx);
void ptwr_commit(const struct ptwr_insn *in, struct regs *r, const struct ptwr_effect *fx);

#endif
