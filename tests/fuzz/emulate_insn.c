/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: any bytes, in any mode, on any registers and segments. The emulator stays inside its
 * buffers, ends, and keeps its promise: an instruction that raises an exception changed nothing, one
 * that is carried out is at most 15 bytes long.
 */
#include <stdlib.h>
#include <string.h>

#include <emulate.h>
#include <regs.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define RAM 0x4000U

struct input {
	u8 mode, cpl, iopl, spare;
	u32 rip;
	u64 gpr[16];
	struct emu_seg seg[8];
	u8 code[32];
};

static u8 ram[RAM];
static const struct input *in;
static struct emu_seg seg[8];
static bool wrote;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int op_read(struct emu *e, u64 addr, void *buf, unsigned int n)
{
	check(n >= 1 && n <= 16);
	if (addr >= RAM || n > RAM - addr)
		return emu_raise_pf(e, 0, addr);
	memcpy(buf, ram + addr, n);
	return EMU_OKAY;
}
static int op_fetch(struct emu *e, u64 addr, void *buf, unsigned int n)
{
	check(n == 1);
	return op_read(e, addr % RAM, buf, n);
}
static int op_write(struct emu *e, u64 addr, const void *buf, unsigned int n)
{
	check(n >= 1 && n <= 16);
	if (addr >= RAM || n > RAM - addr)
		return emu_raise_pf(e, 2, addr);
	memcpy(ram + addr, buf, n);
	wrote = true;
	return EMU_OKAY;
}
static int op_cmpxchg(struct emu *e, u64 addr, void *old, const void *new, unsigned int n, bool l)
{
	(void)l;
	if (addr >= RAM || n > RAM - addr)
		return emu_raise_pf(e, 2, addr);
	if (in->spare & 1) {
		memcpy(old, ram + addr, n);
		return EMU_RETRY;
	}
	return op_write(e, addr, new, n);
}
static int op_read_seg(struct emu *e, unsigned int nr, struct emu_seg *s)
{
	(void)e;
	check(nr < 8);
	*s = seg[nr];
	return EMU_OKAY;
}
static int op_write_seg(struct emu *e, unsigned int nr, const struct emu_seg *s)
{
	(void)e;
	check(nr < 8);
	seg[nr] = *s;
	wrote = true;
	return EMU_OKAY;
}
static int op_read_table(struct emu *e, unsigned int nr, u64 *base, u16 *limit)
{
	(void)e;
	check(nr < 2);
	*base = 0x100;
	*limit = 0xfff;
	return EMU_OKAY;
}
static int op_write_table(struct emu *e, unsigned int nr, u64 base, u16 limit)
{
	(void)e, (void)base, (void)limit;
	check(nr < 2);
	wrote = true;
	return EMU_OKAY;
}
static int op_read_reg(struct emu *e, unsigned int nr, u64 *v)
{
	(void)e;
	*v = nr * 3;
	return EMU_OKAY;
}
static int op_write_reg(struct emu *e, unsigned int nr, u64 v)
{
	if (nr & 1 && v & 1)
		return emu_raise_error(e, X86_EXC_GP, 0);
	wrote = true;
	return EMU_OKAY;
}
static int op_read_io(struct emu *e, u16 port, unsigned int n, u32 *v)
{
	(void)e;
	check(n == 1 || n == 2 || n == 4);
	*v = port;
	wrote = true; /* reading a port may change what is behind it */
	return EMU_OKAY;
}
static int op_write_io(struct emu *e, u16 port, unsigned int n, u32 v)
{
	(void)e, (void)port, (void)v;
	check(n == 1 || n == 2 || n == 4);
	wrote = true;
	return EMU_OKAY;
}
static int op_cpuid(struct emu *e, u32 leaf, u32 sub, u32 r[4])
{
	(void)e;
	r[0] = r[1] = leaf;
	r[2] = r[3] = sub;
	return EMU_OKAY;
}
static int op_tsc(struct emu *e, u64 *tsc, u32 *aux)
{
	(void)e;
	*tsc = 1;
	*aux = 2;
	return EMU_OKAY;
}
static int op_addr(struct emu *e, u64 addr)
{
	(void)e, (void)addr;
	return EMU_OKAY;
}
static int op_plain(struct emu *e)
{
	(void)e;
	return EMU_OKAY;
}

static const struct emu_ops ops = {
	.fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.read_seg = op_read_seg,
	.write_seg = op_write_seg,
	.read_table = op_read_table,
	.write_table = op_write_table,
	.read_io = op_read_io,
	.write_io = op_write_io,
	.read_cr = op_read_reg,
	.write_cr = op_write_reg,
	.read_dr = op_read_reg,
	.write_dr = op_write_reg,
	.read_msr = op_read_reg,
	.write_msr = op_write_reg,
	.read_xcr = op_read_reg,
	.write_xcr = op_write_reg,
	.cpuid = op_cpuid,
	.read_tsc = op_tsc,
	.invlpg = op_addr,
	.wbinvd = op_plain,
	.hlt = op_plain,
};
static const u8 offsets[16] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 widths[4] = {2, 4, 8, 8};
	static struct input input;
	u64 gpr[16], before[16];
	struct emu e = {.ops = &ops, .gprs = gpr, .gpr_offset = offsets};
	int rc;

	memset(&input, 0, sizeof(input));
	memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
	in = &input;
	memcpy(seg, input.seg, sizeof(seg));
	memcpy(gpr, input.gpr, sizeof(gpr));
	for (unsigned int i = 0; i < 16; i++)
		if (input.spare >> 1 & 1) /* often enough inside memory */
			gpr[i] %= RAM;
	memcpy(before, gpr, sizeof(gpr));
	e.code_bytes = widths[input.mode & 3];
	e.protected_mode = e.code_bytes == 8 || (input.mode & 4);
	e.vm86 = e.code_bytes == 2 && e.protected_mode && (input.mode & 8);
	e.long_mode = e.code_bytes == 8 || (input.mode & 16);
	e.cpl = e.protected_mode ? input.cpl & 3 : 0;
	e.rflags = 2 | (u64)(input.iopl & 3) << 12 | (input.iopl & 0xd4);
	e.rip = input.rip % (RAM - 64);
	memcpy(ram + e.rip, input.code, sizeof(input.code));
	wrote = false;

	rc = emulate_one(&e);
	check(rc >= EMU_OKAY && rc <= EMU_RETRY);
	check(e.pos <= 15);
	if (rc == EMU_EXCEPTION)
		check(e.event.vector < 32);
	/* A string instruction's finished iterations stay; everything else is as it was. */
	if (rc != EMU_OKAY && !e.rep && !wrote)
		check(!memcmp(before, gpr, sizeof(gpr)));
	return 0;
}
