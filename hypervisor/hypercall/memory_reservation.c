/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * increase_reservation, decrease_reservation, populate_physmap and exchange (docs/abi/memory.md).
 *
 * They return the number of extents done, short of what was asked when an extent cannot be done; a restart
 * carries that number in the command.
 */
#include <hypercall/memory.h>
#include <lib.h>
#include <x86/mm/pvmmu.h>

#define ORDER_MAX_GUEST 9 /* 2 MiB */
#define ORDER_MAX_CONTROL 18

static unsigned int order_limit(void)
{
	return current->domain->is_control ? ORDER_MAX_CONTROL : ORDER_MAX_GUEST;
}

static bool increase_one(struct domain *d, const struct xen_memory_reservation *r, u64 i)
{
	struct frame *f = alloc_frames(d, r->extent_order, XENMEMF_get_address_bits(r->mem_flags));
	u64 mfn;

	if (!f)
		return false;
	mfn = frame_to_mfn(f).n;
	/* A caller that cannot be told has its memory all the same. */
	return !r->extent_start.p || !copy_to_guest_h_off(r->extent_start, i, &mfn, 1);
}

static bool populate_one(struct domain *d, const struct xen_memory_reservation *r, u64 i)
{
	struct frame *f;
	u64 pfn, mfn;

	if (copy_from_guest_h_off(&pfn, r->extent_start, i, 1))
		return false;
	f = alloc_frames(d, r->extent_order, XENMEMF_get_address_bits(r->mem_flags));
	if (!f)
		return false;
	mfn = frame_to_mfn(f).n;
	for (u64 j = 0; j < 1UL << r->extent_order; j++) {
		m2p_table[mfn + j] = pfn + j;
		mm_mark_dirty(d, MFN(mfn + j));
	}
	return !copy_to_guest_h_off(r->extent_start, i, &mfn, 1);
}

/* Gives one frame back: its allocation's reference goes; the frame itself when nobody else holds it. */
static bool remove_frame(struct domain *d, u64 mfn)
{
	struct frame *f = frame_get_from_mfn(MFN(mfn), d);
	bool had;

	if (!f)
		return false;
	had = __atomic_fetch_and(&f->refs, ~FREF_ALLOCATED, __ATOMIC_SEQ_CST) & FREF_ALLOCATED;
	if (had)
		frame_put(f);
	frame_put(f);
	return had;
}

static bool decrease_one(struct domain *d, const struct xen_memory_reservation *r, u64 i)
{
	u64 mfn;

	if (copy_from_guest_h_off(&mfn, r->extent_start, i, 1))
		return false;
	for (u64 j = 0; j < 1UL << r->extent_order; j++)
		if (!remove_frame(d, mfn + j))
			return false;
	return true;
}

static bool one_extent(struct domain *d, unsigned int op, const struct xen_memory_reservation *r, u64 i)
{
	if (op == XENMEM_populate_physmap)
		return populate_one(d, r, i);
	if (op == XENMEM_decrease_reservation)
		return decrease_one(d, r, i);
	return increase_one(d, r, i);
}

long memory_reservation(unsigned int op, u64 start, u64 arg)
{
	struct xen_memory_reservation r;
	struct domain *d;
	u64 i;
	int err;

	if (copy_from_guest_va(&r, arg, sizeof(r)))
		return (long)start;
	if (r.nr_extents > ~0UL >> MEMOP_EXTENT_SHIFT || start > r.nr_extents ||
	    r.extent_order > order_limit() || (r.mem_flags & XENMEMF_populate_on_demand))
		return (long)start;
	if (start == r.nr_extents)
		return (long)start;
	d = memory_domain(r.domid, &err);
	if (!d)
		return (long)start;
	for (i = start; i < r.nr_extents; i++) {
		if (i != start && !((i << r.extent_order) & 15) && hypercall_preempt_check()) {
			domain_put(d);
			return call_restart(2, op | i << MEMOP_EXTENT_SHIFT, arg, 0, 0, 0);
		}
		if (!one_extent(d, op, &r, i))
			break;
	}
	domain_put(d);
	return (long)i;
}

/* ---- exchange ---- */

/* One chunk: the larger of an input and an output extent. Input frames on their way are linked by next. */
struct chunk {
	struct domain *d;
	const struct xen_memory_exchange *x;
	u64 in_first, in_nr, out_first, out_nr;
	u32 taken;
};

static int chunk_give_back(struct chunk *c, int rc)
{
	while (c->taken) {
		struct frame *f = &frame_table[c->taken];

		c->taken = f->next;
		if (frame_assign(c->d, f))
			free_frames(f, 0); /* the domain has filled up meanwhile, or dies */
	}
	return rc;
}

static int chunk_take(struct chunk *c)
{
	for (u64 i = c->in_first; i < c->in_first + c->in_nr; i++) {
		u64 mfn;

		if (copy_from_guest_h_off(&mfn, c->x->in.extent_start, i, 1))
			return chunk_give_back(c, -EFAULT);
		for (u64 j = 0; j < 1UL << c->x->in.extent_order; j++) {
			if (!mfn_valid(MFN(mfn + j)) || frame_steal(c->d, mfn_to_frame(MFN(mfn + j))))
				return chunk_give_back(c, -EINVAL);
			frame_table[mfn + j].next = c->taken;
			c->taken = (u32)(mfn + j);
		}
	}
	return 0;
}

/* The new frames, allocated but nobody's, heads linked by next through out_head. */
static u32 chunk_alloc(const struct chunk *c)
{
	unsigned int order = c->x->out.extent_order;
	u32 head = 0;

	for (u64 i = 0; i < c->out_nr; i++) {
		struct frame *f = alloc_frames(NULL, order, XENMEMF_get_address_bits(c->x->out.mem_flags));

		if (!f) {
			while (head) {
				f = &frame_table[head];
				head = f->next;
				free_frames(f, order);
			}
			return 0;
		}
		f->next = head;
		head = (u32)frame_to_mfn(f).n;
	}
	return head;
}

/* Hands over; the input is gone by now, so that nothing can be undone and failures only show. */
static int chunk_give(struct chunk *c, u32 head)
{
	unsigned int order = c->x->out.extent_order;
	int rc = 0;

	while (c->taken) {
		struct frame *f = &frame_table[c->taken];

		c->taken = f->next;
		m2p_table[frame_to_mfn(f).n] = INVALID_M2P_ENTRY;
		free_frames(f, 0);
	}
	for (u64 i = c->out_first; i < c->out_first + c->out_nr; i++) {
		u64 pfn, mfn = head;
		struct frame *f = &frame_table[head];

		head = f->next;
		if (copy_from_guest_h_off(&pfn, c->x->out.extent_start, i, 1)) {
			free_frames(f, order);
			rc = -EFAULT;
			continue;
		}
		for (u64 j = 0; j < 1UL << order; j++) {
			if (frame_assign(c->d, f + j)) {
				free_frames(f + j, 0);
				rc = -ENOMEM;
				continue;
			}
			m2p_table[mfn + j] = pfn + j;
			mm_mark_dirty(c->d, MFN(mfn + j));
		}
		if (copy_to_guest_h_off(c->x->out.extent_start, i, &mfn, 1))
			rc = -EFAULT;
	}
	return rc;
}

static int chunk_exchange(struct chunk *c)
{
	u32 head;
	int rc = chunk_take(c);

	if (rc)
		return rc;
	head = chunk_alloc(c);
	if (!head)
		return chunk_give_back(c, -ENOMEM);
	return chunk_give(c, head);
}

static int exchange_check(const struct xen_memory_exchange *x)
{
	if (x->in.extent_order > order_limit() || x->out.extent_order > order_limit())
		return -EPERM;
	if (x->nr_exchanged > x->in.nr_extents)
		return -EINVAL;
	if (x->in.nr_extents > ~0UL >> MEMOP_EXTENT_SHIFT || x->out.nr_extents > ~0UL >> MEMOP_EXTENT_SHIFT)
		return -ENOMEM;
	if (x->in.domid != x->out.domid ||
	    x->in.nr_extents << x->in.extent_order != x->out.nr_extents << x->out.extent_order)
		return -EINVAL;
	return 0;
}

long memory_exchange(u64 arg)
{
	struct xen_memory_exchange x;
	struct chunk c = {.x = &x};
	u64 chunks;
	int rc;

	if (copy_from_guest_va(&x, arg, sizeof(x)))
		return -EFAULT;
	rc = exchange_check(&x);
	if (rc)
		return rc;
	c.in_nr =
		x.out.extent_order > x.in.extent_order ? 1UL << (x.out.extent_order - x.in.extent_order) : 1;
	c.out_nr =
		x.in.extent_order > x.out.extent_order ? 1UL << (x.in.extent_order - x.out.extent_order) : 1;
	if (x.in.nr_extents % c.in_nr || x.nr_exchanged % c.in_nr)
		return -EINVAL;
	c.d = memory_domain(x.in.domid, &rc);
	if (!c.d)
		return rc;
	chunks = x.in.nr_extents / c.in_nr;
	for (u64 i = x.nr_exchanged / c.in_nr; i < chunks && !rc; i++) {
		c.in_first = i * c.in_nr;
		c.out_first = i * c.out_nr;
		rc = chunk_exchange(&c);
		if (!rc)
			x.nr_exchanged = (i + 1) * c.in_nr;
		if (!rc && i + 1 < chunks && hypercall_preempt_check())
			rc = -ERESTART;
	}
	domain_put(c.d);
	if (copy_to_guest_va(arg + offsetof(struct xen_memory_exchange, nr_exchanged), &x.nr_exchanged,
			     sizeof(x.nr_exchanged)))
		return -EFAULT;
	if (rc == -ERESTART)
		return call_restart(2, XENMEM_exchange, arg, 0, 0, 0);
	return rc;
}
