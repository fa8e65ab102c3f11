/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Validation of whole tables and updates of single entries. See table.h for what entries hold.
 *
 * Lock: the mm lock of the tables' owner. Tables are never writable by the guest while they are tables, so that
 * an entry changes here only, but for the CPU setting accessed and dirty bits.
 */
#include <core/mm/table.h>
#include <lib.h>

u64 pte_reserved;
u64 l1tf_unsafe_end;
bool l1tf_check_dom0;

int l1e_get_special(struct domain *d, struct domain *pg, u64 e)
{
	mfn_t m = pte_mfn(e);

	/* RAM that belongs to somebody else, or to nobody a guest may name. */
	if (mfn_valid(m))
		return -EBUSY;
	(void)pg;
	return mm_io_permitted(d, m) ? 0 : -EPERM;
}

static bool l1tf_unsafe(const struct domain *d, u64 e)
{
	return unlikely(l1tf_unsafe_end) && (e & PTE_ADDR_MASK) && !(e & PTE_P) &&
	       (e & PTE_ADDR_MASK) < l1tf_unsafe_end && (!d->is_control || l1tf_check_dom0);
}

int upper_get(struct domain *d, unsigned int level, u64 e)
{
	u64 m = (e & PTE_ADDR_MASK) >> PAGE_SHIFT;
	struct frame *f;
	int rc;

	if ((e & (pte_reserved | PTE_UPPER_REFUSED)) || m >= max_mfn)
		return -EINVAL;
	f = &frame_table[m];
	if (!frame_get_inline(f, d->id))
		return -EINVAL;
	rc = frame_get_table(d, f, (enum frame_type)(FT_L1 + level - 2));
	if (rc)
		frame_put_inline(f);
	return rc;
}

int upper_put(struct domain *d, u64 e)
{
	return frame_put_table_and_ref(d, mfn_to_frame(pte_mfn(e)));
}

static int l1_validate(struct domain *d, struct frame *f, u64 *t)
{
	d->mm->budget--;
	for (unsigned int i = f->nr_valid; i < PT_ENTRIES; i++) {
		u64 e = t[i];
		int rc;

		if (!(e & PTE_P)) {
			if (likely(!l1tf_unsafe(d, e)))
				continue;
			rc = -EINVAL;
		} else {
			rc = l1e_get(d, d, e);
		}
		if (unlikely(rc)) {
			f->nr_valid = (u16)i;
			return rc;
		}
		t[i] = l1e_adjust(e);
	}
	f->nr_valid = PT_ENTRIES;
	return 0;
}

/* A table whose dismantling was preempted comes back into use: the entry below nr_valid may lead to a
 * child that is half dismantled itself. */
static int upper_revive(struct domain *d, struct frame *f, unsigned int level, u64 *t)
{
	struct frame *child;
	unsigned int i = f->nr_valid;
	int rc;

	if (!i || !(t[i - 1] & PTE_P) || (level == 4 && l4_slot_is_hv(i - 1)))
		return 0;
	child = mfn_to_frame(pte_mfn(t[i - 1]));
	if (likely(child->type_word & PGT_VALID))
		return 0;
	rc = frame_get_table(d, child, (enum frame_type)(FT_L1 + level - 2));
	return rc ? rc : frame_put_table(d, child);
}

static int upper_validate(struct domain *d, struct frame *f, unsigned int level, u64 *t)
{
	int rc = upper_revive(d, f, level, t);

	if (rc)
		return rc;
	for (unsigned int i = f->nr_valid; i < PT_ENTRIES; i++) {
		if (level == 4 && l4_slot_is_hv(i))
			continue;
		if (!(t[i] & PTE_P)) {
			if (likely(!l1tf_unsafe(d, t[i])))
				continue;
			rc = -EINVAL;
		} else {
			rc = d->mm->budget > 0 ? upper_get(d, level, t[i]) : -ERESTART;
		}
		if (rc) {
			f->nr_valid = (u16)i;
			return rc;
		}
		t[i] = upper_adjust(t[i]);
	}
	if (level == 4)
		pv_init_guest_l4_slots(t);
	d->mm->budget--;
	f->nr_valid = PT_ENTRIES;
	return 0;
}

static int segdesc_validate(u64 *t)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 desc = t[i];

		if (!pv_fix_descriptor(&desc))
			return -EINVAL;
		if (desc != t[i])
			t[i] = desc;
	}
	return 0;
}

int table_validate(struct domain *d, struct frame *f, enum frame_type t)
{
	u64 *p = map_frame(frame_to_mfn(f));
	int rc;

	if (t == FT_SEGDESC)
		rc = segdesc_validate(p);
	else if (t == FT_L1)
		rc = l1_validate(d, f, p);
	else
		rc = upper_validate(d, f, t - FT_L1 + 1U, p);
	unmap_frame(p);
	return rc;
}

static int upper_devalidate(struct domain *d, struct frame *f, unsigned int level, u64 *t)
{
	for (unsigned int i = f->nr_valid; i-- > 0;) {
		struct frame *child;
		int rc;

		if (!(t[i] & PTE_P) || (level == 4 && l4_slot_is_hv(i)))
			continue;
		f->nr_valid = (u16)(i + 1);
		if (d->mm->budget <= 0)
			return -ERESTART;
		child = mfn_to_frame(pte_mfn(t[i]));
		rc = frame_put_table(d, child);
		if (rc)
			return rc;
		frame_put_inline(child);
	}
	f->nr_valid = 0;
	d->mm->budget--;
	return 0;
}

int table_devalidate(struct domain *d, struct frame *f, enum frame_type t)
{
	u64 *p = map_frame(frame_to_mfn(f));
	int rc = 0;

	if (t == FT_L1) {
		for (unsigned int i = 0; i < f->nr_valid; i++)
			l1e_put(p[i]);
		f->nr_valid = 0;
		d->mm->budget--;
	} else {
		rc = upper_devalidate(d, f, t - FT_L1 + 1U, p);
	}
	unmap_frame(p);
	return rc;
}

int l1e_update(struct domain *d, struct domain *pg, u64 *ptr, u64 new, u64 keep, u64 *was)
{
	u64 old = READ_ONCE(*ptr);
	int rc;

	if (!(new &PTE_P)) {
		if (unlikely(l1tf_unsafe(d, new)))
			return -EINVAL;
		*was = old = entry_exchange(d, ptr, new, 0);
		l1e_put(old);
		return 0;
	}
	new = l1e_adjust(new);
	/* Same frame, same use: the references stay as they are. */
	if (!((old ^ new) & (PTE_P | PTE_RW | PTE_ADDR_MASK)) && !(new &pte_reserved)) {
		*was = entry_exchange(d, ptr, new, keep);
		return 0;
	}
	rc = l1e_get(d, pg, new);
	if (unlikely(rc))
		return rc;
	*was = old = entry_exchange(d, ptr, new, keep);
	l1e_put(old);
	return 0;
}

int upper_update(struct domain *d, unsigned int level, u64 *ptr, u64 new, u64 keep)
{
	unsigned int slot = (unsigned int)((u64)ptr & (PAGE_SIZE - 1)) / sizeof(u64);
	u64 old = READ_ONCE(*ptr);
	int rc;

	if (level == 4 && l4_slot_is_hv(slot))
		return -EINVAL;
	/* Work left by an earlier entry of the batch may take this very table apart: that first. */
	if (d->mm->nr_pending)
		return -ERESTART;
	if (!(new &PTE_P)) {
		if (l1tf_unsafe(d, new))
			return -EINVAL;
		keep = 0;
	} else {
		new = upper_adjust(new);
		if (!((old ^ new) & (PTE_P | PTE_ADDR_MASK)) && !(new &(pte_reserved | PTE_UPPER_REFUSED))) {
			entry_exchange(d, ptr, new, keep);
			return 0;
		}
		rc = upper_get(d, level, new);
		if (rc)
			return rc;
	}
	old = entry_exchange(d, ptr, new, keep);
	if (old & PTE_P)
		upper_put(d, old);
	return 0;
}
