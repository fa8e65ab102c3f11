/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GNTTABOP_copy. Either side is a grant or a frame of the caller. In a batch, what the last element
 * used stays claimed for the next one: backends copy many pieces of the same page.
 */
#include <core/mm/frame.h>
#include <hypercall/grant.h>
#include <lib.h>
#include <uaccess.h>

/* One side of a copy, claimed: the frame is referenced (and, to be written, held writable). */
struct copy_side {
	struct grant_peer peer;
	struct frame *frame; /* NULL: nothing claimed */
	u8 *page;
	struct grant_active *active; /* of a grant */
	u64 name;                    /* grant reference or frame number */
	u16 off, end;                /* the part that may be touched */
	bool is_gref, write;
};

static void side_release(struct copy_side *s)
{
	struct domain *d = s->peer.d;

	if (!s->frame)
		return;
	if (s->active) {
		spin_lock(&d->grant->lock);
		grant_end_use(d->grant, (u32)s->name, s->active, !s->write);
		spin_unlock(&d->grant->lock);
		s->active = NULL;
	}
	if (s->write) {
		mm_mark_dirty(d, frame_to_mfn(s->frame));
		frame_put_type_inline(s->frame);
	}
	unmap_frame(s->page);
	frame_put_inline(s->frame);
	s->frame = NULL;
}

static int claim_gref(struct copy_side *s, struct domain *d)
{
	struct grant_active *a;
	int ret;

	spin_lock(&d->grant->lock);
	ret = d->dying == DOMDYING_alive
		      ? grant_begin_use(d, (u32)s->name, current->domain->id, !s->write, false, &a)
		      : GNTST_bad_domain;
	if (!ret) {
		s->frame = mfn_to_frame(MFN(a->mfn));
		s->active = a;
		s->off = a->off;
		s->end = a->sub_page ? (u16)(a->off + a->len) : (u16)PAGE_SIZE;
	}
	spin_unlock(&d->grant->lock);
	return ret;
}

static int claim_frame(struct copy_side *s, struct domain *d)
{
	struct frame *f = frame_get_from_mfn(MFN(s->name), d);

	if (!f)
		return GNTST_bad_page;
	if (s->write && frame_get_type_inline(f, FT_WRITABLE)) {
		frame_put_inline(f);
		return GNTST_general_error;
	}
	s->frame = f;
	s->off = 0;
	s->end = (u16)PAGE_SIZE;
	return GNTST_okay;
}

static inline int side_claim(struct copy_side *s, const struct gnttab_copy_ptr *p, bool is_gref)
{
	u64 name = is_gref ? p->u.ref : p->u.gmfn;
	struct domain *d;
	int ret;

	if (s->frame && s->peer.asked == p->domid && s->is_gref == is_gref && s->name == name)
		return GNTST_okay;
	side_release(s);
	/* Somebody else's memory is reached by grants alone. */
	if (!is_gref && p->domid != DOMID_SELF)
		return GNTST_permission_denied;
	d = grant_peer_find(&s->peer, p->domid);
	if (!d)
		return GNTST_bad_domain;
	s->name = name;
	s->is_gref = is_gref;
	ret = is_gref ? claim_gref(s, d) : claim_frame(s, d);
	if (!ret)
		s->page = map_frame(frame_to_mfn(s->frame));
	return ret;
}

static int copy_one(const struct gnttab_copy *op, struct copy_side *src, struct copy_side *dst)
{
	int ret = side_claim(src, &op->source, op->flags & GNTCOPY_source_gref);

	if (ret)
		return ret;
	ret = side_claim(dst, &op->dest, op->flags & GNTCOPY_dest_gref);
	if (ret)
		return ret;
	if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (op->source.offset < src->off || op->source.offset + op->len > src->end ||
	    op->dest.offset < dst->off || op->dest.offset + op->len > dst->end)
		return GNTST_general_error;
	/* Source and destination may be one page. */
	if (unlikely(src->page == dst->page))
		memmove(dst->page + op->dest.offset, src->page + op->source.offset, op->len);
	else
		memcpy(dst->page + op->dest.offset, src->page + op->source.offset, op->len);
	return GNTST_okay;
}

long grant_op_copy(u64 uarg, unsigned int count)
{
	struct copy_side src = {.write = false}, dst = {.write = true};
	struct gnttab_copy op;
	unsigned int done;
	long ret = 0;

	for (done = 0; done < count; uarg += sizeof(op)) {
		if (copy_from_guest_va(&op, uarg, sizeof(op))) {
			ret = -EFAULT;
			break;
		}
		op.status = (s16)copy_one(&op, &src, &dst);
		if (op.status) {
			side_release(&src);
			side_release(&dst);
		}
		if (copy_to_guest_va(uarg + offsetof(struct gnttab_copy, status), &op.status,
				     sizeof(op.status))) {
			ret = -EFAULT;
			break;
		}
		done++;
		if (grant_batch_pause(done, count))
			break;
	}
	side_release(&src);
	side_release(&dst);
	grant_peer_drop(&src.peer);
	grant_peer_drop(&dst.peer);
	return ret ? ret : done;
}
