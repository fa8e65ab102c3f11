/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the grant files of hypercall/; other rooms use include/grant.h. */
#ifndef SERAI_HYPERCALL_GRANT_H
#define SERAI_HYPERCALL_GRANT_H

#include <core/grant/table.h>
#include <grant.h>
#include <hypercall.h>
#include <mm.h>

/*
 * A granting domain's table.
 *
 *   shared[i]  page of entries, shared with the guest       status[i]  v2: page of status words,
 * shared active[i]  pages of struct grant_active, the hypervisor's own view of entries in use
 *
 * Lock: .lock (RANK_GRANT) for version, growth, active entries, and maptrack entries of others that
 * name this table. nr_frames is read without it: it only grows.
 */
struct grant_table {
	spinlock_t lock;
	u32 version;
	u32 nr_frames, max_frames; /* of shared[] */
	u32 nr_status;
	void **shared;
	grant_status_t **status;
	struct grant_active **active;
	struct maptrack maptrack; /* what this domain has mapped of others */
};

#define GRANT_V1_PER_PAGE (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define GRANT_V2_PER_PAGE (PAGE_SIZE / sizeof(union grant_entry_v2))
#define GRANT_STATUS_PER_PAGE (PAGE_SIZE / sizeof(grant_status_t))

static inline u32 grant_nr_entries(const struct grant_table *gt)
{
	return gt->nr_frames * (u32)(gt->version == 1 ? GRANT_V1_PER_PAGE : GRANT_V2_PER_PAGE);
}
static inline struct grant_entry_v1 *grant_v1(const struct grant_table *gt, u32 ref)
{
	return (struct grant_entry_v1 *)gt->shared[ref / GRANT_V1_PER_PAGE] + ref % GRANT_V1_PER_PAGE;
}
static inline union grant_entry_v2 *grant_v2(const struct grant_table *gt, u32 ref)
{
	return (union grant_entry_v2 *)gt->shared[ref / GRANT_V2_PER_PAGE] + ref % GRANT_V2_PER_PAGE;
}
static inline grant_status_t *grant_status(const struct grant_table *gt, u32 ref)
{
	return gt->status[ref / GRANT_STATUS_PER_PAGE] + ref % GRANT_STATUS_PER_PAGE;
}
static inline struct grant_active *grant_active(const struct grant_table *gt, u32 ref)
{
	return gt->active[ref / GRANT_ACTIVE_PER_PAGE] + ref % GRANT_ACTIVE_PER_PAGE;
}
/* Where the use bits of an entry are. */
static inline u16 *grant_use_flags(const struct grant_table *gt, u32 ref)
{
	return gt->version == 1 ? &grant_v1(gt, ref)->flags : grant_status(gt, ref);
}

/* Ends one use of ref; lock held. References to the frame are the caller's business. */
static inline void grant_end_use(struct grant_table *gt, u32 ref, struct grant_active *a, bool readonly)
{
	if (readonly)
		a->readers--;
	else
		a->writers--;
	if (!a->writers || !a->readers)
		grant_unpin(grant_use_flags(gt, ref), a->readers, a->writers);
}

/* Begins one use of ref by who; lock held. Checks and marks the shared entry, and on the first use
 * looks the frame up. On success *out is the active entry, and a general reference (and for writing
 * a writable-type reference) to its frame is taken. GNTST_*. */
int grant_begin_use(struct domain *rd, u32 ref, domid_t who, bool readonly, bool whole,
		    struct grant_active **out);

/* Grows rd's table to nr shared frames; lock held. 0, -ENOMEM, -EINVAL beyond the limit. */
int grant_grow(struct domain *d, u32 nr);
int grant_grow_status(struct domain *d, u32 nr_frames);
void grant_shrink_status(struct domain *d);

/* A domain by the ids the grant calls take, remembered through a batch. */
struct grant_peer {
	struct domain *d;
	domid_t asked;
	bool counted; /* d is referenced */
};
struct domain *grant_peer_look_up(struct grant_peer *p, domid_t id);
/* NULL: no such domain, or it has no grants. */
static inline struct domain *grant_peer_find(struct grant_peer *p, domid_t id)
{
	return likely(p->d && p->asked == id) ? p->d : grant_peer_look_up(p, id);
}
static inline void grant_peer_drop(struct grant_peer *p)
{
	if (p->counted)
		domain_put(p->d);
	p->d = NULL;
	p->counted = false;
}

/* Array operations: count elements at uarg. Return elements done (fewer than count: restart), or
 * -errno. */
long grant_op_map(u64 uarg, unsigned int count);
long grant_op_unmap(u64 uarg, unsigned int count);
long grant_op_unmap_and_replace(u64 uarg, unsigned int count);
long grant_op_copy(u64 uarg, unsigned int count);
long grant_op_transfer(u64 uarg, unsigned int count);
long grant_op_swap(u64 uarg, unsigned int count);
long grant_set_version(struct gnttab_set_version *op); /* op->version: what holds afterwards */

/* Between elements of a batch: should it stop here? Looked at every 16 elements. */
static inline bool grant_batch_pause(unsigned int done, unsigned int count)
{
	return unlikely(!(done % 16)) && done != count && hypercall_preempt_check();
}

#endif
