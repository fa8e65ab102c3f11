/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRANT_TABLE_OP: dispatch, and the operations that ask about a table. Every structure has a status
 * of its own; the call's return value tells only of the call. Page: docs/abi/grants.md.
 */
#include <hypercall/grant.h>
#include <lib.h>
#include <uaccess.h>

#define GNTTABOP_CMD_BITS 20

/* The domain an operation names, or a GNTST. */
static struct domain *table_of(domid_t id, s16 *status)
{
	struct domain *d = domain_get_by_any_id(id);

	if (!d || !d->grant) {
		if (d)
			domain_put(d);
		*status = GNTST_bad_domain;
		return NULL;
	}
	if (hc_permit(HC_TARGET, d)) {
		domain_put(d);
		*status = GNTST_permission_denied;
		return NULL;
	}
	return d;
}

static long op_setup_table(void *arg)
{
	struct gnttab_setup_table *op = arg;
	struct grant_table *gt;
	struct domain *d;
	long ret = 0;

	d = table_of(op->dom, &op->status);
	if (!d)
		return 0;
	gt = d->grant;
	spin_lock(&gt->lock);
	op->status = grant_grow(d, op->nr_frames) ? GNTST_general_error : GNTST_okay;
	spin_unlock(&gt->lock);
	/* Frames never go away, so the lock is not needed (and copying may fault). */
	for (u32 i = 0; !op->status && i < op->nr_frames && !ret; i++) {
		xen_pfn_t mfn = virt_to_mfn(gt->shared[i]).n;

		ret = copy_to_guest_h_off(op->frame_list, i, &mfn, 1);
	}
	domain_put(d);
	return ret;
}

static long op_get_status_frames(void *arg)
{
	struct gnttab_get_status_frames *op = arg;
	struct grant_table *gt;
	struct domain *d;
	long ret = 0;

	d = table_of(op->dom, &op->status);
	if (!d)
		return 0;
	gt = d->grant;
	op->status = GNTST_okay;
	for (u32 i = 0; i < op->nr_frames && !op->status && !ret; i++) {
		u64 mfn = 0;

		spin_lock(&gt->lock);
		if (gt->version == 2 && i < gt->nr_status && op->nr_frames <= gt->nr_status)
			mfn = virt_to_mfn(gt->status[i]).n;
		else
			op->status = GNTST_general_error;
		spin_unlock(&gt->lock);
		if (!op->status)
			ret = copy_to_guest_h_off(op->frame_list, i, &mfn, 1);
	}
	domain_put(d);
	return ret;
}

static long op_query_size(void *arg)
{
	struct gnttab_query_size *op = arg;
	struct domain *d = table_of(op->dom, &op->status);

	if (!d)
		return 0;
	op->nr_frames = d->grant->nr_frames;
	op->max_nr_frames = d->grant->max_frames;
	op->status = GNTST_okay;
	domain_put(d);
	return 0;
}

static long op_get_version(void *arg)
{
	struct gnttab_get_version *op = arg;
	struct domain *d = domain_get_by_any_id(op->dom);
	long ret;

	if (!d)
		return -ESRCH;
	ret = d->grant ? hc_permit(HC_TARGET, d) : -ESRCH;
	if (!ret)
		op->version = d->grant->version;
	domain_put(d);
	return ret;
}

#define op_set_version NULL
#define op_dump_table NULL
#define op_map_grant_ref NULL
#define op_unmap_grant_ref NULL
#define op_transfer NULL
#define op_copy NULL
#define op_unmap_and_replace NULL
#define op_swap_grant_ref NULL

/* Arrays are handled below; what has no handler at all answers -ENOSYS. */
#define OP(family, nr, name, type, dir, priv, again) [nr] = HC_ROW(name, type, dir, priv, again),
static const struct hc_row rows[] = {
#include <def/grant.def>
};
#undef OP

static inline long array_op(u64 cmd, u64 uarg, unsigned int count)
{
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		return grant_op_map(uarg, count);
	case GNTTABOP_unmap_grant_ref:
		return grant_op_unmap(uarg, count);
	case GNTTABOP_copy:
		return grant_op_copy(uarg, count);
	case GNTTABOP_transfer:
		return grant_op_transfer(uarg, count);
	case GNTTABOP_unmap_and_replace:
		return grant_op_unmap_and_replace(uarg, count);
	default:
		return grant_op_swap(uarg, count);
	}
}

/* Unlike the others it tells the version in force even when it fails. */
static long set_version(u64 uarg)
{
	struct gnttab_set_version op;
	long ret;

	if (copy_from_guest_va(&op, uarg, sizeof(op)))
		return -EFAULT;
	ret = grant_set_version(&op);
	return copy_to_guest_va(uarg, &op, sizeof(op)) ? -EFAULT : ret;
}

/* For devices that do not see the CPU's caches, of which x86 has none: arguments are checked, and
 * an operation that asks for nothing succeeds. */
static long cache_flush(u64 uarg, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, uarg += sizeof(struct gnttab_cache_flush)) {
		struct gnttab_cache_flush f;

		if (copy_from_guest_va(&f, uarg, sizeof(f)))
			return -EFAULT;
		if (f.offset >= PAGE_SIZE || f.length > PAGE_SIZE || f.offset + f.length > PAGE_SIZE ||
		    f.op & ~(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL | GNTTAB_CACHE_SOURCE_GREF))
			return -EINVAL;
		if (f.length && f.op & (GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL))
			return -EOPNOTSUPP;
		if (hypercall_preempt_check())
			return call_restart(3, GNTTABOP_cache_flush, uarg + sizeof(f), count - i - 1, 0, 0);
	}
	return 0;
}

static inline bool one_structure(u64 cmd)
{
	return cmd == GNTTABOP_setup_table || cmd == GNTTABOP_query_size || cmd == GNTTABOP_get_status_frames;
}

long do_grant_table_op(u64 cmd, u64 uarg, u64 count, u64 a4, u64 a5)
{
	unsigned int nr = (unsigned int)count;
	long done;

	if (unlikely((int)nr < 0))
		return -EINVAL;
	if (unlikely(cmd == GNTTABOP_cache_flush))
		return cache_flush(uarg, nr);
	if ((u32)cmd >> GNTTABOP_CMD_BITS) /* only a flush is continued with its progress in these */
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(rows))
		return -ENOSYS;
	if (rows[cmd].dir != HC_ARRAY) {
		if (one_structure(cmd) && nr != 1)
			return -EINVAL;
		if (cmd == GNTTABOP_set_version)
			return set_version(uarg);
		return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
	}
	done = array_op(cmd, uarg, nr);
	if (likely(done == (long)nr) || done < 0)
		return done < 0 ? done : 0;
	return call_restart(3, cmd, uarg + (u64)done * rows[cmd].size, nr - (unsigned int)done, 0, 0);
}
