/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO event-channel ABI: a queue for each vCPU and priority, linked through the event words.
 *
 *   control block          event words, in guest pages, shared with a possibly hostile guest
 *   +-------+              31      30      29     28        16             0
 *   | ready | bit a queue  PENDING MASKED  LINKED BUSY  ... |  link (port)  |
 *   | head[16] -----------> first port --link--> next port --link--> 0
 *   +-------+                                        ^
 *                                        tail[16], the hypervisor's own
 *
 * The guest takes from the head: it clears LINKED and the link. The hypervisor appends: it writes
 * the old tail's link if that port is still LINKED, else the queue has run empty and it writes
 * head. It never follows a link or a head, so a guest that writes nonsense loses only its own
 * events.
 *
 * BUSY keeps the guest's unmask, which spins while it is set, from changing a word being linked.
 */
#include <core/event/table.h>

#define PENDING ((event_word_t)BIT(EVTCHN_FIFO_PENDING))
#define MASKED ((event_word_t)BIT(EVTCHN_FIFO_MASKED))
#define LINKED ((event_word_t)BIT(EVTCHN_FIFO_LINKED))
#define BUSY ((event_word_t)BIT(EVTCHN_FIFO_BUSY))
#define LINK ((event_word_t)EVTCHN_FIFO_LINK_MASK)

/* An honest guest changes the tail's word at most three times (takes it off, masks, unmasks) before
 * BUSY stops it; one that keeps changing it has lost the event. */
#define LINK_TRIES 8

static inline event_word_t word_or(event_word_t *w, event_word_t bits)
{
	return __atomic_fetch_or(w, bits, __ATOMIC_SEQ_CST);
}
static inline event_word_t word_and(event_word_t *w, event_word_t bits)
{
	return __atomic_fetch_and(w, bits, __ATOMIC_SEQ_CST);
}

/* Lets w, the word of a queue's tail, point at port. False: w is off the queue already. */
static bool link_behind(event_word_t *w, u32 port)
{
	event_word_t old = READ_ONCE(*w);

	for (unsigned int try = 0; try < LINK_TRIES; try++) {
		if (!(old & LINKED)) {
			if (try)
				word_and(w, ~BUSY);
			return false;
		}
		if (__atomic_compare_exchange_n(w, &old, (old & ~(BUSY | LINK)) | port, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if (!try)
			old = word_or(w, BUSY) | BUSY;
	}
	word_and(w, ~BUSY);
	return true;
}

/* Puts an event that is pending, unmasked and not linked on the queue of its priority. */
static unsigned int fifo_link(struct evtchn_fifo *f, struct evtchn_port *p, u32 port, event_word_t *w,
			      unsigned int vcpu)
{
	struct evtchn_fifo_vcpu *q = &f->vcpu[vcpu], *old;
	unsigned int prio = READ_ONCE(p->priority), effect = 0;
	bool linked = false;
	u32 tail;

	spin_lock(&f->lock);
	if (unlikely(!q->control) || word_or(w, LINKED) & LINKED)
		goto out;
	/* It was off its last queue; if it was that queue's tail, the queue is empty. */
	old = &f->vcpu[p->last_vcpu];
	if (old->tail[p->last_priority] == port)
		old->tail[p->last_priority] = 0;
	p->last_vcpu = (u16)vcpu;
	p->last_priority = (u8)prio;

	tail = q->tail[prio];
	if (tail)
		linked = link_behind(evtchn_fifo_word(f, tail), port);
	if (!linked)
		__atomic_store_n(&q->control->head[prio], port, __ATOMIC_RELEASE);
	q->tail[prio] = port;
	if (!linked && !(__atomic_fetch_or(&q->control->ready, 1U << prio, __ATOMIC_SEQ_CST) & 1U << prio))
		effect = EVTCHN_NOTIFY;
out:
	spin_unlock(&f->lock);
	return effect;
}

unsigned int evtchn_fifo_raise(struct evtchn_fifo *f, struct evtchn_port *p, u32 port, unsigned int vcpu)
{
	event_word_t *w = evtchn_fifo_word(f, port), old;
	unsigned int effect;

	if (unlikely(!w)) {
		__atomic_store_n(&p->early, 1, __ATOMIC_SEQ_CST);
		/* The page may have come since; then whoever added it may have missed the mark. */
		w = evtchn_fifo_word(f, port);
		if (!w)
			return 0;
	}
	old = word_or(w, PENDING);
	effect = old & PENDING ? 0 : EVTCHN_NEW;
	if (old & (MASKED | LINKED))
		return effect;
	return effect | fifo_link(f, p, port, w, vcpu);
}

unsigned int evtchn_fifo_unmask(struct evtchn_fifo *f, struct evtchn_port *p, u32 port, unsigned int vcpu)
{
	event_word_t *w = evtchn_fifo_word(f, port), old;

	if (!w)
		return 0;
	old = word_and(w, ~MASKED);
	if (!(old & PENDING) || old & LINKED)
		return 0;
	return fifo_link(f, p, port, w, vcpu);
}

void evtchn_fifo_register(struct evtchn_fifo *f, unsigned int vcpu, struct evtchn_fifo_control_block *control)
{
	spin_lock(&f->lock);
	f->vcpu[vcpu].control = control;
	spin_unlock(&f->lock);
}

int evtchn_fifo_add_page(struct evtchn_fifo *f, event_word_t *words)
{
	if (f->nr_pages >= EVTCHN_FIFO_PAGES)
		return -ENOSPC;
	f->words[f->nr_pages] = words;
	/* Pairs with the look after .early is set in evtchn_fifo_raise(). */
	__atomic_store_n(&f->nr_pages, f->nr_pages + 1, __ATOMIC_SEQ_CST);
	return 0;
}

void evtchn_fifo_adopt(struct evtchn_table *t, struct evtchn_fifo *f, const struct shared_info *s)
{
	for (u32 port = 1; port < t->nr_ports; port++) {
		struct evtchn_port *p = evtchn_find(t, port);

		p->priority = p->last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		p->last_vcpu = 0;
		if (p->state != ECS_FREE && port < EVTCHN_2L_NR_CHANNELS && test_bit(port, s->evtchn_pending))
			p->early = 1;
	}
	__atomic_store_n(&t->fifo, f, __ATOMIC_RELEASE);
}
