/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/fpu.md promises: nobody else's registers, ever. This kernel keeps every register of every
 * component it may enable full of values of its own and looks at them again and again, through
 * preemption and yields. Started several times on one processor, with another seed= each and a larger
 * rounds=, the instances are each other's load.
 */
#include <xen/sched.h>

#include "guest.h"

struct state {
	uint64_t st[8];
	uint64_t ymm[16][4];
	uint32_t mxcsr;
	uint16_t fcw;
} __attribute__((aligned(32)));

static struct state want, got;
static bool avx;

static uint64_t random_state;

static uint64_t rnd(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dUL;
}

#define ALL16(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)
#define YLOAD(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n"
#define YSTORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n"
#define XLOAD(n) "movdqu " #n "*32(%0), %%xmm" #n "\n"
#define XSTORE(n) "movdqu %%xmm" #n ", " #n "*32(%0)\n"

static void load(const struct state *s)
{
	unsigned int i;

	__asm__ volatile("fninit\n fldcw %0\n ldmxcsr %1" ::"m"(s->fcw), "m"(s->mxcsr));
	for (i = 8; i--;)
		__asm__ volatile("fildll %0" ::"m"(s->st[i]));
	if (avx)
		__asm__ volatile(ALL16(YLOAD)::"r"(s->ymm) : "memory");
	else
		__asm__ volatile(ALL16(XLOAD)::"r"(s->ymm) : "memory");
}

static void store(struct state *s)
{
	unsigned int i;

	if (avx)
		__asm__ volatile(ALL16(YSTORE)::"r"(s->ymm) : "memory");
	else
		__asm__ volatile(ALL16(XSTORE)::"r"(s->ymm) : "memory");
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(s->mxcsr), "=m"(s->fcw));
	for (i = 0; i < 8; i++)
		__asm__ volatile("fistpll %0" : "=m"(s->st[i]));
}

static void fill(struct state *s)
{
	uint64_t *p = (uint64_t *)s->ymm;
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 8; i++) /* what an 80-bit register holds exactly */
		s->st[i] = rnd() >> 2;
	for (i = 0; i < 64; i++)
		p[i] = (i & 2) && !avx ? 0 : rnd();
	s->mxcsr = 0x1f80 | (rnd() & 0xe000);
	s->fcw = 0x037f | (rnd() & 0x0c00);
}

static uint32_t forced_cpuid(uint32_t leaf, uint32_t *c)
{
	uint32_t a = leaf, b, d;

	*c = 0;
	__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n cpuid" : "+a"(a), "=b"(b), "+c"(*c), "=d"(d));
	return a;
}

/* AVX when there is any: OSXSAVE in CR4, then XCR0. */
static void enable_avx(void)
{
	uint64_t cr4;
	uint32_t c;

	forced_cpuid(1, &c);
	if (!(c & 1u << 26) || !(c & 1u << 28))
		return;
	__asm__ volatile("mov %%cr4, %0\n or %1, %0\n mov %0, %%cr4" : "=&r"(cr4) : "i"(1 << 18));
	__asm__ volatile("xsetbv" ::"a"(7), "d"(0), "c"(0));
	avx = true;
}

static unsigned long number(const char *name, unsigned long otherwise)
{
	char buf[24];
	const char *s = cmdline_option(name, buf, sizeof(buf));
	unsigned long v = 0;

	if (!s)
		return otherwise;
	while (*s >= '0' && *s <= '9')
		v = v * 10 + (unsigned long)(*s++ - '0');
	return v;
}

CASE(registers_are_mine)
{
	unsigned long rounds = number("rounds", 3000), n, wrong = 0;
	volatile unsigned int spin;

	enable_avx();
	random_state = number("seed", 1) * 0x9e3779b97f4a7c15UL + 1;
	for (n = 0; n < rounds; n++) {
		fill(&want);
		load(&want);
		if ((n & 7) == 0)
			hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		else
			for (spin = 0; spin < 2000; spin++)
				;
		memset(&got, 0, sizeof(got));
		store(&got);
		if (memcmp(&want, &got, sizeof(want)) && !wrong++)
			check(!"registers as they were left");
	}
	check_eq(wrong, 0);
	__asm__ volatile("fninit\n ldmxcsr %0" ::"m"(*(const uint32_t *)&(const uint32_t){0x1f80}));
}
