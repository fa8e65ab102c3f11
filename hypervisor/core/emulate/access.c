/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, segmentation and memory operands (SDM vol. 3, ch. 5). */
#include <lib.h>

#include "internal.h"

int emu_check_priv(struct emu *e)
{
	return e->cpl == 0 ? EMU_OKAY : emu_raise_error(e, X86_EXC_GP, 0);
}

/* AH, CH, DH, BH are encodings 4 to 7 of byte registers without REX. */
static inline bool high_byte(const struct emu *e, unsigned int nr, unsigned int bytes)
{
	return bytes == 1 && !e->rex && nr >= 4 && nr < 8;
}

u64 emu_read_reg(const struct emu *e, unsigned int nr, unsigned int bytes)
{
	if (high_byte(e, nr, bytes))
		return *emu_gpr(e, nr & 3) >> 8 & 0xff;
	return *emu_gpr(e, nr) & mask_of(bytes);
}

void emu_write_reg(struct emu *e, unsigned int nr, unsigned int bytes, u64 val)
{
	u64 *r = emu_gpr(e, high_byte(e, nr, bytes) ? nr & 3 : nr);

	if (high_byte(e, nr, bytes))
		*r = (*r & ~0xff00ULL) | (val & 0xff) << 8;
	else if (bytes == 1)
		*r = (*r & ~0xffULL) | (val & 0xff);
	else if (bytes == 2)
		*r = (*r & ~0xffffULL) | (val & 0xffff);
	else
		*r = bytes == 4 ? (u32)val : val; /* 32-bit results clear the upper half */
}

static int bad_address(struct emu *e, unsigned int seg)
{
	return emu_raise_error(e, seg == EMU_SS ? X86_EXC_SS : X86_EXC_GP, 0);
}

static bool canonical(u64 a)
{
	return (u64)((s64)(a << 16) >> 16) == a;
}

/* 64-bit mode: no limits, base of FS and GS only. */
static int linear_long(struct emu *e, unsigned int seg, u64 offset, unsigned int bytes, u64 *linear)
{
	struct emu_seg s;

	if (seg == EMU_FS || seg == EMU_GS) {
		NEED(read_seg);
		TRY(e->ops->read_seg(e, seg, &s));
		offset += s.base;
	}
	if (!canonical(offset) || !canonical(offset + bytes - 1))
		return bad_address(e, seg);
	*linear = offset;
	return EMU_OKAY;
}

static bool type_allows(const struct emu_seg *s, enum emu_access acc)
{
	if (acc == ACC_FETCH)
		return s->attr & SEG_CODE;
	if (s->attr & SEG_CODE) /* readable code can be read */
		return acc == ACC_READ && (s->attr & SEG_RW);
	return acc == ACC_READ || (s->attr & SEG_RW);
}

/*
 * Whether [offset, offset + bytes) lies inside. The limits are those of the hidden part, in real mode
 * too: that is what makes unreal mode work.
 */
static bool limit_allows(const struct emu_seg *s, u64 offset, unsigned int bytes)
{
	u64 last = offset + bytes - 1;
	bool down = (s->attr & (SEG_CODE | SEG_DOWN)) == SEG_DOWN;

	if (!down)
		return last <= s->limit;
	return offset > s->limit && last <= (s->attr & SEG_DB ? 0xffffffffULL : 0xffffULL);
}

int emu_linear(struct emu *e, unsigned int seg, u64 offset, unsigned int bytes, enum emu_access acc,
	       u64 *linear)
{
	struct emu_seg s;

	if (likely(e->code_bytes == 8))
		return linear_long(e, seg, offset, bytes, linear);
	NEED(read_seg);
	TRY(e->ops->read_seg(e, seg, &s));
	if (!(s.attr & SEG_P))
		return bad_address(e, seg);
	if (e->protected_mode && !e->vm86 && !type_allows(&s, acc))
		return bad_address(e, seg);
	if (!limit_allows(&s, (u32)offset, bytes))
		return bad_address(e, seg);
	*linear = (u32)(s.base + offset);
	return EMU_OKAY;
}

int emu_read_mem(struct emu *e, unsigned int seg, u64 offset, void *buf, unsigned int bytes)
{
	u64 lin = 0;

	NEED(read);
	TRY(emu_linear(e, seg, offset, bytes, ACC_READ, &lin));
	return e->ops->read(e, lin, buf, bytes);
}

int emu_write_mem(struct emu *e, unsigned int seg, u64 offset, const void *buf, unsigned int bytes)
{
	u64 lin = 0;

	NEED(write);
	TRY(emu_linear(e, seg, offset, bytes, ACC_WRITE, &lin));
	return e->ops->write(e, lin, buf, bytes);
}

int emu_read_rm(struct emu *e, unsigned int bytes, u64 *val)
{
	if (!e->rm.mem) {
		*val = emu_read_reg(e, e->rm.reg, bytes);
		return EMU_OKAY;
	}
	*val = 0;
	return emu_read_mem(e, e->rm.seg, e->rm.offset, val, bytes);
}

int emu_write_rm(struct emu *e, unsigned int bytes, u64 val)
{
	if (!e->rm.mem) {
		emu_write_reg(e, e->rm.reg, bytes, val);
		return EMU_OKAY;
	}
	return emu_write_mem(e, e->rm.seg, e->rm.offset, &val, bytes);
}

int emu_replace_rm(struct emu *e, unsigned int bytes, u64 old, u64 val)
{
	u64 lin = 0;

	if (!e->rm.mem || !e->lock)
		return emu_write_rm(e, bytes, val);
	NEED(cmpxchg);
	TRY(emu_linear(e, e->rm.seg, e->rm.offset, bytes, ACC_WRITE, &lin));
	return e->ops->cmpxchg(e, lin, &old, &val, bytes, true);
}

/* RSP, ESP or SP: by the stack segment, not by the code segment. */
u64 emu_sp_mask(struct emu *e)
{
	struct emu_seg ss;

	if (e->code_bytes == 8)
		return ~0ULL;
	if (!e->ops->read_seg || e->ops->read_seg(e, EMU_SS, &ss) != EMU_OKAY)
		return 0xffffffff;
	return ss.attr & SEG_DB ? 0xffffffff : 0xffff;
}

int emu_push(struct emu *e, unsigned int bytes, u64 val)
{
	u64 mask = emu_sp_mask(e), *rsp = emu_gpr(e, EMU_RSP), sp = (*rsp - bytes) & mask;

	TRY(emu_write_mem(e, EMU_SS, sp, &val, bytes));
	*rsp = (*rsp & ~mask) | sp;
	return EMU_OKAY;
}

int emu_pop(struct emu *e, unsigned int bytes, u64 *val)
{
	u64 mask = emu_sp_mask(e), *rsp = emu_gpr(e, EMU_RSP), sp = *rsp & mask;

	*val = 0;
	TRY(emu_read_mem(e, EMU_SS, sp, val, bytes));
	*rsp = (*rsp & ~mask) | ((sp + bytes) & mask);
	return EMU_OKAY;
}

int emu_jump(struct emu *e, u64 target)
{
	struct emu_seg cs;

	if (e->code_bytes == 8) {
		if (!canonical(target))
			return emu_raise_error(e, X86_EXC_GP, 0);
	} else {
		target = e->op_bytes == 2 ? (u16)target : (u32)target;
		NEED(read_seg);
		TRY(e->ops->read_seg(e, EMU_CS, &cs));
		if (target > cs.limit)
			return emu_raise_error(e, X86_EXC_GP, 0);
	}
	e->next_rip = target;
	return EMU_OKAY;
}
