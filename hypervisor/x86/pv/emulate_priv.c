/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PV guest's kernel runs at ring 3 and its privileged instructions raise #GP: they are carried out
 * here on the guest's view of the machine. The emulator decodes and executes; this file is its
 * connection to the running vCPU. docs/abi/privileged.md says what a guest may rely on.
 *
 * Nothing here takes a lock or sleeps; the vCPU is the running one.
 */
#include <cpu.h>
#include <cpu_policy.h>
#include <emulate.h>
#include <fpu.h>
#include <lib.h>
#include <pv.h>
#include <time.h>
#include <uaccess.h>
#include <x86/mm/pvmmu.h>
#include <x86/pv/priv.h>
#include <xerrno.h>

#define OFF(r) offsetof(struct regs, r)
static const u8 gpr_offset[16] = {OFF(rax), OFF(rcx), OFF(rdx), OFF(rbx), OFF(rsp), OFF(rbp),
				  OFF(rsi), OFF(rdi), OFF(r8),  OFF(r9),  OFF(r10), OFF(r11),
				  OFF(r12), OFF(r13), OFF(r14), OFF(r15)};
#undef OFF
_Static_assert(sizeof(struct regs) < 256, "offsets fit a byte");

static int gp_fault(struct emu *e)
{
	return emu_raise_error(e, X86_EXC_GP, 0);
}

/* ---- memory, of INS and OUTS and for instruction bytes ---- */

static int op_fetch(struct emu *e, u64 addr, void *buf, unsigned int bytes)
{
	if (!guest_range_ok(addr, bytes) || raw_copy_from_guest(buf, addr, bytes))
		return emu_raise_pf(e, PFEC_USER | PFEC_INSN, addr);
	return EMU_OKAY;
}

static int op_read(struct emu *e, u64 addr, void *buf, unsigned int bytes)
{
	if (!guest_range_ok(addr, bytes) || raw_copy_from_guest(buf, addr, bytes))
		return emu_raise_pf(e, PFEC_USER, addr);
	return EMU_OKAY;
}

static int op_write(struct emu *e, u64 addr, const void *buf, unsigned int bytes)
{
	if (!guest_range_ok(addr, bytes) || raw_copy_to_guest(addr, buf, bytes))
		return emu_raise_pf(e, PFEC_USER | PFEC_WRITE, addr);
	return EMU_OKAY;
}

/* Only FS and GS matter in 64-bit code; 32-bit user code with port rights is taken as flat. */
static int op_read_seg(struct emu *e, unsigned int nr, struct emu_seg *seg)
{
	*seg = (struct emu_seg){.limit = ~0U, .attr = SEG_P | SEG_S | SEG_G | SEG_DB | SEG_RW | 3U << 5};
	if (nr == EMU_CS)
		seg->attr |= SEG_CODE;
	else if (nr == EMU_FS)
		seg->base = rdfsbase();
	else if (nr == EMU_GS)
		seg->base = rdgsbase();
	return EMU_OKAY;
}

/* ---- control and debug registers ---- */

/* Always as they are; and those the guest turns on and off for itself. */
#define CR4_FIXED (X86_CR4_PAE | X86_CR4_MCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
#define CR4_GUEST (X86_CR4_TSD | X86_CR4_DE | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE)

u64 pv_guest_cr4(const struct vcpu *v)
{
	return CR4_FIXED | (v->pv.ctrlreg[4] & CR4_GUEST & (hv_cr4 | X86_CR4_TSD));
}

static int op_read_cr(struct emu *e, unsigned int nr, u64 *val)
{
	struct vcpu *v = current;

	switch (nr) {
	case 0:
		*val = v->pv.ctrlreg[0];
		return EMU_OKAY;
	case 2:
		*val = v->vcpu_info->arch.cr2;
		return EMU_OKAY;
	case 3:
		*val = v->guest_table.n << PAGE_SHIFT;
		return EMU_OKAY;
	case 4:
		*val = pv_guest_cr4(v);
		return EMU_OKAY;
	default:
		return EMU_UNHANDLEABLE;
	}
}

static int op_write_cr(struct emu *e, unsigned int nr, u64 val)
{
	struct vcpu *v = current;
	int rc;

	switch (nr) {
	case 0: /* nothing but TS is the guest's */
		if ((val ^ v->pv.ctrlreg[0]) & ~X86_CR0_TS)
			return gp_fault(e);
		if (val != v->pv.ctrlreg[0])
			fpu_guest_ts(v, val & X86_CR0_TS);
		return EMU_OKAY;
	case 2:
		v->vcpu_info->arch.cr2 = val;
		return EMU_OKAY;
	case 4: /* bits it cannot have are dropped: kernels write the whole register back */
		v->pv.ctrlreg[4] = val & CR4_GUEST;
		return EMU_OKAY;
	case 3:
		rc = val & ~PTE_ADDR_MASK ? -EINVAL : pv_new_baseptr(v, val >> PAGE_SHIFT);
		return rc == -ERESTART ? EMU_RETRY : rc ? gp_fault(e) : EMU_OKAY;
	default:
		return EMU_UNHANDLEABLE;
	}
}

static int op_read_dr(struct emu *e, unsigned int nr, u64 *val)
{
	*val = current->pv.dr[nr == 4 || nr == 5 ? nr + 2 : nr];
	return EMU_OKAY;
}

static int op_write_dr(struct emu *e, unsigned int nr, u64 val)
{
	if (pv_set_debugreg(current, nr == 4 || nr == 5 ? nr + 2 : nr, val))
		return gp_fault(e);
	return EMU_OKAY;
}

static int op_write_xcr(struct emu *e, u32 nr, u64 val)
{
	if (!(pv_guest_cr4(current) & X86_CR4_OSXSAVE))
		return emu_raise(e, X86_EXC_UD);
	if (nr || fpu_set_xcr0(current, val))
		return gp_fault(e);
	return EMU_OKAY;
}

/* ---- MSRs, CPUID, time ---- */

static int op_read_msr(struct emu *e, u32 nr, u64 *val)
{
	return guest_rdmsr(current, nr, val) ? gp_fault(e) : EMU_OKAY;
}

static int op_write_msr(struct emu *e, u32 nr, u64 val)
{
	return guest_wrmsr(current, nr, val) ? gp_fault(e) : EMU_OKAY;
}

static int op_cpuid(struct emu *e, u32 leaf, u32 subleaf, u32 r[4])
{
	struct cpuid_leaf l;

	guest_cpuid(current, leaf, subleaf, &l);
	r[0] = l.a;
	r[1] = l.b;
	r[2] = l.c;
	r[3] = l.d;
	return EMU_OKAY;
}

/* RDTSC faults when the hypervisor emulates the TSC, or the guest's kernel forbids it to its users. */
static int op_read_tsc(struct emu *e, u64 *tsc, u32 *aux)
{
	struct vcpu *v = current;

	if (!v->pv.kernel_mode && (v->pv.ctrlreg[4] & X86_CR4_TSD))
		return gp_fault(e);
	*tsc = tsc_is_emulated(v->domain) ? tsc_guest_read(v) : rdtsc();
	*aux = v->pv.tsc_aux;
	return EMU_OKAY;
}

/* ---- caches and interrupts ---- */

static int op_wbinvd(struct emu *e)
{
	/* Others have no device that could tell. */
	if (current->domain->is_hardware)
		__asm__ volatile("wbinvd" ::: "memory");
	return EMU_OKAY;
}

/*
 * CLI and STI by a kernel whose virtual IOPL allows them do nothing: its interrupt flag is the event
 * mask, and a kernel that uses these instructions does so in a PUSHF; CLI; ...; POPF sequence whose
 * POPF does not trap, so that honouring CLI would leave events masked for good.
 */
static int op_set_flags(struct emu *e, u64 *new_flags)
{
	if (!pv_iopl_ok(current))
		return gp_fault(e);
	*new_flags = e->rflags;
	return EMU_OKAY;
}

static int op_read_io(struct emu *e, u16 port, unsigned int bytes, u32 *val)
{
	struct vcpu *v = current;

	if (!pv_guest_io_allowed(v, port, bytes))
		return gp_fault(e);
	*val = pv_io_read(v, port, bytes);
	return EMU_OKAY;
}

static int op_write_io(struct emu *e, u16 port, unsigned int bytes, u32 val)
{
	struct vcpu *v = current;

	if (!pv_guest_io_allowed(v, port, bytes))
		return gp_fault(e);
	pv_io_write(v, port, bytes, val);
	return EMU_OKAY;
}

static const struct emu_ops priv_ops = {
	.fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.read_seg = op_read_seg,
	.read_io = op_read_io,
	.write_io = op_write_io,
	.read_cr = op_read_cr,
	.write_cr = op_write_cr,
	.read_dr = op_read_dr,
	.write_dr = op_write_dr,
	.read_msr = op_read_msr,
	.write_msr = op_write_msr,
	.write_xcr = op_write_xcr,
	.cpuid = op_cpuid,
	.read_tsc = op_read_tsc,
	.wbinvd = op_wbinvd,
	.set_flags = op_set_flags,
};

/*
 * Only these opcodes are privileged. Anything else raised #GP for its own reasons (a non-canonical
 * address, a bad selector), and carrying it out here would hide the guest's fault from it.
 */
static bool privileged(const struct emu *e)
{
	static const u8 map0[32] = {
		[0x6c >> 3] = 0xf0, /* INS, OUTS */
		[0xe4 >> 3] = 0xf0, /* IN, OUT imm */
		[0xec >> 3] = 0xf0, /* IN, OUT dx */
		[0xfa >> 3] = 0x0c, /* CLI, STI */
	};
	static const u8 map1[32] = {
		[0x06 >> 3] = 0x40, /* CLTS */
		[0x08 >> 3] = 0x02, /* WBINVD */
		[0x20 >> 3] = 0x0f, /* MOV CR, DR */
		[0x30 >> 3] = 0x07, /* WRMSR, RDTSC, RDMSR */
		[0xa2 >> 3] = 0x04, /* CPUID */
	};
	const u8 *map = e->map ? map1 : map0;

	if (e->map == 1 && e->opcode == 0x01) /* SMSW, LMSW, XSETBV, RDTSCP */
		return (e->modrm >> 3 & 5) == 4 || e->modrm == 0xd1 || e->modrm == 0xf9;
	return e->map < 2 && (map[e->opcode >> 3] >> (e->opcode & 7) & 1);
}

/* The width of the code segment; 0 when it cannot be told. */
static u8 code_width(const struct regs *regs)
{
	u32 rights = 0;
	u8 ok;

	if (likely(regs->cs == SEL_GUEST_CS64))
		return 8;
	__asm__("lar %2, %0; setz %1" : "=r"(rights), "=q"(ok) : "r"((u32)regs->cs) : "cc");
	if (!ok)
		return 0;
	return rights & 1U << 21 ? 8 : rights & 1U << 22 ? 4 : 2;
}

static void fetch_ahead(struct emu *e)
{
	unsigned int room = (unsigned int)(PAGE_SIZE - (e->rip & ~PAGE_MASK));

	e->have = 0;
	if (room >= 16 && guest_range_ok(e->rip, 16) && !raw_copy_from_guest(e->buf, e->rip, 16))
		e->have = 15;
}

static bool finish(struct vcpu *v, struct regs *regs, struct emu *e, int rc)
{
	switch (rc) {
	case EMU_OKAY:
		regs->rip = e->rip;
		regs->rflags = e->rflags;
		return true;
	case EMU_EXCEPTION:
		if (e->event.vector == X86_EXC_PF)
			pv_inject_page_fault(v, e->event.error, e->event.cr2);
		else
			pv_inject_exception(v, e->event.vector, e->event.error);
		return true;
	case EMU_RETRY: /* the instruction again, when the vCPU next runs */
		return true;
	default:
		return false;
	}
}

bool pv_emulate_privileged(struct regs *regs)
{
	struct vcpu *v = current;
	struct emu e;
	int rc;

	e.ops = &priv_ops;
	e.gprs = regs;
	e.gpr_offset = gpr_offset;
	e.rip = regs->rip;
	e.rflags = regs->rflags;
	e.code_bytes = code_width(regs);
	e.cpl = v->pv.kernel_mode ? 0 : 3;
	e.protected_mode = e.long_mode = true;
	e.vm86 = false;
	if (!e.code_bytes)
		return false;
	fetch_ahead(&e);
	if (e.have && pv_may_be_port(e.buf[0]) && pv_port_fast(v, regs, e.buf))
		return true;
	rc = emu_decode(&e);
	if (rc == EMU_OKAY && !privileged(&e))
		return false;
	if (rc == EMU_OKAY)
		rc = emu_execute(&e);
	return finish(v, regs, &e, rc);
}

/* ud2; .ascii "xen"; cpuid */
#define FORCED_CPUID 0x00a20f6e65780b0fULL
#define FORCED_CPUID_BYTES 7

bool pv_emulate_forced_cpuid(struct regs *regs)
{
	struct cpuid_leaf l;
	u64 code = 0;

	if (!guest_range_ok(regs->rip, 8))
		return false;
	/* Eight bytes in one go; at the end of a mapping, the seven that matter. */
	if (unlikely(raw_copy_from_guest(&code, regs->rip, 8)) &&
	    raw_copy_from_guest(&code, regs->rip, FORCED_CPUID_BYTES))
		return false;
	if ((code & (~0ULL >> 8)) != FORCED_CPUID)
		return false;
	guest_cpuid(current, (u32)regs->rax, (u32)regs->rcx, &l);
	regs->rax = l.a;
	regs->rbx = l.b;
	regs->rcx = l.c;
	regs->rdx = l.d;
	regs->rip += FORCED_CPUID_BYTES;
	regs->rflags &= ~X86_EFLAGS_RF;
	return true;
}
