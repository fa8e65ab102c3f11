/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The word-size tag: FIP and FDP of an x87 image are either 64-bit offsets (tag 8) or 32-bit offsets
 * with the CS and DS selectors (tag 4). No save instruction stores both.
 *
 *   FXSAVE64/XSAVE64 -> upper halves of FIP, FDP both zero? -- no --> tag 8
 *                                 | yes
 *                                 v
 *            FNSTENV supplies FCS, FDS  -> written over the upper halves, tag 4
 *
 * The mode the vCPU was in at the save says nothing: a 64-bit kernel may hold the state of a 32-bit
 * program. Only the pointers themselves are looked at.
 */
#include <xstate.h>

#define FSW_ES 0x0080U
#define FSW_B 0x8000U
/* B mirrors ES in every x87, so B without ES is never stored by a save. */
#define FSW_MARK FSW_B

unsigned int xstate_word_size(const struct xstate_area *a)
{
	return a->word_size == 4 ? 4 : 8;
}

void xstate_before_save(struct xstate_area *a, struct xstate_x87_note *note)
{
	note->marked = a->word_size == 4;
	note->fsw = a->fsw;
	if (note->marked)
		a->fsw = FSW_MARK;
}

bool xstate_after_save(struct xstate_area *a, const struct xstate_x87_note *note, enum xstate_fip_mode mode,
		       bool cpu_has_selectors)
{
	if (note->marked && a->fsw == FSW_MARK) {
		/* Not written: still the selectors and the tag of the last save. */
		a->fsw = note->fsw;
		if (a->hdr.xstate_bv & XSTATE_X87)
			return false;
	}

	if (!(a->hdr.xstate_bv & XSTATE_X87)) {
		/* Init state has no pointers. Bytes left from an earlier save must not be read. */
		a->fip = a->fdp = 0;
		a->fop = 0;
		a->word_size = 0;
		return false;
	}
	a->word_size = 8;
	if (mode == XSTATE_FIP_8)
		return false;
	if (mode == XSTATE_FIP_4) {
		a->rsvd_cs = a->rsvd_ds = 0;
		a->fcs = a->fds = 0;
		a->word_size = 4;
		return cpu_has_selectors;
	}
	return cpu_has_selectors && !(a->fip >> 32) && !(a->fdp >> 32);
}

void xstate_overlay(struct xstate_area *a, const struct xstate_fenv32 *env)
{
	a->fcs = env->fcs;
	a->fds = env->fds;
	a->rsvd_cs = a->rsvd_ds = 0;
	a->word_size = 4;
}

bool xstate_pointers_saved(const struct xstate_area *a)
{
	return a->fsw & FSW_ES;
}

void xstate_overlay_pointers(struct xstate_area *a, const struct xstate_fenv32 *env)
{
	a->fip32 = env->fip;
	a->fdp32 = env->fdp;
	a->fop = env->fop & 0x7ff;
	xstate_overlay(a, env);
}

void xstate_make_fenv(const struct xstate_area *a, struct xstate_fenv32 *env)
{
	bool used = a->hdr.xstate_bv & XSTATE_X87;

	*env = (struct xstate_fenv32){.fcw = XSTATE_FCW_INIT, .ftw = 0xffff};
	if (!used)
		return;
	env->fcw = a->fcw;
	env->fsw = a->fsw;
	/* Two bits a register in place of one: 3 is empty, and the CPU finds the rest itself. */
	for (unsigned int i = 0; i < 8; i++)
		if (a->ftw >> i & 1)
			env->ftw &= ~(3U << 2 * i);
	if (xstate_word_size(a) == 4) {
		env->fip = a->fip32;
		env->fcs = a->fcs;
		env->fdp = a->fdp32;
		env->fds = a->fds;
		env->fop = a->fop;
	}
}
