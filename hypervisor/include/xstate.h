/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state (x87, SSE, AVX, ... AMX): formats and rules, over byte buffers.
 *
 * Nothing here executes an FPU instruction or asks the CPU anything: what the CPU reports is data
 * (struct xstate_layout), so the same code answers for this host, for a guest whose mask has holes
 * and for the host a guest will move to.
 *
 * An image (SDM vol. 1, ch. 13.4):
 *
 *   0        32         160        416    464       512    576
 *   +--------+----------+----------+------+---------+------+------------------------------+
 *   | x87    | ST0-7    | XMM0-15  | rsvd | sw avail| hdr  | component 2, 5, 6, 7, 9, ... |
 *   +--------+----------+----------+------+-------^-+------+------------------------------+
 *    FIP@8 FDP@16 MXCSR@24 MASK@28        tag @511
 *
 * Standard format: component i lies at layout->comp[i].offset, whatever else is there.
 * Compacted format (XCOMP_BV bit 63): components follow each other from 576, those with align64 on
 * a 64-byte boundary.
 */
#ifndef SERAI_XSTATE_H
#define SERAI_XSTATE_H

#include <types.h>

enum xstate_nr {
	XSTATE_NR_X87,
	XSTATE_NR_SSE,
	XSTATE_NR_YMM,
	XSTATE_NR_BNDREGS,
	XSTATE_NR_BNDCSR,
	XSTATE_NR_OPMASK,
	XSTATE_NR_ZMM_HI256,
	XSTATE_NR_HI16_ZMM,
	XSTATE_NR_PT,
	XSTATE_NR_PKRU,
	XSTATE_NR_PASID,
	XSTATE_NR_CET_U,
	XSTATE_NR_CET_S,
	XSTATE_NR_HDC,
	XSTATE_NR_UINTR,
	XSTATE_NR_LBR,
	XSTATE_NR_HWP,
	XSTATE_NR_TILECFG,
	XSTATE_NR_TILEDATA,
	XSTATE_NR_APX,
	XSTATE_NR_LWP = 62,
	XSTATE_COMPS = 63 /* bit 63 is a flag in XCOMP_BV and reserved elsewhere */
};

#define XSTATE_X87 (1ULL << XSTATE_NR_X87)
#define XSTATE_SSE (1ULL << XSTATE_NR_SSE)
#define XSTATE_YMM (1ULL << XSTATE_NR_YMM)
#define XSTATE_BNDREGS (1ULL << XSTATE_NR_BNDREGS)
#define XSTATE_BNDCSR (1ULL << XSTATE_NR_BNDCSR)
#define XSTATE_OPMASK (1ULL << XSTATE_NR_OPMASK)
#define XSTATE_ZMM_HI256 (1ULL << XSTATE_NR_ZMM_HI256)
#define XSTATE_HI16_ZMM (1ULL << XSTATE_NR_HI16_ZMM)
#define XSTATE_PKRU (1ULL << XSTATE_NR_PKRU)
#define XSTATE_CET_U (1ULL << XSTATE_NR_CET_U)
#define XSTATE_CET_S (1ULL << XSTATE_NR_CET_S)
#define XSTATE_TILECFG (1ULL << XSTATE_NR_TILECFG)
#define XSTATE_TILEDATA (1ULL << XSTATE_NR_TILEDATA)
#define XSTATE_LWP (1ULL << XSTATE_NR_LWP)

#define XSTATE_LEGACY (XSTATE_X87 | XSTATE_SSE)
#define XSTATE_AVX512 (XSTATE_OPMASK | XSTATE_ZMM_HI256 | XSTATE_HI16_ZMM)
#define XSTATE_AMX (XSTATE_TILECFG | XSTATE_TILEDATA)
#define XSTATE_COMPACTED (1ULL << 63)

#define XSTATE_LEGACY_SIZE 512U
#define XSTATE_HEADER_SIZE 64U
#define XSTATE_MIN_SIZE 576U /* legacy area and header */

#define XSTATE_FCW_INIT 0x037fU
#define XSTATE_MXCSR_INIT 0x1f80U
#define XSTATE_MXCSR_MASK_DEFAULT 0xffbfU /* of a CPU that stores zero as its mask */

/* The legacy area and header, as FXSAVE64 and XSAVE lay them out. */
struct xstate_header {
	u64 xstate_bv;
	u64 xcomp_bv;
	u64 reserved[6];
};

struct xstate_area {
	u16 fcw, fsw;
	u8 ftw, rsvd0;
	u16 fop;
	union {
		u64 fip; /* tag 8 */
		struct {
			u32 fip32;
			u16 fcs, rsvd_cs;
		}; /* tag 4 */
	};
	union {
		u64 fdp;
		struct {
			u32 fdp32;
			u16 fds, rsvd_ds;
		};
	};
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16];
	u8 xmm[16][16];
	u8 rsvd1[48];
	u8 sw[47];    /* never touched by a save or restore instruction */
	u8 word_size; /* ours: 0, 4 or 8 */
	struct xstate_header hdr;
};
_Static_assert(sizeof(struct xstate_area) == XSTATE_MIN_SIZE, "legacy area and header");
_Static_assert(offsetof(struct xstate_area, word_size) == 511, "the tag is byte 511");
_Static_assert(offsetof(struct xstate_area, mxcsr) == 24, "MXCSR");

/* One component, from CPUID.(EAX=0DH, ECX=i): EAX, EBX, ECX[0], ECX[1], ECX[2]. */
struct xstate_comp {
	u32 size;
	u32 offset; /* in the standard format; 0 for a supervisor component */
	bool supervisor, align64, xfd;
};

struct xstate_layout {
	u64 user;       /* bits of XCR0 the layout knows */
	u64 supervisor; /* bits of IA32_XSS the layout knows */
	u64 xfd;        /* components that IA32_XFD can disable */
	u32 mxcsr_mask;
	struct xstate_comp comp[XSTATE_COMPS];
};

struct xstate_leaf {
	u32 a, b, c, d;
};

/*
 * Layout from the sub-leaves of CPUID leaf 0xD: leaf[0] to leaf[n - 1]. A component of size zero, or
 * one whose place overlaps the header, is left out whatever the masks say.
 */
void xstate_layout_init(struct xstate_layout *l, const struct xstate_leaf *leaf, unsigned int n,
			u32 mxcsr_mask);

/* Bytes of an image that holds the components of mask, at least XSTATE_MIN_SIZE. */
u32 xstate_size_standard(const struct xstate_layout *l, u64 mask);
u32 xstate_size_compacted(const struct xstate_layout *l, u64 mask);
/* Where component nr lies in a compacted image of xcomp_bv; 0 when it is not there. */
u32 xstate_offset_compacted(const struct xstate_layout *l, u64 xcomp_bv, unsigned int nr);

/*
 * Compacted image -> standard image. dst gets the header, the components of want that src holds, and
 * the initial value of every other component of want: nothing of dst's former bytes survives.
 * Supervisor components have no place in the standard format and are left out (their bits too);
 * the caller moves them by name. want's user part must fit in dst_size.
 * Returns 0, -EINVAL for a src that is not a sound compacted image, -ENOSPC, -E2BIG (see want).
 */
int xstate_expand(const struct xstate_layout *l, const void *src, u32 src_size, void *dst, u32 dst_size,
		  u64 want);

/*
 * Standard image -> compacted image with XCOMP_BV = xcomp_bv | bit 63. Components of xcomp_bv not in
 * the image's XSTATE_BV (supervisor ones among them) are left in init state. MXCSR, which the
 * standard format carries outside any component, becomes part of SSE.
 */
int xstate_compact(const struct xstate_layout *l, const void *src, u32 src_size, void *dst, u32 dst_size,
		   u64 xcomp_bv);

/* The initial value of one component, in place. Component 1 leaves MXCSR to the caller. */
void xstate_init_component(const struct xstate_layout *l, unsigned int nr, void *component);
/* A whole standard image in init state. size >= XSTATE_LEGACY_SIZE; without room for it, no header. */
void xstate_init_image(const struct xstate_layout *l, void *image, u32 size, u64 mask);

/*
 * Give every component that XSTATE_BV says is in init state its initial bytes: XSAVEOPT leaves older
 * values there, which nobody but a reader of the raw image would see.
 */
void xstate_normalise(const struct xstate_layout *l, void *image, u32 size, u64 mask);

/* Why an image was refused: for messages, and so that tests can tell refusals apart. */
enum xstate_verdict {
	XSTATE_OK,
	XSTATE_TOO_SMALL,     /* shorter than the legacy area */
	XSTATE_TRUNCATED,     /* XSTATE_BV names a component beyond the end */
	XSTATE_BAD_XCR0,      /* XCR0 breaks the architectural rules */
	XSTATE_NOT_PERMITTED, /* XCR0, xcr0_accum or XSTATE_BV outside the permitted set */
	XSTATE_BV_BEYOND,     /* XSTATE_BV outside xcr0_accum */
	XSTATE_BAD_XCOMP,     /* compacted, or XCOMP_BV not zero in a standard image */
	XSTATE_BAD_HEADER,    /* reserved header bytes not zero */
	XSTATE_BAD_MXCSR,     /* reserved MXCSR bits set */
	XSTATE_BAD_TAG,       /* the word-size tag is not 0, 4 or 8 */
	XSTATE_VERDICTS
};
const char *xstate_verdict_name(enum xstate_verdict v);
/* "AVX", "PKRU", ...; never null. */
const char *xstate_component_name(unsigned int nr);

/*
 * Is this an image XRSTOR accepts and the domain may have? Legacy images end at 512 bytes and have no
 * header; images that end before a component they do not use (partial) are accepted. x87 and SSE
 * need no permission and no bit in xcr0_accum: masks for what was accepted include XSTATE_LEGACY.
 * culprit, when not null, receives the offending bits.
 */
enum xstate_verdict xstate_validate(const struct xstate_layout *l, u64 permitted, u64 xcr0, u64 xcr0_accum,
				    const void *image, u32 size, u64 *culprit);

/* Bring a validated image of any size to a full standard one: missing header, missing tail. */
void xstate_complete(const struct xstate_layout *l, u64 mask, const void *image, u32 size, void *dst,
		     u32 dst_size);

/* ---- rules.c: registers ---------------------------------------------------------------------- */

/* Architectural dependencies of XCR0 alone (SDM vol. 1, 13.3). */
bool xstate_xcr0_valid(u64 xcr0);
/* XSETBV of XCR0 by a guest with this permitted set: 0, or -EINVAL for #GP. */
int xstate_xsetbv_check(u64 permitted, u64 value);
/* The largest valid XCR0 inside mask: drops what depends on something missing. */
u64 xstate_xcr0_trim(u64 mask);
/* IA32_XFD and IA32_XFD_ERR: writable bits are those of XFD-capable components permitted. */
int xstate_xfd_check(const struct xstate_layout *l, u64 permitted, u64 value);
/* Components an instruction may not touch: disabled by XFD, in XCR0. Their state is init. */
u64 xstate_xfd_disabled(const struct xstate_layout *l, u64 xcr0, u64 xfd);

/* ---- tag.c: the width of FIP and FDP --------------------------------------------------------- */

enum xstate_fip_mode { XSTATE_FIP_AUTO = 0, XSTATE_FIP_4 = 4, XSTATE_FIP_8 = 8 };

/* The 28-byte environment of a 32-bit protected-mode FNSTENV (SDM vol. 1, 8.1.10). */
struct xstate_fenv32 {
	u32 fcw, fsw, ftw;
	u32 fip;
	u16 fcs, fop;
	u32 fdp;
	u16 fds, rsvd;
};
_Static_assert(sizeof(struct xstate_fenv32) == 28, "FNSTENV, 32-bit protected mode");

/* What a save must remember about the buffer it writes over. */
struct xstate_x87_note {
	u16 fsw;
	bool marked;
};

/* The width a restore uses: 4 or 8. Zero in older images means 8. */
unsigned int xstate_word_size(const struct xstate_area *a);
/*
 * Around a save that may leave an unmodified x87 component alone (XSAVEOPT, XSAVES). A component
 * left alone keeps its selectors and tag; one written has lost them. They look alike, so before the
 * save FSW gets a value no CPU can store (B without ES), and afterwards it tells.
 */
void xstate_before_save(struct xstate_area *a, struct xstate_x87_note *note);
/* After the save, 64-bit operand size. True: run FNSTENV and call xstate_overlay(). */
bool xstate_after_save(struct xstate_area *a, const struct xstate_x87_note *note, enum xstate_fip_mode mode,
		       bool cpu_has_selectors);
void xstate_overlay(struct xstate_area *a, const struct xstate_fenv32 *env);
/*
 * For CPUs (AMD before Zen 2) whose save and restore leave FIP, FDP and FOP alone unless an exception is
 * pending: the pointers go through FNSTENV and FLDENV, in their 32-bit form, which is all that code can
 * see of them there. Loading an environment is also what keeps one vCPU's pointers from the next.
 */
bool xstate_pointers_saved(const struct xstate_area *a); /* an exception is pending */
void xstate_overlay_pointers(struct xstate_area *a, const struct xstate_fenv32 *env);
void xstate_make_fenv(const struct xstate_area *a, struct xstate_fenv32 *env);

#endif
