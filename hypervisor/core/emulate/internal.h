/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the emulator. */
#ifndef SERAI_EMULATE_INTERNAL_H
#define SERAI_EMULATE_INTERNAL_H

#include <emulate.h>
#include <regs.h>

/* Table flags: what follows the opcode, and how wide the operands are. */
#define MODRM 0x0001U
#define IMM8 0x0002U /* sign-extended */
#define IMMZ 0x0004U /* 2 or 4 bytes, sign-extended to 8 */
#define IMMV 0x0008U /* 2, 4 or 8 bytes */
#define IMM16 0x0010U
#define MOFFS 0x0020U   /* an address of ad_bytes */
#define FARPTR 0x0040U  /* offset, then selector */
#define BYTEOP 0x0080U  /* width 1 when bit 0 of the opcode is clear */
#define D64 0x0100U     /* 64-bit by default in 64-bit mode; 32-bit does not exist */
#define NO64 0x0200U    /* #UD in 64-bit mode */
#define LOCKOK 0x0400U  /* LOCK allowed with a memory operand */
#define MEMONLY 0x0800U /* register form is #UD */
#define REGONLY 0x1000U /* mod is ignored: always a register (MOV CR, DR) */
#define GRP3 0x2000U    /* immediate only for reg 0 and 1 (f6, f7) */
#define BYTE1 0x4000U   /* always one byte wide */
#define PRIV 0x8000U    /* CPL 0 only */

typedef int (*emu_fn)(struct emu *e);

struct emu_entry {
	u16 flags;
	emu_fn fn;
};
extern const struct emu_entry emu_map0[256], emu_map1[256];

/* ---- access.c: operands ---- */
u64 emu_read_reg(const struct emu *e, unsigned int nr, unsigned int bytes);
void emu_write_reg(struct emu *e, unsigned int nr, unsigned int bytes, u64 val);
static inline unsigned int width(const struct emu *e)
{
	return (e->flags & BYTE1) || ((e->flags & BYTEOP) && !(e->opcode & 1)) ? 1 : e->op_bytes;
}
static inline u64 mask_of(unsigned int bytes)
{
	return bytes == 8 ? ~0ULL : (1ULL << bytes * 8) - 1;
}
static inline u64 sign_extend(u64 v, unsigned int bytes)
{
	unsigned int shift = 64 - bytes * 8;

	return (u64)((s64)(v << shift) >> shift);
}
/* seg:offset to a linear address, with the checks of a bytes-long access. */
enum emu_access { ACC_READ, ACC_WRITE, ACC_FETCH };
int emu_linear(struct emu *e, unsigned int seg, u64 offset, unsigned int bytes, enum emu_access acc,
	       u64 *linear);
int emu_read_mem(struct emu *e, unsigned int seg, u64 offset, void *buf, unsigned int bytes);
int emu_write_mem(struct emu *e, unsigned int seg, u64 offset, const void *buf, unsigned int bytes);
/* The r/m operand: read, write, or replace after a read (locked or not). */
int emu_read_rm(struct emu *e, unsigned int bytes, u64 *val);
int emu_write_rm(struct emu *e, unsigned int bytes, u64 val);
int emu_replace_rm(struct emu *e, unsigned int bytes, u64 old, u64 val);
int emu_push(struct emu *e, unsigned int bytes, u64 val);
int emu_pop(struct emu *e, unsigned int bytes, u64 *val);
u64 emu_sp_mask(struct emu *e);
/* Near transfer to a target in the code segment: #GP when outside. */
int emu_jump(struct emu *e, u64 target);
/* EMU_OKAY when the current privilege allows a PRIV instruction, else #GP(0). */
int emu_check_priv(struct emu *e);

#define TRY(expr)                              \
	do {                                   \
		int rc_ = (expr);              \
		if (unlikely(rc_ != EMU_OKAY)) \
			return rc_;            \
	} while (0)
#define NEED(op)                                 \
	do {                                     \
		if (unlikely(!e->ops->op))       \
			return EMU_UNHANDLEABLE; \
	} while (0)

#define FLAGS_ARITH \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

/* Handlers, by file. */
int emu_alu(struct emu *e), emu_alu_imm(struct emu *e), emu_test(struct emu *e);
int emu_test_imm(struct emu *e), emu_incdec(struct emu *e), emu_grp3(struct emu *e);
int emu_grp4(struct emu *e), emu_grp5(struct emu *e), emu_shift(struct emu *e);
int emu_shld(struct emu *e), emu_imul2(struct emu *e), emu_imul3(struct emu *e);
int emu_mov(struct emu *e), emu_mov_imm(struct emu *e), emu_mov_reg_imm(struct emu *e);
int emu_mov_moffs(struct emu *e), emu_xchg(struct emu *e), emu_xchg_acc(struct emu *e);
int emu_lea(struct emu *e), emu_movx(struct emu *e), emu_movsxd(struct emu *e);
int emu_cmov(struct emu *e), emu_setcc(struct emu *e), emu_bswap(struct emu *e);
int emu_xlat(struct emu *e), emu_cbw(struct emu *e), emu_cwd(struct emu *e);
int emu_bit_reg(struct emu *e), emu_bit_imm(struct emu *e), emu_bitscan(struct emu *e);
int emu_cmpxchg(struct emu *e), emu_xadd(struct emu *e), emu_cmpxchg8b(struct emu *e);
int emu_popcnt(struct emu *e), emu_movnti(struct emu *e), emu_movbe(struct emu *e);
int emu_adx(struct emu *e);
int emu_push_reg(struct emu *e), emu_pop_reg(struct emu *e), emu_push_imm(struct emu *e);
int emu_pop_rm(struct emu *e), emu_pusha(struct emu *e), emu_popa(struct emu *e);
int emu_pushf(struct emu *e), emu_popf(struct emu *e), emu_enter(struct emu *e);
int emu_leave(struct emu *e), emu_sahf(struct emu *e), emu_lahf(struct emu *e);
int emu_flag(struct emu *e), emu_nop(struct emu *e);
int emu_jcc(struct emu *e), emu_jmp(struct emu *e), emu_call(struct emu *e);
int emu_ret(struct emu *e), emu_loop(struct emu *e), emu_int(struct emu *e);
int emu_push_seg(struct emu *e), emu_pop_seg(struct emu *e), emu_mov_from_seg(struct emu *e);
int emu_mov_to_seg(struct emu *e), emu_load_far(struct emu *e), emu_far_jmp(struct emu *e);
int emu_far_call(struct emu *e), emu_far_ret(struct emu *e), emu_iret(struct emu *e);
int emu_far_indirect(struct emu *e);
int emu_string(struct emu *e), emu_ins(struct emu *e), emu_outs(struct emu *e);
int emu_in(struct emu *e), emu_out(struct emu *e);
int emu_cli_sti(struct emu *e), emu_hlt(struct emu *e), emu_rdmsr(struct emu *e);
int emu_wrmsr(struct emu *e), emu_rdtsc(struct emu *e), emu_cpuid(struct emu *e);
int emu_mov_cr(struct emu *e), emu_mov_dr(struct emu *e), emu_clts(struct emu *e);
int emu_wbinvd(struct emu *e), emu_grp7(struct emu *e), emu_grp6(struct emu *e);
int emu_aaa(struct emu *e), emu_aam(struct emu *e), emu_aad(struct emu *e);
int emu_daa(struct emu *e), emu_bound(struct emu *e), emu_arpl(struct emu *e);

#endif
