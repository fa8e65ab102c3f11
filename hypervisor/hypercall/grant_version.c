/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_set_version and swap_grant_ref: what rewrites shared entries wholesale.
 * Lock: grant_table.lock. Page: docs/abi/grants.md.
 */
#include <hypercall/grant.h>
#include <lib.h>
#include <uaccess.h>

/* A reserved entry, which survives the change of layout even in use (console and xenstore rings).
 */
struct kept_entry {
	u16 flags;
	domid_t domid;
	u64 frame;
};

static int keep_from_v1(const struct grant_table *gt, struct kept_entry *k)
{
	for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
		const struct grant_entry_v1 *e = grant_v1(gt, i);

		k[i] = (struct kept_entry){READ_ONCE(e->flags), READ_ONCE(e->domid), READ_ONCE(e->frame)};
		/* Half-done transfers have no place in the other layout. */
		if ((k[i].flags & GTF_type_mask) == GTF_accept_transfer)
			k[i].flags = GTF_invalid;
	}
	return 0;
}

static int keep_from_v2(const struct grant_table *gt, struct kept_entry *k)
{
	for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
		const union grant_entry_v2 *e = grant_v2(gt, i);

		k[i] = (struct kept_entry){READ_ONCE(e->hdr.flags), READ_ONCE(e->hdr.domid),
					   READ_ONCE(e->full_page.frame)};
		switch (k[i].flags & GTF_type_mask) {
		case GTF_permit_access:
			if (k[i].flags & GTF_sub_page || k[i].frame >> 32)
				return -ERANGE;
			k[i].flags |= *grant_status(gt, i) & (GTF_reading | GTF_writing);
			break;
		case GTF_transitive:
			return -ERANGE;
		default:
			k[i].flags = GTF_invalid;
			break;
		}
	}
	return 0;
}

static void put_back(const struct grant_table *gt, const struct kept_entry *k)
{
	for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
		u16 use = k[i].flags & (GTF_reading | GTF_writing);

		if (gt->version == 1) {
			struct grant_entry_v1 *e = grant_v1(gt, i);

			e->domid = k[i].domid;
			e->frame = (u32)k[i].frame;
			__atomic_store_n(&e->flags, k[i].flags, __ATOMIC_RELEASE);
		} else {
			union grant_entry_v2 *e = grant_v2(gt, i);

			*grant_status(gt, i) = use;
			e->hdr.domid = k[i].domid;
			e->full_page.frame = k[i].frame;
			__atomic_store_n(&e->hdr.flags, k[i].flags & (u16)~use, __ATOMIC_RELEASE);
		}
	}
}

static int change_version(struct domain *d, u32 version)
{
	struct grant_table *gt = d->grant;
	struct kept_entry kept[GNTTAB_NR_RESERVED_ENTRIES];
	int ret;

	for (u32 ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_nr_entries(gt); ref++)
		if (grant_active_used(grant_active(gt, ref)))
			return -EBUSY;
	if (version == 2)
		ret = grant_grow_status(d, gt->nr_frames);
	else
		ret = keep_from_v2(gt, kept);
	if (ret)
		return ret;
	if (version == 2)
		keep_from_v1(gt, kept);
	for (u32 i = 0; i < gt->nr_frames; i++)
		memset(gt->shared[i], 0, PAGE_SIZE);
	gt->version = version;
	put_back(gt, kept);
	if (version == 1)
		grant_shrink_status(d);
	return 0;
}

long grant_set_version(struct gnttab_set_version *op)
{
	struct domain *d = current->domain;
	struct grant_table *gt = d->grant;
	long ret = 0;

	spin_lock(&gt->lock);
	if (op->version != 1 && op->version != 2)
		ret = -EINVAL;
	else if (op->version > d->max_grant_version)
		ret = -ENOSYS;
	else if (gt->version != op->version)
		ret = change_version(d, op->version);
	op->version = gt->version;
	spin_unlock(&gt->lock);
	return ret;
}

static int swap_entries(struct grant_table *gt, u32 a, u32 b)
{
	u32 nr = grant_nr_entries(gt);

	if (a >= nr || b >= nr)
		return GNTST_bad_gntref;
	a &= (u32)grant_index_mask(a, nr);
	b &= (u32)grant_index_mask(b, nr);
	if (a == b)
		return GNTST_okay;
	if (grant_active_used(grant_active(gt, a)) || grant_active_used(grant_active(gt, b)))
		return GNTST_eagain;
	if (gt->version == 1) {
		struct grant_entry_v1 *x = grant_v1(gt, a), *y = grant_v1(gt, b), t = *x;

		*x = *y;
		*y = t;
	} else {
		union grant_entry_v2 *x = grant_v2(gt, a), *y = grant_v2(gt, b), t = *x;
		grant_status_t *sx = grant_status(gt, a), *sy = grant_status(gt, b), st = *sx;

		*x = *y;
		*y = t;
		*sx = *sy;
		*sy = st;
	}
	return GNTST_okay;
}

long grant_op_swap(u64 uarg, unsigned int count)
{
	struct grant_table *gt = current->domain->grant;
	struct gnttab_swap_grant_ref op;

	for (unsigned int done = 0; done < count; uarg += sizeof(op)) {
		if (copy_from_guest_va(&op, uarg, sizeof(op)))
			return -EFAULT;
		spin_lock(&gt->lock);
		op.status = (s16)swap_entries(gt, op.ref_a, op.ref_b);
		spin_unlock(&gt->lock);
		if (copy_to_guest_va(uarg, &op, sizeof(op)))
			return -EFAULT;
		done++;
		if (grant_batch_pause(done, count))
			return done;
	}
	return count;
}
