/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The type word of a frame: what a frame is used for now, and by how many.
 *
 *   63  60 59   58    57     56    55   54       53         48 47                    0
 *   | type |BUSY|PART|VALID|PINNED|SELF|FOREIGN|     zero     |         count         |
 *
 * States, for one type (count in brackets; "table" types are L1..L4, SEGDESC also passes validation):
 *
 *                VALIDATE                 done                       get: count + 1
 *    idle [0] --------------> BUSY [1] ----------> VALID [n >= 1] <------------------+
 *       ^                        |  ^                 |     |                        |
 *       |                 restart|  | get: RESUME     |     +------------------------+
 *       |                        v  |                 | put of the last: DEVALIDATE
 *       |                       PARTIAL <-------------+ (BUSY while it runs; PARTIAL when preempted)
 *       +---- devalidated -------+
 *
 * Invariants (tests/model/pgt.c enumerates every state and request):
 *   1. The type changes only while count is 0.
 *   2. A count above 0 means exactly one of BUSY, PARTIAL, VALID.
 *   3. A user holds a count only while the word is VALID, or keeps it across a PARTIAL devalidation.
 *   4. SELF means PARTIAL or BUSY: the count of 1 belongs to nobody but the half-built table itself.
 *   5. A change of type is preceded by a TLB flush (action FLUSH, done while BUSY).
 *
 * Table types are got and put only under the owning domain's mm lock; every other type by compare and
 * exchange alone. This file is pure: words in, words and actions out.
 */
#ifndef SERAI_CORE_MM_PGT_H
#define SERAI_CORE_MM_PGT_H

#include <mm.h>
#include <types.h>

#define PGT_TYPE_SHIFT 60
#define PGT_TYPE_MASK (0xfUL << PGT_TYPE_SHIFT)
#define PGT_TYPE(t) ((u64)(t) << PGT_TYPE_SHIFT)
#define PGT_BUSY BIT(59)
#define PGT_PARTIAL BIT(58)
#define PGT_VALID BIT(57)
#define PGT_PINNED BIT(56)
#define PGT_SELF BIT(55)
#define PGT_FOREIGN BIT(54) /* was mapped writable outside its owner since the last flush */
#define PGT_COUNT_MASK (BIT(48) - 1)
#define PGT_COUNT_MAX (PGT_COUNT_MASK - 1)
#define PGT_COUNT_HIGH BIT(47) /* too high for the quick way */

/* What the caller of a transition has to do after installing the new word. */
enum pgt_action {
	PGT_NONE,     /* nothing */
	PGT_REJECT,   /* the word is unchanged: used as something else, or count exhausted */
	PGT_WAIT,     /* another CPU is in the middle of a transition: look again */
	PGT_FLUSH,    /* flush TLBs, then pgt_flushed() */
	PGT_VALIDATE, /* check from entry 0, then pgt_validated() */
	PGT_FLUSH_VALIDATE,
	PGT_RESUME,     /* check from nr_valid on, then pgt_validated() */
	PGT_DEVALIDATE, /* drop entries from nr_valid down, then pgt_devalidated() */
	PGT_IDLE,       /* the last user has gone (the word's type stays as a memory for flushing) */
};

struct pgt_step {
	u64 word;
	enum pgt_action action;
};

/* How a validation or devalidation ended. */
enum pgt_result {
	PGT_DONE,
	PGT_PREEMPTED,
	PGT_FAILED, /* an entry the guest may not have; entries before it are still held */
};

static inline enum frame_type pgt_type(u64 w)
{
	return (enum frame_type)(w >> PGT_TYPE_SHIFT);
}
static inline u64 pgt_count(u64 w)
{
	return w & PGT_COUNT_MASK;
}
static inline bool pgt_is_table(enum frame_type t)
{
	return t >= FT_L1 && t <= FT_L4;
}
static inline bool pgt_needs_validation(enum frame_type t)
{
	return t >= FT_L1 && t <= FT_SEGDESC;
}

struct pgt_step pgt_get(u64 old, enum frame_type want);
struct pgt_step pgt_put(u64 old);
/* The flush of a PGT_FLUSH is done: the frame is usable. */
u64 pgt_flushed(u64 old);
/* After VALIDATE or RESUME. *self: +1 the table now holds a reference to itself (the caller's own goes
 * over to it), -1 it stopped doing so, 0 no change. After PGT_FAILED the word is PARTIAL with SELF, or
 * PARTIAL as it was before; the caller devalidates a SELF table. */
u64 pgt_validated(u64 old, enum pgt_result r, int *self);
/* After DEVALIDATE: done (idle) or preempted (the caller keeps its count). *self as above. */
u64 pgt_devalidated(u64 old, enum pgt_result r, int *self);
/* Starts devalidation of a PARTIAL table that holds itself. */
struct pgt_step pgt_put_self(u64 old);
/* A holder of a count gives it up by leaving it to the frame: a later pgt_put_self() finishes. */
u64 pgt_abandon(u64 old);
/* Pin: the caller's count becomes the pin's. False: already pinned. */
bool pgt_pin(u64 old, u64 *word);
/* Is this word one the rules can produce? For the invariant checker and the model. */
bool pgt_word_ok(u64 w);

/* The common cases of pgt_get() in a few instructions: one more user of an established use, or the first of a plain
 * one (no contents to check) that the frame was last used for. */
static inline bool pgt_get_fast(u64 old, enum frame_type want, u64 *word)
{
	u64 fixed = PGT_TYPE_MASK | PGT_BUSY | PGT_PARTIAL, is = PGT_TYPE(want);

	if (pgt_needs_validation(want)) {
		fixed |= PGT_VALID;
		is |= PGT_VALID;
	}
	*word = (old | PGT_VALID) + 1;
	return (old & fixed) == is && !(old & PGT_COUNT_HIGH);
}
/* The common case of pgt_put() of a frame that is no table. *idle: it was the last use. */
static inline bool pgt_put_plain(u64 old, u64 *word, bool *idle)
{
	*idle = pgt_count(old) == 1;
	*word = (*idle ? old & ~PGT_VALID : old) - 1;
	return !(old & PGT_BUSY);
}

#endif
