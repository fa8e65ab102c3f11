/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of ranges: every change builds the new array and swaps it in. See rangeset.h. */
#include <mm.h>
#include <rangeset.h>
#include <xerrno.h>

static struct iorange_list *alloc_list(u32 nr)
{
	return hv_zalloc(sizeof(struct iorange_list) + nr * sizeof(struct iorange));
}

static void replace(struct iorange_list **l, struct iorange_list *n)
{
	struct iorange_list *old = *l;

	*l = n;
	if (old)
		hv_free(old);
}

bool iorange_contains(const struct iorange_list *l, u64 first, u64 last)
{
	u32 lo = 0, hi = l ? l->nr : 0;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (l->r[mid].last < first)
			lo = mid + 1;
		else
			hi = mid;
	}
	return l && lo < l->nr && l->r[lo].first <= first && last <= l->r[lo].last;
}

int iorange_add(struct iorange_list **l, u64 first, u64 last)
{
	u32 old_nr = *l ? (*l)->nr : 0;
	struct iorange_list *n = alloc_list(old_nr + 1);
	struct iorange add = {first, last};
	bool placed = false;

	if (!n)
		return -ENOMEM;
	for (u32 i = 0; i < old_nr; i++) {
		struct iorange r = (*l)->r[i];

		/* Overlapping or adjacent ones melt into the new one; the comparisons avoid
		 * overflow. */
		if (r.first <= add.last + (add.last != ~0ULL) && add.first <= r.last + (r.last != ~0ULL)) {
			add.first = min(add.first, r.first);
			add.last = max(add.last, r.last);
			continue;
		}
		if (!placed && r.first > add.last) {
			n->r[n->nr++] = add;
			placed = true;
		}
		n->r[n->nr++] = r;
	}
	if (!placed)
		n->r[n->nr++] = add;
	replace(l, n);
	return 0;
}

int iorange_remove(struct iorange_list **l, u64 first, u64 last)
{
	u32 old_nr = *l ? (*l)->nr : 0;
	struct iorange_list *n = alloc_list(old_nr + 1);

	if (!n)
		return -ENOMEM;
	for (u32 i = 0; i < old_nr; i++) {
		struct iorange r = (*l)->r[i];

		if (r.last < first || r.first > last) {
			n->r[n->nr++] = r;
			continue;
		}
		if (r.first < first)
			n->r[n->nr++] = (struct iorange){r.first, first - 1};
		if (r.last > last)
			n->r[n->nr++] = (struct iorange){last + 1, r.last};
	}
	replace(l, n);
	return 0;
}

void iorange_destroy(struct iorange_list **l)
{
	replace(l, NULL);
}
