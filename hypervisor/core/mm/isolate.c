/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of guest roots without the hypervisor; see isolate.h. A set belongs to one CPU, which alone touches it once it
 * runs guests: no lock. */
#include <core/mm/isolate.h>
#include <core/mm/table.h>
#include <lib.h>
#include <xerrno.h>

static unsigned int slot_of(u64 va, unsigned int level)
{
	return (unsigned int)(va >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

u64 *isolate_entry(u64 *root, u64 va)
{
	u64 *t = root;

	for (unsigned int level = 4; level > 1; level--) {
		u64 *e = &t[slot_of(va, level)];

		if (!(*e & PTE_P)) {
			t = hv_alloc_pages(0);
			if (!t)
				return NULL;
			*e = virt_to_paddr(t) | PTE_P | PTE_RW | PTE_A;
		} else {
			t = map_frame(pte_mfn(*e));
		}
	}
	return &t[slot_of(va, 1)];
}

int isolate_map(u64 *root, const struct isolate_range *r, unsigned int nr)
{
	for (; nr; nr--, r++)
		for (u64 i = 0; i < r->nr; i++) {
			u64 *e = isolate_entry(root, r->va + i * PAGE_SIZE);

			if (!e)
				return -ENOMEM;
			if (!mfn_eq(r->mfn, INVALID_MFN))
				*e = pte_make(mfn_add(r->mfn, i), r->flags);
		}
	return 0;
}

void isolate_copy(u64 *root, const u64 *guest)
{
	memcpy(root, guest, HV_L4_FIRST * sizeof(u64));
	memcpy(root + HV_L4_LAST + 1, guest + HV_L4_LAST + 1, (PT_ENTRIES - HV_L4_LAST - 1) * sizeof(u64));
}

bool isolate_stale(const u64 *root, const u64 *guest, u64 va)
{
	unsigned int i = slot_of(va, 4);

	/* The CPU sets accessed bits in the copy. */
	return !l4_slot_is_hv(i) && ((READ_ONCE(root[i]) ^ READ_ONCE(guest[i])) & ~PTE_A);
}

struct walk {
	const struct isolate_range *ranges;
	unsigned int nr, nr_bad;
	void (*bad)(u64 va, u64 entry);
	void (*seen)(u64 va, u64 entry, const char *what);
};

static void wrong(struct walk *w, u64 va, u64 e)
{
	w->nr_bad++;
	if (w->bad)
		w->bad(va, e);
}

static bool entry_fits(const struct isolate_range *r, u64 va, u64 e)
{
	u64 differ = (e ^ r->flags) & ISOLATE_FLAGS_COMPARED;

	/* What may be written may also be shown read-only. */
	if (mfn_eq(r->mfn, INVALID_MFN))
		return !differ || (differ == PTE_RW && !(e & PTE_RW));
	return !differ && mfn_eq(pte_mfn(e), mfn_add(r->mfn, (va - r->va) >> PAGE_SHIFT));
}

/* What the list calls this page; NULL: it has no business there. */
static const char *allowed(const struct walk *w, u64 va, u64 e)
{
	for (const struct isolate_range *r = w->ranges; r < w->ranges + w->nr; r++)
		if (va >= r->va && va - r->va < r->nr * PAGE_SIZE)
			return entry_fits(r, va, e) ? r->what : NULL;
	return NULL;
}

static void walk_table(struct walk *w, const u64 *t, unsigned int level, u64 base)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 e = READ_ONCE(t[i]), va = base + ((u64)i << (PAGE_SHIFT + 9 * (level - 1)));
		const char *what;

		if (!(e & PTE_P))
			continue;
		if (level > 1 && !(e & (PTE_PS | PTE_US))) {
			walk_table(w, map_frame(pte_mfn(e)), level - 1, va);
			continue;
		}
		what = level > 1 ? NULL : allowed(w, va, e);
		if (!what)
			wrong(w, va, e);
		else if (w->seen)
			w->seen(va, e, what);
	}
}

unsigned int isolate_check(const u64 *root, u64 m2p_slot, const struct isolate_range *r, unsigned int nr,
			   void (*bad)(u64 va, u64 entry), void (*seen)(u64 va, u64 entry, const char *what))
{
	struct walk w = {r, nr, 0, bad, seen};

	if ((root[HV_L4_FIRST] ^ m2p_slot) & ~(PTE_A | PTE_D))
		wrong(&w, HV_VIRT_START, root[HV_L4_FIRST]);
	for (unsigned int i = HV_L4_FIRST + 1; i <= HV_L4_LAST; i++) {
		u64 va = HV_VIRT_START + ((u64)(i - HV_L4_FIRST) << 39);

		if (!(root[i] & PTE_P))
			continue;
		if (root[i] & (PTE_PS | PTE_US))
			wrong(&w, va, root[i]);
		else
			walk_table(&w, map_frame(pte_mfn(root[i])), 3, va);
	}
	return w.nr_bad;
}
