/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References of frames: the compare-and-exchange loops around the rules of pgt.c, and what happens when
 * the last reference goes.
 *
 * Locks: none for general references and for the types WRITABLE, SEGDESC and SHARED. Page-table types are
 * changed with the owner's mm lock held, so that whoever holds it sees them stand still.
 */
#include <core/mm/shadow.h>
#include <lib.h>
#include <smp.h>
#include <xerrno.h>

struct domain *mm_owners[0x8000];

struct domain *frame_owner(const struct frame *f)
{
	u16 id = READ_ONCE(f->owner);

	return id < ARRAY_SIZE(mm_owners) ? mm_owners[id] : NULL;
}

bool frame_get(struct frame *f, const struct domain *owner)
{
	return frame_get_inline(f, owner->id);
}

void frame_put(struct frame *f)
{
	frame_put_inline(f);
}

struct frame *frame_get_from_mfn(mfn_t m, const struct domain *d)
{
	struct frame *f;

	if (m.n >= max_mfn)
		return NULL;
	f = mfn_to_frame(m);
	return frame_get_inline(f, d->id) ? f : NULL;
}

void frame_last_put(struct frame *f)
{
	u64 refs = frame_refs(f);
	struct domain *d;

	ASSERT(!pgt_count(f->type_word));
	if (refs & FREF_HV) {
		ASSERT(refs & FREF_RELEASED);
		if (pgt_type(f->type_word) != FT_NONE) /* guests had it mapped */
			f->tlb_stamp = mm_tlb_clock();
		f->owner = FRAME_NO_OWNER;
		buddy_free(f, 0);
		return;
	}
	d = frame_owner(f);
	f->tlb_stamp = mm_tlb_clock();
	if (d)
		frame_list_del(d, f);
	m2p_table[frame_to_mfn(f).n] = INVALID_M2P_ENTRY;
	f->owner = FRAME_NO_OWNER;
	buddy_free(f, 0);
}

/* Becoming a table or ceasing to be one changes what a frame's contents mean: it counts as written. */
static void note_change(struct domain *d, const struct frame *f)
{
	if (unlikely(d->mm->log_dirty))
		shadow_mark_dirty(d, frame_to_mfn(f));
}

/* Replaces the word, whatever else happens to it: for owners of a transition (BUSY). */
static void type_word_set(struct frame *f, u64 w)
{
	__atomic_store_n(&f->type_word, w, __ATOMIC_SEQ_CST);
}

/* Completes FLUSH and VALIDATE of descriptor frames and plain types. */
static int type_begin(struct frame *f, enum frame_type t, enum pgt_action a)
{
	int rc, self;

	if (a == PGT_FLUSH || a == PGT_FLUSH_VALIDATE)
		mm_flush_frame(f);
	if (a == PGT_FLUSH) {
		type_word_set(f, pgt_flushed(f->type_word));
		return 0;
	}
	if (a == PGT_FLUSH_VALIDATE)
		type_word_set(f, f->type_word & ~PGT_FOREIGN);
	rc = table_validate(frame_owner(f), f, t);
	type_word_set(f, pgt_validated(f->type_word, rc ? PGT_FAILED : PGT_DONE, &self));
	if (frame_owner(f))
		mm_mark_dirty(frame_owner(f), frame_to_mfn(f));
	return rc;
}

int frame_get_type(struct frame *f, enum frame_type t)
{
	u64 old = READ_ONCE(f->type_word);
	struct pgt_step s;

	for (;;) {
		s = pgt_get(old, t);
		if (s.action == PGT_REJECT)
			return -EINVAL;
		if (s.action == PGT_WAIT) {
			cpu_relax_poll();
			old = READ_ONCE(f->type_word);
			continue;
		}
		if (frame_cas(&f->type_word, &old, s.word))
			break;
	}
	return s.action == PGT_NONE ? 0 : type_begin(f, t, s.action);
}

void frame_put_type(struct frame *f)
{
	u64 old = READ_ONCE(f->type_word);
	struct pgt_step s;

	for (;;) {
		s = pgt_put(old);
		if (s.action == PGT_WAIT) {
			cpu_relax_poll();
			old = READ_ONCE(f->type_word);
			continue;
		}
		/* Tables go through frame_put_table(); nothing else is ever devalidated. */
		ASSERT(s.action == PGT_NONE || s.action == PGT_IDLE);
		/* The stamp must be there before anyone can see the frame idle. */
		if (s.action == PGT_IDLE)
			f->tlb_stamp = mm_tlb_clock();
		if (frame_cas(&f->type_word, &old, s.word))
			return;
	}
}

bool frame_get_and_type(struct frame *f, const struct domain *owner, enum frame_type t)
{
	if (!frame_get_inline(f, owner->id))
		return false;
	if (!frame_get_type_inline(f, t))
		return true;
	frame_put_inline(f);
	return false;
}

void frame_put_and_type(struct frame *f)
{
	frame_put_type_inline(f);
	frame_put_inline(f);
}

/* ---- page tables ---- */

static void pending_add(struct domain *d, struct frame *f)
{
	BUG_ON(d->mm->nr_pending >= ARRAY_SIZE(d->mm->pending));
	d->mm->pending[d->mm->nr_pending++] = (u32)frame_to_mfn(f).n;
}

static int table_check(struct domain *d, struct frame *f, enum frame_type t)
{
	int self, rc = table_validate(d, f, t);
	enum pgt_result r = !rc ? PGT_DONE : rc == -ERESTART ? PGT_PREEMPTED : PGT_FAILED;
	u64 w = pgt_validated(f->type_word, r, &self);

	/* A table that now holds itself needs a general reference of its own. */
	if (self > 0)
		__atomic_fetch_add(&f->refs, 1, __ATOMIC_SEQ_CST);
	type_word_set(f, w);
	note_change(d, f);
	if (self < 0)
		frame_put_inline(f);
	if (r == PGT_FAILED && (w & PGT_SELF))
		pending_add(d, f);
	return rc;
}

int frame_get_table(struct domain *d, struct frame *f, enum frame_type t)
{
	u64 old = READ_ONCE(f->type_word);
	struct pgt_step s;

	for (;;) {
		s = pgt_get(old, t);
		/* Under the mm lock BUSY is ours, further up the stack: a loop of tables. */
		if (s.action == PGT_REJECT || s.action == PGT_WAIT)
			return -EINVAL;
		if (frame_cas(&f->type_word, &old, s.word))
			break;
	}
	if (s.action == PGT_NONE)
		return 0;
	if (s.action == PGT_FLUSH_VALIDATE) {
		mm_flush_frame(f);
		type_word_set(f, f->type_word & ~PGT_FOREIGN);
	}
	if (s.action != PGT_RESUME)
		f->nr_valid = 0;
	return table_check(d, f, t);
}

static int table_drop(struct domain *d, struct frame *f)
{
	int self, rc;
	u64 w;

	if (unlikely(d->mm->log_dirty))
		shadow_table_gone(d, f);
	rc = table_devalidate(d, f, pgt_type(f->type_word));
	w = pgt_devalidated(f->type_word, rc ? PGT_PREEMPTED : PGT_DONE, &self);
	note_change(d, f);

	f->tlb_stamp = mm_tlb_clock();
	type_word_set(f, w);
	if (self < 0)
		frame_put_inline(f);
	return rc;
}

int frame_put_table(struct domain *d, struct frame *f)
{
	u64 old = READ_ONCE(f->type_word);
	struct pgt_step s;

	do
		s = pgt_put(old);
	while (!frame_cas(&f->type_word, &old, s.word));
	ASSERT(s.action == PGT_NONE || s.action == PGT_DEVALIDATE);
	return s.action == PGT_NONE ? 0 : table_drop(d, f);
}

int frame_put_table_and_ref(struct domain *d, struct frame *f)
{
	int rc = frame_put_table(d, f);

	if (!rc) {
		frame_put_inline(f);
		return 0;
	}
	type_word_set(f, pgt_abandon(f->type_word));
	pending_add(d, f);
	return rc;
}

int frame_drop_self(struct domain *d, struct frame *f)
{
	struct pgt_step s = pgt_put_self(f->type_word);

	if (s.action == PGT_REJECT)
		return 0; /* completed or dropped in the meantime */
	type_word_set(f, s.word);
	return table_drop(d, f);
}

int frame_unpin(struct domain *d, struct frame *f)
{
	u64 w = READ_ONCE(f->type_word);

	if (!(w & PGT_PINNED))
		return -EINVAL;
	note_change(d, f);
	if (pgt_count(w) > 1) {
		type_word_set(f, (w & ~PGT_PINNED) - 1);
	} else {
		/* The pin stays until its table is taken apart, so that a restart finds it. */
		int rc = frame_put_table(d, f);

		if (rc)
			return rc;
	}
	frame_put_inline(f);
	return 0;
}

int mm_pending_work(struct domain *d)
{
	struct domain_mm *mm = d->mm;

	while (unlikely(mm->nr_pending)) {
		struct frame *f = &frame_table[mm->pending[mm->nr_pending - 1]];
		int rc;

		if (mm->budget <= 0)
			return -ERESTART;
		rc = frame_drop_self(d, f);
		if (rc)
			return rc;
		mm->nr_pending--;
	}
	return 0;
}
