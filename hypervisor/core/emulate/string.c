/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String instructions and their REP forms. One execution does at most REP_BATCH iterations and then
 * lets the instruction stand, with its registers moved on: a guest's count cannot hold a CPU.
 */
#include "internal.h"

#define REP_BATCH 1024

enum kind { MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS };

static u64 index_of(const struct emu *e, unsigned int reg)
{
	return *emu_gpr(e, reg) & mask_of(e->ad_bytes);
}

static void advance(struct emu *e, unsigned int reg, unsigned int bytes)
{
	u64 *r = emu_gpr(e, reg), m = mask_of(e->ad_bytes);
	u64 v = e->rflags & X86_EFLAGS_DF ? *r - bytes : *r + bytes;

	/* 32-bit addressing in 64-bit mode clears the upper half; 16-bit leaves it. */
	*r = e->ad_bytes == 4 ? (u32)v : (*r & ~m) | (v & m);
}

static unsigned int source_seg(const struct emu *e)
{
	return e->seg_override != EMU_SEGS ? e->seg_override : EMU_DS;
}

static void compare_flags(struct emu *e, u64 a, u64 b, unsigned int bytes)
{
	u64 r = (a - b) & mask_of(bytes), f = 0;

	f |= a < b ? X86_EFLAGS_CF : 0;
	f |= r ? 0 : X86_EFLAGS_ZF;
	f |= r >> (bytes * 8 - 1) & 1 ? X86_EFLAGS_SF : 0;
	f |= ((a ^ b) & (a ^ r)) >> (bytes * 8 - 1) & 1 ? X86_EFLAGS_OF : 0;
	f |= (a ^ b ^ r) & X86_EFLAGS_AF;
	f |= __builtin_parity((unsigned int)r & 0xff) ? 0 : X86_EFLAGS_PF;
	e->rflags = (e->rflags & ~FLAGS_ARITH) | f;
}

static int step_port(struct emu *e, enum kind k, unsigned int bytes)
{
	u16 port = (u16)*emu_gpr(e, EMU_RDX);
	u64 lin;
	u32 v = 0;

	if (k == OUTS) {
		NEED(write_io);
		TRY(emu_read_mem(e, source_seg(e), index_of(e, EMU_RSI), &v, bytes));
		TRY(e->ops->write_io(e, port, bytes, v));
		advance(e, EMU_RSI, bytes);
		return EMU_OKAY;
	}
	/* The port is read once only: find out first whether the memory is there to take it. */
	NEED(read_io);
	NEED(write);
	TRY(emu_linear(e, EMU_ES, index_of(e, EMU_RDI), bytes, ACC_WRITE, &lin));
	TRY(e->ops->read_io(e, port, bytes, &v));
	TRY(e->ops->write(e, lin, &v, bytes));
	advance(e, EMU_RDI, bytes);
	return EMU_OKAY;
}

static int step(struct emu *e, enum kind k, unsigned int bytes)
{
	u64 a = 0, b = 0;

	switch (k) {
	case MOVS:
		TRY(emu_read_mem(e, source_seg(e), index_of(e, EMU_RSI), &a, bytes));
		TRY(emu_write_mem(e, EMU_ES, index_of(e, EMU_RDI), &a, bytes));
		break;
	case CMPS:
		TRY(emu_read_mem(e, source_seg(e), index_of(e, EMU_RSI), &a, bytes));
		TRY(emu_read_mem(e, EMU_ES, index_of(e, EMU_RDI), &b, bytes));
		compare_flags(e, a, b, bytes);
		break;
	case STOS:
		a = emu_read_reg(e, EMU_RAX, bytes);
		TRY(emu_write_mem(e, EMU_ES, index_of(e, EMU_RDI), &a, bytes));
		break;
	case LODS:
		TRY(emu_read_mem(e, source_seg(e), index_of(e, EMU_RSI), &a, bytes));
		emu_write_reg(e, EMU_RAX, bytes, a);
		break;
	case SCAS:
		TRY(emu_read_mem(e, EMU_ES, index_of(e, EMU_RDI), &b, bytes));
		compare_flags(e, emu_read_reg(e, EMU_RAX, bytes), b, bytes);
		break;
	default:
		return step_port(e, k, bytes);
	}
	if (k == MOVS || k == CMPS || k == LODS)
		advance(e, EMU_RSI, bytes);
	if (k != LODS)
		advance(e, EMU_RDI, bytes);
	return EMU_OKAY;
}

static void count_down(struct emu *e)
{
	u64 *rcx = emu_gpr(e, EMU_RCX), m = mask_of(e->ad_bytes), v = *rcx - 1;

	*rcx = e->ad_bytes == 4 ? (u32)v : (*rcx & ~m) | (v & m);
}

static int repeat(struct emu *e, enum kind k, unsigned int bytes)
{
	bool compares = k == CMPS || k == SCAS;
	int rc;

	for (unsigned int n = 0; n < REP_BATCH; n++) {
		if (!index_of(e, EMU_RCX))
			return EMU_OKAY;
		rc = step(e, k, bytes);
		if (rc != EMU_OKAY)
			return rc; /* iterations done stay done */
		count_down(e);
		/* REPE goes on while equal, REPNE while not */
		if (compares && !(e->rflags & X86_EFLAGS_ZF) == (e->rep == 0xf3))
			return EMU_OKAY;
	}
	if (index_of(e, EMU_RCX))
		e->next_rip = e->rip;
	return EMU_OKAY;
}

static int string(struct emu *e, enum kind k, unsigned int bytes)
{
	return e->rep ? repeat(e, k, bytes) : step(e, k, bytes);
}

int emu_string(struct emu *e)
{
	static const u8 kinds[16] = {
		[4] = MOVS,  [5] = MOVS,  [6] = CMPS,  [7] = CMPS,  [10] = STOS,
		[11] = STOS, [12] = LODS, [13] = LODS, [14] = SCAS, [15] = SCAS,
	};

	return string(e, (enum kind)kinds[e->opcode & 15], width(e));
}

static unsigned int port_width(const struct emu *e)
{
	return e->opcode & 1 ? (e->op_bytes == 2 ? 2 : 4) : 1;
}

int emu_ins(struct emu *e)
{
	return string(e, INS, port_width(e));
}

int emu_outs(struct emu *e)
{
	return string(e, OUTS, port_width(e));
}
