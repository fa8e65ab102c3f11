/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System registers, ports and the instructions only a kernel uses. */
#include "internal.h"

static u32 lo(const struct emu *e, unsigned int reg)
{
	return (u32)*emu_gpr(e, reg);
}

static void put_edx_eax(struct emu *e, u64 v)
{
	*emu_gpr(e, EMU_RAX) = (u32)v;
	*emu_gpr(e, EMU_RDX) = v >> 32;
}

static u64 edx_eax(const struct emu *e)
{
	return lo(e, EMU_RAX) | (u64)lo(e, EMU_RDX) << 32;
}

int emu_rdmsr(struct emu *e)
{
	u64 v;

	NEED(read_msr);
	TRY(e->ops->read_msr(e, lo(e, EMU_RCX), &v));
	put_edx_eax(e, v);
	return EMU_OKAY;
}

int emu_wrmsr(struct emu *e)
{
	NEED(write_msr);
	return e->ops->write_msr(e, lo(e, EMU_RCX), edx_eax(e));
}

int emu_rdtsc(struct emu *e)
{
	u64 tsc;
	u32 aux;

	NEED(read_tsc);
	TRY(e->ops->read_tsc(e, &tsc, &aux));
	put_edx_eax(e, tsc);
	return EMU_OKAY;
}

int emu_cpuid(struct emu *e)
{
	u32 r[4];

	NEED(cpuid);
	TRY(e->ops->cpuid(e, lo(e, EMU_RAX), lo(e, EMU_RCX), r));
	*emu_gpr(e, EMU_RAX) = r[0];
	*emu_gpr(e, EMU_RBX) = r[1];
	*emu_gpr(e, EMU_RCX) = r[2];
	*emu_gpr(e, EMU_RDX) = r[3];
	return EMU_OKAY;
}

/* 0f 20, 22. AMD's LOCK MOV CR0 is CR8. */
int emu_mov_cr(struct emu *e)
{
	unsigned int nr = e->reg;
	u64 v;

	if (nr != 0 && nr != 2 && nr != 3 && nr != 4 && nr != 8)
		return emu_raise(e, X86_EXC_UD);
	e->op_bytes = e->code_bytes == 8 ? 8 : 4;
	if (e->opcode & 2) {
		NEED(write_cr);
		return e->ops->write_cr(e, nr, emu_read_reg(e, e->rm.reg, e->op_bytes));
	}
	NEED(read_cr);
	TRY(e->ops->read_cr(e, nr, &v));
	emu_write_reg(e, e->rm.reg, e->op_bytes, v);
	return EMU_OKAY;
}

int emu_mov_dr(struct emu *e)
{
	u64 v;

	if (e->reg > 7)
		return emu_raise(e, X86_EXC_UD);
	e->op_bytes = e->code_bytes == 8 ? 8 : 4;
	if (e->opcode & 2) {
		NEED(write_dr);
		return e->ops->write_dr(e, e->reg, emu_read_reg(e, e->rm.reg, e->op_bytes));
	}
	NEED(read_dr);
	TRY(e->ops->read_dr(e, e->reg, &v));
	emu_write_reg(e, e->rm.reg, e->op_bytes, v);
	return EMU_OKAY;
}

#define CR0_PE 1UL
#define CR0_TS 8UL

int emu_clts(struct emu *e)
{
	u64 cr0;

	NEED(read_cr);
	NEED(write_cr);
	TRY(e->ops->read_cr(e, 0, &cr0));
	return e->ops->write_cr(e, 0, cr0 & ~CR0_TS);
}

int emu_wbinvd(struct emu *e)
{
	NEED(wbinvd);
	return e->ops->wbinvd(e);
}

int emu_hlt(struct emu *e)
{
	NEED(hlt);
	e->halted = true;
	return e->ops->hlt(e);
}

/* fa CLI, fb STI: by IOPL, unless the op decides. */
int emu_cli_sti(struct emu *e)
{
	u64 flags = e->opcode & 1 ? e->rflags | X86_EFLAGS_IF : e->rflags & ~X86_EFLAGS_IF;

	if (e->ops->set_flags) {
		TRY(e->ops->set_flags(e, &flags));
	} else if (e->protected_mode && e->cpl > (e->vm86 ? 0 : e->rflags >> 12 & 3)) {
		return emu_raise_error(e, X86_EXC_GP, 0);
	}
	e->retired_sti = !(e->rflags & X86_EFLAGS_IF) && (flags & X86_EFLAGS_IF);
	e->rflags = flags;
	return EMU_OKAY;
}

/* ---- ports ---- */

static unsigned int io_width(const struct emu *e)
{
	return e->opcode & 1 ? (e->op_bytes == 2 ? 2 : 4) : 1;
}

/* e4..e7 take the port as an immediate, ec..ef in DX. */
static u16 io_port(const struct emu *e)
{
	return e->opcode & 8 ? (u16)lo(e, EMU_RDX) : (u8)e->imm;
}

int emu_in(struct emu *e)
{
	unsigned int bytes = io_width(e);
	u32 v = 0;

	NEED(read_io);
	TRY(e->ops->read_io(e, io_port(e), bytes, &v));
	emu_write_reg(e, EMU_RAX, bytes, v);
	return EMU_OKAY;
}

int emu_out(struct emu *e)
{
	unsigned int bytes = io_width(e);

	NEED(write_io);
	return e->ops->write_io(e, io_port(e), bytes, (u32)emu_read_reg(e, EMU_RAX, bytes));
}

/* ---- 0f 00: SLDT, STR, LLDT, LTR; 0f 01: descriptor tables, machine status word, and 3-byte ones ---- */

static int store_table(struct emu *e, unsigned int nr)
{
	unsigned int bytes = e->code_bytes == 8 ? 8 : 4;
	u8 image[10];
	u64 base;
	u16 limit;

	NEED(read_table);
	TRY(e->ops->read_table(e, nr, &base, &limit));
	__builtin_memcpy(image, &limit, 2);
	__builtin_memcpy(image + 2, &base, 8);
	return emu_write_mem(e, e->rm.seg, e->rm.offset, image, 2 + bytes);
}

static int load_table(struct emu *e, unsigned int nr)
{
	unsigned int bytes = e->code_bytes == 8 ? 8 : 4;
	u8 image[10] = {0};
	u64 base = 0;
	u16 limit;

	NEED(write_table);
	TRY(emu_check_priv(e));
	TRY(emu_read_mem(e, e->rm.seg, e->rm.offset, image, 2 + bytes));
	__builtin_memcpy(&limit, image, 2);
	__builtin_memcpy(&base, image + 2, bytes);
	if (bytes == 4 && e->op_bytes == 2) /* a 24-bit base, as on the 80286 */
		base &= 0xffffff;
	return e->ops->write_table(e, nr, base, limit);
}

static int smsw(struct emu *e)
{
	u64 cr0;

	NEED(read_cr);
	TRY(e->ops->read_cr(e, 0, &cr0));
	return emu_write_rm(e, e->rm.mem ? 2 : e->op_bytes, cr0);
}

/* Loads the low four bits; PE can be set but not cleared. */
static int lmsw(struct emu *e)
{
	u64 cr0, v;

	NEED(read_cr);
	NEED(write_cr);
	TRY(emu_check_priv(e));
	TRY(emu_read_rm(e, 2, &v));
	TRY(e->ops->read_cr(e, 0, &cr0));
	return e->ops->write_cr(e, 0, (cr0 & ~0xeULL) | (v & 0xf) | (cr0 & CR0_PE));
}

static int xgetbv(struct emu *e)
{
	u64 v;

	NEED(read_xcr);
	TRY(e->ops->read_xcr(e, lo(e, EMU_RCX), &v));
	put_edx_eax(e, v);
	return EMU_OKAY;
}

static int xsetbv(struct emu *e)
{
	NEED(write_xcr);
	TRY(emu_check_priv(e));
	return e->ops->write_xcr(e, lo(e, EMU_RCX), edx_eax(e));
}

static int rdtscp(struct emu *e)
{
	u64 tsc;
	u32 aux;

	NEED(read_tsc);
	TRY(e->ops->read_tsc(e, &tsc, &aux));
	put_edx_eax(e, tsc);
	*emu_gpr(e, EMU_RCX) = aux;
	return EMU_OKAY;
}

static int swapgs(struct emu *e)
{
	u64 base, shadow;

	if (e->code_bytes != 8)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_check_priv(e));
	NEED(read_msr);
	NEED(write_msr);
	TRY(e->ops->read_msr(e, 0xc0000101, &base));
	TRY(e->ops->read_msr(e, 0xc0000102, &shadow));
	TRY(e->ops->write_msr(e, 0xc0000101, shadow));
	return e->ops->write_msr(e, 0xc0000102, base);
}

int emu_grp7(struct emu *e)
{
	static const struct {
		u8 modrm;
		emu_fn fn;
	} threebyte[] = {{0xd0, xgetbv}, {0xd1, xsetbv}, {0xf8, swapgs}, {0xf9, rdtscp}};
	unsigned int op = e->modrm >> 3 & 7;

	if (op == 4)
		return smsw(e);
	if (op == 6)
		return lmsw(e);
	if (!e->rm.mem) {
		for (unsigned int i = 0; i < 4; i++)
			if (threebyte[i].modrm == e->modrm)
				return threebyte[i].fn(e);
		return EMU_UNHANDLEABLE;
	}
	switch (op) {
	case 0:
	case 1:
		return store_table(e, op);
	case 2:
	case 3:
		return load_table(e, op & 1);
	case 7:
		NEED(invlpg);
		TRY(emu_check_priv(e));
		return e->ops->invlpg(e, e->rm.offset);
	default:
		return EMU_UNHANDLEABLE;
	}
}
