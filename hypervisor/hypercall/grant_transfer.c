/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_transfer: a page of the caller becomes the page of whoever waits for one with
 * GTF_accept_transfer. The page is taken from its old owner before the entry is committed; if the
 * receiver is not ready it is given back, which cannot fail because it left room.
 */
#include <hypercall/grant.h>
#include <lib.h>
#include <uaccess.h>

static u32 *transfer_word(const struct grant_table *gt, u32 ref)
{
	return gt->version == 1 ? (u32 *)&grant_v1(gt, ref)->flags : (u32 *)&grant_v2(gt, ref)->hdr.flags;
}

static void transfer_complete(const struct grant_table *gt, u32 ref, u64 mfn)
{
	u16 *flags = (u16 *)transfer_word(gt, ref);

	if (gt->version == 1)
		WRITE_ONCE(grant_v1(gt, ref)->frame, (u32)mfn);
	else
		WRITE_ONCE(grant_v2(gt, ref)->full_page.frame, mfn);
	__atomic_fetch_or(flags, GTF_transfer_completed, __ATOMIC_SEQ_CST);
}

static int hand_over(struct domain *d, struct domain *rd, struct frame *f, u32 ref)
{
	struct grant_table *gt = rd->grant;
	u32 nr;
	int ret;

	spin_lock(&gt->lock);
	nr = grant_nr_entries(gt);
	if (rd->dying != DOMDYING_alive) {
		ret = GNTST_bad_domain;
	} else if (ref >= nr) {
		ret = GNTST_bad_gntref;
	} else {
		ref &= (u32)grant_index_mask(ref, nr);
		ret = grant_transfer_commit(transfer_word(gt, ref), d->id);
	}
	if (!ret) {
		if (frame_assign(rd, f))
			ret = GNTST_general_error; /* over its limit; the entry stays committed, not
						      completed */
		else
			transfer_complete(gt, ref, frame_to_mfn(f).n);
	}
	spin_unlock(&gt->lock);
	return ret;
}

static int transfer_one(struct domain *d, struct grant_peer *peer, const struct gnttab_transfer *op)
{
	struct domain *rd;
	struct frame *f;
	int ret;

	if (!mfn_valid(MFN(op->mfn)))
		return GNTST_bad_page;
	rd = grant_peer_find(peer, op->domid);
	if (!rd)
		return GNTST_bad_domain;
	f = mfn_to_frame(MFN(op->mfn));
	if (frame_steal(d, f))
		return GNTST_bad_page;
	ret = hand_over(d, rd, f, op->ref);
	if (ret && frame_assign(d, f))
		free_frames(f, 0);
	return ret;
}

long grant_op_transfer(u64 uarg, unsigned int count)
{
	struct grant_peer peer = {0};
	struct gnttab_transfer op;
	unsigned int done;
	long ret = 0;

	for (done = 0; done < count; uarg += sizeof(op)) {
		if (copy_from_guest_va(&op, uarg, sizeof(op))) {
			ret = -EFAULT;
			break;
		}
		op.status = (s16)transfer_one(current->domain, &peer, &op);
		if (copy_to_guest_va(uarg + offsetof(struct gnttab_transfer, status), &op.status,
				     sizeof(op.status))) {
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
