/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86/cpu/fpu.c on a model of CPUs with XFD: vCPUs of two domains with tiles and one without run in random order on two
 * CPUs, fill components, disable them while in use (IA32_XFD), touch them even so (#NM), change XCR0 and TS.
 * Whoever runs finds its own state in every component, its own XCR0, XFD and XFD_ERR; and neither XCR0 nor XFD is
 * ever written with the value it holds. What the model takes from the SDM (vol. 1, 13.14): a save treats a disabled
 * component as initial, a restore of one in use faults, and XINUSE does not care.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cpu_policy.h>
#include <fpu.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <xerrno.h>

#include "x86/cpu/fpu_state.h"

#define TILEDATA (1ULL << XSTATE_NR_TILEDATA)
#define GUESTS 4
#define CPUS 2

/* ---- the machine ----------------------------------------------------------------------------- */

/* A component is one number; 0 is its initial state. */
static struct cpu {
	u64 cr0, xcr0, xfd, xfd_err;
	u32 component[XSTATE_COMPS];
} cpus[CPUS];

struct fpu_caps fpu_caps;
struct list domain_list = {&domain_list, &domain_list};
struct vcpu *model_current;
unsigned int model_cpu;
static bool compacted_format;
static unsigned long saves;

static struct cpu *cpu(void)
{
	return &cpus[model_cpu];
}

void insn_fnstenv(struct xstate_fenv32 *env)
{
	memset(env, 0, sizeof(*env));
}
void insn_fldenv(const struct xstate_fenv32 *env)
{
	(void)env;
}
void insn_fldcw(u16 fcw)
{
	(void)fcw;
}
void insn_fninit(void)
{
}
void insn_clts(void)
{
	assert_true(cpu()->cr0 & CR0_TS);
	cpu()->cr0 &= ~CR0_TS;
}
u64 read_cr0(void)
{
	return cpu()->cr0;
}
void write_cr0(u64 v)
{
	assert_int_not_equal(v, cpu()->cr0);
	cpu()->cr0 = v;
}

void insn_xsetbv(u32 nr, u64 v)
{
	assert_int_equal(nr, 0);
	assert_true(xstate_xcr0_valid(v));
	assert_int_not_equal(v, cpu()->xcr0);
	cpu()->xcr0 = v;
}

u64 insn_xgetbv(u32 nr)
{
	u64 inuse = 0;

	if (!nr)
		return cpu()->xcr0;
	for (unsigned int i = 0; i < XSTATE_COMPS; i++)
		inuse |= (u64)(cpu()->component[i] != 0) << i;
	return inuse & cpu()->xcr0;
}

u64 fpu_rdmsr(u32 msr)
{
	return msr == MSR_IA32_XFD ? cpu()->xfd : cpu()->xfd_err;
}

void fpu_wrmsr(u32 msr, u64 v)
{
	if (msr == MSR_IA32_XFD) {
		assert_int_not_equal(v, cpu()->xfd);
		cpu()->xfd = v;
	} else {
		cpu()->xfd_err = v;
	}
}

static u8 *place(const struct xstate_area *a, unsigned int i, u64 mask)
{
	u32 at = i == 0 ? 32 : i == 1 ? 160 : fpu_caps.layout.comp[i].offset;

	if (i > 1 && compacted_format)
		at = xstate_offset_compacted(&fpu_caps.layout, mask, i);
	assert_int_not_equal(at, 0);
	return (u8 *)a + at;
}

void fpu_insn_save(struct xstate_area *a, u64 mask)
{
	u64 bv = compacted_format ? 0 : a->hdr.xstate_bv & ~mask;

	assert_false(cpu()->cr0 & CR0_TS);
	assert_int_equal(mask & ~cpu()->xcr0, 0);
	for (unsigned int i = 0; i < XSTATE_COMPS; i++)
		if ((mask & ~cpu()->xfd) >> i & 1 && cpu()->component[i]) {
			memcpy(place(a, i, mask), &cpu()->component[i], sizeof(u32));
			bv |= 1ULL << i;
		}
	a->hdr.xstate_bv = bv;
	a->hdr.xcomp_bv = compacted_format ? mask | XSTATE_COMPACTED : 0;
	a->fsw = 0;
	saves++;
}

bool fpu_insn_restore(const struct xstate_area *a, u64 mask)
{
	assert_false(cpu()->cr0 & CR0_TS);
	assert_int_equal(mask & ~cpu()->xcr0, 0);
	assert_int_equal(a->hdr.xstate_bv & mask & cpu()->xfd, 0);
	for (unsigned int i = 0; i < XSTATE_COMPS; i++) {
		if (!(mask >> i & 1))
			continue;
		cpu()->component[i] = 0;
		if (a->hdr.xstate_bv >> i & 1)
			memcpy(&cpu()->component[i], place(a, i, a->hdr.xcomp_bv), sizeof(u32));
	}
	return true;
}

/* ---- what fpu.c and fpu_image.c call else ------------------------------------------------------ */

static u64 permitted;

u64 policy_permitted_xcr0(const struct cpu_policy *p)
{
	(void)p;
	return permitted;
}

/* ---- the guests ------------------------------------------------------------------------------ */

static struct guest {
	struct domain domain;
	struct vcpu vcpu;
	/* What it would find on a machine of its own. */
	u64 permitted, xcr0, accum, xfd, xfd_err;
	bool ts;
	u32 component[XSTATE_COMPS];
} guests[GUESTS];
static struct guest *running;
static u64 seed;

static u32 rnd(u32 below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (u32)((seed * 0x2545f4914f6cdd1dULL) >> 32) % below;
}

static void check_own(const struct guest *g)
{
	const struct cpu *c = cpu();
	u64 v;

	assert_int_equal(c->xcr0, g->xcr0);
	assert_int_equal(c->xfd, g->xfd);
	assert_int_equal(c->xfd_err, g->xfd_err);
	assert_int_equal(!!(c->cr0 & CR0_TS), g->ts);
	for (unsigned int i = 0; i < XSTATE_COMPS; i++)
		if (g->accum >> i & 1)
			assert_int_equal(c->component[i], g->component[i]);
	if (!(g->permitted & TILEDATA)) {
		assert_int_equal(fpu_read_xfd(model_current, MSR_IA32_XFD, &v), -EINVAL);
		return;
	}
	assert_int_equal(fpu_read_xfd(model_current, MSR_IA32_XFD, &v), 0);
	assert_int_equal(v, g->xfd);
	assert_int_equal(fpu_read_xfd(model_current, MSR_IA32_XFD_ERR, &v), 0);
	assert_int_equal(v, g->xfd_err);
}

static void run(struct guest *g, unsigned int on)
{
	if (running)
		fpu_switch_out(&running->vcpu);
	model_cpu = on;
	model_current = &g->vcpu;
	running = g;
	fpu_switch_in(&g->vcpu);
}

/* An instruction that writes a component; #NM goes to the guest whoever raised it. */
static void touch(struct guest *g, unsigned int i, u32 value)
{
	u64 bit = 1ULL << i;

	if (!(g->xcr0 & bit))
		return;
	if (g->ts) {
		assert_false(fpu_handle_nm(&g->vcpu));
		g->ts = false;
	}
	if (g->xfd & bit) {
		cpu()->xfd_err |= bit;
		g->xfd_err |= bit;
		assert_false(fpu_handle_nm(&g->vcpu));
		return;
	}
	assert_false(cpu()->xfd & bit);
	cpu()->component[i] = g->component[i] = value;
}

static void write_xfd(struct guest *g, u32 msr, u64 value)
{
	int rc = fpu_write_xfd(&g->vcpu, msr, value);

	assert_int_equal(fpu_write_xfd(&g->vcpu, msr, 1ULL << XSTATE_NR_YMM), -EINVAL);
	if (!(g->permitted & TILEDATA)) {
		assert_int_equal(rc, -EINVAL);
		return;
	}
	assert_int_equal(rc, 0);
	*(msr == MSR_IA32_XFD ? &g->xfd : &g->xfd_err) = value;
}

static void write_xcr0(struct guest *g)
{
	static const u64 some[] = {1, 3, 7, 0xe7, 0x60003, 0x60007, 0x600e7, 0x40007, 0x47, 6};
	u64 value = some[rnd(ARRAY_SIZE(some))];
	bool good = !(value & ~g->permitted) && xstate_xcr0_valid(value);

	assert_int_equal(fpu_set_xcr0(&g->vcpu, value), good ? 0 : -EINVAL);
	if (!good)
		return;
	g->xcr0 = value;
	g->accum |= value;
}

static void one_step(void)
{
	static const u8 some[] = {0, 1, 2, 5, 6, 7, 17, 18, 18, 18};
	struct guest *g = running;

	switch (rnd(10)) {
	case 0:
	case 1:
	case 2:
		run(&guests[rnd(GUESTS)], rnd(CPUS));
		break;
	case 3:
		write_xfd(g, MSR_IA32_XFD, rnd(2) ? TILEDATA : 0);
		break;
	case 4:
		write_xfd(g, MSR_IA32_XFD_ERR, rnd(4) ? 0 : TILEDATA);
		break;
	case 5:
		write_xcr0(g);
		break;
	case 6:
		g->ts = rnd(2);
		fpu_guest_ts(&g->vcpu, g->ts);
		break;
	default: /* a quarter of them to the initial state, as TILERELEASE and VZEROUPPER do */
		touch(g, some[rnd(ARRAY_SIZE(some))], rnd(4) ? 1 + rnd(0xffffff) : 0);
		break;
	}
	check_own(running);
}

static void machine(void)
{
	static const struct xstate_leaf leaves[XSTATE_COMPS] = {
		[0] = {0x600e7, 0, 11008, 0}, [1] = {0x1f, 0, 0, 0},     [2] = {256, 576, 0, 0},
		[5] = {64, 1088, 0, 0},       [6] = {512, 1152, 0, 0},   [7] = {1024, 1664, 0, 0},
		[17] = {64, 2752, 2, 0},      [18] = {8192, 2816, 6, 0},
	};

	memset(&fpu_caps, 0, sizeof(fpu_caps));
	memset(guests, 0, sizeof(guests));
	xstate_layout_init(&fpu_caps.layout, leaves, XSTATE_COMPS, 0xffff);
	fpu_caps.xsave = fpu_caps.xfd = true;
	fpu_caps.compacted = compacted_format;
	fpu_caps.xcr0 = fpu_caps.layout.user;
	running = NULL;
	for (model_cpu = 0; model_cpu < CPUS; model_cpu++) {
		*cpu() = (struct cpu){.xcr0 = fpu_caps.xcr0};
		fpu_cpu_reset();
	}
	for (unsigned int i = 0; i < GUESTS; i++) {
		struct guest *g = &guests[i];

		permitted = g->permitted = i == GUESTS - 1 ? 0xe7 : 0x600e7;
		g->vcpu.domain = &g->domain;
		g->vcpu.id = i;
		assert_int_equal(fpu_vcpu_init(&g->vcpu), 0);
		g->xcr0 = g->accum = XSTATE_LEGACY;
	}
	run(&guests[0], 0);
}

static void random_steps(void **state)
{
	unsigned long steps = getenv("SERAI_LONG") ? 10000000 : 300000;

	(void)state;
	for (unsigned int format = 0; format < 2; format++) {
		compacted_format = format;
		seed = 0x5e7a1 + format;
		machine();
		for (unsigned long i = 0; i < steps; i++)
			one_step();
		for (unsigned int i = 0; i < GUESTS; i++)
			fpu_vcpu_destroy(&guests[i].vcpu);
	}
	print_message("%lu steps, %lu saves\n", 2 * steps, saves);
}

/* Two of the cases by name: what XFD disables is kept, and somebody else's disabling is not seen. */
static void disabled_while_in_use(void **state)
{
	struct guest *a = &guests[0], *plain = &guests[GUESTS - 1];

	(void)state;
	compacted_format = false;
	machine();
	assert_int_equal(fpu_set_xcr0(&a->vcpu, 0x60007), 0);
	a->xcr0 = a->accum = 0x60007;
	touch(a, 17, 11);
	touch(a, 18, 22);
	write_xfd(a, MSR_IA32_XFD, TILEDATA);
	run(plain, 0);
	assert_int_equal(cpu()->xfd, 0);
	check_own(plain);
	run(a, 1);
	assert_int_equal(cpu()->component[18], 22);
	touch(a, 18, 33); /* refused, and said so */
	assert_int_equal(cpu()->component[18], 22);
	run(plain, 1);
	assert_int_equal(cpu()->xfd_err, 0);
	run(a, 1);
	assert_int_equal(cpu()->xfd_err, TILEDATA);
	check_own(a);
	for (unsigned int i = 0; i < GUESTS; i++)
		fpu_vcpu_destroy(&guests[i].vcpu);
}

/* XSETBV while TS keeps the FPU away from a guest whose registers are newer than what was saved of them. */
static void xsetbv_under_ts(void **state)
{
	struct guest *a = &guests[0];

	(void)state;
	compacted_format = false;
	machine();
	touch(a, 1, 5);
	fpu_guest_ts(&a->vcpu, true);
	a->ts = true;
	assert_int_equal(fpu_set_xcr0(&a->vcpu, 1), 0);
	a->xcr0 = 1;
	run(&guests[1], 0);
	touch(&guests[1], 1, 6);
	run(a, 0);
	check_own(a);
	for (unsigned int i = 0; i < GUESTS; i++)
		fpu_vcpu_destroy(&guests[i].vcpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disabled_while_in_use),
		cmocka_unit_test(xsetbv_under_ts),
		cmocka_unit_test(random_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
