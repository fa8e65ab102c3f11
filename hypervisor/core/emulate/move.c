/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves: no flags. */
#include "internal.h"

int emu_mov(struct emu *e)
{
	unsigned int bytes = width(e);
	u64 v;

	if (!(e->opcode & 2)) /* 88, 89 */
		return emu_write_rm(e, bytes, emu_read_reg(e, e->reg, bytes));
	TRY(emu_read_rm(e, bytes, &v));
	emu_write_reg(e, e->reg, bytes, v);
	return EMU_OKAY;
}

int emu_mov_imm(struct emu *e)
{
	if (e->modrm >> 3 & 7)
		return emu_raise(e, X86_EXC_UD);
	return emu_write_rm(e, width(e), e->imm);
}

int emu_mov_reg_imm(struct emu *e)
{
	/* b0..b7 bytes, b8..bf full width */
	unsigned int nr = (e->opcode & 7) | (e->rex & 1U) << 3;

	emu_write_reg(e, nr, e->opcode & 8 ? e->op_bytes : 1, e->imm);
	return EMU_OKAY;
}

int emu_mov_moffs(struct emu *e)
{
	u64 v;

	if (e->opcode & 2)
		return emu_write_rm(e, width(e), emu_read_reg(e, EMU_RAX, width(e)));
	TRY(emu_read_rm(e, width(e), &v));
	emu_write_reg(e, EMU_RAX, width(e), v);
	return EMU_OKAY;
}

int emu_xchg(struct emu *e)
{
	unsigned int bytes = width(e);
	u64 v, mine = emu_read_reg(e, e->reg, bytes);

	TRY(emu_read_rm(e, bytes, &v));
	if (e->rm.mem && e->ops->cmpxchg)
		e->lock = true; /* always, with memory */
	TRY(emu_replace_rm(e, bytes, v, mine));
	emu_write_reg(e, e->reg, bytes, v);
	return EMU_OKAY;
}

int emu_xchg_acc(struct emu *e)
{
	unsigned int nr = (e->opcode & 7) | (e->rex & 1U) << 3;
	u64 v;

	if (nr == EMU_RAX) /* NOP, PAUSE: upper half stays as it is */
		return EMU_OKAY;
	v = emu_read_reg(e, nr, e->op_bytes);
	emu_write_reg(e, nr, e->op_bytes, emu_read_reg(e, EMU_RAX, e->op_bytes));
	emu_write_reg(e, EMU_RAX, e->op_bytes, v);
	return EMU_OKAY;
}

int emu_lea(struct emu *e)
{
	emu_write_reg(e, e->reg, e->op_bytes, e->rm.offset);
	return EMU_OKAY;
}

/* MOVZX b6, b7; MOVSX be, bf */
int emu_movx(struct emu *e)
{
	unsigned int from = e->opcode & 1 ? 2 : 1;
	u64 v;

	TRY(emu_read_rm(e, from, &v));
	emu_write_reg(e, e->reg, e->op_bytes, e->opcode & 8 ? sign_extend(v, from) : v);
	return EMU_OKAY;
}

int emu_movsxd(struct emu *e)
{
	u64 v;

	if (e->code_bytes != 8)
		return emu_arpl(e);
	TRY(emu_read_rm(e, e->op_bytes == 2 ? 2 : 4, &v));
	emu_write_reg(e, e->reg, e->op_bytes, e->op_bytes == 8 ? sign_extend(v, 4) : v);
	return EMU_OKAY;
}

/* Conditions 0..f of Jcc, SETcc, CMOVcc (SDM vol. 1, app. B). */
static bool condition(const struct emu *e, unsigned int cc)
{
	u64 f = e->rflags;
	bool sf_ne_of = !(f & X86_EFLAGS_SF) != !(f & X86_EFLAGS_OF), r;

	switch (cc >> 1 & 7) {
	case 0:
		r = f & X86_EFLAGS_OF;
		break;
	case 1:
		r = f & X86_EFLAGS_CF;
		break;
	case 2:
		r = f & X86_EFLAGS_ZF;
		break;
	case 3:
		r = f & (X86_EFLAGS_CF | X86_EFLAGS_ZF);
		break;
	case 4:
		r = f & X86_EFLAGS_SF;
		break;
	case 5:
		r = f & X86_EFLAGS_PF;
		break;
	case 6:
		r = sf_ne_of;
		break;
	default:
		r = sf_ne_of || (f & X86_EFLAGS_ZF);
		break;
	}
	return r != (cc & 1);
}

int emu_cmov(struct emu *e)
{
	u64 v;

	TRY(emu_read_rm(e, e->op_bytes, &v)); /* read in any case */
	if (!condition(e, e->opcode))
		v = emu_read_reg(e, e->reg, e->op_bytes); /* and a 32-bit one clears the upper half */
	emu_write_reg(e, e->reg, e->op_bytes, v);
	return EMU_OKAY;
}

int emu_setcc(struct emu *e)
{
	return emu_write_rm(e, 1, condition(e, e->opcode));
}

int emu_jcc(struct emu *e)
{
	return condition(e, e->opcode) ? emu_jump(e, e->next_rip + e->imm) : EMU_OKAY;
}

int emu_bswap(struct emu *e)
{
	unsigned int nr = (e->opcode & 7) | (e->rex & 1U) << 3;
	u64 v = *emu_gpr(e, nr);

	if (e->op_bytes == 2) /* undefined; every CPU stores zero */
		v = 0;
	else
		v = e->op_bytes == 8 ? __builtin_bswap64(v) : __builtin_bswap32((u32)v);
	emu_write_reg(e, nr, e->op_bytes, v);
	return EMU_OKAY;
}

int emu_movbe(struct emu *e)
{
	unsigned int shift = 64 - e->op_bytes * 8;
	u64 v;

	if (e->opcode & 1) {
		v = emu_read_reg(e, e->reg, e->op_bytes);
		return emu_write_rm(e, e->op_bytes, __builtin_bswap64(v) >> shift);
	}
	TRY(emu_read_rm(e, e->op_bytes, &v));
	emu_write_reg(e, e->reg, e->op_bytes, __builtin_bswap64(v) >> shift);
	return EMU_OKAY;
}

int emu_movnti(struct emu *e)
{
	if (e->opsize_prefix || e->rep) /* those would be other instructions */
		return emu_raise(e, X86_EXC_UD);
	return emu_write_rm(e, e->op_bytes, emu_read_reg(e, e->reg, e->op_bytes));
}

int emu_xlat(struct emu *e)
{
	u64 al = *emu_gpr(e, EMU_RAX) & 0xff, v = 0;
	u64 off = (*emu_gpr(e, EMU_RBX) + al) & mask_of(e->ad_bytes);

	TRY(emu_read_mem(e, e->seg_override != EMU_SEGS ? e->seg_override : EMU_DS, off, &v, 1));
	emu_write_reg(e, EMU_RAX, 1, v);
	return EMU_OKAY;
}

int emu_cbw(struct emu *e)
{
	u64 v = emu_read_reg(e, EMU_RAX, e->op_bytes / 2);

	/* AL is never AH here: half of a word is the low byte */
	if (e->op_bytes == 2)
		v = *emu_gpr(e, EMU_RAX) & 0xff;
	emu_write_reg(e, EMU_RAX, e->op_bytes, sign_extend(v, e->op_bytes / 2));
	return EMU_OKAY;
}

int emu_cwd(struct emu *e)
{
	u64 v = emu_read_reg(e, EMU_RAX, e->op_bytes);

	emu_write_reg(e, EMU_RDX, e->op_bytes, v >> (e->op_bytes * 8 - 1) ? ~0ULL : 0);
	return EMU_OKAY;
}

int emu_nop(struct emu *e)
{
	(void)e;
	return EMU_OKAY;
}
