/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/segments.md promises: the flat selectors exist in every descriptor table; a guest may
 * bring frames of its own for entries below FIRST_RESERVED_GDT_ENTRY, with descriptors of
 * privilege 3 only; the bases of FS and of both GS are set by hypercall, by WRMSR or by their
 * instructions and belong to the vCPU.
 */
#include <xen/sched.h>

#include "guest.h"
#include "internal.h"
#include "usercode.h"

static uint64_t gdt[512] __page_aligned;
static uint64_t ldt[512] __page_aligned;
static struct user_state u;
static struct user_result r;

#define DESC_DATA 0x00cff3000000ffffUL
#define DESC_CODE64 0x00affb000000ffffUL
#define DESC_CODE32 0x00cffb000000ffffUL

static uint64_t fs_word(void)
{
	uint64_t v;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

static uint64_t gs_word(void)
{
	uint64_t v;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static long set_base(unsigned int which, unsigned long base)
{
	return hypercall2(__HYPERVISOR_set_segment_base, which, base);
}

CASE(set_segment_base_fs)
{
	uint64_t word = 0x1122334455667788UL;

	check_eq(set_base(SEGBASE_FS, (unsigned long)&word), 0);
	check_eq(fs_word(), word);
	check_eq(set_base(SEGBASE_FS, 0), 0);
}

CASE(set_segment_base_gs_kernel)
{
	uint64_t word = 0x99aabbccddeeff00UL;

	check_eq(set_base(SEGBASE_GS_KERNEL, (unsigned long)&word), 0);
	check_eq(gs_word(), word);
	check_eq(set_base(SEGBASE_GS_KERNEL, 0), 0);
}

CASE(set_segment_base_gs_user)
{
	USER_ASM(gs, "mov %gs:0, %rax\n ud2");
	uint64_t kernel_word = 5;

	/* The user's base is in force in user mode, the kernel's in the kernel. */
	require(user_init());
	check_eq(set_base(SEGBASE_GS_USER, USER_CODE), 0);
	check_eq(set_base(SEGBASE_GS_KERNEL, (unsigned long)&kernel_word), 0);
	user_state64(&u, 1);
	USER_RUN(gs, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(r.regs.rax, *(const uint64_t *)user_gs);
	check_eq(gs_word(), 5);
	check_eq(set_base(SEGBASE_GS_KERNEL, 0), 0);
	check_eq(set_base(SEGBASE_GS_USER, 0), 0);
}

CASE(set_segment_base_errors)
{
	record("noncanonical_fs", (uint64_t)set_base(SEGBASE_FS, 0x800000000000UL));
	record("noncanonical_gs", (uint64_t)set_base(SEGBASE_GS_KERNEL, 0x800000000000UL));
	record("which", (uint64_t)set_base(9, 0));
	record("selector", (uint64_t)set_base(SEGBASE_GS_USER_SEL, 0));
}

CASE(wrmsr_bases)
{
	uint64_t word = 77, lo, hi;

	__asm__ volatile("wrmsr" ::"c"(0xc0000100), "a"((uint32_t)(uint64_t)&word),
			 "d"((uint32_t)((uint64_t)&word >> 32)));
	check_eq(fs_word(), 77);
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000100));
	check_eq((hi << 32 | (uint32_t)lo), &word);
	set_base(SEGBASE_FS, 0);
	__asm__ volatile("wrmsr" ::"c"(0xc0000101), "a"((uint32_t)(uint64_t)&word),
			 "d"((uint32_t)((uint64_t)&word >> 32)));
	check_eq(gs_word(), 77);
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000101));
	check_eq((hi << 32 | (uint32_t)lo), &word);
	set_base(SEGBASE_GS_KERNEL, 0);
}

static long set_gdt(unsigned int entries)
{
	unsigned long frame = virt_to_mfn(gdt);

	return hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, entries);
}

CASE(set_gdt)
{
	uint32_t ds;

	gdt[8] = DESC_DATA;
	/* A frame mapped writable cannot be a descriptor table. */
	check_eq(set_gdt(512), -XEN_EINVAL);
	check_eq(set_readonly(gdt), 0);
	check_eq(set_gdt(512), 0);
	__asm__ volatile("mov %1, %%ds\n mov %%ds, %0" : "=r"(ds) : "r"(8 * 8 + 3));
	check_eq(ds, 8 * 8 + 3);
	/* While it is in use it cannot be written. */
	check_eq(set_writable(gdt), -XEN_EBUSY);
	__asm__ volatile("mov %0, %%ds" ::"r"(0));
	check_eq(set_gdt(0), 0);
	check_eq(set_writable(gdt), 0);
}

CASE(set_gdt_errors)
{
	record("too_many", (uint64_t)set_gdt(FIRST_RESERVED_GDT_ENTRY + 1));
	record("pointer", (uint64_t)hypercall2(__HYPERVISOR_set_gdt, 0xffff830000000000UL, 512));
}

CASE(gdt_bad_descriptors)
{
	/* Gates and privileged segments do not reach the processor. */
	static const uint64_t bad[] = {
		0x00cf93000000ffffUL, /* data, level 0 */
		0x00af9b000000ffffUL, /* code, level 0 */
		0x0000e9000000ffffUL, /* task state */
		0x0000ec0000080000UL, /* call gate */
		0x00cffe000000ffffUL, /* conforming code */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(gdt, 0, sizeof(gdt));
		gdt[8] = bad[i];
		check_eq(set_readonly(gdt), 0);
		record("set_gdt", (uint64_t)set_gdt(512));
		record("descriptor", gdt[8]);
		set_gdt(0);
		check_eq(set_writable(gdt), 0);
	}
	gdt[8] = 0;
}

CASE(update_descriptor)
{
	uint64_t at = virt_to_mfn(gdt) << 12;

	memset(gdt, 0, sizeof(gdt));
	check_eq(set_readonly(gdt), 0);
	check_eq(set_gdt(512), 0);
	check_eq(hypercall2(__HYPERVISOR_update_descriptor, at + 9 * 8, DESC_DATA), 0);
	check_eq(gdt[9] | 1UL << 40, DESC_DATA | 1UL << 40);
	record("level0",
	       (uint64_t)hypercall2(__HYPERVISOR_update_descriptor, at + 10 * 8, 0x00cf93000000ffffUL));
	record("unaligned", (uint64_t)hypercall2(__HYPERVISOR_update_descriptor, at + 81, DESC_DATA));
	record("frame", (uint64_t)hypercall2(__HYPERVISOR_update_descriptor, 0xfffffffffff000UL, 0));
	check_eq(hypercall2(__HYPERVISOR_update_descriptor, at + 9 * 8, 0), 0);
	check_eq(gdt[9], 0);
	set_gdt(0);
	check_eq(set_writable(gdt), 0);
}

static long set_ldt(const void *base, unsigned int entries)
{
	struct mmuext_op op = {
		.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)base, .arg2.nr_ents = entries};

	return hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF);
}

CASE(MMUEXT_SET_LDT)
{
	uint32_t es;

	ldt[3] = DESC_DATA;
	check_eq(set_readonly(ldt), 0);
	check_eq(set_ldt(ldt, 512), 0);
	__asm__ volatile("mov %1, %%es\n mov %%es, %0" : "=r"(es) : "r"(3 * 8 + 7));
	check_eq(es, 3 * 8 + 7);
	__asm__ volatile("mov %0, %%es" ::"r"(0));
	check_eq(set_ldt(NULL, 0), 0);
	check_eq(set_writable(ldt), 0);
}

CASE(ldt_errors)
{
	record("unaligned", (uint64_t)set_ldt((char *)ldt + 8, 16));
	record("too_many", (uint64_t)set_ldt(ldt, 8193));
	check_eq(set_ldt(NULL, 0), 0);
}

CASE(ldt_code_segment_in_user_mode)
{
	USER_ASM32(ud, "ud2");

	require(user_init());
	memset(ldt, 0, sizeof(ldt));
	ldt[4] = DESC_CODE32;
	ldt[5] = DESC_DATA;
	check_eq(set_readonly(ldt), 0);
	check_eq(set_ldt(ldt, 512), 0);
	user_state32(&u, 5);
	u.cs = 4 * 8 + 7;
	u.ss = 5 * 8 + 7;
	USER_RUN(ud, &u, 0, &r);
	check_eq(r.why, 6);
	check_eq(FRAME_CS(r.cs), 4 * 8 + 7);
	check_eq(r.ss, 5 * 8 + 7);
	check_eq(set_ldt(NULL, 0), 0);
	check_eq(set_writable(ldt), 0);
}

CASE(flat_selectors)
{
	static const uint16_t sel[] = {FLAT_RING3_CS32, FLAT_RING3_CS64, FLAT_RING3_DS32};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sel); i++) {
		uint64_t rights = 0, limit = 0;

		__asm__ volatile("lar %1, %0" : "=r"(rights) : "r"((uint64_t)sel[i]));
		__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"((uint64_t)sel[i]));
		record("rights", rights);
		record("limit", limit);
	}
}

/*
 * A vCPU that begins with a selector no table backs: its first instruction is that of the failsafe callback.
 * The frame is rcx r11 ds es fs gs rip cs rflags rsp ss.
 */
extern const char own_failsafe[];
extern volatile uint64_t failsafe_seen[14]; /* the frame, then rsp, ds and the end */

static void __used never(void)
{
	for (;;)
		;
}

CASE(failsafe_callback)
{
	struct vcpu_guest_context *c = vcpu_context(1, never);

	c->user_regs.ds = 0x1003;
	c->user_regs.es = 0x0f; /* of an LDT that is not mapped */
	c->ldt_base = 0x7000000000;
	c->ldt_ents = 512;
	c->user_regs.fs = 0;
	c->user_regs.gs = 0;
	c->user_regs.rcx = 0x11;
	c->user_regs.r11 = 0x22;
	c->failsafe_callback_eip = (unsigned long)own_failsafe;
	if (vcpu_start_with(1, c)) {
		skip("one vCPU only");
		return;
	}
	while (!failsafe_seen[13])
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	check_eq(failsafe_seen[0], 0x11);
	check_eq(failsafe_seen[1], 0x22);
	check_eq(failsafe_seen[2], 0x1003);
	check_eq(failsafe_seen[3], 0x0f);
	check_eq(failsafe_seen[4], 0);
	check_eq(failsafe_seen[5], 0);
	check_eq(failsafe_seen[6], (uint64_t)never);
	check_eq(failsafe_seen[9] - failsafe_seen[11], 88 + (failsafe_seen[9] & 15));
	record("cs", failsafe_seen[7]);
	record("rflags", failsafe_seen[8]);
	record("ss", failsafe_seen[10]);
	record("ds_now", failsafe_seen[12]);
}
__asm__(".text\n"
	"own_failsafe:\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10\n"
	"mov \\n * 8(%rsp), %rax\n"
	"mov %rax, failsafe_seen + \\n * 8(%rip)\n"
	".endr\n"
	"mov %rsp, failsafe_seen + 88(%rip)\n"
	"xor %eax, %eax\n"
	"mov %ds, %ax\n"
	"mov %rax, failsafe_seen + 96(%rip)\n"
	"movq $1, failsafe_seen + 104(%rip)\n"
	"jmp never\n"
	".bss\n"
	".balign 8\n"
	"failsafe_seen: .skip 112\n"
	".text");
