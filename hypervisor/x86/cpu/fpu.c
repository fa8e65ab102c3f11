/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state of vCPUs: switched eagerly, exactly, and no more often than needed.
 *
 * A vCPU's state is in its buffer after fpu_switch_out(), and still in the registers of the CPU it
 * left; fpu_switch_in() on that CPU with nobody's state loaded since restores nothing. XCR0, IA32_XFD
 * and CR0.TS are written only when the value changes; per CPU we remember what they hold.
 *
 * Invariant: while v runs, the registers hold its state for every component of xcr0_accum. So a
 * component another domain used is overwritten before v's XCR0 can name it.
 *
 * No locks: a CPU touches its own struct fpu_cpu, and a vCPU's buffer belongs to the CPU that runs it,
 * or to whoever paused it.
 */
#include <fpu.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <xerrno.h>

#include "fpu_state.h"

static struct fpu_cpu fpu_cpus[NR_CPUS];

static struct fpu_cpu *this_fpu(void)
{
	return &fpu_cpus[smp_processor_id()];
}

static void set_xcr0(struct fpu_cpu *c, u64 value)
{
	if (c->xcr0 != value) {
		insn_xsetbv(0, value);
		c->xcr0 = value;
	}
}

static void set_xfd(struct fpu_cpu *c, u64 value)
{
	if (c->xfd != value) {
		fpu_wrmsr(MSR_IA32_XFD, value);
		c->xfd = value;
	}
}

static void set_ts(struct fpu_cpu *c, bool ts)
{
	if (c->ts == ts)
		return;
	if (ts)
		write_cr0(read_cr0() | CR0_TS);
	else
		insn_clts();
	c->ts = ts;
}

/* SSE registers can be used without XCR0 ever naming them. */
static u64 save_mask(const struct fpu_state *f)
{
	return f->xcr0_accum | XSTATE_LEGACY;
}

/* XCR0 must cover what is saved or restored; only a guest that narrowed its XCR0 pays for it. */
static void widen_xcr0(struct fpu_cpu *c, u64 mask)
{
	if (fpu_caps.xsave && (c->xcr0 & mask) != mask)
		set_xcr0(c, mask);
}

static void read_selectors(struct fpu_state *f)
{
	struct xstate_fenv32 env;

	insn_fnstenv(&env);
	xstate_overlay(f->area, &env);
	/* FNSTENV masked the exceptions in the registers, which stay in use. */
	if ((f->area->fcw & 0x3f) != 0x3f)
		insn_fldcw(f->area->fcw);
	f->fnstenvs++;
}

/* CPUs that save no pointers without an exception: all of them by way of the environment. */
static void save_leaky(struct fpu_state *f)
{
	struct xstate_area *a = f->area;
	struct xstate_fenv32 env;

	if (!(a->hdr.xstate_bv & XSTATE_X87) || xstate_pointers_saved(a))
		return;
	insn_fnstenv(&env);
	xstate_overlay_pointers(a, &env);
	if ((a->fcw & 0x3f) != 0x3f)
		insn_fldcw(a->fcw);
	f->fnstenvs++;
}

static void save_registers(struct fpu_state *f)
{
	struct xstate_x87_note note;

	xstate_before_save(f->area, &note);
	fpu_insn_save(f->area, save_mask(f));
	f->saves++;
	if (xstate_after_save(f->area, &note, f->fip_mode, fpu_caps.selectors))
		read_selectors(f);
	if (fpu_caps.leaky_pointers)
		save_leaky(f);
}

/* State that XFD disables but the registers still hold would be saved as initial: open it first. What is in use
 * is known of the components in XCR0 only, so that comes before. */
static void open_xfd_for_save(struct fpu_cpu *c, const struct fpu_state *f)
{
	if (c->xfd && (insn_xgetbv(1) & c->xfd & f->xcr0_accum))
		set_xfd(c, 0);
}

void fpu_switch_out(struct vcpu *v)
{
	struct fpu_state *f = v->fpu;
	struct fpu_cpu *c = this_fpu();

	/* Not in these registers (any more): a buffer written by hand is not to be overwritten. */
	if (!f || c->owner != v || f->cpu != smp_processor_id())
		return;
	/* With TS set all along, the guest touched nothing since the restore. */
	if (f->guest_ts && f->clean)
		return;
	set_ts(c, false);
	widen_xcr0(c, save_mask(f));
	if (fpu_caps.xfd && f->xfd_permitted)
		open_xfd_for_save(c, f);
	save_registers(f);
	f->clean = true;
}

/* The image in the buffer is ours or was validated; if the CPU refuses it even so, v starts afresh. */
static void restore_registers(struct vcpu *v, struct fpu_state *f)
{
	u64 mask = save_mask(f);

	if (likely(fpu_insn_restore(f->area, mask)))
		return;
	printk(XLOG_ERR "d%uv%u: extended state refused by the CPU: reset\n", v->domain->id, v->id);
	f->refused++;
	fpu_reset_area(f);
	if (!fpu_insn_restore(f->area, mask))
		BUG();
}

static void clear_leaky(const struct fpu_state *f)
{
	struct xstate_fenv32 env;

	/* With an exception pending the restore loaded the pointers; else FLDENV does. */
	if ((f->area->hdr.xstate_bv & XSTATE_X87) && xstate_pointers_saved(f->area))
		return;
	xstate_make_fenv(f->area, &env);
	insn_fldenv(&env);
}

static void load_registers(struct vcpu *v, struct fpu_state *f, struct fpu_cpu *c)
{
	set_ts(c, false);
	widen_xcr0(c, save_mask(f));
	if (fpu_caps.xfd) /* a component in use cannot be loaded while disabled */
		set_xfd(c, f->area->hdr.xstate_bv & f->xfd ? 0 : f->xfd);
	if (fpu_caps.leaky_pointers)
		insn_fninit(); /* a pending exception of the last owner must not strike in FLDENV */
	restore_registers(v, f);
	if (fpu_caps.leaky_pointers)
		clear_leaky(f);
	c->owner = v;
	f->cpu = smp_processor_id();
	f->clean = true;
	f->restores++;
}

void fpu_switch_in(struct vcpu *v)
{
	struct fpu_state *f = v->fpu;
	struct fpu_cpu *c = this_fpu();

	if (!f)
		return;
	if (c->owner != v || f->cpu != smp_processor_id())
		load_registers(v, f, c);
	if (fpu_caps.xsave)
		set_xcr0(c, f->xcr0);
	if (fpu_caps.xfd) {
		set_xfd(c, f->xfd);
		if (c->xfd_err != f->xfd_err || f->xfd_permitted) {
			fpu_wrmsr(MSR_IA32_XFD_ERR, f->xfd_err);
			c->xfd_err = f->xfd_err;
		}
	}
	set_ts(c, f->guest_ts);
	/* XSETBV comes here too, with registers that may be newer than the buffer. */
	f->clean = f->clean && f->guest_ts;
}

/* Into memory without giving up the registers, when v is the one running here. */
void fpu_flush(struct vcpu *v)
{
	struct fpu_cpu *c = this_fpu();

	if (v != current || c->owner != v)
		return;
	fpu_switch_out(v);
	fpu_switch_in(v);
}

/* The buffer was written by hand: no CPU's registers hold v's state any more. */
void fpu_forget(struct vcpu *v)
{
	v->fpu->cpu = FPU_NOWHERE;
	v->fpu->clean = true;
	if (v == current)
		fpu_switch_in(v);
}

void fpu_guest_ts(struct vcpu *v, bool set)
{
	struct fpu_state *f = v->fpu;

	f->guest_ts = set;
	if (set) {
		v->pv.ctrlreg[0] |= CR0_TS;
	} else {
		v->pv.ctrlreg[0] &= ~CR0_TS;
		f->clean = false;
	}
	if (v == current)
		set_ts(this_fpu(), set);
}

bool fpu_handle_nm(struct vcpu *v)
{
	struct fpu_state *f = v->fpu;
	struct fpu_cpu *c = this_fpu();

	if (f->guest_ts) { /* its handler finds TS clear, as the PV ABI has it */
		fpu_guest_ts(v, false);
		return false;
	}
	if (fpu_caps.xfd && f->xfd_permitted && f->xfd) {
		/* Stays as it is, for the guest to read. No other event changes it, so this is the time to
		 * take note: whatever loads v again, XSETBV among it, brings it back. */
		f->xfd_err = c->xfd_err = fpu_rdmsr(MSR_IA32_XFD_ERR);
		if (f->xfd_err)
			return false;
	}
	/* Not the guest's doing. If TS is clear there is nothing to resolve, and it may as well know. */
	if (!(read_cr0() & CR0_TS))
		return false;
	insn_clts();
	c->ts = false;
	return true;
}

u64 fpu_xcr0(const struct vcpu *v)
{
	return v->fpu->xcr0;
}

u64 fpu_xcr0_accum(const struct vcpu *v)
{
	return v->fpu->xcr0_accum;
}

int fpu_set_xcr0(struct vcpu *v, u64 value)
{
	struct fpu_state *f = v->fpu;
	struct fpu_cpu *c = this_fpu();

	if (!fpu_caps.xsave || xstate_xsetbv_check(f->permitted, value))
		return -EINVAL;
	if (value & ~f->xcr0_accum) {
		/* New components hold whatever the last domain left: bring them to their initial state. */
		if (c->owner == v) {
			f->clean = false;
			fpu_switch_out(v);
		}
		f->xcr0_accum |= value;
		f->cpu = FPU_NOWHERE;
	}
	f->xcr0 = value;
	if (v == current)
		fpu_switch_in(v);
	return 0;
}

int fpu_read_xfd(struct vcpu *v, u32 msr, u64 *value)
{
	struct fpu_state *f = v->fpu;

	if (!f->xfd_permitted)
		return -EINVAL;
	if (msr == MSR_IA32_XFD)
		*value = f->xfd;
	else
		*value = v == current ? fpu_rdmsr(MSR_IA32_XFD_ERR) : f->xfd_err;
	return 0;
}

int fpu_write_xfd(struct vcpu *v, u32 msr, u64 value)
{
	struct fpu_state *f = v->fpu;
	struct fpu_cpu *c = this_fpu();

	if (!f->xfd_permitted || xstate_xfd_check(&fpu_caps.layout, f->permitted, value))
		return -EINVAL;
	*(msr == MSR_IA32_XFD ? &f->xfd : &f->xfd_err) = value;
	if (v != current)
		return 0;
	if (msr == MSR_IA32_XFD) {
		set_xfd(c, value);
	} else {
		c->xfd_err = value;
		fpu_wrmsr(MSR_IA32_XFD_ERR, value);
	}
	return 0;
}

/* What the registers of this CPU hold at the start: nobody's state, the values probing left. */
void fpu_cpu_reset(void)
{
	*this_fpu() = (struct fpu_cpu){
		.xcr0 = fpu_caps.xsave ? insn_xgetbv(0) : 0,
		.ts = read_cr0() & CR0_TS,
	};
}
