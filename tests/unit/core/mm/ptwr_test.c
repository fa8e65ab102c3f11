/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder of page-table writes against the CPU: each form runs natively on a word of memory and by
 * emulation on a copy; memory, registers, flags and length must agree.
 */
#include <x86/mm/ptwr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

struct form {
	const char *name;
	u8 len, bytes[15]; /* memory operand (%rdi), register operand %rcx or %r8 */
};

static const struct form forms[] = {
	{"mov %rcx,(%rdi)", 3, {0x48, 0x89, 0x0f}},
	{"mov %ecx,(%rdi)", 2, {0x89, 0x0f}},
	{"mov %r8,(%rdi)", 3, {0x4c, 0x89, 0x07}},
	{"mov $imm,(%rdi)", 7, {0x48, 0xc7, 0x07, 0x78, 0x56, 0x34, 0x92}},
	{"movl $imm,(%rdi)", 6, {0xc7, 0x07, 0x78, 0x56, 0x34, 0x92}},
	{"xchg %rcx,(%rdi)", 3, {0x48, 0x87, 0x0f}},
	{"xchg %r8d,(%rdi)", 3, {0x44, 0x87, 0x07}},
	{"xchg %rcx,0(%rdi) disp8", 4, {0x48, 0x87, 0x4f, 0x00}},
	{"xchg %rcx,0(%rdi) disp32", 7, {0x48, 0x87, 0x8f, 0, 0, 0, 0}},
	{"xchg %rcx,(%rdi) sib", 4, {0x48, 0x87, 0x0c, 0x27}},
	{"lock cmpxchg %rcx,(%rdi)", 5, {0xf0, 0x48, 0x0f, 0xb1, 0x0f}},
	{"lock cmpxchg %r8d,(%rdi)", 5, {0xf0, 0x44, 0x0f, 0xb1, 0x07}},
	{"lock andb $0xfd,(%rdi)", 4, {0xf0, 0x80, 0x27, 0xfd}},
	{"lock orb $0x40,(%rdi)", 4, {0xf0, 0x80, 0x0f, 0x40}},
	{"xorb $0x21,(%rdi)", 3, {0x80, 0x37, 0x21}},
	{"lock andq $-3,(%rdi)", 5, {0xf0, 0x48, 0x83, 0x27, 0xfd}},
	{"lock andl $-33,(%rdi)", 4, {0xf0, 0x83, 0x27, 0xdf}},
	{"lock orq $imm,(%rdi)", 8, {0xf0, 0x48, 0x81, 0x0f, 0x67, 0x01, 0, 0x80}},
	{"lock addq $1,(%rdi)", 5, {0xf0, 0x48, 0x83, 0x07, 0x01}},
	{"lock subq $-1,(%rdi)", 5, {0xf0, 0x48, 0x83, 0x2f, 0xff}},
	{"lock btrq $5,(%rdi)", 6, {0xf0, 0x48, 0x0f, 0xba, 0x37, 0x05}},
	{"lock btsl $33,(%rdi)", 5, {0xf0, 0x0f, 0xba, 0x2f, 33}},
	{"lock btcq $63,(%rdi)", 6, {0xf0, 0x48, 0x0f, 0xba, 0x3f, 63}},
};

static const u8 refused[][6] = {
	{0x48, 0x89, 0xcf},          /* register operand */
	{0x8b, 0x07},                /* a load */
	{0x83, 0x3f, 0x01},          /* cmp writes nothing */
	{0x48, 0x0f, 0xab, 0x0f},    /* bts %rcx: the bit may be elsewhere */
	{0x48, 0xc7, 0x0f, 0, 0, 0}, /* c7 /1 */
	{0x48, 0x0f, 0xc1, 0x0f},    /* xadd */
	{0x0f, 0x0b},
	{0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0},
};

/* mov args into registers, the instruction, registers back into memory. */
struct native {
	u64 rax, rcx, r8, flags;
};

static u8 *code;

static void run_native(const struct form *f, u64 *mem, struct native *n)
{
	u8 *p = code;
	void (*fn)(void);

	memcpy(p, f->bytes, f->len);
	p[f->len] = 0xc3;
	memcpy(&fn, &code, sizeof(fn));
	__asm__ volatile("mov %[r8], %%r8\n\t"
			 "lea -128(%%rsp), %%rsp\n\t" /* past the red zone */
			 "pushq %[fl]\n\tpopfq\n\t"
			 "call *%[fn]\n\t"
			 "pushfq\n\tpopq %[fl]\n\t"
			 "lea 128(%%rsp), %%rsp\n\t"
			 "mov %%r8, %[r8]"
			 : "+a"(n->rax), "+c"(n->rcx), [r8] "+r"(n->r8), [fl] "+r"(n->flags)
			 : "D"(mem), [fn] "r"(fn)
			 : "r8", "memory", "cc");
}

static void compare(const struct form *f, u64 mem, struct native n)
{
	struct regs r = {.rax = n.rax, .rcx = n.rcx, .r8 = n.r8, .rflags = n.flags, .rip = 0x1000};
	const u64 arith = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF;
	u64 native_mem = mem, m;
	struct ptwr_insn in;
	struct ptwr_effect fx;
	u8 buf[16] = {0};

	memcpy(buf, f->bytes, f->len);
	assert_true(ptwr_decode(buf, sizeof(buf), &in));
	assert_int_equal(in.length, f->len);
	/* Cut short, it must be refused, never misread. */
	for (unsigned int i = 0; i < f->len; i++)
		assert_false(ptwr_decode(buf, i, &in) && in.length > i);
	assert_true(ptwr_decode(buf, f->len, &in));
	run_native(f, &native_mem, &n);
	m = in.bytes == 8 ? ~0UL : (1UL << (in.bytes * 8)) - 1;
	ptwr_execute(&in, &r, mem & m, &fx);
	ptwr_commit(&in, &r, &fx);
	if (fx.write)
		mem = (mem & ~m) | (fx.value & m);
	if (mem != native_mem || r.rax != n.rax || r.rcx != n.rcx || r.r8 != n.r8 ||
	    (r.rflags & arith) != (n.flags & arith))
		print_error("%s: mem %lx native %lx rax %lx/%lx rcx %lx/%lx flags %lx/%lx\n", f->name, mem,
			    native_mem, r.rax, n.rax, r.rcx, n.rcx, r.rflags & arith, n.flags & arith);
	assert_int_equal(mem, native_mem);
	assert_int_equal(r.rax, n.rax);
	assert_int_equal(r.rcx, n.rcx);
	assert_int_equal(r.r8, n.r8);
	assert_int_equal(r.rflags & arith & ~(in.kind == PTWR_BIT ? arith & ~X86_EFLAGS_CF : 0),
			 n.flags & arith & ~(in.kind == PTWR_BIT ? arith & ~X86_EFLAGS_CF : 0));
	assert_int_equal(r.rip, 0x1000 + f->len);
}

static void as_the_cpu_does(void **state)
{
	static const u64 values[] = {0,     1,          0x8000000000000067, 0x7fffffffffffffff,
				     ~0ULL, 0x80000000, 0x0000000123456025, 0x163};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++)
		for (unsigned int a = 0; a < ARRAY_SIZE(values); a++)
			for (unsigned int b = 0; b < ARRAY_SIZE(values); b++) {
				struct native n = {values[(a + b) & 1 ? a : b], values[b], ~values[b], 0x202};

				compare(&forms[i], values[a], n);
				n.flags |= X86_EFLAGS_CF;
				compare(&forms[i], values[a], n);
			}
}

static void what_it_does_not_know_it_refuses(void **state)
{
	struct ptwr_insn in;
	u8 buf[16];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++) {
		memset(buf, 0, sizeof(buf));
		memcpy(buf, refused[i], sizeof(refused[i]));
		assert_false(ptwr_decode(buf, sizeof(buf), &in));
	}
	/* Any bytes: no crash, no length beyond what was given. */
	for (u32 x = 1, i = 0; i < 2000000; i++) {
		unsigned int n = i % 17;

		for (unsigned int j = 0; j < 16; j++) {
			x = x * 1664525 + 1013904223;
			buf[j] = (u8)(x >> 24);
		}
		buf[0] = i & 1 ? 0xf0 : buf[0];
		if (ptwr_decode(buf, n, &in))
			assert_true(in.length <= n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_cpu_does),
		cmocka_unit_test(what_it_does_not_know_it_refuses),
	};

	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return 77;
	return cmocka_run_group_tests_name("page-table writes", tests, NULL, NULL);
}
