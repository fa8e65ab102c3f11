/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-type state machine. The isolation of PV guests is this file: a frame is never writable and a
 * page table at once. See pgt.h for states and invariants.
 */
#include <core/mm/pgt.h>
#include <lib.h>

/* The use of a frame nobody uses begins. */
static struct pgt_step pgt_begin(u64 old, enum frame_type want)
{
	bool changes = pgt_type(old) != want && pgt_type(old) != FT_NONE;
	u64 w = PGT_TYPE(want) | (old & PGT_FOREIGN) | 1;

	if (pgt_needs_validation(want))
		return (struct pgt_step){w | PGT_BUSY, changes ? PGT_FLUSH_VALIDATE : PGT_VALIDATE};
	if (changes)
		return (struct pgt_step){w | PGT_BUSY, PGT_FLUSH};
	return (struct pgt_step){w | PGT_VALID, PGT_NONE};
}

struct pgt_step pgt_get(u64 old, enum frame_type want)
{
	if (pgt_count(old) == 0)
		return pgt_begin(old, want);
	if (pgt_type(old) != want || pgt_count(old) >= PGT_COUNT_MAX)
		return (struct pgt_step){old, PGT_REJECT};
	if (old & PGT_BUSY)
		return (struct pgt_step){old, PGT_WAIT};
	if (old & PGT_VALID)
		return (struct pgt_step){old + 1, PGT_NONE};

	/* PARTIAL. The count of a table that holds itself passes to whoever completes it. */
	return (struct pgt_step){((old & ~PGT_PARTIAL) | PGT_BUSY) + (old & PGT_SELF ? 0 : 1), PGT_RESUME};
}

u64 pgt_flushed(u64 old)
{
	return (old & ~(PGT_BUSY | PGT_FOREIGN)) | PGT_VALID;
}

u64 pgt_validated(u64 old, enum pgt_result r, int *self)
{
	u64 w = old & ~PGT_BUSY;

	*self = 0;
	if (r == PGT_DONE) {
		if (w & PGT_SELF)
			*self = -1;
		return (w & ~PGT_SELF) | PGT_VALID;
	}
	if (!pgt_is_table(pgt_type(w))) /* descriptors hold nothing: as if never asked */
		return w & (PGT_TYPE_MASK | PGT_FOREIGN);
	w |= PGT_PARTIAL;
	if (w & PGT_SELF)
		return w;
	if (pgt_count(w) > 1)
		return w - 1; /* others wait to devalidate it; the caller gets nothing */
	*self = 1;
	return w | PGT_SELF;
}

struct pgt_step pgt_put(u64 old)
{
	if (old & PGT_BUSY)
		return (struct pgt_step){old, PGT_WAIT};
	if (pgt_count(old) > 1)
		return (struct pgt_step){old - 1, PGT_NONE};
	if (pgt_is_table(pgt_type(old)))
		return (struct pgt_step){(old & ~(PGT_VALID | PGT_PARTIAL)) | PGT_BUSY, PGT_DEVALIDATE};
	return (struct pgt_step){(old & ~PGT_VALID) - 1, PGT_IDLE};
}

struct pgt_step pgt_put_self(u64 old)
{
	if (!(old & PGT_SELF) || (old & PGT_BUSY))
		return (struct pgt_step){old, PGT_REJECT};
	return (struct pgt_step){(old & ~PGT_PARTIAL) | PGT_BUSY, PGT_DEVALIDATE};
}

u64 pgt_devalidated(u64 old, enum pgt_result r, int *self)
{
	*self = 0;
	if (r != PGT_DONE)
		return (old & ~PGT_BUSY) | PGT_PARTIAL;
	if (old & PGT_SELF)
		*self = -1;
	return (old & (PGT_TYPE_MASK | PGT_FOREIGN));
}

u64 pgt_abandon(u64 old)
{
	ASSERT((old & PGT_PARTIAL) && !(old & (PGT_SELF | PGT_PINNED)) && pgt_count(old) == 1);
	return old | PGT_SELF;
}

bool pgt_pin(u64 old, u64 *word)
{
	*word = old | PGT_PINNED;
	return !(old & PGT_PINNED);
}

bool pgt_word_ok(u64 w)
{
	u64 state = w & (PGT_BUSY | PGT_PARTIAL | PGT_VALID);
	enum frame_type t = pgt_type(w);

	if (t > FT_SHARED || (w & (0x3fUL << 48)))
		return false;
	if (pgt_count(w) == 0)
		return !state && !(w & (PGT_PINNED | PGT_SELF));
	if (t == FT_NONE || (state & (state - 1)) || !state)
		return false;
	if ((w & (PGT_PARTIAL | PGT_PINNED | PGT_SELF)) && !pgt_is_table(t))
		return false;
	if (w & PGT_SELF)
		return !(w & PGT_PINNED) && !(w & PGT_VALID) && pgt_count(w) == 1;
	return true;
}
