/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beginning the use of a grant: the shared entry is checked and marked, its frame found and
 * referenced, and both remembered in the active entry. Lock: the granter's grant_table.lock.
 */
#include <core/mm/frame.h>
#include <hypercall/grant.h>
#include <lib.h>

/* The frame an entry names, read once, after the entry has been marked. */
static inline u64 entry_frame(const struct grant_table *gt, u32 ref, struct grant_active *a)
{
	const union grant_entry_v2 *e;

	a->off = 0;
	a->len = 0;
	a->sub_page = false;
	if (gt->version == 1)
		return READ_ONCE(grant_v1(gt, ref)->frame);
	e = grant_v2(gt, ref);
	if (!(READ_ONCE(e->hdr.flags) & GTF_sub_page))
		return READ_ONCE(e->full_page.frame);
	a->off = READ_ONCE(e->sub_page.page_off);
	a->len = READ_ONCE(e->sub_page.length);
	a->sub_page = true;
	return READ_ONCE(e->sub_page.frame);
}

static inline int pin_entry(const struct grant_table *gt, u32 ref, domid_t who, bool readonly, bool whole)
{
	union grant_entry_v2 *e;

	if (gt->version == 1)
		return grant_pin_v1((u32 *)&grant_v1(gt, ref)->flags, who, readonly, whole);
	e = grant_v2(gt, ref);
	return grant_pin_v2((u32 *)&e->hdr.flags, grant_status(gt, ref), who, readonly, whole);
}

static inline int use_frame(struct domain *rd, struct grant_active *a, bool readonly)
{
	struct frame *f = mfn_to_frame(MFN(a->mfn));

	if (a->mfn >= max_mfn || !frame_get_inline(f, rd->id))
		return GNTST_bad_page;
	if (!readonly && frame_get_type_inline(f, FT_WRITABLE)) {
		frame_put_inline(f);
		return GNTST_general_error;
	}
	return GNTST_okay;
}

int grant_begin_use(struct domain *rd, u32 ref, domid_t who, bool readonly, bool whole,
		    struct grant_active **out)
{
	struct grant_table *gt = rd->grant;
	u32 nr = grant_nr_entries(gt);
	struct grant_active *a;
	int ret;

	if (unlikely(ref >= nr))
		return GNTST_bad_gntref;
	ref &= (u32)grant_index_mask(ref, nr);
	a = grant_active(gt, ref);
	if (grant_active_used(a) && (a->domid != who || (whole && a->sub_page)))
		return GNTST_general_error;
	if (!grant_active_used(a) || (!readonly && !a->writers)) {
		ret = pin_entry(gt, ref, who, readonly, whole);
		if (ret)
			return ret;
		if (!grant_active_used(a)) {
			a->mfn = entry_frame(gt, ref, a);
			a->domid = who;
			/* The part, and whether it is a part at all, may have changed after the
			 * check. */
			if (a->sub_page && (whole || a->off + a->len > PAGE_SIZE)) {
				ret = GNTST_general_error;
				goto undo;
			}
		}
	}
	ret = use_frame(rd, a, readonly);
	if (ret)
		goto undo;
	if (readonly)
		a->readers++;
	else
		a->writers++;
	*out = a;
	return GNTST_okay;
undo:
	grant_unpin(grant_use_flags(gt, ref), a->readers, a->writers);
	return ret;
}

struct domain *grant_peer_look_up(struct grant_peer *p, domid_t id)
{
	struct domain *self = current->domain;

	grant_peer_drop(p);
	p->asked = id;
	/* The caller itself does not go away under its own hypercall. */
	if (id == DOMID_SELF || id == self->id) {
		p->d = self;
		return self;
	}
	p->d = domain_get_by_id(id);
	p->counted = p->d;
	if (p->d && !p->d->grant)
		grant_peer_drop(p);
	return p->d;
}
