/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/fpu.md promises: floating-point and vector registers belong to the vCPU and survive
 * hypercalls, exceptions, upcalls and the other vCPU's use of them; with CR0.TS set the first use
 * is #NM, and its delivery clears TS.
 */
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"
#include "usercode.h"

struct xmm {
	uint64_t v[16][2];
} __attribute__((aligned(16)));

#define FOR_XMM(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)
#define LOAD(n) "movdqa " #n "*16(%0), %%xmm" #n "\n"
#define STORE(n) "movdqa %%xmm" #n ", " #n "*16(%0)\n"

static void xmm_load(const struct xmm *x)
{
	__asm__ volatile(FOR_XMM(LOAD)::"r"(x) : "memory");
}

static void xmm_store(struct xmm *x)
{
	__asm__ volatile(FOR_XMM(STORE)::"r"(x) : "memory");
}

static void xmm_fill(struct xmm *x, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		((uint64_t *)x)[i] = seed = seed * 6364136223846793005UL + 1;
}

static struct xmm want, got;

static void check_xmm(void)
{
	xmm_store(&got);
	check_eq(memcmp(&want, &got, sizeof(want)), 0);
}

CASE(start_state)
{
	uint16_t cw;
	uint32_t mxcsr;

	__asm__ volatile("fnstcw %0" : "=m"(cw));
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	record("fcw", cw);
	record("mxcsr", mxcsr);
}

CASE(over_a_hypercall)
{
	xmm_fill(&want, 1);
	xmm_load(&want);
	hypercall2(__HYPERVISOR_xen_version, 0, 0);
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	check_xmm();
}

CASE(over_an_exception)
{
	extern const char do_ud2[];
	struct regs in = {.rflags = 2}, out;

	xmm_fill(&want, 2);
	xmm_load(&want);
	check_eq(trap_probe(&in, &out, do_ud2), 6);
	check_xmm();
}
__asm__(".text\n do_ud2: ud2\n jmp probe_done");

CASE(mxcsr_and_control_word)
{
	uint16_t cw = 0x027f, cw2;
	uint32_t mxcsr = 0x9fc0, mxcsr2;

	__asm__ volatile("fldcw %0\n ldmxcsr %1" ::"m"(cw), "m"(mxcsr));
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	__asm__ volatile("fnstcw %0\n stmxcsr %1" : "=m"(cw2), "=m"(mxcsr2));
	check_eq(cw2, cw);
	check_eq(mxcsr2, mxcsr);
	cw = 0x37f;
	mxcsr = 0x1f80;
	__asm__ volatile("fldcw %0\n ldmxcsr %1" ::"m"(cw), "m"(mxcsr));
}

CASE(x87_stack)
{
	uint64_t a = 0x123456789, b = 0;

	__asm__ volatile("fninit\n fildll %0" ::"m"(a));
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	__asm__ volatile("fistpll %0" : "=m"(b));
	check_eq(b, a);
}

static volatile int stage;
static struct xmm other;

static void second(void)
{
	/* The other vCPU never stops changing its own registers. */
	xmm_fill(&other, 99);
	while (stage < 100) {
		struct xmm back __attribute__((aligned(16)));

		xmm_load(&other);
		stage = stage ? stage : 1;
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		xmm_store(&back);
		if (memcmp(&back, &other, sizeof(back)))
			stage = 1000;
	}
	if (stage == 100)
		stage = 101;
	hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
}

CASE(over_vcpu_switches)
{
	unsigned int i;

	if (vcpu_start(1, second)) {
		skip("one vCPU only");
		return;
	}
	while (!stage)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	for (i = 0; i < 500; i++) {
		xmm_fill(&want, i);
		xmm_load(&want);
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		check_xmm();
	}
	check(stage < 1000);
	stage = 100;
	while (stage == 100)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	check_eq(stage, 101);
}

static void use_fpu(void *p)
{
	(void)p;
	__asm__ volatile("fninit");
}

static void use_sse(void *p)
{
	(void)p;
	__asm__ volatile("pxor %xmm0, %xmm0");
}

CASE(fpu_taskswitch)
{
	xmm_fill(&want, 5);
	xmm_load(&want);
	check_eq(hypercall1(__HYPERVISOR_fpu_taskswitch, 1), 0);
	check_eq(trap_call(use_sse, NULL), 7);
	/* Delivery cleared TS, and the registers are what they were. */
	check_xmm();
	check_eq(trap_call(use_fpu, NULL), NO_TRAP);
	check_eq(hypercall1(__HYPERVISOR_fpu_taskswitch, 1), 0);
	check_eq(hypercall1(__HYPERVISOR_fpu_taskswitch, 0), 0);
	check_eq(trap_call(use_sse, NULL), NO_TRAP);
}

CASE(floating_point_exception)
{
	extern const char do_div[];
	static uint32_t mxcsr = 0x1d80; /* divide by zero unmasked */
	static const uint32_t back = 0x1f80;
	struct regs in = {.rflags = 2}, out;

	in.rdi = (uint64_t)&mxcsr;
	/* Needs CR4.OSXMMEXCPT, which the guest sets itself or finds set. */
	record("vector", trap_probe(&in, &out, do_div));
	__asm__ volatile("ldmxcsr %0" ::"m"(back));
}
__asm__(".text\n do_div: ldmxcsr (%rdi)\n pxor %xmm1, %xmm1\n movd %edi, %xmm0\n cvtdq2ps %xmm0, %xmm0\n"
	" divss %xmm1, %xmm0\n jmp probe_done");

CASE(in_user_mode)
{
	USER_ASM(sse, "movq %rax, %xmm3\n movq %xmm3, %rbx\n ud2");
	static struct user_state u;
	static struct user_result r;

	require(user_init());
	xmm_fill(&want, 6);
	xmm_load(&want);
	user_state64(&u, 9);
	USER_RUN(sse, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(r.regs.rbx, u.regs.rax);
	/* The kernel sees the user's register: one set for both modes. */
	xmm_store(&got);
	check_eq(got.v[3][0], u.regs.rax);
	check_eq(got.v[4][0], want.v[4][0]);
}
