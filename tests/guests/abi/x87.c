/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/fpu.md promises: the x87 instruction and data pointers survive a switch to another vCPU as
 * the code that left them can see them. 32-bit code keeps its selectors, offsets and opcode; 64-bit
 * code keeps 64-bit offsets; exceptions that FNSTENV would mask stay as they were. The same holds for a
 * vCPU whose state the control domain takes out, replaces and puts back.
 *
 * Only a processor that keeps selectors shows this: of emulators Bochs does, QEMU does not, and there
 * the cases are skipped. Both vCPUs have to share a processor.
 */
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

#include "guest.h"
#include "usercode.h"
#include "x87.h"

static struct fxsave64 image, image2;
static const float number = 3.5f;

static volatile int stage;
static void (*volatile job)(void); /* for the other vCPU, once */

/* The other vCPU: x87 instructions of its own, far up in the address space, as often as it runs. */
static void second(void)
{
	for (;;) {
		while (stage < 2) {
			__asm__ volatile("fninit\n flds %0\n fadds %0" ::"m"(number));
			stage = stage ? stage : 1;
			if (job) {
				job();
				job = NULL;
			}
			hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		}
		stage = 3;
		hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0); /* up again: the next case */
	}
}

static bool other_started(void)
{
	static bool initialised;
	long ret;

	stage = 0;
	ret = initialised ? hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0) : vcpu_start(1, second);
	initialised = true;
	if (ret) {
		skip("one vCPU only");
		return false;
	}
	return true;
}

static void let_other_run(void)
{
	unsigned int i;

	while (!stage)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	for (i = 0; i < 20; i++)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static void other_does(void (*what)(void))
{
	job = what;
	while (job)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

/* ---- vCPU 0's state, out and in through the control interface, by vCPU 1 ----------------------- */

#define IMAGE_AT 16 /* behind XCR0 and what it ever was */
#define XSTATE_BV_AT (IMAGE_AT + 512)
#define TAG_AT (IMAGE_AT + 511)

static struct xen_domctl op;
static uint8_t kept[16384] __attribute__((aligned(64))), scratch[16384] __attribute__((aligned(64)));
static long extstate_rc;
static uint64_t features;

static long extstate(unsigned int cmd, void *buffer, uint64_t size)
{
	memset(&op, 0, sizeof(op));
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = 0;
	op.u.vcpuextstate.vcpu = 0;
	op.u.vcpuextstate.xfeature_mask = features;
	op.u.vcpuextstate.size = size;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, buffer);
	return hypercall1(__HYPERVISOR_domctl, (unsigned long)&op);
}

/* Out into kept[]; an initial state in; out again into scratch[], to see that it went in; kept[] in. */
static void out_and_in(void)
{
	struct fxsave64 *x = (void *)(scratch + IMAGE_AT);
	uint64_t size;

	features = 0;
	extstate_rc = extstate(XEN_DOMCTL_getvcpuextstate, NULL, 0);
	features = op.u.vcpuextstate.xfeature_mask;
	size = op.u.vcpuextstate.size;
	if (extstate_rc || !features || size > sizeof(kept))
		return;
	extstate_rc = extstate(XEN_DOMCTL_getvcpuextstate, kept, size);
	size = op.u.vcpuextstate.size;
	if (extstate_rc)
		return;
	memcpy(scratch, kept, IMAGE_AT);
	memset(scratch + IMAGE_AT, 0, sizeof(scratch) - IMAGE_AT);
	x->fcw = 0x037f;
	x->rest[0] = 0x80; /* MXCSR */
	x->rest[1] = 0x1f;
	extstate_rc = extstate(XEN_DOMCTL_setvcpuextstate, scratch, size);
	if (extstate_rc)
		return;
	x->fip = ~0UL;
	extstate_rc = extstate(XEN_DOMCTL_getvcpuextstate, scratch, sizeof(scratch));
	if (!extstate_rc)
		extstate_rc = extstate(XEN_DOMCTL_setvcpuextstate, kept, size);
}

static bool went_out_and_in(void)
{
	other_does(out_and_in);
	if (extstate_rc == -XEN_EPERM) {
		skip("not the control domain");
		return false;
	}
	check_eq(extstate_rc, 0);
	check_eq(((struct fxsave64 *)(scratch + IMAGE_AT))->fip, 0);
	check(kept[XSTATE_BV_AT] & 1);
	return extstate_rc == 0;
}

static void other_done(void)
{
	stage = 2;
	while (stage == 2)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	while (hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0) == 1)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

/* Divide by zero unmasked and pending: no x87 instruction that would wait for it follows. */
USER_ASM32(pend32,
	   "fninit\n flds %ss:0x401000\n fldcw %ss:0x401010\n fdivs %ss:0x401014\n fnstcw %ss:0x401100\n"
	   " fnstsw %ss:0x401102\n ud2");
USER_ASM32(look_pend32, "fnstcw %ss:0x401200\n fnstsw %ss:0x401202\n ud2");

static struct user_state u;
static struct user_result r;

CASE(selectors_of_32bit_code)
{
	char *data = user_data_page();
	struct fenv32 *before = (void *)(data + 0x100), *after = (void *)(data + 0x200);

	if (!x87_pointers_kept(false)) {
		skip("the processor keeps no selectors");
		return;
	}
	require(user_init());
	if (!other_started())
		return;
	memcpy(data, &number, 4);
	RUN32(load32);
	check_eq(before->fcs, FLAT_USER_CS32);
	check_eq(before->fip, USER_CODE + 2);
	check_eq(before->fdp, USER_DATA);
	let_other_run();
	RUN32(look32);
	check_eq(after->fcs, before->fcs);
	check_eq(after->fds, before->fds);
	check_eq(after->fip, before->fip);
	check_eq(after->fdp, before->fdp);
	check_eq(after->fop & 0x7ff, before->fop & 0x7ff);
	other_done();
}

CASE(pointers_of_64bit_code)
{
	if (!x87_pointers_kept(true)) {
		skip("the processor keeps no instruction pointer");
		return;
	}
	if (!other_started())
		return;
	__asm__ volatile("fninit\n flds %1\n fxsave64 %0" : "=m"(image) : "m"(number));
	check(image.fip >> 32 == 0xffffffff);
	let_other_run();
	__asm__ volatile("fxsave64 %0" : "=m"(image2));
	check_eq(image2.fip, image.fip);
	check_eq(image2.fdp, image.fdp);
	check_eq(image2.fop, image.fop);
	other_done();
}

CASE(pending_exception)
{
	char *data = user_data_page();
	static const uint16_t unmasked = 0x037b;
	static const float zero = 0;

	require(user_init());
	if (!other_started())
		return;
	memcpy(data, &number, 4);
	memcpy(data + 0x10, &unmasked, 2);
	memcpy(data + 0x14, &zero, 4);
	RUN32(pend32);
	check_eq(*(uint16_t *)(data + 0x100), unmasked);
	check(*(uint16_t *)(data + 0x102) & 0x80);
	let_other_run();
	RUN32(look_pend32);
	check_eq(*(uint16_t *)(data + 0x200), *(uint16_t *)(data + 0x100));
	check_eq(*(uint16_t *)(data + 0x202), *(uint16_t *)(data + 0x102));
	__asm__ volatile("fninit");
	other_done();
}

CASE(selectors_through_a_record)
{
	char *data = user_data_page();
	struct fenv32 *before = (void *)(data + 0x100), *after = (void *)(data + 0x200);
	struct fxsave64 *x = (void *)(kept + IMAGE_AT);

	/* Xen's record holds an image only of a vCPU that has set its XCR0. */
	if (!x87_pointers_kept(false) || !x87_use_xsave()) {
		skip("the processor keeps no selectors, or has no XSAVE");
		return;
	}
	require(user_init());
	if (!other_started())
		return;
	memcpy(data, &number, 4);
	RUN32(load32);
	if (went_out_and_in()) {
		check_eq(kept[TAG_AT], 4);
		check_eq(x->fip, before->fip | (uint64_t)before->fcs << 32);
		check_eq(x->fdp, before->fdp | (uint64_t)before->fds << 32);
		RUN32(look32);
		check_eq(after->fcs, before->fcs);
		check_eq(after->fds, before->fds);
		check_eq(after->fip, before->fip);
		check_eq(after->fdp, before->fdp);
		check_eq(after->fop & 0x7ff, before->fop & 0x7ff);
	}
	other_done();
}

CASE(pointers_through_a_record)
{
	if (!x87_pointers_kept(true) || !x87_use_xsave()) {
		skip("the processor keeps no instruction pointer, or there is no XSAVE");
		return;
	}
	if (!other_started())
		return;
	__asm__ volatile("fninit\n flds %1\n fxsave64 %0" : "=m"(image) : "m"(number));
	check(image.fip >> 32 == 0xffffffff);
	if (went_out_and_in()) {
		check_eq(kept[TAG_AT], 8);
		check_eq(((struct fxsave64 *)(kept + IMAGE_AT))->fip, image.fip);
		__asm__ volatile("fxsave64 %0" : "=m"(image2));
		check_eq(image2.fip, image.fip);
		check_eq(image2.fdp, image.fdp);
		check_eq(image2.fop, image.fop);
	}
	other_done();
}

/* Last: the hypervisor says on its console how often it saved, restored and ran FNSTENV for us. */
CASE(switches_are_counted)
{
	static char key[] = "f";
	static struct xen_sysctl s;
	long ret;

	s.cmd = XEN_SYSCTL_debug_keys;
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	set_xen_guest_handle(s.u.debug_keys.keys, key);
	s.u.debug_keys.nr_keys = 1;
	ret = hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s);
	if (ret == -XEN_EPERM)
		skip("not the control domain");
	else
		check_eq(ret, 0);
}
