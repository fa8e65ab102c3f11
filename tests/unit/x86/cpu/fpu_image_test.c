/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86/cpu/fpu_image.c: what a vCPU gets from contexts and records that others wrote, older ones among
 * them (fixtures/README): all bits of the x87 pointers, the operand size of the restore, what is missing
 * in its initial state; and nothing from an image that is refused. On hosts with the standard and with
 * the compacted format.
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

#define TAG 511U

/* ---- what fpu_image.c calls ------------------------------------------------------------------ */

struct fpu_caps fpu_caps;
struct list domain_list = {&domain_list, &domain_list};
static u64 permitted;
static unsigned int forgotten;

u64 policy_permitted_xcr0(const struct cpu_policy *p)
{
	(void)p;
	return permitted;
}

void fpu_flush(struct vcpu *v)
{
	(void)v;
}

void fpu_forget(struct vcpu *v)
{
	(void)v;
	forgotten++;
}

/* ---- one vCPU -------------------------------------------------------------------------------- */

static const struct xstate_leaf leaves[XSTATE_COMPS] = {
	[0] = {0x2e7, 0, 2696, 0}, [1] = {0xf, 0, 0x1800, 0}, [2] = {256, 576, 0, 0},
	[5] = {64, 1088, 0, 0},    [6] = {512, 1152, 0, 0},   [7] = {1024, 1664, 0, 0},
	[9] = {8, 2688, 0, 0},     [11] = {16, 0, 1, 0},      [12] = {24, 0, 1, 0},
};

static struct domain dom;
static struct vcpu vcpu;

static void host(bool compacted, u64 may)
{
	memset(&fpu_caps, 0, sizeof(fpu_caps));
	xstate_layout_init(&fpu_caps.layout, leaves, XSTATE_COMPS, 0xffff);
	fpu_caps.xsave = true;
	fpu_caps.compacted = compacted;
	fpu_caps.xcr0 = 0x2e7;
	permitted = may;
	vcpu.domain = &dom;
	assert_int_equal(fpu_vcpu_init(&vcpu), 0);
	/* Bytes of somebody before: an import leaves none. */
	memset(vcpu.fpu->area, 0xa5, XSTATE_LEGACY_SIZE);
}

static u32 fixture(const char *name, u8 *to, u32 room)
{
	char path[512];
	FILE *f;
	u32 n;

	snprintf(path, sizeof(path), "%s/%s", FIXTURES, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = (u32)fread(to, 1, room, f);
	fclose(f);
	assert_in_range(n, 1, room - 1);
	return n;
}

static void same_x87_and_sse(const struct xstate_area *a, const u8 *legacy)
{
	const struct xstate_area *want = (const void *)legacy;

	assert_memory_equal(a, want, 24);
	assert_memory_equal(a->st, want->st, sizeof(a->st));
	assert_memory_equal(a->xmm, want->xmm, sizeof(a->xmm));
	assert_int_equal(a->mxcsr, want->mxcsr);
	assert_int_equal(a->mxcsr_mask, 0xffff);
}

/* ---- contexts -------------------------------------------------------------------------------- */

static void context_tag_zero(void **state)
{
	static u8 fx[1024] __aligned(16), out[1024] __aligned(16);
	const struct xstate_area *want = (const void *)fx;

	(void)state;
	for (int compacted = 0; compacted < 2; compacted++) {
		host(compacted, 0x2e7);
		assert_int_equal(fixture("fxsave-tag0.bin", fx, sizeof(fx)), 512);
		assert_int_equal(fx[TAG], 0);
		assert_true(want->fip >> 32 && want->fdp >> 32);
		forgotten = 0;
		assert_int_equal(fpu_import_fxsave(&vcpu, fx), 0);
		assert_int_equal(forgotten, 1);
		same_x87_and_sse(vcpu.fpu->area, fx);
		assert_int_equal(xstate_word_size(vcpu.fpu->area), 8);
		assert_int_equal(vcpu.fpu->area->hdr.xstate_bv, XSTATE_LEGACY);
		assert_int_equal(vcpu.fpu->area->hdr.xcomp_bv,
				 compacted ? XSTATE_COMPACTED | XSTATE_LEGACY : 0);
		fpu_export_fxsave(&vcpu, out);
		assert_int_equal(((struct xstate_area *)out)->fip, want->fip);
		assert_int_equal(((struct xstate_area *)out)->fdp, want->fdp);
		fpu_vcpu_destroy(&vcpu);
	}
}

static void context_with_selectors(void **state)
{
	static u8 fx[1024] __aligned(16), out[1024] __aligned(16);

	(void)state;
	for (int compacted = 0; compacted < 2; compacted++) {
		host(compacted, 0x2e7);
		assert_int_equal(fixture("fxsave-tag4.bin", fx, sizeof(fx)), 512);
		assert_int_equal(fpu_import_fxsave(&vcpu, fx), 0);
		assert_int_equal(xstate_word_size(vcpu.fpu->area), 4);
		assert_int_equal(vcpu.fpu->area->fcs, 0x23);
		assert_int_equal(vcpu.fpu->area->fds, 0x2b);
		assert_int_equal(vcpu.fpu->area->fip32, 0x401002);
		fpu_export_fxsave(&vcpu, out);
		assert_memory_equal(out, fx, 24);
		assert_int_equal(out[TAG], 4);
		fpu_vcpu_destroy(&vcpu);
	}
}

static void context_refused(void **state)
{
	static u8 fx[1024] __aligned(16);
	struct xstate_area before;

	(void)state;
	host(false, 0x2e7);
	fixture("fxsave-tag0.bin", fx, sizeof(fx));
	((struct xstate_area *)fx)->mxcsr |= 1U << 16;
	memcpy(&before, vcpu.fpu->area, sizeof(before));
	assert_int_equal(fpu_import_fxsave(&vcpu, fx), -EINVAL);
	assert_memory_equal(&before, vcpu.fpu->area, sizeof(before));
	fpu_vcpu_destroy(&vcpu);
}

/* ---- records --------------------------------------------------------------------------------- */

/* Import, look, export, import again: the second time it is a full image of this host. */
static void records_tag_zero(void **state)
{
	static const char *const names[] = {"fxsave-record.bin", "xsave-record-tag0.bin"};
	static u8 record[4096] __aligned(16), out[4096] __aligned(16);

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct xstate_area *want = (const void *)(record + 16);
		u32 n, size;

		host(i & 1, 0x2e7);
		n = fixture(names[i / 2], record, sizeof(record));
		assert_int_equal(n, i / 2 ? 16 + 832 : 16 + 512);
		assert_int_equal(record[16 + TAG], 0);
		assert_int_equal(fpu_import_extstate(&vcpu, record, n), 0);
		same_x87_and_sse(vcpu.fpu->area, record + 16);
		assert_int_equal(xstate_word_size(vcpu.fpu->area), 8);
		assert_int_equal(vcpu.fpu->xcr0, i / 2 ? 7 : 3);

		size = fpu_extstate_size(&vcpu);
		assert_int_equal(size, 16 + (i / 2 ? 832 : 576));
		memset(out, 0x5a, sizeof(out));
		assert_int_equal(fpu_export_extstate(&vcpu, out, size), 0);
		assert_int_equal(out[size], 0x5a);
		same_x87_and_sse((const void *)(out + 16), record + 16);
		assert_true(((const struct xstate_area *)(out + 16))->fip == want->fip);
		if (i / 2)
			assert_memory_equal(out + 16 + 576, record + 16 + 576, 256);
		assert_int_equal(fpu_import_extstate(&vcpu, out, size), 0);
		same_x87_and_sse(vcpu.fpu->area, record + 16);
		fpu_vcpu_destroy(&vcpu);
	}
}

/* Of a host without XSAVE: the context has all there is, and stays. */
static void record_without_image(void **state)
{
	static u8 fx[1024] __aligned(16), record[16] __aligned(16);

	(void)state;
	host(true, 0x2e7);
	fixture("fxsave-tag0.bin", fx, sizeof(fx));
	assert_int_equal(fpu_import_fxsave(&vcpu, fx), 0);
	assert_int_equal(fpu_import_extstate(&vcpu, record, 16), 0);
	same_x87_and_sse(vcpu.fpu->area, fx);
	assert_int_equal(fpu_import_extstate(&vcpu, record, 8), -EINVAL);
	fpu_vcpu_destroy(&vcpu);
}

/* More than the policy permits is named and refused; what was there stays. */
static void record_refused(void **state)
{
	static u8 record[4096] __aligned(16);
	struct xstate_area before;
	u32 n;

	(void)state;
	for (int compacted = 0; compacted < 2; compacted++) {
		host(compacted, 3);
		n = fixture("xsave-record-tag0.bin", record, sizeof(record));
		memcpy(&before, vcpu.fpu->area, sizeof(before));
		assert_int_equal(fpu_import_extstate(&vcpu, record, n), -EOPNOTSUPP);
		assert_memory_equal(&before, vcpu.fpu->area, sizeof(before));
		assert_int_equal(vcpu.fpu->xcr0, 3);
		record[0] = record[8] = 3;
		((struct xstate_area *)(record + 16))->hdr.xstate_bv = 3;
		assert_int_equal(fpu_import_extstate(&vcpu, record, n), 0);
		record[16 + TAG] = 2;
		assert_int_equal(fpu_import_extstate(&vcpu, record, n), -EINVAL);
		fpu_vcpu_destroy(&vcpu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_tag_zero),     cmocka_unit_test(context_with_selectors),
		cmocka_unit_test(context_refused),      cmocka_unit_test(records_tag_zero),
		cmocka_unit_test(record_without_image), cmocka_unit_test(record_refused),
	};

	return cmocka_run_group_tests_name("images of a vCPU", tests, NULL, NULL);
}
