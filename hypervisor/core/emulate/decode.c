/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prefixes, opcode, ModRM, SIB, displacement and immediate (SDM vol. 2, ch. 2), driven by the tables:
 * no opcode is named here. Nothing is accessed but the instruction's own bytes.
 */
#include "internal.h"

#define INSN_MAX 15

static int fetch_more(struct emu *e, unsigned int bytes)
{
	u64 lin;

	if (e->pos + bytes > INSN_MAX)
		return emu_raise_error(e, X86_EXC_GP, 0);
	NEED(fetch);
	/* Byte by byte: the instruction may end at a page that is there before one that is not. */
	while (e->have < e->pos + bytes) {
		u64 off = e->rip + e->have;

		TRY(emu_linear(e, EMU_CS, off, 1, ACC_FETCH, &lin));
		TRY(e->ops->fetch(e, lin, e->buf + e->have, 1));
		e->have++;
	}
	return EMU_OKAY;
}

static inline int next(struct emu *e, unsigned int bytes, u64 *v)
{
	u64 r = 0;

	if (unlikely(e->pos + bytes > e->have))
		TRY(fetch_more(e, bytes));
	for (unsigned int i = 0; i < bytes; i++)
		r |= (u64)e->buf[e->pos + i] << 8 * i;
	e->pos += (u8)bytes;
	*v = r;
	return EMU_OKAY;
}

static inline int next_byte(struct emu *e, u8 *v)
{
	if (unlikely(e->pos >= e->have))
		TRY(fetch_more(e, 1));
	*v = e->buf[e->pos++];
	return EMU_OKAY;
}

/* What a byte means before the opcode. 0: it is not a prefix. */
enum { PFX_NONE, PFX_SEG, PFX_OP, PFX_AD, PFX_LOCK, PFX_REP, PFX_REX };
static const u8 prefix_kind[256] = {
	[0x26] = PFX_SEG,  [0x2e] = PFX_SEG, [0x36] = PFX_SEG, [0x3e] = PFX_SEG,
	[0x64] = PFX_SEG,  [0x65] = PFX_SEG, [0x66] = PFX_OP,  [0x67] = PFX_AD,
	[0xf0] = PFX_LOCK, [0xf2] = PFX_REP, [0xf3] = PFX_REP, [0x40 ... 0x4f] = PFX_REX,
};

static void segment_prefix(struct emu *e, u8 byte)
{
	if (byte >= 0x64)
		e->seg_override = byte - 0x64 + EMU_FS;
	else if (e->code_bytes != 8) /* ES, CS, SS, DS mean nothing in 64-bit mode */
		e->seg_override = byte >> 3 & 3;
}

static int prefixes(struct emu *e, u8 *opcode)
{
	u8 byte, kind;

	for (;;) {
		TRY(next_byte(e, &byte));
		kind = prefix_kind[byte];
		if (likely(kind == PFX_NONE) || (kind == PFX_REX && e->code_bytes != 8))
			break;
		if (kind == PFX_REX) {
			e->rex = byte;
			continue;
		}
		e->rex = 0; /* REX counts only right before the opcode */
		switch (kind) {
		case PFX_SEG:
			segment_prefix(e, byte);
			break;
		case PFX_OP:
			e->opsize_prefix = true;
			break;
		case PFX_AD:
			e->ad_bytes = e->code_bytes == 4 ? 2 : 4;
			break;
		case PFX_LOCK:
			e->lock = true;
			break;
		default:
			e->rep = byte;
			break;
		}
	}
	*opcode = byte;
	return EMU_OKAY;
}

static int modrm16(struct emu *e)
{
	static const u8 base[8] = {EMU_RBX, EMU_RBX, EMU_RBP, EMU_RBP, EMU_RSI, EMU_RDI, EMU_RBP, EMU_RBX};
	static const u8 index[8] = {EMU_RSI, EMU_RDI, EMU_RSI, EMU_RDI, 0xff, 0xff, 0xff, 0xff};
	unsigned int mod = e->modrm >> 6, rm = e->modrm & 7;
	u64 off = 0, disp = 0;

	e->rm.seg = rm == 2 || rm == 3 || rm == 6 ? EMU_SS : EMU_DS;
	if (mod == 0 && rm == 6) {
		e->rm.seg = EMU_DS;
		TRY(next(e, 2, &disp));
	} else {
		off = *emu_gpr(e, base[rm]);
		if (index[rm] != 0xff)
			off += *emu_gpr(e, index[rm]);
		if (mod) {
			TRY(next(e, mod, &disp));
			disp = sign_extend(disp, mod);
		}
	}
	e->rm.offset = (off + disp) & 0xffff;
	return EMU_OKAY;
}

static int sib(struct emu *e, unsigned int mod, u64 *off, unsigned int *disp_bytes)
{
	unsigned int index, base;
	u8 byte;

	TRY(next_byte(e, &byte));
	index = (byte >> 3 & 7) | (e->rex & 2) << 2;
	base = (byte & 7) | (e->rex & 1) << 3;
	*off = 0;
	if ((base & 7) == 5 && mod == 0) {
		*disp_bytes = 4;
	} else {
		*off = *emu_gpr(e, base);
		if (base == EMU_RSP || base == EMU_RBP)
			e->rm.seg = EMU_SS;
		e->rm.by_rsp = base == EMU_RSP;
	}
	if (index != EMU_RSP)
		*off += *emu_gpr(e, index) << (byte >> 6);
	return EMU_OKAY;
}

static int modrm(struct emu *e, bool *rip_relative)
{
	unsigned int mod, rm, disp_bytes;
	u64 off = 0, disp = 0;

	TRY(next_byte(e, &e->modrm));
	mod = e->modrm >> 6;
	rm = e->modrm & 7;
	e->reg = (e->modrm >> 3 & 7) | (e->rex & 4) << 1;
	e->rm.mem = mod != 3 && !(e->flags & REGONLY);
	if (!e->rm.mem) {
		e->rm.reg = (u8)(rm | (e->rex & 1) << 3);
		return EMU_OKAY;
	}
	e->rm.seg = EMU_DS;
	if (e->ad_bytes == 2) {
		TRY(modrm16(e));
	} else {
		disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
		if (rm == 4) {
			TRY(sib(e, mod, &off, &disp_bytes));
		} else if (rm == 5 && mod == 0) {
			disp_bytes = 4;
			*rip_relative = e->code_bytes == 8;
		} else {
			unsigned int base = rm | (e->rex & 1U) << 3;

			off = *emu_gpr(e, base);
			if (base == EMU_RBP)
				e->rm.seg = EMU_SS;
		}
		if (disp_bytes) {
			TRY(next(e, disp_bytes, &disp));
			off += sign_extend(disp, disp_bytes);
		}
		e->rm.offset = off;
	}
	if (e->seg_override != EMU_SEGS)
		e->rm.seg = e->seg_override;
	return EMU_OKAY;
}

static int immediates(struct emu *e)
{
	unsigned int n = 0;

	if ((e->flags & GRP3) && (e->reg & 6))
		return EMU_OKAY;
	if (e->flags & FARPTR) {
		TRY(next(e, e->op_bytes, &e->imm));
		return next(e, 2, &e->imm2);
	}
	if (e->flags & MOFFS) {
		TRY(next(e, e->ad_bytes, &e->rm.offset));
		e->rm.mem = true;
		e->rm.seg = e->seg_override != EMU_SEGS ? e->seg_override : EMU_DS;
		return EMU_OKAY;
	}
	if (e->flags & IMM16) {
		TRY(next(e, 2, &e->imm));
		if (!(e->flags & IMM8))
			return EMU_OKAY;
		return next(e, 1, &e->imm2); /* ENTER */
	}
	if ((e->flags & IMM8) || ((e->flags & (IMMZ | IMMV)) && width(e) == 1))
		n = 1;
	else if (e->flags & IMMZ)
		n = e->op_bytes == 8 ? 4 : e->op_bytes;
	else if (e->flags & IMMV)
		n = e->op_bytes;
	if (n) {
		TRY(next(e, n, &e->imm));
		e->imm = sign_extend(e->imm, n);
	}
	return EMU_OKAY;
}

static const struct emu_entry *entry_of(const struct emu *e)
{
	static const struct emu_entry movbe = {MODRM | MEMONLY, emu_movbe};
	static const struct emu_entry adx = {MODRM, emu_adx};
	static const struct emu_entry none;

	if (e->map == 0)
		return &emu_map0[e->opcode];
	if (e->map == 1)
		return &emu_map1[e->opcode];
	if ((e->opcode == 0xf0 || e->opcode == 0xf1) && !e->rep)
		return &movbe;
	if (e->opcode == 0xf6 && (e->rep == 0xf3 || (e->opsize_prefix && !e->rep)))
		return &adx;
	return &none;
}

static int opcode(struct emu *e)
{
	e->map = 0;
	TRY(prefixes(e, &e->opcode));
	if (e->opcode == 0x0f) {
		e->map = 1;
		TRY(next_byte(e, &e->opcode));
		if (e->opcode == 0x38) {
			e->map = 2;
			TRY(next_byte(e, &e->opcode));
		}
	}
	return EMU_OKAY;
}

int emu_decode(struct emu *e)
{
	const struct emu_entry *entry;
	bool rip_relative = false;

	e->pos = e->rex = e->rep = 0;
	e->lock = e->opsize_prefix = false;
	e->seg_override = EMU_SEGS;
	e->ad_bytes = e->code_bytes;
	e->rm.mem = e->rm.by_rsp = false;
	e->reg = e->modrm = 0;
	e->imm = 0;
	TRY(opcode(e));

	entry = entry_of(e);
	e->flags = entry->flags;
	e->execute = entry->fn;
	if (unlikely(!entry->fn))
		return EMU_UNHANDLEABLE;
	if (e->code_bytes == 8) {
		if (unlikely(e->flags & NO64))
			return emu_raise(e, X86_EXC_UD);
		e->op_bytes = e->rex & 8 ? 8 : e->opsize_prefix ? 2 : e->flags & D64 ? 8 : 4;
	} else {
		e->op_bytes = (e->code_bytes == 4) != e->opsize_prefix ? 4 : 2;
	}
	if (e->flags & MODRM)
		TRY(modrm(e, &rip_relative));
	if (e->flags & (IMM8 | IMMZ | IMMV | IMM16 | MOFFS | FARPTR))
		TRY(immediates(e));

	e->next_rip = e->rip + e->pos;
	if (e->code_bytes != 8)
		e->next_rip = (u32)e->next_rip;
	if (rip_relative)
		e->rm.offset += e->next_rip;
	if (e->ad_bytes == 4)
		e->rm.offset = (u32)e->rm.offset;
	if (unlikely(e->lock) && (!(e->flags & LOCKOK) || !e->rm.mem))
		return emu_raise(e, X86_EXC_UD);
	if (unlikely((e->flags & MEMONLY) && !e->rm.mem))
		return emu_raise(e, X86_EXC_UD);
	return EMU_OKAY;
}

int emu_execute(struct emu *e)
{
	e->retired_sti = e->retired_mov_ss = e->halted = false;
	if (e->flags & PRIV)
		TRY(emu_check_priv(e));
	TRY(e->execute(e));
	e->rip = e->next_rip;
	e->rflags &= ~X86_EFLAGS_RF;
	return EMU_OKAY;
}
