/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Push, pop, frames and flags. */
#include "internal.h"

#define POPF_ALWAYS \
	(FLAGS_ARITH | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_ID)

static unsigned int opcode_reg(const struct emu *e)
{
	return (e->opcode & 7) | (e->rex & 1U) << 3;
}

int emu_push_reg(struct emu *e)
{
	return emu_push(e, e->op_bytes, emu_read_reg(e, opcode_reg(e), e->op_bytes));
}

int emu_pop_reg(struct emu *e)
{
	u64 v;

	TRY(emu_pop(e, e->op_bytes, &v));
	emu_write_reg(e, opcode_reg(e), e->op_bytes, v); /* POP RSP: the popped value wins */
	return EMU_OKAY;
}

/* 68, 6a: an immediate. ff /6: the operand. */
int emu_push_imm(struct emu *e)
{
	u64 v = e->imm;

	if (e->flags & MODRM) {
		if (e->code_bytes == 8 && e->op_bytes == 4)
			e->op_bytes = 8;
		TRY(emu_read_rm(e, e->op_bytes, &v));
	}
	return emu_push(e, e->op_bytes, v);
}

/* 8f /0. An address by RSP is computed after the pop: shift it by what is popped. */
int emu_pop_rm(struct emu *e)
{
	u64 v, *rsp = emu_gpr(e, EMU_RSP), before = *rsp;
	bool by_rsp = e->rm.mem && e->rm.by_rsp;
	int rc;

	if (e->modrm >> 3 & 7)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_pop(e, e->op_bytes, &v));
	if (by_rsp)
		e->rm.offset = (e->rm.offset + e->op_bytes) & mask_of(e->ad_bytes);
	rc = emu_write_rm(e, e->op_bytes, v);
	if (rc != EMU_OKAY)
		*rsp = before;
	return rc;
}

int emu_pusha(struct emu *e)
{
	u64 *rsp = emu_gpr(e, EMU_RSP), before = *rsp;

	for (unsigned int i = 0; i < 8; i++) {
		u64 v = i == EMU_RSP ? before : *emu_gpr(e, i);
		int rc = emu_push(e, e->op_bytes, v & mask_of(e->op_bytes));

		if (rc != EMU_OKAY) {
			*rsp = before;
			return rc;
		}
	}
	return EMU_OKAY;
}

int emu_popa(struct emu *e)
{
	u64 v[8], *rsp = emu_gpr(e, EMU_RSP), before = *rsp;

	for (int i = 7; i >= 0; i--) {
		int rc = emu_pop(e, e->op_bytes, &v[i]);

		if (rc != EMU_OKAY) {
			*rsp = before;
			return rc;
		}
	}
	for (unsigned int i = 0; i < 8; i++)
		if (i != EMU_RSP)
			emu_write_reg(e, i, e->op_bytes, v[i]);
	return EMU_OKAY;
}

int emu_pushf(struct emu *e)
{
	if (e->vm86 && (e->rflags >> 12 & 3) < 3)
		return emu_raise_error(e, X86_EXC_GP, 0);
	return emu_push(e, e->op_bytes, (e->rflags & ~(X86_EFLAGS_VM | X86_EFLAGS_RF)) | X86_EFLAGS_MBS);
}

int emu_popf(struct emu *e)
{
	u64 v, allowed = POPF_ALWAYS, before = *emu_gpr(e, EMU_RSP);
	unsigned int iopl = e->rflags >> 12 & 3, cpl = e->protected_mode ? e->cpl : 0;

	if (e->vm86 && iopl < 3)
		return emu_raise_error(e, X86_EXC_GP, 0);
	TRY(emu_pop(e, e->op_bytes, &v));
	if (cpl == 0 && !e->vm86)
		allowed |= X86_EFLAGS_IOPL;
	if (cpl <= iopl || e->vm86)
		allowed |= X86_EFLAGS_IF;
	allowed &= mask_of(e->op_bytes);
	v = (e->rflags & ~(allowed | X86_EFLAGS_RF)) | (v & allowed) | X86_EFLAGS_MBS;
	if (e->ops->set_flags) {
		int rc = e->ops->set_flags(e, &v);

		if (rc != EMU_OKAY) {
			*emu_gpr(e, EMU_RSP) = before;
			return rc;
		}
	}
	e->rflags = v;
	return EMU_OKAY;
}

int emu_enter(struct emu *e)
{
	u64 mask = emu_sp_mask(e), *rsp = emu_gpr(e, EMU_RSP), before = *rsp, frame;
	unsigned int level = (unsigned int)e->imm2 & 31;
	u64 rbp = *emu_gpr(e, EMU_RBP);
	int rc = emu_push(e, e->op_bytes, rbp & mask_of(e->op_bytes));

	frame = *rsp;
	for (unsigned int i = 1; rc == EMU_OKAY && i < level; i++) {
		u64 v = 0;

		rbp = (rbp & ~mask) | ((rbp - e->op_bytes) & mask);
		rc = emu_read_mem(e, EMU_SS, rbp & mask, &v, e->op_bytes);
		if (rc == EMU_OKAY)
			rc = emu_push(e, e->op_bytes, v);
	}
	if (rc == EMU_OKAY && level)
		rc = emu_push(e, e->op_bytes, frame & mask_of(e->op_bytes));
	if (rc != EMU_OKAY) {
		*rsp = before;
		return rc;
	}
	emu_write_reg(e, EMU_RBP, e->op_bytes, frame);
	*rsp = (*rsp & ~mask) | ((*rsp - e->imm) & mask);
	return EMU_OKAY;
}

int emu_leave(struct emu *e)
{
	u64 mask = emu_sp_mask(e), *rsp = emu_gpr(e, EMU_RSP), before = *rsp, v;
	int rc;

	*rsp = (*rsp & ~mask) | (*emu_gpr(e, EMU_RBP) & mask);
	rc = emu_pop(e, e->op_bytes, &v);
	if (rc != EMU_OKAY)
		*rsp = before;
	else
		emu_write_reg(e, EMU_RBP, e->op_bytes, v);
	return rc;
}

#define AH_FLAGS (X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_CF)

int emu_sahf(struct emu *e)
{
	e->rflags = (e->rflags & ~AH_FLAGS) | (*emu_gpr(e, EMU_RAX) >> 8 & AH_FLAGS);
	return EMU_OKAY;
}

int emu_lahf(struct emu *e)
{
	u64 *rax = emu_gpr(e, EMU_RAX);

	*rax = (*rax & ~0xff00ULL) | ((e->rflags & AH_FLAGS) | X86_EFLAGS_MBS) << 8;
	return EMU_OKAY;
}

/* f5 CMC, f8 CLC, f9 STC, fc CLD, fd STD */
int emu_flag(struct emu *e)
{
	u64 bit = e->opcode >= 0xfc ? X86_EFLAGS_DF : X86_EFLAGS_CF;

	if (e->opcode == 0xf5)
		e->rflags ^= bit;
	else
		e->rflags = e->opcode & 1 ? e->rflags | bit : e->rflags & ~bit;
	return EMU_OKAY;
}
