/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest pages of the FIFO ABI: control blocks and event words. The guest's frames are held
 * writable for as long as they are in use; they are the guest's to write at any time. Lock:
 * evtchn_table.lock. Page: docs/abi/event-channels.md.
 */
#include <hypercall.h>
#include <hypercall/evtchn.h>
#include <lib.h>
#include <mm.h>

static void *map_guest_frame(struct domain *d, u64 mfn)
{
	struct frame *f = frame_get_from_mfn(MFN(mfn), d);

	if (!f)
		return NULL;
	if (frame_get_type(f, FT_WRITABLE)) {
		frame_put(f);
		return NULL;
	}
	return map_frame(MFN(mfn));
}

static void unmap_guest_frame(void *p)
{
	void *page = (void *)((u64)p & PAGE_MASK);
	struct frame *f = mfn_to_frame(virt_to_mfn(page));

	unmap_frame(page);
	frame_put_and_type(f);
}

long evtchn_op_init_control(void *arg)
{
	struct evtchn_init_control *c = arg;
	struct domain *d = current->domain;
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo *f, *fresh = NULL;
	void *page;
	int ret = 0;

	c->link_bits = EVTCHN_FIFO_LINK_BITS;
	if (c->vcpu >= d->max_vcpus || !d->vcpus[c->vcpu & evtchn_index_mask(c->vcpu, d->max_vcpus)])
		return -ENOENT;
	if (c->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || c->offset & 7)
		return -EINVAL;
	page = map_guest_frame(d, c->control_gfn);
	if (!page)
		return -EINVAL;

	spin_lock(&t->lock);
	f = t->fifo;
	if (!f) {
		fresh = hv_zalloc(sizeof(*f) + d->max_vcpus * sizeof(f->vcpu[0]));
		if (!fresh) {
			ret = -ENOMEM;
			goto out;
		}
		spin_lock_init(&fresh->lock, RANK_EVTCHN_QUEUE);
		fresh->nr_vcpus = d->max_vcpus;
		f = fresh;
	} else if (f->vcpu[c->vcpu].control) {
		ret = -EINVAL;
		goto out;
	}
	evtchn_fifo_register(f, c->vcpu, (void *)((u8 *)page + c->offset));
	if (fresh)
		evtchn_fifo_adopt(t, fresh, d->shared_info);
out:
	spin_unlock(&t->lock);
	if (ret)
		unmap_guest_frame(page);
	return ret;
}

/* Events raised before their words existed are raised now. */
static void raise_early(struct domain *d, u32 first)
{
	struct evtchn_table *t = d->evtchn;

	for (u32 port = first; port < first + EVTCHN_WORDS_PER_PAGE && port < t->nr_ports; port++) {
		struct evtchn_port *p = evtchn_find(t, port);

		if (__atomic_exchange_n(&p->early, 0, __ATOMIC_SEQ_CST))
			evtchn_raise(d, p, port);
	}
}

long evtchn_op_expand_array(void *arg)
{
	struct domain *d = current->domain;
	struct evtchn_table *t = d->evtchn;
	void *page;
	int ret;

	if (!READ_ONCE(t->fifo))
		return -EOPNOTSUPP;
	page = map_guest_frame(d, ((struct evtchn_expand_array *)arg)->array_gfn);
	if (!page)
		return -EINVAL;
	spin_lock(&t->lock);
	ret = t->fifo ? evtchn_fifo_add_page(t->fifo, page) : -EOPNOTSUPP;
	if (!ret)
		raise_early(d, (u32)((t->fifo->nr_pages - 1) * EVTCHN_WORDS_PER_PAGE));
	spin_unlock(&t->lock);
	if (ret)
		unmap_guest_frame(page);
	return ret;
}

long evtchn_op_set_priority(void *arg)
{
	struct evtchn_set_priority *s = arg;
	struct domain *d = current->domain;
	struct evtchn_table *t = d->evtchn;
	struct evtchn_port *p = evtchn_find(t, s->port);
	int ret = 0;

	if (!p)
		return -EINVAL;
	spin_lock(&t->lock);
	if (!t->fifo)
		ret = -ENOSYS;
	else if (s->priority > EVTCHN_FIFO_PRIORITY_MIN)
		ret = -EINVAL;
	else
		WRITE_ONCE(p->priority, (u8)s->priority);
	spin_unlock(&t->lock);
	return ret;
}

/* No port is bound any more, so nobody can be raising. */
void evtchn_fifo_destroy(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo *f = t->fifo;

	if (!f)
		return;
	__atomic_store_n(&t->fifo, NULL, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < f->nr_vcpus; i++)
		if (f->vcpu[i].control)
			unmap_guest_frame(f->vcpu[i].control);
	for (unsigned int i = 0; i < f->nr_pages; i++)
		unmap_guest_frame(f->words[i]);
	hv_free(f);
}

void evtchn_for_each_frame(const struct domain *d, void (*fn)(mfn_t m))
{
	const struct evtchn_fifo *f = d->evtchn ? d->evtchn->fifo : NULL;

	if (!f)
		return;
	for (u32 i = 0; i < f->nr_pages; i++)
		fn(virt_to_mfn(f->words[i]));
	for (u32 i = 0; i < f->nr_vcpus; i++)
		if (f->vcpu[i].control)
			fn(virt_to_mfn(f->vcpu[i].control));
}
