/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in a guest for ever and keeps every x87, SSE and AVX register in use: rounds of holding random
 * values in all of them for a while, and of calculations whose results are known from the first round.
 * Only registers and this process's memory are touched, so a difference is a register that somebody
 * else changed or a save lost.
 *
 *   xstress SEED      a line "xstress SEED: round N right, XCR0 0x7" now and then, or "... WRONG"
 *
 * AVX is used when XCR0 has it, as programs are to decide.
 */
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPINS 3000000UL /* long enough to be descheduled in the middle, now and then */

struct registers {
	uint8_t fx[512]; /* as FXSAVE64 has them */
	uint8_t ymm[16][32];
} __attribute__((aligned(64)));

static uint64_t state;
static bool avx;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static uint64_t xcr0(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return a | (uint64_t)d << 32;
}

/* All exceptions masked, all eight x87 registers full of normal numbers, the rest random. */
static void choose(struct registers *r)
{
	static const uint16_t precision[] = {0x037f, 0x027f, 0x007f};
	uint16_t fcw = precision[rnd() % 3] | (rnd() & 3) << 10;
	uint32_t mxcsr = 0x1f80 | (rnd() & 3) << 13 | (rnd() & 0x3f);

	memset(r, 0, sizeof(*r));
	memcpy(r->fx, &fcw, 2);
	r->fx[4] = 0xff;
	memcpy(r->fx + 24, &mxcsr, 4);
	for (int i = 0; i < 8; i++) {
		uint64_t mantissa = rnd() | 1ULL << 63;
		uint16_t exponent = 1 + rnd() % 0x7ffd;

		memcpy(r->fx + 32 + 16 * i, &mantissa, 8);
		memcpy(r->fx + 40 + 16 * i, &exponent, 2);
	}
	for (int i = 0; i < 16; i++) {
		for (int k = 0; k < 4; k++) {
			uint64_t v = rnd();

			memcpy(r->ymm[i] + 8 * k, &v, 8);
		}
		memcpy(r->fx + 160 + 16 * i, r->ymm[i], 16);
		if (!avx)
			memset(r->ymm[i], 0, 32);
	}
}

#define EACH(op) \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define LOAD(n) "vmovdqu " #n "*32(%1), %%ymm" #n "\n\t"
#define STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%2)\n\t"
#define CLOBBERS                                                                                            \
	"rcx", "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", \
		"xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",   \
		"xmm12", "xmm13", "xmm14", "xmm15"

/* Into the registers, a while, and out again; the caller's modes come back. */
static void hold(const struct registers *in, struct registers *out)
{
	uint32_t mxcsr;
	uint16_t fcw;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	memset(out, 0, sizeof(*out));
	if (avx)
		__asm__ volatile(
			"fxrstor64 (%0)\n\t" EACH(LOAD) "mov %3, %%rcx\n1:\tdec %%rcx\n\tjnz 1b\n\t"
							"fxsave64 (%4)\n\t" EACH(STORE) "vzeroupper\n\tfninit"
			:
			: "r"(in->fx), "r"(in->ymm), "r"(out->ymm), "r"(SPINS), "r"(out->fx)
			: CLOBBERS);
	else
		__asm__ volatile("fxrstor64 (%0)\n\tmov %1, %%rcx\n1:\tdec %%rcx\n\tjnz 1b\n\t"
				 "fxsave64 (%2)\n\tfninit"
				 :
				 : "r"(in->fx), "r"(SPINS), "r"(out->fx)
				 : CLOBBERS);
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(fcw));
}

static bool same(const struct registers *a, const struct registers *b)
{
	/* FCW, FSW, FTW; MXCSR; ST0-7 without their padding; XMM; YMM. The pointers are the last instruction's. */
	if (memcmp(a->fx, b->fx, 6) || memcmp(a->fx + 24, b->fx + 24, 4) ||
	    memcmp(a->ymm, b->ymm, sizeof(a->ymm)))
		return false;
	for (int i = 0; i < 8; i++)
		if (memcmp(a->fx + 32 + 16 * i, b->fx + 32 + 16 * i, 10))
			return false;
	return !memcmp(a->fx + 160, b->fx + 160, 256);
}

/* Three chaotic sequences, one in each kind of registers: an error of one bit grows until it shows. */
static uint64_t calculate_scalar(uint64_t seed)
{
	long double x = 0.1L + (seed % 1000) / 2000.0L;
	double y = 0.1 + seed % 1000 / 2000.0;
	uint64_t sum = 0, w;

	for (int i = 0; i < 50000; i++) {
		x = 3.9L * x * (1 - x);
		y = 3.8 * y * (1 - y);
	}
	memcpy(&w, &x, 8);
	sum += w;
	memcpy(&w, &y, 8);
	return sum * 31 + w;
}

__attribute__((target("avx"))) static uint64_t calculate_avx(uint64_t seed)
{
	__m256 z = _mm256_set1_ps(0.1F + (float)(seed % 1000) / 2000), one = _mm256_set1_ps(1);
	const __m256 k = _mm256_set_ps(3.6F, 3.65F, 3.7F, 3.75F, 3.8F, 3.85F, 3.9F, 3.95F);
	uint64_t w[4], sum = 0;

	for (int i = 0; i < 50000; i++)
		z = _mm256_mul_ps(_mm256_mul_ps(k, z), _mm256_sub_ps(one, z));
	memcpy(w, &z, sizeof(w));
	for (int i = 0; i < 4; i++)
		sum = sum * 31 + w[i];
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, scalar, vector = 0;
	static struct registers in, out;

	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	avx = xcr0() & 4;
	setvbuf(stdout, NULL, _IOLBF, 0);
	scalar = calculate_scalar(seed);
	if (avx)
		vector = calculate_avx(seed);
	for (unsigned int round = 1;; round++) {
		const char *wrong = NULL;

		choose(&in);
		hold(&in, &out);
		if (!same(&in, &out))
			wrong = "held registers";
		else if (calculate_scalar(seed) != scalar)
			wrong = "x87 or SSE result";
		else if (avx && calculate_avx(seed) != vector)
			wrong = "AVX result";
		if (wrong) {
			printf("xstress %llu: round %u WRONG: %s\n", (unsigned long long)seed, round, wrong);
			return 1;
		}
		if (round % 8 == 0)
			printf("xstress %llu: round %u right, XCR0 %#llx\n", (unsigned long long)seed, round,
			       (unsigned long long)xcr0());
	}
}
