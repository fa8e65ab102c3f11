/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic and logic with flags (SDM vol. 1, 3.4.3.1 and app. A). */
#include "internal.h"

static u64 parity_flag(u64 v)
{
	return __builtin_parity((unsigned int)(v & 0xff)) ? 0 : X86_EFLAGS_PF;
}

static u64 szp(u64 v, unsigned int bytes)
{
	v &= mask_of(bytes);
	return parity_flag(v) | (v ? 0 : X86_EFLAGS_ZF) | (v >> (bytes * 8 - 1) & 1 ? X86_EFLAGS_SF : 0);
}

static void put_flags(struct emu *e, u64 flags)
{
	e->rflags = (e->rflags & ~FLAGS_ARITH) | flags;
}

static u64 do_add(struct emu *e, u64 a, u64 b, u64 carry, unsigned int bytes)
{
	u64 m = mask_of(bytes), r, top = 1ULL << (bytes * 8 - 1), flags;

	a &= m;
	b &= m;
	r = (a + b + carry) & m;
	flags = szp(r, bytes);
	if (r < a || (carry && r == a))
		flags |= X86_EFLAGS_CF;
	if ((a ^ r) & (b ^ r) & top)
		flags |= X86_EFLAGS_OF;
	flags |= (a ^ b ^ r) & X86_EFLAGS_AF;
	put_flags(e, flags);
	return r;
}

static u64 do_sub(struct emu *e, u64 a, u64 b, u64 borrow, unsigned int bytes)
{
	u64 m = mask_of(bytes), r, top = 1ULL << (bytes * 8 - 1), flags;

	a &= m;
	b &= m;
	r = (a - b - borrow) & m;
	flags = szp(r, bytes);
	if (a < b || (borrow && a == b))
		flags |= X86_EFLAGS_CF;
	if ((a ^ b) & (a ^ r) & top)
		flags |= X86_EFLAGS_OF;
	flags |= (a ^ b ^ r) & X86_EFLAGS_AF;
	put_flags(e, flags);
	return r;
}

static u64 do_logic(struct emu *e, u64 r, unsigned int bytes)
{
	put_flags(e, szp(r, bytes)); /* AF is undefined; CPUs clear it */
	return r & mask_of(bytes);
}

/* The eight operations of 00..3f and of group 1, in encoding order. */
enum { OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP };

static u64 compute(struct emu *e, unsigned int op, u64 a, u64 b, unsigned int bytes)
{
	u64 cf = e->rflags & X86_EFLAGS_CF;

	switch (op) {
	case OP_ADD:
		return do_add(e, a, b, 0, bytes);
	case OP_OR:
		return do_logic(e, a | b, bytes);
	case OP_ADC:
		return do_add(e, a, b, cf, bytes);
	case OP_SBB:
		return do_sub(e, a, b, cf, bytes);
	case OP_AND:
		return do_logic(e, a & b, bytes);
	case OP_XOR:
		return do_logic(e, a ^ b, bytes);
	default:
		return do_sub(e, a, b, 0, bytes);
	}
}

/* rm = rm op src, flags only if the write succeeds. */
static int update_rm(struct emu *e, unsigned int op, u64 src, unsigned int bytes)
{
	u64 old, flags = e->rflags, r;
	int rc;

	TRY(emu_read_rm(e, bytes, &old));
	r = compute(e, op, old, src, bytes);
	if (op == OP_CMP)
		return EMU_OKAY;
	rc = emu_replace_rm(e, bytes, old, r);
	if (rc != EMU_OKAY)
		e->rflags = flags;
	return rc;
}

int emu_alu(struct emu *e)
{
	unsigned int op = e->opcode >> 3 & 7, form = e->opcode & 7, bytes = width(e);
	u64 v;

	if (op == OP_CMP && e->lock)
		return emu_raise(e, X86_EXC_UD);
	switch (form >> 1) {
	case 0: /* r/m, r */
		return update_rm(e, op, emu_read_reg(e, e->reg, bytes), bytes);
	case 1: /* r, r/m */
		if (e->lock)
			return emu_raise(e, X86_EXC_UD);
		TRY(emu_read_rm(e, bytes, &v));
		v = compute(e, op, emu_read_reg(e, e->reg, bytes), v, bytes);
		if (op != OP_CMP)
			emu_write_reg(e, e->reg, bytes, v);
		return EMU_OKAY;
	default: /* accumulator, immediate */
		v = compute(e, op, emu_read_reg(e, EMU_RAX, bytes), e->imm, bytes);
		if (op != OP_CMP)
			emu_write_reg(e, EMU_RAX, bytes, v);
		return EMU_OKAY;
	}
}

int emu_alu_imm(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7;

	if (op == OP_CMP && e->lock)
		return emu_raise(e, X86_EXC_UD);
	return update_rm(e, op, e->imm, width(e));
}

int emu_test(struct emu *e)
{
	u64 v;

	TRY(emu_read_rm(e, width(e), &v));
	do_logic(e, v & emu_read_reg(e, e->reg, width(e)), width(e));
	return EMU_OKAY;
}

int emu_test_imm(struct emu *e)
{
	do_logic(e, emu_read_reg(e, EMU_RAX, width(e)) & e->imm, width(e));
	return EMU_OKAY;
}

static int inc_dec(struct emu *e, bool dec, unsigned int bytes)
{
	u64 old, r, cf = e->rflags & X86_EFLAGS_CF, flags = e->rflags;
	int rc;

	TRY(emu_read_rm(e, bytes, &old));
	r = dec ? do_sub(e, old, 1, 0, bytes) : do_add(e, old, 1, 0, bytes);
	e->rflags = (e->rflags & ~X86_EFLAGS_CF) | cf;
	rc = emu_replace_rm(e, bytes, old, r);
	if (rc != EMU_OKAY)
		e->rflags = flags;
	return rc;
}

int emu_incdec(struct emu *e)
{
	e->rm.reg = e->opcode & 7; /* 40..4f outside 64-bit mode */
	return inc_dec(e, e->opcode & 8, e->op_bytes);
}

int emu_grp4(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7;

	return op > 1 ? emu_raise(e, X86_EXC_UD) : inc_dec(e, op, 1);
}

int emu_grp5(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7;

	if (op <= 1)
		return inc_dec(e, op, e->op_bytes);
	if (e->lock || op == 7)
		return emu_raise(e, X86_EXC_UD);
	return op == 6 ? emu_push_imm(e) : op & 1 ? emu_far_indirect(e) : op == 2 ? emu_call(e) : emu_jmp(e);
}

/* ---- multiplication and division ---- */

static void mul_flags(struct emu *e, bool overflow, u64 low, unsigned int bytes)
{
	/* Only CF and OF are defined; the rest as CPUs of today leave them. */
	(void)low;
	(void)bytes;
	e->rflags &= ~(X86_EFLAGS_CF | X86_EFLAGS_OF);
	if (overflow)
		e->rflags |= X86_EFLAGS_CF | X86_EFLAGS_OF;
}

static void write_double(struct emu *e, unsigned int bytes, u64 low, u64 high)
{
	if (bytes == 1) {
		emu_write_reg(e, EMU_RAX, 2, (low & 0xff) | (high & 0xff) << 8);
		return;
	}
	emu_write_reg(e, EMU_RAX, bytes, low);
	emu_write_reg(e, EMU_RDX, bytes, high);
}

static void multiply(struct emu *e, u64 src, unsigned int bytes, bool is_signed)
{
	u64 a = emu_read_reg(e, EMU_RAX, bytes), low, high;
	bool overflow;

	if (is_signed) {
		__int128 r = (__int128)(s64)sign_extend(a, bytes) * (s64)sign_extend(src, bytes);

		low = (u64)r & mask_of(bytes);
		high = (u64)(r >> bytes * 8) & mask_of(bytes);
		overflow = r != (__int128)(s64)sign_extend(low, bytes);
	} else {
		unsigned __int128 r = (unsigned __int128)a * src;

		low = (u64)r & mask_of(bytes);
		high = (u64)(r >> bytes * 8) & mask_of(bytes);
		overflow = high != 0;
	}
	write_double(e, bytes, low, high);
	mul_flags(e, overflow, low, bytes);
}

static unsigned __int128 dividend(const struct emu *e, unsigned int bytes)
{
	if (bytes == 1)
		return emu_read_reg(e, EMU_RAX, 2);
	return (unsigned __int128)emu_read_reg(e, EMU_RDX, bytes) << bytes * 8 |
	       emu_read_reg(e, EMU_RAX, bytes);
}

/* 128 by 64 bits, bit by bit: the image has no compiler support library. */
static void udivmod(unsigned __int128 n, u64 d, unsigned __int128 *q, u64 *r)
{
	unsigned __int128 rem = 0;

	*q = 0;
	for (int i = 127; i >= 0; i--) {
		rem = rem << 1 | (n >> i & 1);
		if (rem >= d) {
			rem -= d;
			*q |= (unsigned __int128)1 << i;
		}
	}
	*r = (u64)rem;
}

static int divide(struct emu *e, u64 src, unsigned int bytes)
{
	unsigned __int128 q;
	u64 r;

	if (!src)
		return emu_raise(e, X86_EXC_DE);
	udivmod(dividend(e, bytes), src, &q, &r);
	if (q > mask_of(bytes))
		return emu_raise(e, X86_EXC_DE);
	write_double(e, bytes, (u64)q, r);
	return EMU_OKAY;
}

static int divide_signed(struct emu *e, u64 src, unsigned int bytes)
{
	unsigned int shift = 128 - 2 * bytes * 8;
	__int128 n = (__int128)(dividend(e, bytes) << shift) >> shift;
	s64 d = (s64)sign_extend(src, bytes);
	unsigned __int128 q, limit;
	bool neg = (n < 0) != (d < 0);
	u64 r;

	if (!d)
		return emu_raise(e, X86_EXC_DE);
	udivmod(n < 0 ? -(unsigned __int128)n : (unsigned __int128)n, d < 0 ? -(u64)d : (u64)d, &q, &r);
	limit = ((unsigned __int128)1 << (bytes * 8 - 1)) - !neg;
	if (q > limit)
		return emu_raise(e, X86_EXC_DE);
	write_double(e, bytes, neg ? -(u64)q : (u64)q, n < 0 ? -r : r);
	return EMU_OKAY;
}

int emu_grp3(struct emu *e)
{
	unsigned int op = e->modrm >> 3 & 7, bytes = width(e);
	u64 v, flags = e->rflags;
	int rc;

	if (e->lock && op != 2 && op != 3)
		return emu_raise(e, X86_EXC_UD);
	TRY(emu_read_rm(e, bytes, &v));
	switch (op) {
	case 0:
	case 1:
		do_logic(e, v & e->imm, bytes);
		return EMU_OKAY;
	case 2:
		return emu_replace_rm(e, bytes, v, ~v & mask_of(bytes));
	case 3:
		rc = emu_replace_rm(e, bytes, v, do_sub(e, 0, v, 0, bytes));
		if (rc != EMU_OKAY)
			e->rflags = flags;
		return rc;
	case 4:
	case 5:
		multiply(e, v, bytes, op == 5);
		return EMU_OKAY;
	case 6:
		return divide(e, v, bytes);
	default:
		return divide_signed(e, v, bytes);
	}
}

static int imul(struct emu *e, u64 a, u64 b)
{
	__int128 r = (__int128)(s64)sign_extend(a, e->op_bytes) * (s64)sign_extend(b, e->op_bytes);
	u64 low = (u64)r & mask_of(e->op_bytes);

	emu_write_reg(e, e->reg, e->op_bytes, low);
	mul_flags(e, r != (__int128)(s64)sign_extend(low, e->op_bytes), low, e->op_bytes);
	return EMU_OKAY;
}

int emu_imul2(struct emu *e)
{
	u64 v;

	TRY(emu_read_rm(e, e->op_bytes, &v));
	return imul(e, emu_read_reg(e, e->reg, e->op_bytes), v);
}

int emu_imul3(struct emu *e)
{
	u64 v;

	TRY(emu_read_rm(e, e->op_bytes, &v));
	return imul(e, v, e->imm);
}

/* ---- exchange with arithmetic: the accumulator's and the compare's flags are those of CMP and ADD ---- */

int emu_cmpxchg(struct emu *e)
{
	unsigned int bytes = width(e);
	u64 old, acc = emu_read_reg(e, EMU_RAX, bytes), flags = e->rflags;
	int rc;

	TRY(emu_read_rm(e, bytes, &old));
	do_sub(e, acc, old, 0, bytes);
	/* On a mismatch memory is written with its own value, so it must be writable; a register is not. */
	if (acc == old)
		rc = emu_replace_rm(e, bytes, old, emu_read_reg(e, e->reg, bytes));
	else
		rc = e->rm.mem ? emu_replace_rm(e, bytes, old, old) : EMU_OKAY;
	if (rc != EMU_OKAY)
		e->rflags = flags;
	else if (acc != old)
		emu_write_reg(e, EMU_RAX, bytes, old);
	return rc;
}

int emu_xadd(struct emu *e)
{
	unsigned int bytes = width(e);
	u64 old, src = emu_read_reg(e, e->reg, bytes), flags = e->rflags, sum;
	int rc;

	TRY(emu_read_rm(e, bytes, &old));
	sum = do_add(e, old, src, 0, bytes);
	if (!e->rm.mem) { /* the register pair may be one register: the sum wins */
		emu_write_reg(e, e->reg, bytes, old);
		emu_write_reg(e, e->rm.reg, bytes, sum);
		return EMU_OKAY;
	}
	rc = emu_replace_rm(e, bytes, old, sum);
	if (rc == EMU_OKAY)
		emu_write_reg(e, e->reg, bytes, old);
	else
		e->rflags = flags;
	return rc;
}

/* ADCX (66) and ADOX (f3): a carry chain each. */
int emu_adx(struct emu *e)
{
	unsigned int bytes = e->rex & 8 ? 8 : 4;
	u64 flag = e->rep == 0xf3 ? X86_EFLAGS_OF : X86_EFLAGS_CF, v;
	unsigned __int128 sum;

	TRY(emu_read_rm(e, bytes, &v));
	sum = (unsigned __int128)v + emu_read_reg(e, e->reg, bytes) + !!(e->rflags & flag);
	emu_write_reg(e, e->reg, bytes, (u64)sum);
	e->rflags = sum >> bytes * 8 ? e->rflags | flag : e->rflags & ~flag;
	return EMU_OKAY;
}
