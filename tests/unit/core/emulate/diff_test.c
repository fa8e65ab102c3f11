/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator against the CPU: random instructions of the tables run on both, and registers, flags,
 * memory and exceptions are compared. SERAI_LONG=1 runs a hundred times as many.
 */
#include "native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <emulate.h>
#include <regs.h>

#define ARITH (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

static u64 seed;

static u64 rnd(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

/* ---- the emulator on the same memory ---- */

static bool in_arena(u64 addr, unsigned int bytes)
{
	return addr >= (u64)arena && addr + bytes <= (u64)(arena + 1) && addr + bytes > addr;
}

static int op_read(struct emu *e, u64 addr, void *buf, unsigned int bytes)
{
	if (!in_arena(addr, bytes))
		return emu_raise_pf(e, 4, addr);
	memcpy(buf, (void *)addr, bytes);
	return EMU_OKAY;
}

static int op_write(struct emu *e, u64 addr, const void *buf, unsigned int bytes)
{
	if (!in_arena(addr, bytes))
		return emu_raise_pf(e, 6, addr);
	memcpy((void *)addr, buf, bytes);
	return EMU_OKAY;
}

static int op_cmpxchg(struct emu *e, u64 addr, void *old, const void *new, unsigned int bytes, bool locked)
{
	(void)locked;
	if (!in_arena(addr, bytes))
		return emu_raise_pf(e, 6, addr);
	if (memcmp((void *)addr, old, bytes)) {
		memcpy(old, (void *)addr, bytes);
		return EMU_RETRY;
	}
	memcpy((void *)addr, new, bytes);
	return EMU_OKAY;
}

static int op_read_seg(struct emu *e, unsigned int nr, struct emu_seg *s)
{
	(void)e;
	*s = (struct emu_seg){.limit = ~0U, .attr = 0xcf3, .sel = 0x2b};
	if (nr == EMU_CS) {
		s->attr = 0xcfb;
		s->sel = 0x23;
	}
	return EMU_OKAY;
}

static const struct emu_ops ops = {
	.fetch = op_read, .read = op_read, .write = op_write, .cmpxchg = op_cmpxchg, .read_seg = op_read_seg};
static const u8 offsets[16] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120};

static int emulated_run(struct cpu_state *s, bool compat, struct emu_event *event)
{
	struct emu e = {.ops = &ops,
			.gprs = s->gpr,
			.gpr_offset = offsets,
			.rip = s->rip,
			.rflags = s->rflags,
			.code_bytes = compat ? 4 : 8,
			.cpl = 3,
			.protected_mode = true,
			.long_mode = true};
	int rc = emulate_one(&e);

	s->rip = e.rip;
	s->rflags = e.rflags;
	*event = e.event;
	return rc;
}

/* ---- instructions ---- */

enum {
	M = 1,
	I8 = 2,
	IZ = 4,
	IV = 8,
	I16 = 16,
	NOT64 = 32,
	MEM = 64,
	MO = 128,
	BR8 = 256,
	BRZ = 512,
	STR = 1024,
	BT = 2048,
	IND = 4096,
	G3 = 8192
};
struct form {
	u8 map, first, last;
	u16 kind;
	u64 undefined; /* flags left undefined */
};
#define U_LOGIC X86_EFLAGS_AF
#define U_SHIFT (X86_EFLAGS_AF | X86_EFLAGS_OF)
#define U_MUL (X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF | X86_EFLAGS_PF)
#define U_BT (X86_EFLAGS_OF | X86_EFLAGS_SF | X86_EFLAGS_AF | X86_EFLAGS_PF)
#define U_SCAN (ARITH & ~X86_EFLAGS_ZF)

static const struct form forms[] = {
	{0, 0x00, 0x03, M, 0},
	{0, 0x04, 0x04, I8, 0},
	{0, 0x05, 0x05, IZ, 0},
	{0, 0x08, 0x0b, M, U_LOGIC},
	{0, 0x0c, 0x0c, I8, U_LOGIC},
	{0, 0x0d, 0x0d, IZ, U_LOGIC},
	{0, 0x10, 0x13, M, 0},
	{0, 0x14, 0x14, I8, 0},
	{0, 0x15, 0x15, IZ, 0},
	{0, 0x18, 0x1b, M, 0},
	{0, 0x1c, 0x1c, I8, 0},
	{0, 0x1d, 0x1d, IZ, 0},
	{0, 0x20, 0x23, M, U_LOGIC},
	{0, 0x24, 0x24, I8, U_LOGIC},
	{0, 0x25, 0x25, IZ, U_LOGIC},
	{0, 0x28, 0x2b, M, 0},
	{0, 0x2c, 0x2c, I8, 0},
	{0, 0x2d, 0x2d, IZ, 0},
	{0, 0x30, 0x33, M, U_LOGIC},
	{0, 0x34, 0x34, I8, U_LOGIC},
	{0, 0x35, 0x35, IZ, U_LOGIC},
	{0, 0x38, 0x3b, M, 0},
	{0, 0x3c, 0x3c, I8, 0},
	{0, 0x3d, 0x3d, IZ, 0},
	{0, 0x27, 0x27, NOT64, X86_EFLAGS_OF},
	{0, 0x2f, 0x2f, NOT64, X86_EFLAGS_OF},
	{0, 0x37, 0x37, NOT64, ARITH & ~(X86_EFLAGS_CF | X86_EFLAGS_AF)},
	{0, 0x3f, 0x3f, NOT64, ARITH & ~(X86_EFLAGS_CF | X86_EFLAGS_AF)},
	{0, 0xd4, 0xd5, I8 | NOT64, X86_EFLAGS_CF | X86_EFLAGS_AF | X86_EFLAGS_OF},
	{0, 0x40, 0x4f, NOT64, 0},
	{0, 0x50, 0x5f, 0, 0},
	{0, 0x60, 0x61, NOT64, 0},
	{0, 0x68, 0x68, IZ, 0},
	{0, 0x69, 0x69, M | IZ, U_MUL},
	{0, 0x6a, 0x6a, I8, 0},
	{0, 0x6b, 0x6b, M | I8, U_MUL},
	{0, 0x70, 0x7f, BR8, 0},
	{0, 0x80, 0x80, M | I8, U_LOGIC},
	{0, 0x81, 0x81, M | IZ, U_LOGIC},
	{0, 0x82, 0x82, M | I8 | NOT64, U_LOGIC},
	{0, 0x83, 0x83, M | I8, U_LOGIC},
	{0, 0x84, 0x85, M, U_LOGIC},
	{0, 0x86, 0x8b, M, 0},
	{0, 0x8d, 0x8d, M | MEM, 0},
	{0, 0x8f, 0x8f, M, 0},
	{0, 0x90, 0x99, 0, 0},
	{0, 0x9c, 0x9c, 0, 0},
	{0, 0x9e, 0x9f, 0, 0},
	{0, 0xa0, 0xa3, MO, 0},
	{0, 0xa4, 0xa7, STR, 0},
	{0, 0xa8, 0xa8, I8, U_LOGIC},
	{0, 0xa9, 0xa9, IZ, U_LOGIC},
	{0, 0xaa, 0xaf, STR, 0},
	{0, 0xb0, 0xb7, I8, 0},
	{0, 0xb8, 0xbf, IV, 0},
	{0, 0xc0, 0xc1, M | I8, U_SHIFT},
	{0, 0xc2, 0xc2, I16, 0},
	{0, 0xc3, 0xc3, 0, 0},
	{0, 0xc6, 0xc6, M | I8, 0},
	{0, 0xc7, 0xc7, M | IZ, 0},
	{0, 0xc8, 0xc8, I16 | I8, 0},
	{0, 0xc9, 0xc9, 0, 0},
	{0, 0xd0, 0xd1, M, X86_EFLAGS_AF},
	{0, 0xd2, 0xd3, M, U_SHIFT},
	{0, 0xd7, 0xd7, STR, 0},
	{0, 0xe0, 0xe3, BR8, 0},
	{0, 0xe8, 0xe9, BRZ, 0},
	{0, 0xeb, 0xeb, BR8, 0},
	{0, 0xf5, 0xf5, 0, 0},
	{0, 0xf6, 0xf6, M | G3, U_MUL},
	{0, 0xf7, 0xf7, M | G3, U_MUL},
	{0, 0xf8, 0xf9, 0, 0},
	{0, 0xfc, 0xfd, 0, 0},
	{0, 0xfe, 0xfe, M, 0},
	{0, 0xff, 0xff, M | IND, 0},
	{0, 0x63, 0x63, M, 0},
	{0, 0x62, 0x62, M | MEM | NOT64, 0},
	{1, 0x1f, 0x1f, M, 0},
	{1, 0x40, 0x4f, M, 0},
	{1, 0x80, 0x8f, BRZ, 0},
	{1, 0x90, 0x9f, M, 0},
	{1, 0xa3, 0xa3, M | BT, U_BT},
	{1, 0xa4, 0xa4, M | I8, U_SHIFT},
	{1, 0xa5, 0xa5, M, U_SHIFT},
	{1, 0xab, 0xab, M | BT, U_BT},
	{1, 0xac, 0xac, M | I8, U_SHIFT},
	{1, 0xad, 0xad, M, U_SHIFT},
	{1, 0xaf, 0xaf, M, U_MUL},
	{1, 0xb0, 0xb1, M, 0},
	{1, 0xb3, 0xb3, M | BT, U_BT},
	{1, 0xb6, 0xb7, M, 0},
	{1, 0xb8, 0xb8, M, 0},
	{1, 0xba, 0xba, M | I8, U_BT},
	{1, 0xbb, 0xbb, M | BT, U_BT},
	{1, 0xbc, 0xbd, M, U_SCAN},
	{1, 0xbe, 0xbf, M, 0},
	{1, 0xc0, 0xc1, M, 0},
	{1, 0xc3, 0xc3, M | MEM, 0},
	{1, 0xc7, 0xc7, M | MEM, 0},
	{1, 0xc8, 0xcf, 0, 0},
	{2, 0xf0, 0xf1, M | MEM, 0},
	{2, 0xf6, 0xf6, M, 0},
};

struct trial {
	struct cpu_state s;
	u8 code[24];
	unsigned int len, opsize;
	bool compat, rexw;
	u8 rep;
	const struct form *f;
	u8 opcode, modrm;
};

static void emit(struct trial *t, u64 v, unsigned int bytes)
{
	memcpy(t->code + t->len, &v, bytes);
	t->len += bytes;
}

static u64 data_address(unsigned int spread)
{
	return (u64)arena->data + DATA_SIZE / 2 + rnd() % spread;
}

/* Where a branch may land: on an INT3, never on or in the instruction itself. */
static u64 code_address(void)
{
	return (u64)arena->code + (rnd() & 1 ? 64 : CODE_AT + 64) + rnd() % (CODE_SIZE / 2 - 128);
}

static s64 displacement(unsigned int range)
{
	s64 d = (s64)(rnd() % range) - range / 2;

	return d < 0 && d > -32 ? 32 : d;
}

/* Interesting values: small, edges, random. */
static u64 value(void)
{
	switch (rnd() & 7) {
	case 0:
		return rnd() & 0xff;
	case 1:
		return 1ULL << (rnd() & 63);
	case 2:
		return (1ULL << (rnd() & 63)) - 1;
	case 3:
		return ~(rnd() & 0xff);
	default:
		return rnd();
	}
}

static void prefixes(struct trial *t, u8 *rex)
{
	bool need66 = t->f->map == 2 && t->opcode == 0xf6;

	if ((rnd() & 3) == 0 || (need66 && (rnd() & 1)))
		emit(t, 0x66, 1), t->opsize = 2;
	/* REP on other instructions is ignored, but for LOOPcc, where CPUs read it as a condition. */
	if ((t->f->kind & STR) ? rnd() & 1 : !(t->f->kind & BR8) && (rnd() & 15) == 0)
		emit(t, t->rep = rnd() & 1 ? 0xf3 : 0xf2, 1);
	else if (t->f->map == 1 && (t->opcode == 0xb8 || ((t->opcode & 0xfe) == 0xbc && (rnd() & 1))))
		emit(t, t->rep = 0xf3, 1);
	else if (need66 && t->opsize != 2 && !t->rep)
		emit(t, t->rep = 0xf3, 1);
	if ((t->f->kind & M) && (rnd() & 15) == 0)
		emit(t, 0xf0, 1);
	*rex = 0;
	if (!t->compat && (rnd() & 1)) {
		*rex = 0x40 | (rnd() & 15);
		emit(t, *rex, 1);
		if (*rex & 8)
			t->opsize = 8, t->rexw = true;
	}
}

static void set_gpr(struct trial *t, unsigned int nr, u64 v)
{
	t->s.gpr[nr] = t->compat ? (u32)v : v;
}

/* A memory operand at target: registers are set so that the address comes out. */
static void memory_operand(struct trial *t, u8 rex, u8 reg, u64 target)
{
	unsigned int mod = (unsigned int)rnd() % 3, rm = (unsigned int)rnd() & 7, base, index;
	s32 disp = mod == 1 ? (s8)rnd() : mod == 2 ? (s16)rnd() : 0;
	unsigned int scale = (unsigned int)rnd() & 3;

	t->modrm = (u8)(mod << 6 | reg << 3 | rm);
	emit(t, t->modrm, 1);
	if (rm == 4) {
		index = (unsigned int)rnd() & 7;
		base = (unsigned int)rnd() & 7;
		emit(t, scale << 6 | index << 3 | base, 1);
		index |= (rex & 2) << 2;
		if (base == 5 && mod == 0) {
			if (index != 4)
				set_gpr(t, index, rnd() & 0xff);
			emit(t, target - (index == 4 ? 0 : t->s.gpr[index] << scale), 4);
			return;
		}
		base |= (rex & 1) << 3;
		if (index == base && index != 4) { /* one unknown, twice: set it and let it land */
			set_gpr(t, index, (target - (u64)disp) / ((1U << scale) + 1));
		} else {
			if (index != 4)
				set_gpr(t, index, rnd() & 0xff);
			set_gpr(t, base, target - (u64)disp - (index == 4 ? 0 : t->s.gpr[index] << scale));
		}
	} else if (rm == 5 && mod == 0) {
		emit(t, 0, 4); /* absolute or RIP-relative: filled in at the end */
		return;
	} else {
		set_gpr(t, rm | (rex & 1) << 3, target - (u64)disp);
	}
	emit(t, (u64)disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static void operand(struct trial *t, u8 rex, u64 target)
{
	u8 reg = (u8)rnd() & 7;

	if (t->f->map == 1 && t->opcode == 0xc7)
		reg = 1;
	if ((t->f->kind & IND) && (reg == 3 || reg == 5))
		reg = 4;
	if (t->f->kind & BT)
		set_gpr(t, reg | (rex & 4) << 1, (u64)((s64)(rnd() % 2048) - 1024));
	if ((t->f->kind & MEM) || (rnd() & 1)) {
		memory_operand(t, rex, reg, target);
	} else {
		t->modrm = (u8)(0xc0 | reg << 3 | (rnd() & 7));
		emit(t, t->modrm, 1);
		if ((t->f->kind & IND) && reg >= 2 && reg < 6)
			set_gpr(t, (t->modrm & 7) | (rex & 1) << 3, code_address());
	}
}

static void build(struct trial *t)
{
	u64 target = data_address(512);
	unsigned int disp_at, imm;
	u8 rex;

	prefixes(t, &rex);
	if (t->f->map)
		emit(t, 0x0f, 1);
	if (t->f->map == 2)
		emit(t, 0x38, 1);
	emit(t, t->opcode, 1);
	disp_at = t->len + 1;
	if (t->f->kind & M)
		operand(t, rex, target);
	imm = t->opsize == 8 ? 4 : t->opsize;
	if (t->f->kind & I16)
		emit(t, rnd() & 0x1f8, 2);
	if (t->f->kind & I8)
		emit(t, t->opcode == 0xc8 ? rnd() & 3 : rnd(), 1);
	if (t->f->kind & IZ)
		emit(t, value(), imm);
	if (t->f->kind & IV)
		emit(t, value(), t->opsize);
	if ((t->f->kind & G3) && !(t->modrm >> 3 & 6))
		emit(t, value(), t->opcode & 1 ? imm : 1);
	if (t->f->kind & MO)
		emit(t, target, t->compat ? 4 : 8);
	if (t->f->kind & BR8)
		emit(t, (u64)displacement(256), 1);
	if (t->f->kind & BRZ)
		emit(t, (u64)displacement(2048), imm);
	if ((t->f->kind & M) && (t->modrm & 0xc7) == 5) {
		u32 disp = (u32)(t->compat ? target : target - (t->s.rip + t->len));

		memcpy(t->code + disp_at, &disp, 4);
	}
}

static void randomise(struct trial *t)
{
	for (unsigned int i = 0; i < 16; i++)
		set_gpr(t, i, value());
	set_gpr(t, EMU_RSP, (data_address(256) & ~7ULL));
	if ((t->f->kind & STR)) {
		set_gpr(t, EMU_RSI, data_address(256));
		set_gpr(t, EMU_RDI, data_address(256));
		set_gpr(t, EMU_RCX, rnd() % 40);
		if (t->opcode == 0xd7)
			set_gpr(t, EMU_RBX, data_address(256));
	}
	if (t->opcode == 0xc9 || t->opcode == 0xc8)
		set_gpr(t, EMU_RBP, data_address(256) & ~7ULL);
	t->s.rip = (u64)arena->code + CODE_AT;
	t->s.rflags = 0x202 | (rnd() & (ARITH | X86_EFLAGS_DF));
	for (unsigned int i = 0; i < DATA_SIZE; i += 8) {
		u64 v = t->f->kind & IND || (t->opcode & 0xfe) == 0xc2 ? code_address() : value();

		memcpy(arena->data + i, &v, 8);
	}
}

/* Shifts by one define OF; a masked count of zero changes nothing; the rest is undefined. */
static u64 undefined_flags(const struct trial *t)
{
	unsigned int op = t->modrm >> 3 & 7;
	u64 u = t->f->undefined;

	if (t->f->map == 0 &&
	    (t->opcode == 0x80 || t->opcode == 0x81 || t->opcode == 0x82 || t->opcode == 0x83))
		return op == 1 || op == 4 || op == 6 ? U_LOGIC : 0;
	if (t->f->kind & G3) {
		if (op < 2)
			return U_LOGIC;
		return op < 4 ? 0 : op < 6 ? U_MUL : ARITH;
	}
	if (t->f->map == 1 && (t->opcode & 0xfe) == 0xbc && t->rep == 0xf3)
		return ARITH & ~(X86_EFLAGS_CF | X86_EFLAGS_ZF);
	return u;
}

/* Cases whose result the manual leaves open. */
static bool undefined_result(const struct trial *t)
{
	unsigned int op = t->modrm >> 3 & 7;

	if (t->f->map == 1 && (t->opcode & 0xf8) == 0xc8 && t->opsize == 2)
		return true; /* BSWAP of 16 bits */
	if (t->f->map == 1 &&
	    (t->opcode == 0xa4 || t->opcode == 0xa5 || t->opcode == 0xac || t->opcode == 0xad) &&
	    t->opsize == 2)
		return true; /* counts beyond 16 */
	/* 66 with a near branch: Intel and AMD differ in 64-bit mode; elsewhere it leaves the arena */
	return t->opsize == 2 && ((t->f->kind & (BR8 | BRZ)) || (t->opcode & 0xfe) == 0xc2 ||
				  ((t->f->kind & IND) && (op == 2 || op == 4)));
}

static u64 vector_kind(unsigned int v)
{
	return v == X86_EXC_PF || v == X86_EXC_SS ? X86_EXC_GP : v;
}

static void show(const struct trial *t, const char *what, const struct cpu_state *native,
		 const struct cpu_state *ours)
{
	print_error("%s: %s-bit:", what, t->compat ? "32" : "64");
	for (unsigned int i = 0; i < t->len; i++)
		print_error(" %02x", t->code[i]);
	print_error("\n");
	for (unsigned int i = 0; i < 16; i++)
		if (native->gpr[i] != ours->gpr[i])
			print_error("  reg %u: before %lx CPU %lx emulator %lx\n", i,
				    (unsigned long)t->s.gpr[i], (unsigned long)native->gpr[i],
				    (unsigned long)ours->gpr[i]);
	print_error("  flags %lx CPU %lx emulator %lx, rip +%lx +%lx\n", (unsigned long)t->s.rflags,
		    (unsigned long)native->rflags, (unsigned long)ours->rflags,
		    (unsigned long)(native->rip - t->s.rip), (unsigned long)(ours->rip - t->s.rip));
}

static void run_trial(struct trial *t, unsigned long *taken, unsigned long *faults)
{
	static u8 before[DATA_SIZE], after[DATA_SIZE];
	struct cpu_state native = t->s, ours = t->s;
	struct emu_event event = {0};
	u64 compare = ARITH & ~undefined_flags(t);
	unsigned int vec;
	int rc;

	memset(arena->code, 0xcc, CODE_SIZE);
	memcpy(arena->code + CODE_AT, t->code, t->len);
	memcpy(before, arena->data, DATA_SIZE);
	vec = native_run(&native, t->compat);
	memcpy(after, arena->data, DATA_SIZE);
	memcpy(arena->data, before, DATA_SIZE);
	do {
		rc = emulated_run(&ours, t->compat, &event);
	} while (rc == EMU_OKAY && ours.rip == t->s.rip && native.rip != t->s.rip);

	if (rc == EMU_UNHANDLEABLE && (t->f->map || t->len)) {
		/* allowed to decline, never to be wrong; declining everything is caught by the count */
		return;
	}
	if (rc == EMU_EXCEPTION) {
		if (vec == X86_EXC_BP || vector_kind(vec) != vector_kind(event.vector)) {
			show(t, "exception of the emulator only, or another one", &native, &ours);
			fail_msg("CPU vector %u, emulator %u", vec, event.vector);
		}
		/* All or nothing; a REP instruction may stop half-way, and then as the CPU did. */
		if (memcmp(ours.gpr, t->f->kind & STR ? native.gpr : t->s.gpr, sizeof(ours.gpr)) ||
		    ours.rip != t->s.rip || (ours.rflags ^ t->s.rflags) & ARITH) {
			show(t, "changed something and raised an exception", &native, &ours);
			fail();
		}
		(*faults)++;
		return;
	}
	/* A fault on fetching from where a branch went belongs to the next instruction. */
	if (vec != X86_EXC_BP && (vec != X86_EXC_PF || native.rip == t->s.rip)) {
		show(t, "the CPU faulted", &native, &ours);
		fail_msg("CPU vector %u, emulator result %d", vec, rc);
	}
	if (memcmp(native.gpr, ours.gpr, sizeof(native.gpr)) || native.rip != ours.rip ||
	    ((native.rflags ^ ours.rflags) & (compare | X86_EFLAGS_DF))) {
		show(t, "registers differ", &native, &ours);
		fail();
	}
	for (unsigned int i = 0; i < DATA_SIZE; i++)
		if (after[i] != arena->data[i]) {
			show(t, "memory differs", &native, &ours);
			fail_msg("at %#x: CPU %02x emulator %02x", i, after[i], arena->data[i]);
		}
	(*taken)++;
}

static void differential(bool compat)
{
	unsigned long n = getenv("SERAI_LONG") ? 20000000 : 200000, taken = 0, faults = 0;

	assert_true(native_setup());
	for (unsigned long i = 0; i < n; i++) {
		struct trial t = {.compat = compat, .opsize = 4};

		t.f = &forms[rnd() % (sizeof(forms) / sizeof(forms[0]))];
		t.opcode = (u8)(t.f->first + rnd() % (t.f->last - t.f->first + 1U));
		if (!compat && (t.f->kind & NOT64))
			continue;
		randomise(&t);
		build(&t);
		if (!undefined_result(&t))
			run_trial(&t, &taken, &faults);
	}
	print_message("%s-bit: %lu instructions agree, %lu faulted alike\n", compat ? "32" : "64", taken,
		      faults);
	assert_true(taken > n / 2);
}

static void long_mode(void **state)
{
	(void)state;
	differential(false);
}

static void compat_mode(void **state)
{
	(void)state;
	differential(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode),
		cmocka_unit_test(compat_mode),
	};

	seed = getenv("SERAI_SEED") ? strtoull(getenv("SERAI_SEED"), NULL, 0) : 0x5e7a1c0de;
	return cmocka_run_group_tests_name("emulator against the CPU", tests, NULL, NULL);
}
