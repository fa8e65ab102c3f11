/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction emulator: decode -> struct emu -> execute over ops. Pure: memory, segments, ports and
 * system registers are reached through const struct emu_ops only, so the same bytes run in the
 * hypervisor, in unit tests against the CPU, and in a fuzzer.
 *
 * An instruction either completes, and then registers, RIP and flags are updated together; or it does
 * not, and they are as before (a REP string instruction completes iteration by iteration).
 */
#ifndef SERAI_EMULATE_H
#define SERAI_EMULATE_H

#include <regs.h>
#include <types.h>

enum emu_result {
	EMU_OKAY,
	EMU_EXCEPTION,    /* emu.event says which; nothing changed */
	EMU_UNHANDLEABLE, /* not an instruction for this context, or an op is missing */
	EMU_RETRY,        /* memory changed under a locked access: run it again */
};

/* In the order of instruction encodings. */
enum emu_seg_nr { EMU_ES, EMU_CS, EMU_SS, EMU_DS, EMU_FS, EMU_GS, EMU_SEGS, EMU_LDTR = 6, EMU_TR };
enum emu_table_nr { EMU_GDTR, EMU_IDTR };

/* A segment register with its hidden part, attributes as in descriptor bits 40-47 and 52-55. */
struct emu_seg {
	u16 sel, attr;
	u32 limit; /* in bytes, granularity applied */
	u64 base;
};
#define SEG_TYPE 0x00fU
#define SEG_S 0x010U /* code or data */
#define SEG_DPL(attr) ((attr) >> 5 & 3U)
#define SEG_P 0x080U
#define SEG_L 0x200U
#define SEG_DB 0x400U
#define SEG_G 0x800U
#define SEG_CODE 0x008U     /* type bit 3 */
#define SEG_ACCESSED 0x001U /* type bit 0 */
#define SEG_RW 0x002U       /* writable data, readable code */
#define SEG_DOWN 0x004U     /* expand-down data, conforming code */

struct emu_event {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2; /* #PF */
};

struct emu;

/*
 * Any op may be null: the instruction that needs it is EMU_UNHANDLEABLE. All return enum emu_result; to
 * raise an exception they call emu_raise() and return its result. Addresses are linear.
 */
struct emu_ops {
	int (*fetch)(struct emu *e, u64 addr, void *buf, unsigned int bytes);
	int (*read)(struct emu *e, u64 addr, void *buf, unsigned int bytes);
	int (*write)(struct emu *e, u64 addr, const void *buf, unsigned int bytes);
	/* 1..16 bytes. Write *new if memory equals *old; otherwise EMU_RETRY with *old updated. */
	int (*cmpxchg)(struct emu *e, u64 addr, void *old, const void *new, unsigned int bytes, bool locked);
	int (*read_seg)(struct emu *e, unsigned int nr, struct emu_seg *seg);
	int (*write_seg)(struct emu *e, unsigned int nr, const struct emu_seg *seg);
	int (*read_table)(struct emu *e, unsigned int nr, u64 *base, u16 *limit);
	int (*write_table)(struct emu *e, unsigned int nr, u64 base, u16 limit);
	int (*read_io)(struct emu *e, u16 port, unsigned int bytes, u32 *val);
	int (*write_io)(struct emu *e, u16 port, unsigned int bytes, u32 val);
	int (*read_cr)(struct emu *e, unsigned int nr, u64 *val);
	int (*write_cr)(struct emu *e, unsigned int nr, u64 val);
	int (*read_dr)(struct emu *e, unsigned int nr, u64 *val);
	int (*write_dr)(struct emu *e, unsigned int nr, u64 val);
	int (*read_msr)(struct emu *e, u32 nr, u64 *val);
	int (*write_msr)(struct emu *e, u32 nr, u64 val);
	int (*read_xcr)(struct emu *e, u32 nr, u64 *val);
	int (*write_xcr)(struct emu *e, u32 nr, u64 val);
	int (*cpuid)(struct emu *e, u32 leaf, u32 subleaf, u32 regs[4]);
	int (*read_tsc)(struct emu *e, u64 *tsc, u32 *aux);
	int (*invlpg)(struct emu *e, u64 addr);
	int (*wbinvd)(struct emu *e);
	int (*hlt)(struct emu *e);
	/* CLI, STI, POPF, IRET: what becomes of new flags. Null: privilege checks as the CPU has them. */
	int (*set_flags)(struct emu *e, u64 *new_flags);
};

struct emu_operand {
	bool mem;
	bool by_rsp; /* a SIB byte has RSP as the base of the address */
	u8 reg;      /* number, high-byte ones as in encodings */
	u8 seg;
	u8 bytes;
	u64 offset; /* within seg */
	u64 linear; /* valid once accessed */
};

struct emu {
	/* ---- the caller fills this ---- */
	const struct emu_ops *ops;
	void *gprs;           /* a register frame ... */
	const u8 *gpr_offset; /* ... and where in it RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8.. are */
	u64 rip, rflags;
	u8 code_bytes; /* of the code segment: 2, 4 or 8 */
	u8 cpl;
	bool protected_mode; /* CR0.PE */
	bool vm86;
	bool long_mode; /* EFER.LMA */
	u8 iopl_ok;     /* CPL may do port I/O and CLI, STI (already decided: IOPL, bitmap) */
	u8 have;        /* bytes of the instruction already in buf */
	u8 buf[16];

	/* ---- the instruction ---- */
	u8 pos;         /* its length, once decoded */
	u8 map, opcode; /* 0: one byte, 1: 0f, 2: 0f 38 */
	u8 rex, rep;    /* rep: 0, 0xf2, 0xf3 */
	bool lock, opsize_prefix;
	u8 seg_override; /* EMU_SEGS: none */
	u8 op_bytes, ad_bytes;
	u8 modrm, reg; /* reg with REX.R */
	u16 flags;     /* of the table */
	int (*execute)(struct emu *e);
	struct emu_operand rm;
	u64 imm, imm2;

	/* ---- the outcome ---- */
	u64 next_rip;
	struct emu_event event;
	bool retired_sti, retired_mov_ss; /* interrupts stay off for one more instruction */
	bool halted;
};

/* Decode only: fills the instruction part. */
int emu_decode(struct emu *e);
/* Execute what emu_decode() found. */
int emu_execute(struct emu *e);
/* Both. */
static inline int emulate_one(struct emu *e)
{
	int rc = emu_decode(e);

	return rc == EMU_OKAY ? emu_execute(e) : rc;
}

/* For ops: note an exception. Returns EMU_EXCEPTION. */
static inline int emu_raise(struct emu *e, u8 vector)
{
	e->event = (struct emu_event){.vector = vector};
	return EMU_EXCEPTION;
}

static inline int emu_raise_error(struct emu *e, u8 vector, u32 error)
{
	e->event = (struct emu_event){.vector = vector, .has_error = true, .error = error};
	return EMU_EXCEPTION;
}

static inline int emu_raise_pf(struct emu *e, u32 error, u64 addr)
{
	e->event = (struct emu_event){.vector = X86_EXC_PF, .has_error = true, .error = error, .cr2 = addr};
	return EMU_EXCEPTION;
}

static inline u64 *emu_gpr(const struct emu *e, unsigned int nr)
{
	return (u64 *)((u8 *)e->gprs + e->gpr_offset[nr]);
}

enum { EMU_RAX, EMU_RCX, EMU_RDX, EMU_RBX, EMU_RSP, EMU_RBP, EMU_RSI, EMU_RDI };

#endif
