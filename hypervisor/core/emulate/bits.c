/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bits, shifts and rotates. */
#include "internal.h"

enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static int bit_op(struct emu *e, unsigned int op, unsigned int nr)
{
	u64 old, v, bit = 1ULL << nr;

	if (op == BIT_TEST && e->lock)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_read_rm(e, e->op_bytes, &old));
	v = op == BIT_SET ? old | bit : op == BIT_RESET ? old & ~bit : old ^ bit;
	if (op != BIT_TEST)
		TRY(emu_replace_rm(e, e->op_bytes, old, v));
	e->rflags = (e->rflags & ~X86_EFLAGS_CF) | (old & bit ? X86_EFLAGS_CF : 0);
	return EMU_OKAY;
}

/* BT, BTS, BTR, BTC with the bit number in a register: it reaches beyond a memory operand. */
int emu_bit_reg(struct emu *e)
{
	unsigned int bits = e->op_bytes * 8;
	s64 nr = (s64)sign_extend(emu_read_reg(e, e->reg, e->op_bytes), e->op_bytes);

	if (e->rm.mem) {
		u64 off = e->rm.offset + (u64)((nr >> __builtin_ctz(bits)) * e->op_bytes);

		e->rm.offset = off & mask_of(e->ad_bytes);
	}
	return bit_op(e, e->opcode >> 3 & 3, (unsigned int)nr & (bits - 1));
}

int emu_bit_imm(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7;

	if (op < 4)
		return emu_raise(e, X86_EXC_UD);
	return bit_op(e, op & 3, (unsigned int)e->imm & (e->op_bytes * 8 - 1));
}

/* BSF, BSR and, with F3, TZCNT and LZCNT. */
int emu_bitscan(struct emu *e)
{
	unsigned int bits = e->op_bytes * 8;
	bool reverse = e->opcode & 1, count = e->rep == 0xf3;
	u64 v, r;

	TRY(emu_read_rm(e, e->op_bytes, &v));
	if (!v) {
		r = bits;
	} else {
		r = reverse ? 63 - (unsigned int)__builtin_clzll(v) : (unsigned int)__builtin_ctzll(v);
		if (reverse && count)
			r = bits - 1 - r;
	}
	e->rflags &= ~(X86_EFLAGS_ZF | (count ? X86_EFLAGS_CF : 0));
	if (count) {
		e->rflags |= (r ? 0 : X86_EFLAGS_ZF) | (v ? 0 : X86_EFLAGS_CF);
		emu_write_reg(e, e->reg, e->op_bytes, r);
	} else if (v) {
		emu_write_reg(e, e->reg, e->op_bytes, r);
	} else {
		e->rflags |= X86_EFLAGS_ZF; /* the destination keeps its value */
	}
	return EMU_OKAY;
}

int emu_popcnt(struct emu *e)
{
	u64 v, n = 0;

	if (e->rep != 0xf3)
		return EMU_UNHANDLEABLE;
	TRY(emu_read_rm(e, e->op_bytes, &v));
	e->rflags = (e->rflags & ~FLAGS_ARITH) | (v ? 0 : X86_EFLAGS_ZF);
	for (; v; v &= v - 1)
		n++;
	emu_write_reg(e, e->reg, e->op_bytes, n);
	return EMU_OKAY;
}

enum { ROL, ROR, RCL, RCR, SHL, SHR, SAL, SAR };

/* What a shift or rotate by n (not 0) does: the result and CF; OF as for n == 1. */
struct shifted {
	u64 val;
	bool cf, of;
};

static struct shifted rotate(unsigned int op, u64 v, unsigned int n, unsigned int bits)
{
	u64 m = mask_of(bits / 8), r;
	bool top, next;

	n %= bits;
	if (op == ROR)
		n = (bits - n) % bits;
	r = n ? ((v << n) | (v >> (bits - n))) & m : v;
	top = r >> (bits - 1) & 1;
	next = r >> (bits - 2) & 1;
	if (op == ROL)
		return (struct shifted){r, r & 1, top ^ (r & 1)};
	return (struct shifted){r, top, top ^ next};
}

/* Through CF: a register of bits + 1. Bit by bit, as the manual has it. */
static struct shifted rotate_carry(unsigned int op, u64 v, unsigned int n, unsigned int bits, bool cf)
{
	bool of, out;

	for (; n; n--) {
		if (op == RCL) {
			out = v >> (bits - 1) & 1;
			v = ((v << 1) | cf) & mask_of(bits / 8);
		} else {
			out = v & 1;
			v = v >> 1 | (u64)cf << (bits - 1);
		}
		cf = out;
	}
	of = op == RCL ? (v >> (bits - 1) & 1) ^ cf : (v >> (bits - 1) & 1) ^ (v >> (bits - 2) & 1);
	return (struct shifted){v, cf, of};
}

static struct shifted shift(unsigned int op, u64 v, unsigned int n, unsigned int bits)
{
	u64 m = mask_of(bits / 8), sign = m & ~(m >> 1), r;
	bool cf;

	switch (op) {
	case SHR:
		r = v >> n;
		return (struct shifted){r, n <= bits && (v >> (n - 1) & 1), v & sign};
	case SAR:
		v = sign_extend(v, bits / 8);
		r = (u64)((s64)v >> n);
		return (struct shifted){r & m, (u64)((s64)v >> (n - 1)) & 1, false};
	default:
		r = (v << n) & m;
		cf = n <= bits && (v >> (bits - n) & 1);
		return (struct shifted){r, cf, !!(r & sign) ^ cf};
	}
}

static u64 shift_flags(u64 old, const struct shifted *s, unsigned int bytes, bool all)
{
	u64 m = mask_of(bytes), top = s->val & m & ~(m >> 1);

	old &= ~(X86_EFLAGS_CF | X86_EFLAGS_OF);
	old |= (s->cf ? X86_EFLAGS_CF : 0) | (s->of ? X86_EFLAGS_OF : 0);
	if (!all) /* rotates leave the others alone */
		return old;
	old &= ~(X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_PF | X86_EFLAGS_AF);
	old |= (top ? X86_EFLAGS_SF : 0) | (s->val ? 0 : X86_EFLAGS_ZF);
	return old | (__builtin_parity((unsigned int)s->val & 0xff) ? 0 : X86_EFLAGS_PF);
}

/* Group 2: c0, c1 by an immediate; d0, d1 by one; d2, d3 by CL. */
int emu_shift(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7, bytes = width(e), bits = bytes * 8, n;
	struct shifted s;
	u64 v, flags;

	n = e->opcode < 0xd0 ? (unsigned int)e->imm : e->opcode & 2 ? (unsigned int)*emu_gpr(e, EMU_RCX) : 1;
	n &= bytes == 8 ? 63 : 31;
	TRY(emu_read_rm(e, bytes, &v));
	if (op == RCL || op == RCR)
		n %= bits + 1;
	if (!n)
		return emu_write_rm(e, bytes, v); /* no flag changes, but the write happens */
	if (op <= ROR)
		s = rotate(op, v, n, bits);
	else if (op <= RCR)
		s = rotate_carry(op, v, n, bits, e->rflags & X86_EFLAGS_CF);
	else
		s = shift(op, v, n, bits);
	flags = shift_flags(e->rflags, &s, bytes, op >= SHL);
	TRY(emu_write_rm(e, bytes, s.val));
	e->rflags = flags;
	return EMU_OKAY;
}

/* SHLD a4, a5; SHRD ac, ad. Counts beyond 16 of a 16-bit operand are undefined: as if rotated in. */
int emu_shld(struct emu *e)
{
	unsigned int bytes = e->op_bytes, bits = bytes * 8;
	unsigned int n = (unsigned int)(e->opcode & 1 ? *emu_gpr(e, EMU_RCX) : e->imm);
	unsigned __int128 wide;
	bool right = e->opcode & 8;
	struct shifted s;
	u64 v, src = emu_read_reg(e, e->reg, bytes), flags;

	n &= bytes == 8 ? 63 : 31;
	TRY(emu_read_rm(e, bytes, &v));
	if (!n)
		return emu_write_rm(e, bytes, v);
	if (n > bits)
		return EMU_UNHANDLEABLE;
	if (right) {
		wide = (unsigned __int128)src << bits | v;
		s.val = (u64)(wide >> n) & mask_of(bytes);
		s.cf = v >> (n - 1) & 1;
	} else {
		wide = (unsigned __int128)v << bits | src;
		s.val = (u64)(wide >> (bits - n)) & mask_of(bytes);
		s.cf = v >> (bits - n) & 1;
	}
	s.of = (v ^ s.val) >> (bits - 1) & 1;
	flags = shift_flags(e->rflags, &s, bytes, true);
	TRY(emu_write_rm(e, bytes, s.val));
	e->rflags = flags;
	return EMU_OKAY;
}

/* CMPXCHG8B and, with REX.W, CMPXCHG16B. */
int emu_cmpxchg8b(struct emu *e)
{
	unsigned int half = e->op_bytes == 8 ? 8 : 4;
	u64 old[2] = {0}, want[2], new[2], lin;
	u8 from[16] = {0}, to[16] = {0};
	bool equal;

	if ((e->modrm >> 3 & 7) != 1)
		return EMU_UNHANDLEABLE;
	NEED(cmpxchg);
	NEED(read);
	TRY(emu_linear(e, e->rm.seg, e->rm.offset, half * 2, ACC_WRITE, &lin));
	if (half == 8 && (lin & 15))
		return emu_raise_error(e, X86_EXC_GP, 0);
	TRY(e->ops->read(e, lin, from, half * 2));
	__builtin_memcpy(&old[0], from, half);
	__builtin_memcpy(&old[1], from + half, half);
	want[0] = emu_read_reg(e, EMU_RAX, half);
	want[1] = emu_read_reg(e, EMU_RDX, half);
	equal = old[0] == want[0] && old[1] == want[1];
	new[0] = equal ? emu_read_reg(e, EMU_RBX, half) : old[0];
	new[1] = equal ? emu_read_reg(e, EMU_RCX, half) : old[1];
	__builtin_memcpy(to, &new[0], half);
	__builtin_memcpy(to + half, &new[1], half);
	TRY(e->ops->cmpxchg(e, lin, from, to, half * 2, e->lock));
	if (!equal) {
		emu_write_reg(e, EMU_RAX, half, old[0]);
		emu_write_reg(e, EMU_RDX, half, old[1]);
	}
	e->rflags = (e->rflags & ~X86_EFLAGS_ZF) | (equal ? X86_EFLAGS_ZF : 0);
	return EMU_OKAY;
}
