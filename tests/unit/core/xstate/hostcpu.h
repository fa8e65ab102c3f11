/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The build host's own extended state, for tests that compare with the CPU. */
#ifndef TEST_XSTATE_HOSTCPU_H
#define TEST_XSTATE_HOSTCPU_H

#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xstate.h>

#define IMAGE_MAX 16384

struct hostcpu {
	struct xstate_layout layout;
	u64 xcr0;
	bool xsave, xsaveopt, xsavec;
};

static inline u64 host_xgetbv(u32 nr)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(nr));
	return lo | (u64)hi << 32;
}

/* AMX tile data needs a permission from Linux, once a process: ARCH_REQ_XCOMP_PERM. */
static inline void host_ask_amx(void)
{
	syscall(SYS_arch_prctl, 0x1023, 18);
}

static inline bool host_probe(struct hostcpu *h)
{
	struct xstate_leaf leaf[XSTATE_COMPS];
	u32 a, b, c, d;

	memset(h, 0, sizeof(*h));
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27))
		return false;
	host_ask_amx();
	for (unsigned int i = 0; i < XSTATE_COMPS; i++)
		__cpuid_count(0xd, i, leaf[i].a, leaf[i].b, leaf[i].c, leaf[i].d);
	h->xsave = true;
	h->xsaveopt = leaf[1].a & 1;
	h->xsavec = leaf[1].a & 2;
	h->xcr0 = host_xgetbv(0);
	xstate_layout_init(&h->layout, leaf, XSTATE_COMPS, 0xffff);
	h->xcr0 &= h->layout.user;
	return true;
}

/* A generator with a printable seed: xorshift64*. */
static inline u64 rnd(u64 *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545f4914f6cdd1dULL;
}

/*
 * A standard image with random bytes in the components of bv, such that XRSTOR accepts it: MXCSR in
 * its mask, tile configurations legal, key 0 of PKRU open (or this process loses its own memory).
 */
static inline void host_random_image(const struct hostcpu *h, void *image, u64 bv, u64 *seed)
{
	static const u8 tilecfg[8][64] = {{1}};
	struct xstate_area *a = image;
	u8 *p = image;

	memset(image, 0, IMAGE_MAX);
	for (u64 m = bv & ~XSTATE_LEGACY; m; m &= m - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(m);
		const struct xstate_comp *c = &h->layout.comp[i];

		for (u32 k = 0; k + 8 <= c->size; k += 8) {
			u64 v = rnd(seed);

			memcpy(p + c->offset + k, &v, 8);
		}
		if (i == XSTATE_NR_PKRU)
			p[c->offset] &= 0xfc;
		if (i == XSTATE_NR_TILECFG) {
			memcpy(p + c->offset, tilecfg[0], 64);
			for (unsigned int t = 0; t < 8; t++) {
				p[c->offset + 16 + 2 * t] = 64; /* bytes a row */
				p[c->offset + 48 + t] = 16;     /* rows */
			}
		}
	}
	if (bv & XSTATE_X87) {
		for (unsigned int i = 0; i < 8; i++)
			for (unsigned int k = 0; k < 10; k++)
				a->st[i][k] = (u8)rnd(seed);
		a->fcw = 0x37f & (u16)(rnd(seed) | 0x7f);
		a->ftw = (u8)rnd(seed);
		a->fsw = (u16)rnd(seed) & 0x7f00;
		a->fop = (u16)rnd(seed) & 0x7ff;
		a->fip = rnd(seed) >> 17;
		a->fdp = rnd(seed) >> 17;
	} else {
		a->fcw = XSTATE_FCW_INIT;
	}
	if (bv & XSTATE_SSE)
		for (unsigned int i = 0; i < 16; i++)
			for (unsigned int k = 0; k < 16; k++)
				a->xmm[i][k] = (u8)rnd(seed);
	a->mxcsr = (rnd(seed) & 3) ? 0x1f80 | ((u32)rnd(seed) & 0xe03f) : XSTATE_MXCSR_INIT;
	a->mxcsr_mask = h->layout.mxcsr_mask;
	a->hdr.xstate_bv = bv;
}

#endif
