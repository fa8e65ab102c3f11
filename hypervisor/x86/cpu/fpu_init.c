/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which instructions switch the state, found once at boot. Where a CPU's description and its behaviour
 * may differ (emulators, errata), the behaviour counts: the boot CPU is asked by experiment.
 */
#include <console.h>
#include <fpu.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <pv.h>
#include <uaccess.h>
#include <xerrno.h>

#include "fpu_state.h"

struct fpu_caps fpu_caps;

/* In order of preference. Compacted ones only when the CPU proves to lay them out as it says. */
enum method { M_XSAVES, M_XSAVEOPT, M_XSAVEC, M_XSAVE, M_FXSAVE, NR_METHODS };
static const char *const method_names[] = {"XSAVES", "XSAVEOPT", "XSAVEC", "XSAVE", "FXSAVE"};
static enum method method = M_FXSAVE;

static unsigned int method_first; /* xsave-method=: skip those before */

static int parse_method(const char *value)
{
	for (unsigned int i = 0; i < NR_METHODS; i++)
		if (!strcmp(value, method_names[i])) {
			method_first = i;
			return 0;
		}
	return -EINVAL;
}
OPTION("xsave-method", parse_method);

void fpu_insn_save(struct xstate_area *a, u64 mask)
{
	switch (method) {
	case M_XSAVES:
		insn_xsaves64(a, mask);
		break;
	case M_XSAVEOPT:
		insn_xsaveopt64(a, mask);
		break;
	case M_XSAVEC:
		insn_xsavec64(a, mask);
		break;
	case M_XSAVE:
		insn_xsave64(a, mask);
		break;
	default:
		insn_fxsave64(a);
		a->hdr.xstate_bv = XSTATE_LEGACY;
		break;
	}
}

bool fpu_insn_restore(const struct xstate_area *a, u64 mask)
{
	bool wide = xstate_word_size(a) == 8;

	switch (method) {
	case M_XSAVES:
		return wide ? insn_xrstors64(a, mask) : insn_xrstors(a, mask);
	case M_FXSAVE:
		return wide ? insn_fxrstor64(a, mask) : insn_fxrstor(a, mask);
	default:
		return wide ? insn_xrstor64(a, mask) : insn_xrstor(a, mask);
	}
}

struct probe {
	union {
		struct xstate_area area;
		u8 bytes[4096];
	};
} __aligned(64);
static struct probe probe;

static u32 probe_mxcsr_mask(void)
{
	memset(&probe, 0, sizeof(probe));
	insn_fxsave64(&probe);
	return probe.area.mxcsr_mask;
}

/* Do selectors loaded by a restore come back from FNSTENV? CPUID says so on some CPUs only. */
static bool probe_selectors(void)
{
	struct xstate_fenv32 env;

	insn_fninit();
	memset(&probe, 0, sizeof(probe));
	insn_fxsave64(&probe);
	probe.area.fip32 = 0x1000;
	probe.area.fcs = 0x1234;
	probe.area.fds = 0x5678;
	if (!insn_fxrstor(&probe, 0))
		return false;
	insn_fnstenv(&env);
	insn_fninit();
	if (env.fcs == 0x1234 && env.fds == 0x5678)
		return true;
	/* Leaky CPUs ignore the pointers in FXRSTOR but take them from FLDENV. */
	memset(&env, 0, sizeof(env));
	env.fcw = XSTATE_FCW_INIT;
	env.ftw = 0xffff;
	env.fcs = 0x1234;
	insn_fldenv(&env);
	insn_fnstenv(&env);
	insn_fninit();
	return fpu_caps.leaky_pointers && env.fcs == 0x1234;
}

/* Does FXSAVE leave FIP in memory as it was? */
static bool probe_leaky(void)
{
	insn_fninit();
	memset(&probe, 0, sizeof(probe));
	probe.area.fip = probe.area.fdp = ~0ULL;
	insn_fxsave64(&probe);
	return probe.area.fip == ~0ULL && probe.area.fdp == ~0ULL;
}

/* Bochs 2.7 puts compacted components over the header: look where AVX's really lands. */
static bool probe_compacted(void)
{
	u64 mask = XSTATE_LEGACY | XSTATE_YMM;
	u8 *ymm = probe.bytes + XSTATE_MIN_SIZE;
	bool ok;

	if ((fpu_caps.layout.user & mask) != mask)
		return false;
	memset(&probe, 0, sizeof(probe));
	probe.area.mxcsr = XSTATE_MXCSR_INIT;
	probe.area.fcw = XSTATE_FCW_INIT;
	probe.area.hdr.xstate_bv = mask;
	memset(ymm, 0x5a, 256);
	if (!insn_xrstor64(&probe, mask))
		return false;
	memset(&probe, 0, sizeof(probe));
	insn_xsavec64(&probe, mask);
	ok = probe.area.hdr.xcomp_bv == (mask | XSTATE_COMPACTED) &&
	     (probe.area.hdr.xstate_bv & XSTATE_YMM) && ymm[0] == 0x5a && ymm[255] == 0x5a && !ymm[256] &&
	     !probe.area.hdr.reserved[0];
	memset(&probe, 0, sizeof(probe));
	probe.area.mxcsr = XSTATE_MXCSR_INIT;
	(void)insn_xrstor64(&probe, mask); /* back to initial values */
	return ok;
}

static void choose_method(u32 d1_eax, bool compacted_works)
{
	const bool have[NR_METHODS] = {
		[M_XSAVES] = (d1_eax & 8) && compacted_works,
		[M_XSAVEOPT] = d1_eax & 1,
		[M_XSAVEC] = (d1_eax & 2) && compacted_works,
		[M_XSAVE] = fpu_caps.xsave,
		[M_FXSAVE] = true,
	};

	method = M_FXSAVE;
	for (unsigned int i = method_first; i < NR_METHODS; i++)
		if (have[i] && (fpu_caps.xsave || i == M_FXSAVE)) {
			method = (enum method)i;
			break;
		}
	fpu_caps.xsave = method != M_FXSAVE;
	fpu_caps.optimised = method == M_XSAVES || method == M_XSAVEOPT;
	fpu_caps.compacted = method == M_XSAVES || method == M_XSAVEC;
	fpu_caps.method = method_names[method];
}

void fpu_cpu_init(void)
{
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (fpu_caps.xsave ? CR4_OSXSAVE : 0));
	insn_fninit();
	if (fpu_caps.xsave)
		insn_xsetbv(0, fpu_caps.xcr0);
	if (method == M_XSAVES)
		fpu_wrmsr(MSR_IA32_XSS, 0); /* nobody's supervisor state is switched for PV guests */
	if (fpu_caps.xfd) {
		fpu_wrmsr(MSR_IA32_XFD, 0);
		fpu_wrmsr(MSR_IA32_XFD_ERR, 0);
	}
	fpu_cpu_reset();
}

static void probe_xsave(struct xstate_leaf *leaf)
{
	struct xstate_leaf one;

	fpu_cpuid(1, 0, &one);
	fpu_caps.xsave = one.c & 1U << 26;
	memset(leaf, 0, sizeof(*leaf) * XSTATE_COMPS);
	for (unsigned int i = 0; fpu_caps.xsave && i < XSTATE_COMPS; i++)
		fpu_cpuid(0xd, i, &leaf[i]);
}

void fpu_init(void)
{
	static struct xstate_leaf leaf[XSTATE_COMPS];
	bool compacted = false;

	probe_xsave(leaf);
	fpu_caps.xcr0 = XSTATE_LEGACY; /* enough to make FPU instructions work */
	fpu_cpu_init();
	xstate_layout_init(&fpu_caps.layout, leaf, fpu_caps.xsave ? XSTATE_COMPS : 0, probe_mxcsr_mask());
	fpu_caps.xcr0 = fpu_caps.xsave ? xstate_xcr0_trim(fpu_caps.layout.user) : XSTATE_LEGACY;
	fpu_caps.xfd = (leaf[1].a & 1U << 4) && (fpu_caps.layout.xfd & fpu_caps.xcr0);
	fpu_cpu_init();

	fpu_caps.leaky_pointers = probe_leaky();
	fpu_caps.selectors = probe_selectors();
	if (fpu_caps.xsave && (leaf[1].a & 2))
		compacted = probe_compacted();
	choose_method(leaf[1].a, compacted);
	fpu_cpu_init();
	debug_key_register('f', "extended state: method and counts", fpu_dump);
	printk(XLOG_INFO "FPU: %s, XCR0 %#lx, image %u bytes, selectors %s%s%s\n", fpu_caps.method,
	       (unsigned long)fpu_caps.xcr0, xstate_size_standard(&fpu_caps.layout, fpu_caps.xcr0),
	       fpu_caps.selectors ? "kept" : "none",
	       fpu_caps.leaky_pointers ? ", pointers by environment" : "",
	       (leaf[1].a & 2) && !compacted ? ", compacted format unusable" : "");
}
