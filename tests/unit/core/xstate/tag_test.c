/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Save then restore is the identity for the x87 pointers, whatever the CPU: a software model of the
 * FPU with selectors, init and modified optimisation, and of the two widths of save and restore,
 * under random programs and switches of domains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hostcpu.h"

/* The registers this test is about. st0 stands for all that has no width. */
struct x87 {
	u16 fcw, fsw, fop, fcs, fds, pad[3];
	u64 fip, fdp, st0;
};

struct fpu {
	struct x87 r;
	bool has_selectors;
	bool optimises; /* XSAVEOPT: leaves init and unmodified components alone */
	/* Modified optimisation: unmodified since a restore from this area. */
	const struct xstate_area *clean_from;
};

static const struct x87 init = {.fcw = XSTATE_FCW_INIT};

static bool in_init(const struct x87 *r)
{
	return !memcmp(r, &init, sizeof(*r));
}

static void fpu_save64(struct fpu *f, struct xstate_area *a)
{
	bool unused = in_init(&f->r);

	a->hdr.xstate_bv = unused ? 0 : XSTATE_X87;
	if (f->optimises && (unused || f->clean_from == a))
		return;
	a->fcw = f->r.fcw;
	a->fsw = f->r.fsw;
	a->fop = f->r.fop;
	a->fip = f->r.fip;
	a->fdp = f->r.fdp;
	memcpy(a->st[0], &f->r.st0, 8);
}

static void fpu_fnstenv(struct fpu *f, struct xstate_fenv32 *env)
{
	memset(env, 0xff, sizeof(*env));
	env->fcw = f->r.fcw | 0xffff0000;
	env->fsw = f->r.fsw | 0xffff0000;
	env->fip = (u32)f->r.fip;
	env->fcs = f->r.fcs;
	env->fdp = (u32)f->r.fdp;
	env->fds = f->r.fds;
	if (!(f->r.fcw & 0x3f)) /* masks the exceptions: a modification */
		f->clean_from = NULL;
	f->r.fcw |= 0x3f;
}

static void fpu_restore(struct fpu *f, const struct xstate_area *a, unsigned int width)
{
	f->clean_from = a;
	if (!(a->hdr.xstate_bv & XSTATE_X87)) {
		f->r = init;
		return;
	}
	f->r.fcw = a->fcw;
	f->r.fsw = a->fsw;
	f->r.fop = a->fop;
	memcpy(&f->r.st0, a->st[0], 8);
	f->r.fip = width == 8 ? a->fip : a->fip32;
	f->r.fdp = width == 8 ? a->fdp : a->fdp32;
	f->r.fcs = f->has_selectors && width == 4 ? a->fcs : 0;
	f->r.fds = f->has_selectors && width == 4 ? a->fds : 0;
}

/* What the hypervisor does, in the order it does it. */
static bool switch_out(struct fpu *f, struct xstate_area *a, enum xstate_fip_mode mode)
{
	struct xstate_x87_note note;
	struct xstate_fenv32 env;
	bool asked;

	xstate_before_save(a, &note);
	fpu_save64(f, a);
	asked = xstate_after_save(a, &note, mode, f->has_selectors);
	if (asked) {
		fpu_fnstenv(f, &env);
		xstate_overlay(a, &env);
		f->clean_from = NULL;
	}
	return asked;
}

/* One guest instruction or the loading of a state, 32-bit or 64-bit, user or kernel. */
static void guest_step(struct fpu *f, u64 *seed)
{
	u64 v = rnd(seed);

	switch (v & 15) {
	case 0: /* FNINIT */
		f->r = init;
		break;
	case 1: /* 64-bit code far up; selectors as the CPU keeps them */
	case 2:
		f->r.fip = rnd(seed) >> 16;
		f->r.fdp = rnd(seed) >> 16;
		f->r.fcs = f->has_selectors ? 0xe033 : 0;
		f->r.fds = 0;
		f->r.st0 = rnd(seed);
		f->r.fop = (u16)v >> 5 & 0x7ff;
		break;
	case 3: /* 32-bit code */
	case 4:
	case 5:
		f->r.fip = (u32)rnd(seed);
		f->r.fdp = (u32)rnd(seed);
		f->r.fcs = f->has_selectors ? (u16)rnd(seed) : 0;
		f->r.fds = f->has_selectors ? (u16)rnd(seed) : 0;
		f->r.st0 = rnd(seed);
		break;
	case 6: /* FLDENV of selectors with null offsets */
		f->r.fip = f->r.fdp = 0;
		f->r.fcs = f->has_selectors ? 0x23 : 0;
		f->r.fds = f->has_selectors ? 0x2b : 0;
		f->r.fcw = 0x340;
		break;
	case 7: /* unmasked exception pending */
		f->r.fcw = 0x340;
		f->r.fsw = 0x8081;
		break;
	case 8: /* FIP small, FDP large */
		f->r.fip = (u32)rnd(seed);
		f->r.fdp = rnd(seed) >> 16 | 1ULL << 40;
		break;
	default: /* nothing: the next save may skip */
		return;
	}
	f->clean_from = NULL;
}

/* What must survive: selectors only when both pointers fit in 32 bits. */
static struct x87 visible(struct x87 r)
{
	if (r.fip >> 32 || r.fdp >> 32)
		r.fcs = r.fds = 0;
	return r;
}

static unsigned long run_model(bool selectors, bool optimises, u64 seed, unsigned int steps)
{
	static struct xstate_area area[3];
	struct x87 saved[3] = {init, init, init}, now, want;
	struct fpu f = {.r = init, .has_selectors = selectors, .optimises = optimises};
	unsigned int cur = 0, next;
	unsigned long asked = 0;

	memset(area, 0, sizeof(area));
	for (unsigned int n = 0; n < steps; n++) {
		for (u64 k = rnd(&seed) % 3; k; k--)
			guest_step(&f, &seed);
		next = (unsigned int)(rnd(&seed) % 3);
		saved[cur] = f.r;
		asked += switch_out(&f, &area[cur], XSTATE_FIP_AUTO);
		if (rnd(&seed) % 8 == 0) { /* through a stream: a copy elsewhere and back */
			struct xstate_area copy = area[cur];

			memset(&area[cur], 0x5a, sizeof(area[cur]));
			area[cur] = copy;
			f.clean_from = NULL;
		}
		fpu_restore(&f, &area[next], xstate_word_size(&area[next]));
		now = visible(f.r);
		want = visible(saved[next]);
		if (memcmp(&now, &want, sizeof(now)))
			fail_msg("step %u: fip %lx/%lx fcs %x/%x fdp %lx/%lx fds %x/%x", n,
				 (unsigned long)now.fip, (unsigned long)want.fip, now.fcs, want.fcs,
				 (unsigned long)now.fdp, (unsigned long)want.fdp, now.fds, want.fds);
		cur = next;
	}
	return asked;
}

static void identity_on_every_cpu(void **state)
{
	unsigned int steps = getenv("SERAI_LONG") ? 5000000 : 200000;

	(void)state;
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		unsigned long asked = run_model(cpu & 1, cpu & 2, 0x1234567 + cpu, steps);

		print_message("selectors %u, optimising %u: FNSTENV in %lu of %u saves\n", cpu & 1, cpu >> 1,
			      asked, steps);
		if (cpu & 1)
			assert_true(asked > steps / 50 && asked < steps);
		else
			assert_int_equal(asked, 0);
	}
}

static void forced_widths(void **state)
{
	struct xstate_area a = {.fip = 0x123456789aULL, .fdp = 0x987654321fULL};
	struct xstate_x87_note note;

	(void)state;
	a.hdr.xstate_bv = XSTATE_X87;
	xstate_before_save(&a, &note);
	assert_false(note.marked);
	assert_false(xstate_after_save(&a, &note, XSTATE_FIP_8, true));
	assert_int_equal(xstate_word_size(&a), 8);
	assert_int_equal(a.fip, 0x123456789aULL);
	assert_true(xstate_after_save(&a, &note, XSTATE_FIP_4, true));
	assert_int_equal(xstate_word_size(&a), 4);
	assert_int_equal(a.fip, 0x3456789aULL);
	a.word_size = 0;
	assert_int_equal(xstate_word_size(&a), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_on_every_cpu),
		cmocka_unit_test(forced_widths),
	};

	return cmocka_run_group_tests_name("x87 word size", tests, NULL, NULL);
}
