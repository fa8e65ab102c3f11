/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's grant table: made, grown, shown to tools, destroyed. Lock: grant_table.lock.
 * A domain starts with one shared frame, so that the toolstack can fill the reserved entries.
 */
#include <hypercall/grant.h>
#include <lib.h>

static u32 active_pages(u32 frames)
{
	/* As many entries as the narrower layout has. */
	return (u32)DIV_ROUND_UP(frames * GRANT_V1_PER_PAGE, GRANT_ACTIVE_PER_PAGE);
}

static u32 status_pages(u32 frames)
{
	return (u32)DIV_ROUND_UP(frames * GRANT_V2_PER_PAGE, GRANT_STATUS_PER_PAGE);
}

int grant_grow_status(struct domain *d, u32 nr_frames)
{
	struct grant_table *gt = d->grant;

	for (; gt->nr_status < status_pages(nr_frames); gt->nr_status++) {
		grant_status_t *page = hv_alloc_pages(0);

		if (!page)
			return -ENOMEM;
		frame_share_with_guest(page, d, true);
		gt->status[gt->nr_status] = page;
	}
	return 0;
}

void grant_shrink_status(struct domain *d)
{
	struct grant_table *gt = d->grant;

	while (gt->nr_status) {
		void *page = gt->status[--gt->nr_status];

		gt->status[gt->nr_status] = NULL;
		hv_free_pages(page, 0); /* when the last mapping of it goes */
	}
}

static int add_frame(struct domain *d)
{
	struct grant_table *gt = d->grant;
	void *page;

	for (u32 i = active_pages(gt->nr_frames); i < active_pages(gt->nr_frames + 1); i++) {
		if (!gt->active[i])
			gt->active[i] = hv_alloc_pages(0);
		if (!gt->active[i])
			return -ENOMEM;
	}
	if (gt->version == 2 && grant_grow_status(d, gt->nr_frames + 1))
		return -ENOMEM;
	page = hv_alloc_pages(0);
	if (!page)
		return -ENOMEM;
	frame_share_with_guest(page, d, true);
	gt->shared[gt->nr_frames] = page;
	__atomic_store_n(&gt->nr_frames, gt->nr_frames + 1, __ATOMIC_RELEASE);
	return 0;
}

int grant_grow(struct domain *d, u32 nr)
{
	struct grant_table *gt = d->grant;
	int ret = 0;

	if (nr > gt->max_frames)
		return -EINVAL;
	while (gt->nr_frames < nr && !ret)
		ret = add_frame(d);
	return ret;
}

static void free_array(void *array)
{
	if (array)
		hv_free(array);
}

void grant_domain_destroy(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return;
	for (u32 i = 0; i < gt->nr_frames; i++)
		hv_free_pages(gt->shared[i], 0);
	if (gt->status)
		grant_shrink_status(d);
	for (u32 i = 0; gt->active && i < active_pages(gt->max_frames); i++)
		if (gt->active[i])
			hv_free_pages(gt->active[i], 0);
	for (u32 i = 0; i < gt->maptrack.nr / MAPTRACK_PER_PAGE; i++)
		hv_free_pages(gt->maptrack.pages[i], 0);
	free_array(gt->shared);
	free_array(gt->status);
	free_array(gt->active);
	free_array(gt->maptrack.pages);
	hv_free(gt);
	d->grant = NULL;
}

#define DEFAULT_FRAMES 64U
#define DEFAULT_MAPTRACK 1024U
#define LIMIT_FRAMES 4096U

int grant_domain_init(struct domain *d)
{
	struct grant_table *gt = hv_new(struct grant_table);
	int ret;

	if (!gt)
		return -ENOMEM;
	if (!d->max_grant_frames)
		d->max_grant_frames = DEFAULT_FRAMES;
	d->max_grant_frames = min(d->max_grant_frames, LIMIT_FRAMES);
	if (!d->max_grant_version)
		d->max_grant_version = 2;
	spin_lock_init(&gt->lock, RANK_GRANT);
	spin_lock_init(&gt->maptrack.lock, RANK_GRANT_MAP);
	gt->version = 1;
	gt->max_frames = d->max_grant_frames;
	gt->maptrack.free = MAPTRACK_NONE;
	gt->maptrack.max_pages = min(d->max_maptrack_frames, 65536U);
	gt->shared = hv_new_array(void *, gt->max_frames);
	gt->status = hv_new_array(grant_status_t *, status_pages(gt->max_frames));
	gt->active = hv_new_array(struct grant_active *, active_pages(gt->max_frames));
	gt->maptrack.pages = hv_new_array(struct maptrack_entry *, max(gt->maptrack.max_pages, 1U));
	d->grant = gt;
	ret = gt->shared && gt->status && gt->active && gt->maptrack.pages ? grant_grow(d, 1) : -ENOMEM;
	if (ret)
		grant_domain_destroy(d);
	return ret;
}

int grant_acquire_resource(struct domain *d, unsigned int id, unsigned long first, unsigned int nr, u64 *mfns)
{
	struct grant_table *gt = d->grant;
	unsigned long end = first + nr;
	int ret = 0;

	if (!gt || !nr || end < first || id > 1)
		return -EINVAL;
	spin_lock(&gt->lock);
	if (id == 0) {
		if (end > gt->max_frames)
			ret = -EINVAL;
		else
			ret = grant_grow(d, (u32)end);
	} else {
		/* Status words follow the table: grow that until they suffice. */
		u64 per = GRANT_STATUS_PER_PAGE / GRANT_V2_PER_PAGE;

		if (gt->version != 2 || end > status_pages(gt->max_frames))
			ret = -EINVAL;
		else if (end > gt->nr_status)
			ret = grant_grow(d, (u32)min((end - 1) * per + 1, (u64)gt->max_frames));
	}
	for (unsigned int i = 0; !ret && i < nr; i++)
		mfns[i] = virt_to_mfn(id ? (void *)gt->status[first + i] : gt->shared[first + i]).n;
	spin_unlock(&gt->lock);
	return ret;
}

int grant_map_frame_for_guest(struct domain *d, unsigned long idx, mfn_t *mfn)
{
	return -EINVAL;
}

void grant_dump(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return;
	spin_lock(&gt->lock);
	printk("d%u (%d references) grant table v%u: %u of %u frames, %u handles in use\n", d->id,
	       d->refcount, gt->version, gt->nr_frames, gt->max_frames, gt->maptrack.in_use);
	for (u32 ref = 0; ref < grant_nr_entries(gt); ref++) {
		const struct grant_active *a = grant_active(gt, ref);

		if (grant_active_used(a))
			printk("  %5u d%u mfn %lx readers %u writers %u flags %04x\n", ref, a->domid,
			       (unsigned long)a->mfn, a->readers, a->writers,
			       gt->version == 1 ? grant_v1(gt, ref)->flags : grant_v2(gt, ref)->hdr.flags);
	}
	spin_unlock(&gt->lock);
}
