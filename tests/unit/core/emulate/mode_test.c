/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hidden segment state through mode changes: real, big real, 16- and 32-bit protected, long and
 * compatibility mode, on a machine of one page of tables and code. What no user-mode CPU can show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <emulate.h>
#include <regs.h>

struct machine {
	struct emu e; /* first: ops find the machine by it */
	u64 gpr[16];
	u8 ram[0x20000];
	struct emu_seg seg[8];
	u64 table_base[2];
	u16 table_limit[2];
	u64 cr0, efer;
};

static struct machine m;

static int op_read(struct emu *e, u64 addr, void *buf, unsigned int n)
{
	if (addr + n > sizeof(m.ram))
		return emu_raise_pf(e, 0, addr);
	memcpy(buf, m.ram + addr, n);
	return EMU_OKAY;
}
static int op_write(struct emu *e, u64 addr, const void *buf, unsigned int n)
{
	if (addr + n > sizeof(m.ram))
		return emu_raise_pf(e, 2, addr);
	memcpy(m.ram + addr, buf, n);
	return EMU_OKAY;
}
static int op_cmpxchg(struct emu *e, u64 addr, void *old, const void *new, unsigned int n, bool l)
{
	(void)old;
	(void)l;
	return op_write(e, addr, new, n);
}
static int op_read_seg(struct emu *e, unsigned int nr, struct emu_seg *s)
{
	(void)e;
	*s = m.seg[nr];
	return EMU_OKAY;
}
static int op_write_seg(struct emu *e, unsigned int nr, const struct emu_seg *s)
{
	(void)e;
	m.seg[nr] = *s;
	return EMU_OKAY;
}
static int op_read_table(struct emu *e, unsigned int nr, u64 *base, u16 *limit)
{
	(void)e;
	*base = m.table_base[nr];
	*limit = m.table_limit[nr];
	return EMU_OKAY;
}
static int op_write_table(struct emu *e, unsigned int nr, u64 base, u16 limit)
{
	(void)e;
	m.table_base[nr] = base;
	m.table_limit[nr] = limit;
	return EMU_OKAY;
}
static int op_read_cr(struct emu *e, unsigned int nr, u64 *v)
{
	(void)e;
	*v = nr ? 0 : m.cr0;
	return EMU_OKAY;
}
static int op_write_cr(struct emu *e, unsigned int nr, u64 v)
{
	(void)e;
	if (!nr)
		m.cr0 = v;
	return EMU_OKAY;
}

static const struct emu_ops ops = {
	.fetch = op_read,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.read_seg = op_read_seg,
	.write_seg = op_write_seg,
	.read_table = op_read_table,
	.write_table = op_write_table,
	.read_cr = op_read_cr,
	.write_cr = op_write_cr,
};
static const u8 offsets[16] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120};

/* Descriptors at 0x1000: code16, data16, code32, data32, code64, data 4 GiB DPL 3, code32 DPL 3. */
enum {
	S_CODE16 = 8,
	S_DATA16 = 16,
	S_CODE32 = 24,
	S_DATA32 = 32,
	S_CODE64 = 40,
	S_UDATA = 48,
	S_UCODE = 56,
	S_ABSENT = 64,
	S_SMALL = 72,
	S_END = 80
};
static const u64 gdt[] = {0,
			  0x00009b000000ffffULL,
			  0x000093000000ffffULL,
			  0x00cf9b000000ffffULL,
			  0x00cf93000000ffffULL,
			  0x00af9b000000ffffULL,
			  0x00cff3000000ffffULL,
			  0x00cffb000000ffffULL,
			  0x00cf13000000ffffULL,
			  0x0040930123450010ULL};

#define CODE 0x2000U

static int reset(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.e.ops = &ops;
	m.e.gprs = m.gpr;
	m.e.gpr_offset = offsets;
	for (unsigned int i = 0; i < 6; i++)
		m.seg[i] = (struct emu_seg){.limit = 0xffff, .attr = SEG_P | SEG_S | SEG_RW | 1};
	m.seg[EMU_CS].attr |= SEG_CODE;
	memcpy(m.ram + 0x1000, gdt, sizeof(gdt));
	m.table_base[EMU_GDTR] = 0x1000;
	m.table_limit[EMU_GDTR] = S_END - 1;
	m.gpr[EMU_RSP] = 0x8000;
	m.e.rip = CODE;
	m.e.rflags = 2;
	return 0;
}

/* As a caller derives it from the machine's state before each instruction. */
static void refresh(void)
{
	const struct emu_seg *cs = &m.seg[EMU_CS];

	m.e.protected_mode = m.cr0 & 1;
	m.e.long_mode = m.efer & 1;
	m.e.cpl = m.e.protected_mode ? SEG_DPL(m.seg[EMU_SS].attr) : 0;
	m.e.code_bytes = m.e.long_mode && (cs->attr & SEG_L) ? 8 : cs->attr & SEG_DB ? 4 : 2;
	m.e.have = 0;
}

static int run(const char *code, unsigned int len)
{
	memcpy(m.ram + (u32)(m.seg[EMU_CS].base + m.e.rip), code, len);
	refresh();
	return emulate_one(&m.e);
}
#define RUN(code) run(code, sizeof(code) - 1)
#define OK(code) assert_int_equal(RUN(code), EMU_OKAY)
#define FAULT(code, vec, err)                               \
	do {                                                \
		assert_int_equal(RUN(code), EMU_EXCEPTION); \
		assert_int_equal(m.e.event.vector, vec);    \
		assert_int_equal(m.e.event.error, err);     \
	} while (0)

static void enter_protected(void)
{
	m.gpr[EMU_RAX] = m.cr0 | 1;
	OK("\x0f\x22\xc0"); /* mov cr0, eax */
}

static void real_mode_loads(void **state)
{
	(void)state;
	m.gpr[EMU_RAX] = 0x1234;
	OK("\x8e\xd8"); /* mov ds, ax */
	assert_int_equal(m.seg[EMU_DS].base, 0x12340);
	assert_int_equal(m.seg[EMU_DS].limit, 0xffff);
	m.ram[0x12345] = 0x77;
	OK("\xa0\x05\x00"); /* mov al, [5] */
	assert_int_equal(m.gpr[EMU_RAX] & 0xff, 0x77);
	/* The limit is there in real mode, too: beyond 64 KiB only a 32-bit offset can reach. */
	m.gpr[EMU_RBX] = 0x10000;
	FAULT("\x67\x8a\x03", X86_EXC_GP, 0); /* mov al, [ebx] */
}

static void big_real_mode(void **state)
{
	(void)state;
	enter_protected();
	assert_int_equal(m.seg[EMU_CS].limit, 0xffff); /* nothing reloaded yet */
	m.gpr[EMU_RAX] = S_DATA32;
	OK("\x8e\xd8"); /* mov ds, ax: 4 GiB */
	assert_int_equal(m.seg[EMU_DS].limit, 0xffffffff);
	m.gpr[EMU_RAX] = m.cr0 & ~1ULL;
	OK("\x0f\x22\xc0");
	/* Back in real mode the hidden limit stays, and stays across a load of the selector. */
	m.gpr[EMU_RAX] = 0x100;
	OK("\x8e\xd8");
	assert_int_equal(m.seg[EMU_DS].base, 0x1000);
	assert_int_equal(m.seg[EMU_DS].limit, 0xffffffff);
	m.gpr[EMU_RBX] = 0x12000;
	m.ram[0x13000] = 0x55;
	OK("\x67\x8a\x03"); /* mov al, [ebx] */
	assert_int_equal(m.gpr[EMU_RAX] & 0xff, 0x55);
}

static void to_32_and_64_bits(void **state)
{
	(void)state;
	enter_protected();
	OK("\xea\x00\x30\x18\x00"); /* jmp CODE32:3000 */
	assert_int_equal(m.seg[EMU_CS].sel, S_CODE32);
	assert_int_equal(m.e.rip, 0x3000);
	refresh();
	assert_int_equal(m.e.code_bytes, 4);
	OK("\xb8\x78\x56\x34\x12"); /* mov eax, imm32 */
	assert_int_equal(m.gpr[EMU_RAX], 0x12345678);
	m.gpr[EMU_RAX] = S_DATA32;
	OK("\x8e\xd0"); /* mov ss, eax */
	assert_true(m.e.retired_mov_ss);
	m.efer = 1;
	OK("\xea\x00\x40\x00\x00\x28\x00"); /* jmp CODE64:4000 */
	refresh();
	assert_int_equal(m.e.code_bytes, 8);
	m.gpr[EMU_RAX] = 0x1122334455667788ULL;
	OK("\x50"); /* push rax: eight bytes */
	assert_int_equal(m.gpr[EMU_RSP], 0x7ff8);
	/* Bases of DS do not count any more; FS's does. */
	m.seg[EMU_DS].base = 0x5000;
	m.seg[EMU_FS].base = 0x6000;
	m.ram[0x10] = 1;
	m.ram[0x6010] = 2;
	m.gpr[EMU_RBX] = 0x10;
	OK("\x8a\x03");
	assert_int_equal(m.gpr[EMU_RAX] & 0xff, 1);
	OK("\x64\x8a\x03");
	assert_int_equal(m.gpr[EMU_RAX] & 0xff, 2);
	/* Canonical addresses only, and #SS by the stack. */
	m.gpr[EMU_RBX] = 1ULL << 60;
	FAULT("\x8a\x03", X86_EXC_GP, 0);
	m.gpr[EMU_RBP] = 1ULL << 60;
	FAULT("\x8a\x45\x00", X86_EXC_SS, 0);
	/* To compatibility mode and on. */
	m.gpr[EMU_RSP] = 0x7000;
	memcpy(m.ram + 0x7000, &(u64){0x3500}, 8);
	memcpy(m.ram + 0x7008, &(u64){S_CODE32}, 8);
	OK("\x48\xcb"); /* lretq */
	refresh();
	assert_int_equal(m.e.code_bytes, 4);
	assert_int_equal(m.e.rip, 0x3500);
}

static void to_ring_3(void **state)
{
	static const u32 frame[] = {0x3800, S_UCODE | 3, 0x202, 0x9000, S_UDATA | 3};

	(void)state;
	enter_protected();
	OK("\xea\x00\x30\x18\x00");
	m.gpr[EMU_RAX] = S_DATA32;
	OK("\x8e\xd0");
	OK("\x8e\xd8"); /* DS: DPL 0, which ring 3 may not keep */
	m.gpr[EMU_RSP] = 0x7000;
	memcpy(m.ram + 0x7000, frame, sizeof(frame));
	OK("\xcf"); /* iret */
	refresh();
	assert_int_equal(m.e.cpl, 3);
	assert_int_equal(m.gpr[EMU_RSP], 0x9000);
	assert_int_equal(m.seg[EMU_DS].attr, 0);
	assert_int_equal(m.e.rflags & X86_EFLAGS_IF, X86_EFLAGS_IF);
	FAULT("\x8a\x03", X86_EXC_GP, 0);     /* DS is null */
	FAULT("\xf4", X86_EXC_GP, 0);         /* hlt */
	FAULT("\x0f\x20\xc0", X86_EXC_GP, 0); /* mov eax, cr0 */
	FAULT("\xfa", X86_EXC_GP, 0);         /* cli */
	m.gpr[EMU_RAX] = S_DATA32;
	FAULT("\x8e\xd8", X86_EXC_GP, S_DATA32); /* DPL 0 */
	m.gpr[EMU_RAX] = S_UDATA | 3;
	OK("\x8e\xd8");
	FAULT("\xea\x00\x30\x00\x00\x18\x00", X86_EXC_GP, S_CODE32); /* inwards */
}

static void refused_loads(void **state)
{
	struct emu_seg before;

	(void)state;
	enter_protected();
	before = m.seg[EMU_DS];
	m.gpr[EMU_RAX] = S_END;
	FAULT("\x8e\xd8", X86_EXC_GP, S_END); /* beyond the table */
	m.gpr[EMU_RAX] = S_ABSENT;
	FAULT("\x8e\xd8", X86_EXC_NP, S_ABSENT);
	m.gpr[EMU_RAX] = 0;
	FAULT("\x8e\xd0", X86_EXC_GP, 0); /* null SS */
	m.gpr[EMU_RAX] = S_CODE32;
	FAULT("\x8e\xd0", X86_EXC_GP, S_CODE32); /* code in SS */
	FAULT("\x8e\xc8", X86_EXC_UD, 0);        /* mov cs */
	assert_memory_equal(&before, &m.seg[EMU_DS], sizeof(before));
	assert_int_equal(m.gpr[EMU_RSP], 0x8000);

	/* A small segment: its base, its limit to the byte. */
	m.gpr[EMU_RAX] = S_SMALL;
	OK("\x8e\xd8");
	assert_int_equal(m.seg[EMU_DS].base, 0x12345);
	assert_int_equal(m.seg[EMU_DS].limit, 0x10);
	m.ram[0x12345 + 0x10] = 9;
	OK("\xa0\x10\x00");
	assert_int_equal(m.gpr[EMU_RAX] & 0xff, 9);
	FAULT("\xa1\x10\x00", X86_EXC_GP, 0); /* two bytes at the last one */
	/* The load set the accessed bit in the table. */
	m.ram[0x1000 + S_DATA16 + 5] &= 0xfe;
	m.gpr[EMU_RAX] = S_DATA16;
	OK("\x8e\xd8");
	assert_true(m.ram[0x1000 + S_DATA16 + 5] & 1);
}

static void tables_and_status_word(void **state)
{
	(void)state;
	m.gpr[EMU_RBX] = 0x500;
	memcpy(m.ram + 0x500, "\x7f\x00\x00\x10\x00\xff", 6);
	OK("\x0f\x01\x17"); /* lgdt [bx]: 24 bits of base with 16-bit operands */
	assert_int_equal(m.table_base[EMU_GDTR], 0x1000);
	assert_int_equal(m.table_limit[EMU_GDTR], 0x7f);
	OK("\x66\x0f\x01\x17");
	assert_int_equal(m.table_base[EMU_GDTR], 0xff001000);
	m.gpr[EMU_RAX] = 1;
	OK("\x0f\x01\xf0"); /* lmsw ax */
	assert_true(m.cr0 & 1);
	m.gpr[EMU_RAX] = 0;
	OK("\x0f\x01\xf0");
	assert_true(m.cr0 & 1); /* does not leave protected mode */
	OK("\x0f\x01\xe1");     /* smsw cx */
	assert_int_equal(m.gpr[EMU_RCX] & 0xffff, m.cr0 & 0xffff);
}

/* POP to memory by RSP takes RSP as it is afterwards; a displacement that looks like a SIB byte changes nothing. */
static void pop_to_memory(void **state)
{
	(void)state;
	memcpy(m.ram + 0x8000, "\x11\x22\x33\x44", 4);
	OK("\x67\x8f\x44\x24\x10"); /* pop word [esp + 16] */
	assert_memory_equal(m.ram + 0x8012, "\x11\x22", 2);
	m.seg[EMU_DS].base = 0xfc001000;
	m.seg[EMU_DS].limit = 0xffffffff;
	OK("\x67\x8f\x04\x25\x00\x40\x00\x04"); /* pop word [0x04004000] */
	assert_memory_equal(m.ram + 0x5000, "\x33\x44\0\0", 4);
	assert_int_equal(m.gpr[EMU_RSP], 0x8004);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(real_mode_loads, reset),
		cmocka_unit_test_setup(big_real_mode, reset),
		cmocka_unit_test_setup(to_32_and_64_bits, reset),
		cmocka_unit_test_setup(to_ring_3, reset),
		cmocka_unit_test_setup(refused_loads, reset),
		cmocka_unit_test_setup(tables_and_status_word, reset),
		cmocka_unit_test_setup(pop_to_memory, reset),
	};

	return cmocka_run_group_tests_name("modes and segments", tests, NULL, NULL);
}
