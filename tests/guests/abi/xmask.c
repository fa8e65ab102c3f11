/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/fpu.md promises: CPUID leaf 0xD, XGETBV, XSETBV and XSAVE agree about the components a domain has, also
 * when its policy leaves one out in the middle, and so does what is saved and restored: state comes back, for
 * exactly these components.
 *
 * mask= on the command line is what the policy was made to permit (hexadecimal); without it any will do. With save=1 the
 * toolstack has to save and restore the domain when it says "xmask: save" (tests/system/dom0/hole.sh).
 */
#include "guest.h"

#define MXCSR_AT 24
#define XSTATE_BV_AT 512
#define SSE_AT 160
#define BNDCSR 4
#define YMM 2

struct leaf {
	uint32_t a, b, c, d;
};

static uint8_t image[16384] __attribute__((aligned(64))), after[16384] __attribute__((aligned(64)));
static uint64_t mask;

static struct leaf cpuid_of_policy(uint32_t leaf, uint32_t subleaf)
{
	struct leaf l;

	__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n cpuid"
			 : "=a"(l.a), "=b"(l.b), "=c"(l.c), "=d"(l.d)
			 : "0"(leaf), "2"(subleaf));
	return l;
}

static uint64_t option(const char *name)
{
	char buf[24];
	const char *s = cmdline_option(name, buf, sizeof(buf));
	uint64_t v = 0;

	for (; s && *s; s++)
		v = v * 16 + (uint64_t)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return v;
}

static uint64_t xgetbv(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void try_xsetbv(void *value)
{
	uint64_t v = *(uint64_t *)value;

	__asm__ volatile("xsetbv" ::"a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(0));
}

static unsigned int xsetbv(uint64_t v)
{
	return trap_call(try_xsetbv, &v);
}

static bool use_xsave(void)
{
	uint64_t cr4;
	struct leaf l = cpuid_of_policy(1, 0);

	if (!(l.c & 1u << 26)) {
		skip("no XSAVE");
		return false;
	}
	__asm__ volatile("mov %%cr4, %0\n or %1, %0\n mov %0, %%cr4" : "=&r"(cr4) : "i"(1 << 18));
	l = cpuid_of_policy(0xd, 0);
	mask = (uint64_t)l.d << 32 | l.a;
	if (option("mask"))
		check_eq(mask, option("mask"));
	check_eq(mask & 3, 3);
	return true;
}

/* Bytes of a standard image with the components of xcr0, by the sub-leaves. */
static uint32_t image_size(uint64_t xcr0)
{
	uint32_t size = 576;

	for (unsigned int i = 2; i < 63; i++) {
		struct leaf l = cpuid_of_policy(0xd, i);

		if (xcr0 >> i & 1 && l.a + l.b > size)
			size = l.a + l.b;
	}
	return size;
}

CASE(leaf_and_xcr0_agree)
{
	struct leaf l;

	if (!use_xsave())
		return;
	for (unsigned int i = 2; i < 63; i++) {
		l = cpuid_of_policy(0xd, i);
		check_eq(l.a != 0, mask >> i & 1);
		check_eq(l.b != 0, mask >> i & 1);
	}
	check_eq(xsetbv(3), NO_TRAP);
	check_eq(cpuid_of_policy(0xd, 0).b, 576);
	check_eq(xsetbv(mask), NO_TRAP);
	check_eq(xgetbv(), mask);
	l = cpuid_of_policy(0xd, 0);
	check_eq(l.b, image_size(mask));
	check_eq(l.c, image_size(mask));
	/* One more than there is, whatever the processor has; AVX needs no other but SSE. */
	for (unsigned int i = 2; i < 63; i++)
		if (!(mask >> i & 1))
			check_eq(xsetbv(mask | 1UL << i), 13);
	check_eq(xgetbv(), mask);
}

static void fill_component(unsigned int i, uint32_t at, uint32_t size)
{
	for (uint32_t n = 0; n < size; n++)
		image[at + n] = (uint8_t)(n * 7 + i * 31 + 1);
	if (i == BNDCSR) { /* enabled, and branches leave the bounds alone; no reserved bits, no status */
		memset(image + at, 0, size);
		image[at] = 3;
	}
}

static void load_image(void)
{
	memset(image, 0, sizeof(image));
	*(uint16_t *)image = 0x037f;
	*(uint32_t *)(image + MXCSR_AT) = 0x1f80;
	fill_component(1, SSE_AT, 256);
	for (unsigned int i = 2; i < 63; i++) {
		struct leaf l = cpuid_of_policy(0xd, i);

		if (mask >> i & 1)
			fill_component(i, l.b, l.a);
	}
	*(uint64_t *)(image + XSTATE_BV_AT) = mask & ~1UL;
	__asm__ volatile("xrstor64 %0" ::"m"(image), "a"(~0u), "d"(~0u));
}

/* All ones are asked for: XCR0 alone decides. What is not written stays 0xee. */
static void look_at_image(void)
{
	memset(after, 0xee, sizeof(after));
	memset(after + XSTATE_BV_AT, 0, 64);
	__asm__ volatile("xsave64 %0" : "+m"(after) : "a"(~0u), "d"(~0u));
	check_eq(*(uint64_t *)(after + XSTATE_BV_AT) & ~1UL, mask & ~1UL);
	check(!memcmp(after + SSE_AT, image + SSE_AT, 256));
	for (unsigned int i = 2; i < 63; i++) {
		struct leaf l = cpuid_of_policy(0xd, i);

		if (mask >> i & 1)
			check(!memcmp(after + l.b, image + l.b,
				      i == BNDCSR ? 16 : l.a)); /* the rest is nothing */
	}
	if (!(mask >> YMM & 1)) /* first of all in any image: the hole */
		for (unsigned int n = 576; n < 576 + 256; n++)
			check_eq(after[n], 0xee);
	for (uint32_t n = image_size(mask); n < sizeof(after); n++)
		check_eq(after[n], 0xee);
}

CASE(state_of_every_component)
{
	if (!use_xsave())
		return;
	check_eq(xsetbv(mask), NO_TRAP);
	load_image();
	hypercall2(__HYPERVISOR_xen_version, 0, 0);
	look_at_image();
}

CASE(through_a_stream)
{
	if (is_dom0() || !option("save")) {
		skip("nobody saves this domain");
		return;
	}
	if (!use_xsave())
		return;
	check_eq(xsetbv(mask), NO_TRAP);
	load_image();
	suspend_offer_frames();
	printk("xmask: save\n");
	check_eq(suspend_plainly(), 0);
	look_at_image();
	check_eq(xgetbv(), mask);
	check_eq(cpuid_of_policy(0xd, 0).a, (uint32_t)mask);
	check_eq(cpuid_of_policy(0xd, 0).b, image_size(mask));
}
