/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decimal adjustment and other instructions that 64-bit mode no longer has. */
#include "internal.h"

static void result_flags(struct emu *e, u8 al)
{
	u64 f = (al ? 0 : X86_EFLAGS_ZF) | (al & 0x80 ? X86_EFLAGS_SF : 0);

	f |= __builtin_parity(al) ? 0 : X86_EFLAGS_PF;
	e->rflags = (e->rflags & ~(X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_PF)) | f;
}

/* 27 DAA, 2f DAS */
int emu_daa(struct emu *e)
{
	bool sub = e->opcode & 8, cf = e->rflags & X86_EFLAGS_CF, new_cf = false;
	u8 al = (u8)*emu_gpr(e, EMU_RAX), old = al;
	bool af = (al & 0xf) > 9 || (e->rflags & X86_EFLAGS_AF);

	if (af) {
		new_cf = cf || (sub ? al < 6 : al > 0xf9);
		al = (u8)(sub ? al - 6 : al + 6);
	}
	if (old > 0x99 || cf) {
		al = (u8)(sub ? al - 0x60 : al + 0x60);
		new_cf = true;
	}
	e->rflags &= ~(X86_EFLAGS_CF | X86_EFLAGS_AF | X86_EFLAGS_OF);
	e->rflags |= (new_cf ? X86_EFLAGS_CF : 0) | (af ? X86_EFLAGS_AF : 0);
	emu_write_reg(e, EMU_RAX, 1, al);
	result_flags(e, al);
	return EMU_OKAY;
}

/* 37 AAA, 3f AAS */
int emu_aaa(struct emu *e)
{
	bool sub = e->opcode & 8;
	u16 ax = (u16)*emu_gpr(e, EMU_RAX);
	bool adjust = (ax & 0xf) > 9 || (e->rflags & X86_EFLAGS_AF);

	if (adjust)
		ax = (u16)(sub ? ax - 0x106 : ax + 0x106);
	ax &= 0xff0f;
	e->rflags &= ~FLAGS_ARITH;
	e->rflags |= adjust ? X86_EFLAGS_CF | X86_EFLAGS_AF : 0;
	emu_write_reg(e, EMU_RAX, 2, ax);
	result_flags(e, (u8)ax);
	return EMU_OKAY;
}

int emu_aam(struct emu *e)
{
	u8 base = (u8)e->imm, al = (u8)*emu_gpr(e, EMU_RAX);

	if (!base)
		return emu_raise(e, X86_EXC_DE);
	emu_write_reg(e, EMU_RAX, 2, (u64)(al / base) << 8 | al % base);
	e->rflags &= ~FLAGS_ARITH;
	result_flags(e, al % base);
	return EMU_OKAY;
}

int emu_aad(struct emu *e)
{
	u16 ax = (u16)*emu_gpr(e, EMU_RAX);
	u8 al = (u8)((ax & 0xff) + (ax >> 8) * (u8)e->imm);

	emu_write_reg(e, EMU_RAX, 2, al);
	e->rflags &= ~FLAGS_ARITH;
	result_flags(e, al);
	return EMU_OKAY;
}

int emu_bound(struct emu *e)
{
	s64 low, high, v = (s64)sign_extend(emu_read_reg(e, e->reg, e->op_bytes), e->op_bytes);
	u64 a = 0, b = 0;

	TRY(emu_read_mem(e, e->rm.seg, e->rm.offset, &a, e->op_bytes));
	TRY(emu_read_mem(e, e->rm.seg, (e->rm.offset + e->op_bytes) & mask_of(e->ad_bytes), &b, e->op_bytes));
	low = (s64)sign_extend(a, e->op_bytes);
	high = (s64)sign_extend(b, e->op_bytes);
	return v < low || v > high ? emu_raise(e, X86_EXC_BR) : EMU_OKAY;
}

int emu_arpl(struct emu *e)
{
	u64 dst, src = emu_read_reg(e, e->reg, 2);

	if (!e->protected_mode || e->vm86)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_read_rm(e, 2, &dst));
	if ((dst & 3) < (src & 3))
		TRY(emu_write_rm(e, 2, (dst & ~3ULL) | (src & 3)));
	e->rflags = (dst & 3) < (src & 3) ? e->rflags | X86_EFLAGS_ZF : e->rflags & ~X86_EFLAGS_ZF;
	return EMU_OKAY;
}
