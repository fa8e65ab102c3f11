/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Near transfers, loops and software interrupts. */
#include "internal.h"

/* e9, eb relative; ff /4 absolute */
int emu_jmp(struct emu *e)
{
	u64 target;

	if (!(e->flags & MODRM))
		return emu_jump(e, e->next_rip + e->imm);
	if (e->code_bytes == 8)
		e->op_bytes = 8;
	TRY(emu_read_rm(e, e->op_bytes, &target));
	return emu_jump(e, target);
}

/* e8 relative; ff /2 absolute */
int emu_call(struct emu *e)
{
	u64 target = e->next_rip + e->imm, back = e->next_rip;

	if (e->flags & MODRM) {
		if (e->code_bytes == 8)
			e->op_bytes = 8;
		TRY(emu_read_rm(e, e->op_bytes, &target));
	}
	TRY(emu_jump(e, target));
	return emu_push(e, e->op_bytes, back);
}

int emu_ret(struct emu *e)
{
	u64 target, mask = emu_sp_mask(e), *rsp = emu_gpr(e, EMU_RSP), before = *rsp;
	int rc;

	TRY(emu_pop(e, e->op_bytes, &target));
	rc = emu_jump(e, target);
	if (rc != EMU_OKAY)
		*rsp = before;
	else if (!(e->opcode & 1)) /* c2: arguments off the stack */
		*rsp = (*rsp & ~mask) | ((*rsp + e->imm) & mask);
	return rc;
}

/* e0 LOOPNE, e1 LOOPE, e2 LOOP, e3 JRCXZ: counting in the address size. */
int emu_loop(struct emu *e)
{
	u64 *rcx = emu_gpr(e, EMU_RCX), m = mask_of(e->ad_bytes), before = *rcx, v = *rcx & m;
	bool zf = e->rflags & X86_EFLAGS_ZF, taken;
	int rc;

	if (e->opcode == 0xe3)
		return v ? EMU_OKAY : emu_jump(e, e->next_rip + e->imm);
	v = (v - 1) & m;
	taken = v && (e->opcode == 0xe2 || zf == (e->opcode == 0xe1));
	*rcx = e->ad_bytes == 4 ? v : (*rcx & ~m) | v;
	rc = taken ? emu_jump(e, e->next_rip + e->imm) : EMU_OKAY;
	if (rc != EMU_OKAY)
		*rcx = before;
	return rc;
}

/*
 * cc INT3, cd INT n, ce INTO, f1 ICEBP: delivery is the caller's, who knows the IDT. RIP of the event is
 * that of the next instruction, which the caller finds in next_rip.
 */
int emu_int(struct emu *e)
{
	switch (e->opcode) {
	case 0xcc:
		return emu_raise(e, X86_EXC_BP);
	case 0xce:
		return e->rflags & X86_EFLAGS_OF ? emu_raise(e, X86_EXC_OF) : EMU_OKAY;
	case 0xf1:
		return emu_raise(e, X86_EXC_DB);
	default:
		return EMU_UNHANDLEABLE;
	}
}
