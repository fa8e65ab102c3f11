/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment registers with their hidden parts, through every mode (SDM vol. 3, 3.4 and 5).
 *
 *   real mode      a load sets selector and base; limit and attributes stay what they were, so that a
 *                  limit set in protected mode survives (big real mode)
 *   virtual 8086   a load sets everything to what 8086 had
 *   protected      a load reads a descriptor, checks it, and the hidden part is the descriptor's
 *   long           the same; bases of CS, DS, ES, SS are there but not used
 */
#include <lib.h>

#include "internal.h"

#define VM86_ATTR 0x0f3U

struct descriptor {
	u64 raw, raw_high; /* the second half of system descriptors in long mode */
	u64 addr;
};

static void unpack(const struct descriptor *d, u16 sel, struct emu_seg *s)
{
	u32 limit = (u32)(d->raw & 0xffff) | (u32)(d->raw >> 32 & 0xf0000);

	s->sel = sel;
	s->attr = (u16)((d->raw >> 40 & 0xff) | (d->raw >> 44 & 0xf00));
	s->limit = s->attr & SEG_G ? limit << 12 | 0xfff : limit;
	s->base = (d->raw >> 16 & 0xffffff) | (d->raw >> 32 & 0xff000000);
}

static int bad_selector(struct emu *e, u8 vector, u16 sel)
{
	return emu_raise_error(e, vector, sel & ~3U);
}

static int read_descriptor(struct emu *e, u16 sel, u8 vector, struct descriptor *d)
{
	struct emu_seg ldt;
	u64 base;
	u32 limit;
	u16 l16;

	if (sel & 4) {
		NEED(read_seg);
		TRY(e->ops->read_seg(e, EMU_LDTR, &ldt));
		base = ldt.base;
		limit = ldt.limit;
		if (!(ldt.attr & SEG_P))
			return bad_selector(e, vector, sel);
	} else {
		NEED(read_table);
		TRY(e->ops->read_table(e, EMU_GDTR, &base, &l16));
		limit = l16;
	}
	if ((sel | 7U) > limit)
		return bad_selector(e, vector, sel);
	d->addr = base + (sel & ~7U);
	d->raw_high = 0;
	NEED(read);
	return e->ops->read(e, d->addr, &d->raw, 8);
}

/* Sets the accessed bit in memory, as a load does. */
static int mark_accessed(struct emu *e, const struct descriptor *d, struct emu_seg *s)
{
	u64 old = d->raw, new = d->raw | 1ULL << 40;

	if (old == new || !(s->attr & SEG_S))
		return EMU_OKAY;
	NEED(cmpxchg);
	TRY(e->ops->cmpxchg(e, d->addr, &old, &new, 8, true));
	s->attr |= SEG_ACCESSED;
	return EMU_OKAY;
}

static int load_ss(struct emu *e, u16 sel, unsigned int cpl, struct emu_seg *s)
{
	struct descriptor d;

	if (!(sel & ~3U)) {
		/* Null: only for 64-bit code below ring 3. */
		if (e->code_bytes != 8 || cpl == 3 || (sel & 3) != cpl)
			return bad_selector(e, X86_EXC_GP, 0);
		*s = (struct emu_seg){.sel = sel, .attr = (u16)(cpl << 5)};
		return EMU_OKAY;
	}
	TRY(read_descriptor(e, sel, X86_EXC_GP, &d));
	unpack(&d, sel, s);
	if ((sel & 3) != cpl || SEG_DPL(s->attr) != cpl || !(s->attr & SEG_S) ||
	    (s->attr & (SEG_CODE | SEG_RW)) != SEG_RW)
		return bad_selector(e, X86_EXC_GP, sel);
	if (!(s->attr & SEG_P))
		return bad_selector(e, X86_EXC_SS, sel);
	return mark_accessed(e, &d, s);
}

static int load_data(struct emu *e, u16 sel, struct emu_seg *s)
{
	struct descriptor d;
	bool conforming;

	if (!(sel & ~3U)) {
		*s = (struct emu_seg){.sel = sel}; /* unusable until loaded again */
		return EMU_OKAY;
	}
	TRY(read_descriptor(e, sel, X86_EXC_GP, &d));
	unpack(&d, sel, s);
	conforming = (s->attr & (SEG_CODE | SEG_DOWN)) == (SEG_CODE | SEG_DOWN);
	if (!(s->attr & SEG_S) || (s->attr & (SEG_CODE | SEG_RW)) == SEG_CODE)
		return bad_selector(e, X86_EXC_GP, sel);
	if (!conforming && SEG_DPL(s->attr) < max((unsigned int)e->cpl, sel & 3U))
		return bad_selector(e, X86_EXC_GP, sel);
	if (!(s->attr & SEG_P))
		return bad_selector(e, X86_EXC_NP, sel);
	return mark_accessed(e, &d, s);
}

static bool flat_mode(const struct emu *e)
{
	return !e->protected_mode || e->vm86;
}

static int load_flat(struct emu *e, unsigned int nr, u16 sel, struct emu_seg *s)
{
	NEED(read_seg);
	TRY(e->ops->read_seg(e, nr, s));
	s->sel = sel;
	s->base = (u64)sel << 4;
	if (e->vm86) {
		s->limit = 0xffff;
		s->attr = VM86_ATTR;
	}
	return EMU_OKAY;
}

/* The hidden part that a load of nr with sel would give; nothing is changed yet. */
static int prepare(struct emu *e, unsigned int nr, u16 sel, struct emu_seg *s)
{
	if (flat_mode(e))
		return load_flat(e, nr, sel, s);
	return nr == EMU_SS ? load_ss(e, sel, e->cpl, s) : load_data(e, sel, s);
}

static int load(struct emu *e, unsigned int nr, u16 sel)
{
	struct emu_seg s;

	NEED(write_seg);
	TRY(prepare(e, nr, sel, &s));
	TRY(e->ops->write_seg(e, nr, &s));
	e->retired_mov_ss = nr == EMU_SS;
	return EMU_OKAY;
}

static int selector(struct emu *e, unsigned int nr, u64 *sel)
{
	struct emu_seg s;

	NEED(read_seg);
	TRY(e->ops->read_seg(e, nr, &s));
	*sel = s.sel;
	return EMU_OKAY;
}

/* 06, 0e, 16, 1e; 0f a0, a8 */
static unsigned int opcode_seg(const struct emu *e)
{
	return e->opcode >> 3 & 7;
}

int emu_push_seg(struct emu *e)
{
	u64 sel;

	TRY(selector(e, opcode_seg(e), &sel));
	return emu_push(e, e->op_bytes, sel);
}

int emu_pop_seg(struct emu *e)
{
	u64 v, *rsp = emu_gpr(e, EMU_RSP), before = *rsp;
	int rc;

	TRY(emu_pop(e, e->op_bytes, &v));
	rc = load(e, opcode_seg(e), (u16)v);
	if (rc != EMU_OKAY)
		*rsp = before;
	return rc;
}

int emu_mov_from_seg(struct emu *e)
{
	u64 sel;

	if ((e->modrm >> 3 & 7) >= EMU_SEGS)
		return emu_raise(e, X86_EXC_UD);
	TRY(selector(e, e->modrm >> 3 & 7, &sel));
	return emu_write_rm(e, e->rm.mem ? 2 : e->op_bytes, sel);
}

int emu_mov_to_seg(struct emu *e)
{
	unsigned int nr = e->modrm >> 3 & 7;
	u64 v;

	if (nr >= EMU_SEGS || nr == EMU_CS)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_read_rm(e, 2, &v));
	return load(e, nr, (u16)v);
}

static int read_far(struct emu *e, u64 *offset, u16 *sel)
{
	*offset = 0;
	TRY(emu_read_mem(e, e->rm.seg, e->rm.offset, offset, e->op_bytes));
	return emu_read_mem(e, e->rm.seg, (e->rm.offset + e->op_bytes) & mask_of(e->ad_bytes), sel, 2);
}

/* c4 LES, c5 LDS, 0f b2 LSS, b4 LFS, b5 LGS */
int emu_load_far(struct emu *e)
{
	unsigned int nr;
	u64 offset;
	u16 sel;

	if (e->map == 0)
		nr = e->opcode & 1 ? EMU_DS : EMU_ES;
	else
		nr = e->opcode == 0xb2 ? EMU_SS : e->opcode & 7;

	TRY(read_far(e, &offset, &sel));
	TRY(load(e, nr, sel));
	emu_write_reg(e, e->reg, e->op_bytes, offset);
	return EMU_OKAY;
}

/* ---- far transfers --------------------------------------------------------------------------- */

static bool canonical(u64 a)
{
	return (u64)((s64)(a << 16) >> 16) == a;
}

/* A code segment for a jump or call to it, at the present privilege. Gates are the caller's business. */
static int prepare_code(struct emu *e, u16 sel, struct emu_seg *s)
{
	struct descriptor d;
	unsigned int dpl;

	if (flat_mode(e))
		return load_flat(e, EMU_CS, sel, s);
	if (!(sel & ~3U))
		return bad_selector(e, X86_EXC_GP, 0);
	TRY(read_descriptor(e, sel, X86_EXC_GP, &d));
	unpack(&d, sel, s);
	if (!(s->attr & SEG_S))
		return EMU_UNHANDLEABLE; /* call gate, task gate, TSS */
	if (!(s->attr & SEG_CODE) || (e->long_mode && (s->attr & SEG_L) && (s->attr & SEG_DB)))
		return bad_selector(e, X86_EXC_GP, sel);
	dpl = SEG_DPL(s->attr);
	if (s->attr & SEG_DOWN ? dpl > e->cpl : (sel & 3U) > e->cpl || dpl != e->cpl)
		return bad_selector(e, X86_EXC_GP, sel);
	if (!(s->attr & SEG_P))
		return bad_selector(e, X86_EXC_NP, sel);
	TRY(mark_accessed(e, &d, s));
	s->sel = (u16)((sel & ~3U) | e->cpl);
	return EMU_OKAY;
}

static bool target_ok(const struct emu *e, const struct emu_seg *cs, u64 offset)
{
	if (e->long_mode && (cs->attr & SEG_L))
		return canonical(offset);
	return offset <= cs->limit;
}

static int far_jump(struct emu *e, u16 sel, u64 offset)
{
	struct emu_seg cs;

	NEED(write_seg);
	TRY(prepare_code(e, sel, &cs));
	if (!target_ok(e, &cs, offset))
		return emu_raise_error(e, X86_EXC_GP, 0);
	TRY(e->ops->write_seg(e, EMU_CS, &cs));
	e->next_rip = offset;
	return EMU_OKAY;
}

static int far_call(struct emu *e, u16 sel, u64 offset)
{
	u64 *rsp = emu_gpr(e, EMU_RSP), before = *rsp, old;
	struct emu_seg cs;
	int rc;

	NEED(write_seg);
	TRY(selector(e, EMU_CS, &old));
	TRY(prepare_code(e, sel, &cs));
	if (!target_ok(e, &cs, offset))
		return emu_raise_error(e, X86_EXC_GP, 0);
	rc = emu_push(e, e->op_bytes, old);
	if (rc == EMU_OKAY)
		rc = emu_push(e, e->op_bytes, e->next_rip);
	if (rc == EMU_OKAY)
		rc = e->ops->write_seg(e, EMU_CS, &cs);
	if (rc != EMU_OKAY) {
		*rsp = before;
		return rc;
	}
	e->next_rip = offset;
	return EMU_OKAY;
}

int emu_far_jmp(struct emu *e)
{
	return far_jump(e, (u16)e->imm2, e->imm);
}

int emu_far_call(struct emu *e)
{
	return far_call(e, (u16)e->imm2, e->imm);
}

/* ff /3 CALL, ff /5 JMP */
int emu_far_indirect(struct emu *e)
{
	u64 offset;
	u16 sel;

	if (!e->rm.mem)
		return emu_raise(e, X86_EXC_UD);
	TRY(read_far(e, &offset, &sel));
	return (e->modrm >> 3 & 7) == 3 ? far_call(e, sel, offset) : far_jump(e, sel, offset);
}

/* A code segment for a return: privilege may go outwards only. */
static int prepare_return(struct emu *e, u16 sel, struct emu_seg *s)
{
	unsigned int rpl = sel & 3, dpl;
	struct descriptor d;

	if (flat_mode(e))
		return load_flat(e, EMU_CS, sel, s);
	if (!(sel & ~3U))
		return bad_selector(e, X86_EXC_GP, 0);
	TRY(read_descriptor(e, sel, X86_EXC_GP, &d));
	unpack(&d, sel, s);
	dpl = SEG_DPL(s->attr);
	if ((s->attr & (SEG_S | SEG_CODE)) != (SEG_S | SEG_CODE) || rpl < e->cpl ||
	    (s->attr & SEG_DOWN ? dpl > rpl : dpl != rpl))
		return bad_selector(e, X86_EXC_GP, sel);
	if (e->long_mode && (s->attr & SEG_L) && (s->attr & SEG_DB))
		return bad_selector(e, X86_EXC_GP, sel);
	if (!(s->attr & SEG_P))
		return bad_selector(e, X86_EXC_NP, sel);
	return mark_accessed(e, &d, s);
}

/* Data segments the outer ring may not have become null. */
static int drop_inner_segments(struct emu *e, unsigned int cpl)
{
	static const u8 data[] = {EMU_ES, EMU_DS, EMU_FS, EMU_GS};

	for (unsigned int i = 0; i < 4; i++) {
		struct emu_seg s;

		TRY(e->ops->read_seg(e, data[i], &s));
		if ((s.attr & (SEG_CODE | SEG_DOWN)) == (SEG_CODE | SEG_DOWN))
			continue;
		if ((s.attr & SEG_P) && SEG_DPL(s.attr) < cpl) {
			s = (struct emu_seg){0};
			TRY(e->ops->write_seg(e, data[i], &s));
		}
	}
	return EMU_OKAY;
}

struct far_frame {
	u64 rip, cs, rflags, rsp, ss;
};

/* Loads CS and, when the ring changes or the frame has one anyway, SS:RSP. */
static int enter_frame(struct emu *e, const struct far_frame *f, bool with_stack, u64 release)
{
	u64 *rsp = emu_gpr(e, EMU_RSP), mask = emu_sp_mask(e);
	struct emu_seg cs, ss;
	unsigned int cpl;

	NEED(write_seg);
	TRY(prepare_return(e, (u16)f->cs, &cs));
	if (!target_ok(e, &cs, f->rip))
		return emu_raise_error(e, X86_EXC_GP, 0);
	cpl = flat_mode(e) ? e->cpl : cs.sel & 3;
	if (with_stack) {
		u8 width = e->code_bytes;
		int rc;

		e->code_bytes = e->long_mode && (cs.attr & SEG_L) ? 8 : 4; /* the rule for null SS */
		rc = load_ss(e, (u16)f->ss, cpl, &ss);
		e->code_bytes = width;
		if (rc != EMU_OKAY)
			return rc;
		TRY(e->ops->write_seg(e, EMU_SS, &ss));
		*rsp = f->rsp + release;
	} else {
		*rsp = (*rsp & ~mask) | ((*rsp + release) & mask);
	}
	TRY(e->ops->write_seg(e, EMU_CS, &cs));
	if (cpl > e->cpl)
		TRY(drop_inner_segments(e, cpl));
	e->cpl = (u8)cpl;
	e->next_rip = f->rip;
	return EMU_OKAY;
}

/* ca, cb */
int emu_far_ret(struct emu *e)
{
	u64 *rsp = emu_gpr(e, EMU_RSP), before = *rsp, release = e->opcode & 1 ? 0 : e->imm;
	struct far_frame f = {0};
	bool outer;
	int rc;

	TRY(emu_pop(e, e->op_bytes, &f.rip));
	rc = emu_pop(e, e->op_bytes, &f.cs);
	outer = !flat_mode(e) && (f.cs & 3) > e->cpl;
	if (rc == EMU_OKAY && outer) {
		u64 mask = emu_sp_mask(e);

		*rsp = (*rsp & ~mask) | ((*rsp + release) & mask);
		rc = emu_pop(e, e->op_bytes, &f.rsp);
		if (rc == EMU_OKAY)
			rc = emu_pop(e, e->op_bytes, &f.ss);
	}
	if (rc == EMU_OKAY)
		rc = enter_frame(e, &f, outer, release);
	if (rc != EMU_OKAY)
		*rsp = before;
	return rc;
}

static u64 iret_flags(const struct emu *e, u64 popped)
{
	u64 may = FLAGS_ARITH | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_RF |
		  X86_EFLAGS_AC | X86_EFLAGS_ID;
	unsigned int cpl = e->protected_mode ? e->cpl : 0, iopl = e->rflags >> 12 & 3;

	if (cpl == 0 && !e->vm86)
		may |= X86_EFLAGS_IOPL;
	if (cpl <= iopl || e->vm86)
		may |= X86_EFLAGS_IF;
	may &= mask_of(e->op_bytes);
	return (e->rflags & ~may) | (popped & may) | X86_EFLAGS_MBS;
}

int emu_iret(struct emu *e)
{
	u64 *rsp = emu_gpr(e, EMU_RSP), before = *rsp, flags;
	struct far_frame f = {0};
	bool stack;
	int rc;

	if ((e->vm86 && (e->rflags >> 12 & 3) < 3))
		return emu_raise_error(e, X86_EXC_GP, 0);
	if (e->protected_mode && (e->rflags & X86_EFLAGS_NT))
		return e->long_mode ? emu_raise_error(e, X86_EXC_GP, 0) : EMU_UNHANDLEABLE;
	TRY(emu_pop(e, e->op_bytes, &f.rip));
	rc = emu_pop(e, e->op_bytes, &f.cs);
	if (rc == EMU_OKAY)
		rc = emu_pop(e, e->op_bytes, &f.rflags);
	if (rc == EMU_OKAY && e->protected_mode && !e->vm86 && (f.rflags & X86_EFLAGS_VM) && e->cpl == 0 &&
	    e->op_bytes == 4)
		rc = EMU_UNHANDLEABLE; /* into virtual 8086 mode */
	stack = e->code_bytes == 8 || (!flat_mode(e) && (f.cs & 3) > e->cpl);
	if (rc == EMU_OKAY && stack) {
		rc = emu_pop(e, e->op_bytes, &f.rsp);
		if (rc == EMU_OKAY)
			rc = emu_pop(e, e->op_bytes, &f.ss);
	}
	flags = iret_flags(e, f.rflags);
	if (rc == EMU_OKAY)
		rc = enter_frame(e, &f, stack, 0);
	if (rc != EMU_OKAY) {
		*rsp = before;
		return rc;
	}
	e->rflags = flags;
	return EMU_OKAY;
}

/* 0f 00: SLDT, STR, LLDT, LTR */
int emu_grp6(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7, nr = op & 1 ? EMU_TR : EMU_LDTR;
	struct descriptor d;
	struct emu_seg s;
	u64 v;

	if (flat_mode(e))
		return emu_raise(e, X86_EXC_UD);
	if (op > 3)
		return EMU_UNHANDLEABLE;
	if (op < 2) {
		TRY(selector(e, nr, &v));
		return emu_write_rm(e, e->rm.mem ? 2 : e->op_bytes, v);
	}
	TRY(emu_check_priv(e));
	NEED(write_seg);
	TRY(emu_read_rm(e, 2, &v));
	if (!(v & ~3ULL)) {
		if (nr == EMU_TR)
			return emu_raise_error(e, X86_EXC_GP, 0);
		s = (struct emu_seg){.sel = (u16)v};
		return e->ops->write_seg(e, nr, &s);
	}
	if (v & 4)
		return bad_selector(e, X86_EXC_GP, (u16)v);
	TRY(read_descriptor(e, (u16)v, X86_EXC_GP, &d));
	unpack(&d, (u16)v, &s);
	if ((s.attr & (SEG_S | SEG_TYPE)) != (nr == EMU_TR ? 9U : 2U))
		return bad_selector(e, X86_EXC_GP, (u16)v);
	if (!(s.attr & SEG_P))
		return bad_selector(e, X86_EXC_NP, (u16)v);
	if (e->long_mode) {
		TRY(e->ops->read(e, d.addr + 8, &d.raw_high, 8));
		s.base |= d.raw_high << 32;
	}
	if (nr == EMU_TR) { /* busy from now on */
		u64 old = d.raw, new = d.raw | 2ULL << 40;

		NEED(cmpxchg);
		TRY(e->ops->cmpxchg(e, d.addr, &old, &new, 8, true));
		s.attr |= 2;
	}
	return e->ops->write_seg(e, nr, &s);
}
