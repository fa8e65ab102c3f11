/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_map_grant_ref, unmap_grant_ref, unmap_and_replace.
 *
 * A mapping is: a use of the granter's entry, a maptrack entry of the mapper whose index is the
 * handle, and a page-table entry that holds the references to the frame. Unmapping has two halves
 * with a TLB flush between them, because neither the frame nor the entry's use bits may go before
 * no CPU can reach the frame any more:
 *
 *   begin: page-table entry away, handle claimed    flush    end: use bits, references, handle
 *
 * Locks: the granter's table lock; the mapper's maptrack lock for its free list; the mapper's mm
 * lock inside.
 */
#include <core/mm/frame.h>
#include <hypercall/grant.h>
#include <lib.h>
#include <uaccess.h>

static u32 take_handle(struct maptrack *m)
{
	u32 handle;

	spin_lock(&m->lock);
	handle = maptrack_take(m);
	if (unlikely(handle == MAPTRACK_NONE) && m->nr / MAPTRACK_PER_PAGE < m->max_pages) {
		void *page = hv_alloc_pages(0);

		if (page) {
			maptrack_add_page(m, page);
			handle = maptrack_take(m);
		}
	}
	spin_unlock(&m->lock);
	return handle;
}

static void give_handle(struct maptrack *m, u32 handle)
{
	spin_lock(&m->lock);
	maptrack_release(m, handle);
	spin_unlock(&m->lock);
}

static void put_use_refs(struct frame *f, bool readonly)
{
	if (!readonly)
		frame_put_type_inline(f);
	frame_put_inline(f);
}

static unsigned int entry_cache_flags(const struct grant_table *gt, u32 ref)
{
	const u16 *flags = gt->version == 1 ? &grant_v1(gt, ref)->flags : &grant_v2(gt, ref)->hdr.flags;

	return READ_ONCE(*flags) & (GTF_PWT | GTF_PCD | GTF_PAT);
}

static int map_locked(struct vcpu *v, struct domain *rd, struct gnttab_map_grant_ref *op, u32 handle)
{
	bool readonly = op->flags & GNTMAP_readonly;
	struct domain *ld = v->domain;
	struct maptrack_entry *e;
	struct grant_active *a;
	int ret;

	/* The handle keeps the granter, so that unmapping need not look it up. */
	if (rd->dying != DOMDYING_alive || !domain_get(rd))
		return GNTST_bad_domain;
	ret = grant_begin_use(rd, op->ref, ld->id, readonly, true, &a);
	if (ret)
		goto fail;
	if (op->flags & GNTMAP_host_map) {
		ret = pv_grant_map(v, op->host_addr, MFN(a->mfn), op->flags,
				   entry_cache_flags(rd->grant, op->ref));
		if (ret) {
			put_use_refs(mfn_to_frame(MFN(a->mfn)), readonly);
			grant_end_use(rd->grant, op->ref, a, readonly);
			goto fail;
		}
	}
	e = maptrack_find(&ld->grant->maptrack, handle);
	e->granter = rd;
	e->ref = op->ref;
	e->flags = (u16)((op->flags & 0x1f) | MAPTRACK_USED);
	op->handle = handle;
	op->dev_bus_addr = mfn_to_paddr(MFN(a->mfn));
	return GNTST_okay;
fail:
	domain_put(rd);
	return ret;
}

/* Device and host mappings both hold the frame: the host's through its page-table entry, a
 * device-only one through the handle. With both, the page-table entry's reference serves. */
static int map_one(struct vcpu *v, struct grant_peer *peer, struct gnttab_map_grant_ref *op)
{
	struct domain *ld = v->domain, *rd;
	u32 handle;
	int ret;

	if (unlikely(!(op->flags & (GNTMAP_device_map | GNTMAP_host_map))))
		return GNTST_bad_gntref;
	rd = grant_peer_find(peer, op->dom);
	if (unlikely(!rd))
		return GNTST_bad_domain;
	handle = take_handle(&ld->grant->maptrack);
	if (unlikely(handle == MAPTRACK_NONE))
		return GNTST_no_device_space;
	spin_lock(&rd->grant->lock);
	ret = map_locked(v, rd, op, handle);
	spin_unlock(&rd->grant->lock);
	if (unlikely(ret))
		give_handle(&ld->grant->maptrack, handle);
	return ret;
}

long grant_op_map(u64 uarg, unsigned int count)
{
	struct grant_peer peer = {0};
	struct gnttab_map_grant_ref op;
	unsigned int done;
	long ret = 0;

	for (done = 0; done < count; uarg += sizeof(op)) {
		if (copy_from_guest_va(&op, uarg, sizeof(op))) {
			ret = -EFAULT;
			break;
		}
		op.status = (s16)map_one(current, &peer, &op);
		if (copy_to_guest_va(uarg, &op, sizeof(op))) {
			ret = -EFAULT;
			break;
		}
		done++;
		if (grant_batch_pause(done, count))
			break;
	}
	grant_peer_drop(&peer);
	return ret ? ret : done;
}

/* ---- unmap ---- */

#define UNMAP_BATCH 32

/* What the second half of an unmap has to do. */
struct unmapped {
	struct domain *granter; /* NULL: the first half failed, nothing to do */
	u32 ref, handle;
	bool readonly, refs, last;
};

static int unmap_locked(struct vcpu *v, struct maptrack_entry *e, u64 host_addr, u64 new_addr,
			u64 dev_bus_addr, struct unmapped *u)
{
	struct domain *rd = u->granter;
	struct grant_active *a = grant_active(rd->grant, e->ref);
	u16 flags = e->flags, gone = 0;
	int ret;

	if (dev_bus_addr && dev_bus_addr != mfn_to_paddr(MFN(a->mfn)))
		return GNTST_general_error;
	if (host_addr && flags & GNTMAP_host_map) {
		ret = pv_grant_unmap(v, host_addr, new_addr, MFN(a->mfn), flags & 0x1f);
		if (ret)
			return ret;
		gone |= GNTMAP_host_map;
	}
	if (dev_bus_addr)
		gone |= flags & GNTMAP_device_map;
	flags &= (u16)~gone;
	u->ref = e->ref;
	u->readonly = flags & GNTMAP_readonly;
	u->last = !(flags & (GNTMAP_host_map | GNTMAP_device_map));
	/* Without a page-table entry left, the references are ours to drop, unless a device mapping
	 * still wants them; that one drops them when it goes. */
	u->refs = u->last && gone;
	e->flags = u->last ? MAPTRACK_USED : flags; /* claimed: nobody else can unmap it */
	return GNTST_okay;
}

static int unmap_begin(struct vcpu *v, u32 handle, u64 host_addr, u64 new_addr, u64 dev_bus_addr,
		       struct unmapped *u)
{
	struct maptrack_entry *e = maptrack_find(&v->domain->grant->maptrack, handle);
	struct domain *rd;
	int ret = GNTST_bad_handle;

	u->granter = NULL;
	if (unlikely(!e))
		return ret;
	rd = READ_ONCE(e->granter);
	if (unlikely(!rd))
		return ret;
	spin_lock(&rd->grant->lock);
	/* It may have been unmapped and even reused since; under the lock of the granter it names
	 * it holds. */
	if (e->granter == rd && e->flags & (GNTMAP_host_map | GNTMAP_device_map)) {
		u->granter = rd;
		u->handle = handle;
		ret = unmap_locked(v, e, host_addr, new_addr, dev_bus_addr, u);
		if (ret)
			u->granter = NULL;
	}
	spin_unlock(&rd->grant->lock);
	return ret;
}

static void unmap_end(struct domain *ld, struct unmapped *u)
{
	struct domain *rd = u->granter;
	struct grant_active *a;
	struct frame *f;

	if (!rd || !u->last)
		return;
	spin_lock(&rd->grant->lock);
	a = grant_active(rd->grant, u->ref);
	f = mfn_to_frame(MFN(a->mfn));
	grant_end_use(rd->grant, u->ref, a, u->readonly);
	spin_unlock(&rd->grant->lock);
	if (u->refs) {
		if (!u->readonly)
			mm_mark_dirty(rd, frame_to_mfn(f));
		put_use_refs(f, u->readonly);
	}
	give_handle(&ld->grant->maptrack, u->handle);
	domain_put(rd);
}

/* The two calls differ in their structure and in new_addr. */
static int unmap_begin_at(struct vcpu *v, u64 uarg, bool replace, struct unmapped *u)
{
	union {
		struct gnttab_unmap_grant_ref plain;
		struct gnttab_unmap_and_replace replace;
	} op;
	s16 status;

	if (replace) {
		if (copy_from_guest_va(&op.replace, uarg, sizeof(op.replace)))
			return -EFAULT;
		status = (s16)unmap_begin(v, op.replace.handle, op.replace.host_addr, op.replace.new_addr, 0,
					  u);
		uarg += offsetof(struct gnttab_unmap_and_replace, status);
	} else {
		if (copy_from_guest_va(&op.plain, uarg, sizeof(op.plain)))
			return -EFAULT;
		status =
			(s16)unmap_begin(v, op.plain.handle, op.plain.host_addr, 0, op.plain.dev_bus_addr, u);
		uarg += offsetof(struct gnttab_unmap_grant_ref, status);
	}
	return copy_to_guest_va(uarg, &status, sizeof(status));
}

static long unmap_batches(u64 uarg, unsigned int count, bool replace)
{
	size_t size =
		replace ? sizeof(struct gnttab_unmap_and_replace) : sizeof(struct gnttab_unmap_grant_ref);
	struct vcpu *v = current;
	struct unmapped u[UNMAP_BATCH];
	unsigned int done = 0, n;
	long ret = 0;

	while (done < count && !ret) {
		for (n = 0; n < UNMAP_BATCH && done + n < count && !ret; n++, uarg += size) {
			u[n].granter = NULL;
			ret = unmap_begin_at(v, uarg, replace, &u[n]);
		}
		flush_tlb_mask(&v->domain->dirty_cpus);
		for (unsigned int i = 0; i < n; i++)
			unmap_end(v->domain, &u[i]);
		done += n;
		if (done < count && hypercall_preempt_check())
			break;
	}
	return ret ? ret : done;
}

long grant_op_unmap(u64 uarg, unsigned int count)
{
	return unmap_batches(uarg, count, false);
}

long grant_op_unmap_and_replace(u64 uarg, unsigned int count)
{
	return unmap_batches(uarg, count, true);
}

/* ---- a dying mapper ---- */

int grant_domain_release_mappings(struct domain *d)
{
	struct maptrack *m;

	if (!d->grant)
		return 0;
	m = &d->grant->maptrack;
	for (u32 handle = 0; m->in_use && handle < m->nr; handle++) {
		struct maptrack_entry *e = maptrack_find(m, handle);
		struct domain *rd = e->granter;
		struct grant_active *a;
		bool readonly, host;
		struct frame *f;

		if (!rd || !e->flags)
			continue;
		readonly = e->flags & GNTMAP_readonly;
		host = e->flags & GNTMAP_host_map;
		spin_lock(&rd->grant->lock);
		a = grant_active(rd->grant, e->ref);
		f = mfn_to_frame(MFN(a->mfn));
		grant_end_use(rd->grant, e->ref, a, readonly);
		spin_unlock(&rd->grant->lock);
		/* The page-table entry of a host mapping drops its references when its table goes.
		 */
		if (!host)
			put_use_refs(f, readonly);
		give_handle(m, handle);
		domain_put(rd);
		if (!(handle % 64) && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}
