/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writable page tables (VMASST_TYPE_writable_pagetables): the guest kernel writes an entry of an L1 table
 * through its read-only mapping, and the write is carried out as if it were an mmu_update.
 *
 * The decoder knows the forms kernels use on page-table entries: mov to memory, xchg, cmpxchg, and the read-modify-
 * write group with immediates (lock and/or/xor of a byte or a word). Anything else bounces to the guest.
 *
 *   [lock] [66] [REX] opcode ModRM [SIB] [disp] [imm]         (SDM vol. 2, 2.1)
 */
#include <lib.h>
#include <x86/mm/pvmmu.h>
#include <x86/mm/ptwr.h>

/* Offsets of the registers in struct regs, by their number in ModRM and REX. */
static const u8 reg_offset[16] = {
	offsetof(struct regs, rax), offsetof(struct regs, rcx), offsetof(struct regs, rdx),
	offsetof(struct regs, rbx), offsetof(struct regs, rsp), offsetof(struct regs, rbp),
	offsetof(struct regs, rsi), offsetof(struct regs, rdi), offsetof(struct regs, r8),
	offsetof(struct regs, r9),  offsetof(struct regs, r10), offsetof(struct regs, r11),
	offsetof(struct regs, r12), offsetof(struct regs, r13), offsetof(struct regs, r14),
	offsetof(struct regs, r15),
};

static u64 *gpr(struct regs *r, unsigned int n)
{
	return (u64 *)((u8 *)r + reg_offset[n & 15]);
}

/* Bytes of ModRM, SIB and displacement at p. The address itself is what the fault said. */
static unsigned int modrm_length(const u8 *p)
{
	unsigned int mod = p[0] >> 6, rm = p[0] & 7, len = 1;

	if (rm == 4) {
		len++;
		if (mod == 0 && (p[1] & 7) == 5)
			len += 4;
	} else if (mod == 0 && rm == 5) {
		len += 4;
	}
	return len + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static u64 imm_read(const u8 *p, unsigned int bytes)
{
	/* Sign-extended, at most 32 bits. */
	if (bytes == 1)
		return (u64)(s64)(s8)p[0];
	return (u64)(s64)(s32)((u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24);
}

bool ptwr_decode(const u8 *p, unsigned int avail, struct ptwr_insn *in)
{
	const u8 *start = p, *end = p + avail;
	unsigned int rex = 0, len;
	u8 op;

	in->lock = false;
	while (p < end && (*p == 0xf0 || *p == 0x3e || *p == 0x2e || *p == 0x26 || *p == 0x36)) {
		in->lock |= *p == 0xf0;
		p++;
	}
	if (p < end && (*p & 0xf0) == 0x40)
		rex = *p++;
	if (end - p < 2)
		return false;
	op = *p++;
	in->bytes = rex & 8 ? 8 : 4;
	in->imm_bytes = 0;
	in->imm = 0;
	switch (op) {
	case 0x89: /* mov r, m */
		in->kind = PTWR_MOV;
		break;
	case 0x87: /* xchg r, m */
		in->kind = PTWR_XCHG;
		break;
	case 0xc7: /* mov imm32, m */
		in->kind = PTWR_MOV_IMM;
		in->imm_bytes = 4;
		break;
	case 0x80: /* group 1, byte */
		in->bytes = 1;
		in->kind = PTWR_GROUP1;
		in->imm_bytes = 1;
		break;
	case 0x81: /* group 1, imm32 */
		in->kind = PTWR_GROUP1;
		in->imm_bytes = 4;
		break;
	case 0x83: /* group 1, imm8 */
		in->kind = PTWR_GROUP1;
		in->imm_bytes = 1;
		break;
	case 0x0f:
		if (p[0] == 0xb1) { /* cmpxchg r, m */
			in->kind = PTWR_CMPXCHG;
		} else if (p[0] == 0xb3 || p[0] == 0xab) { /* btr, bts r, m: the bit may be elsewhere */
			return false;
		} else if (p[0] == 0xba) { /* bts, btr, btc imm8, m */
			in->kind = PTWR_BIT;
			in->imm_bytes = 1;
		} else {
			return false;
		}
		p++;
		break;
	default:
		return false;
	}
	if (p + 6 + in->imm_bytes > start + PTWR_MAX_INSN || p >= end || *p >= 0xc0)
		return false;
	in->op = *p >> 3 & 7;
	in->reg = (u8)(in->op | (rex & 4) << 1);
	len = modrm_length(p);
	p += len;
	if (p + in->imm_bytes > end)
		return false;
	if (in->imm_bytes)
		in->imm = imm_read(p, in->imm_bytes);
	p += in->imm_bytes;
	in->length = (u8)(p - start);
	/* mov imm: only /0; group 1: cmp (/7) writes nothing, adc and sbb (/2, /3) are not done here */
	if (in->kind == PTWR_MOV_IMM)
		return in->op == 0;
	if (in->kind == PTWR_GROUP1)
		return in->op != 7 && in->op != 2 && in->op != 3;
	if (in->kind == PTWR_BIT)
		return in->op >= 5;
	return true;
}

static u64 mask_of(unsigned int bytes)
{
	return bytes == 8 ? ~0UL : (1UL << (bytes * 8)) - 1;
}

/* Flags of a logical or arithmetic result (SDM vol. 1, 3.4.3.1). */
static u64 flags_of(u64 flags, u64 a, u64 b, u64 res, unsigned int op, unsigned int bytes)
{
	u64 sign = 1UL << (bytes * 8 - 1), m = mask_of(bytes);

	flags &= ~(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF |
		   X86_EFLAGS_OF);
	a &= m, b &= m, res &= m;
	if (!res)
		flags |= X86_EFLAGS_ZF;
	if (res & sign)
		flags |= X86_EFLAGS_SF;
	if (!__builtin_parity((unsigned int)res & 0xff))
		flags |= X86_EFLAGS_PF;
	if (op == 0) { /* add */
		flags |= res < a ? X86_EFLAGS_CF : 0;
		flags |= (~(a ^ b) & (a ^ res) & sign) ? X86_EFLAGS_OF : 0;
		flags |= ((a ^ b ^ res) & 0x10) ? X86_EFLAGS_AF : 0;
	} else if (op == 5 || op == 7) { /* sub, cmp */
		flags |= a < b ? X86_EFLAGS_CF : 0;
		flags |= ((a ^ b) & (a ^ res) & sign) ? X86_EFLAGS_OF : 0;
		flags |= ((a ^ b ^ res) & 0x10) ? X86_EFLAGS_AF : 0;
	}
	return flags;
}

static u64 group1(unsigned int op, u64 a, u64 b)
{
	switch (op) {
	case 0:
		return a + b;
	case 1:
		return a | b;
	case 4:
		return a & b;
	case 5:
		return a - b;
	default:
		return a ^ b;
	}
}

void ptwr_execute(const struct ptwr_insn *in, struct regs *r, u64 old, struct ptwr_effect *fx)
{
	u64 m = mask_of(in->bytes), *reg = gpr(r, in->reg), v = *reg;

	*fx = (struct ptwr_effect){.value = old, .rax = r->rax, .reg = v, .flags = r->rflags};
	fx->write = true;
	switch (in->kind) {
	case PTWR_MOV:
		fx->value = v & m;
		break;
	case PTWR_MOV_IMM:
		fx->value = in->imm & m;
		break;
	case PTWR_XCHG:
		fx->value = v & m;
		fx->reg = old & m; /* 32-bit operands clear the upper half */
		break;
	case PTWR_CMPXCHG:
		fx->flags = flags_of(r->rflags, r->rax, old, r->rax - old, 7, in->bytes);
		if ((r->rax & m) == (old & m)) {
			fx->value = v & m;
		} else {
			fx->write = false;
			fx->rax = old & m;
		}
		break;
	case PTWR_GROUP1:
		fx->value = group1(in->op, old, in->imm) & m;
		fx->flags = flags_of(r->rflags, old, in->imm, fx->value, in->op, in->bytes);
		break;
	case PTWR_BIT: {
		u64 bit = 1UL << (in->imm & (in->bytes * 8U - 1));

		fx->flags = (r->rflags & ~X86_EFLAGS_CF) | (old & bit ? X86_EFLAGS_CF : 0);
		fx->value = in->op == 5 ? old | bit : in->op == 6 ? old & ~bit : old ^ bit;
		break;
	}
	}
}

void ptwr_commit(const struct ptwr_insn *in, struct regs *r, const struct ptwr_effect *fx)
{
	if (in->kind == PTWR_XCHG)
		*gpr(r, in->reg) = fx->reg;
	if (in->kind == PTWR_CMPXCHG && !fx->write)
		r->rax = fx->rax;
	r->rflags = fx->flags & ~X86_EFLAGS_RF;
	r->rip += in->length;
}
