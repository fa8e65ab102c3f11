/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking and releasing ports, and the two-level ABI. Lock: evtchn_table.lock, held by the caller.
 * Page: docs/abi/event-channels.md.
 */
#include <core/event/table.h>

static u32 port_limit(const struct evtchn_table *t)
{
	return t->fifo ? t->max_ports : min(t->max_ports, (u32)EVTCHN_2L_NR_CHANNELS);
}

/* A port whose word still hangs in a queue cannot be used for something else: the guest would find
 * the old event under the new meaning, or the queue broken. */
static bool port_is_busy(const struct evtchn_table *t, u32 port)
{
	const event_word_t *w = t->fifo ? evtchn_fifo_word(t->fifo, port) : NULL;

	return w && READ_ONCE(*w) & BIT(EVTCHN_FIFO_LINKED);
}

int evtchn_take(struct evtchn_table *t)
{
	u32 limit = port_limit(t), end = min(limit, t->nr_ports);
	bool contiguous = true;

	for (u32 port = t->first_free; port < end; port++) {
		struct evtchn_port *p = evtchn_find(t, port);

		if (p->state != ECS_FREE) {
			if (contiguous)
				t->first_free = port + 1;
			continue;
		}
		if (port_is_busy(t, port)) {
			contiguous = false;
			continue;
		}
		p->state = ECS_RESERVED;
		t->in_use++;
		return (int)port;
	}
	return t->nr_ports < limit ? -ENOBUFS : -ENOSPC;
}

void evtchn_add_page(struct evtchn_table *t, void *page)
{
	struct evtchn_port *p = page;

	for (unsigned int i = 0; i < EVTCHN_PORTS_PER_PAGE; i++)
		p[i].priority = p[i].last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	t->pages[t->nr_ports / EVTCHN_PORTS_PER_PAGE] = p;
	/* Readers without the lock look at nr_ports first. */
	__atomic_store_n(&t->nr_ports, t->nr_ports + EVTCHN_PORTS_PER_PAGE, __ATOMIC_RELEASE);
}

void evtchn_release(struct evtchn_table *t, u32 port)
{
	struct evtchn_port *p = evtchn_find(t, port);

	/* last_vcpu and last_priority stay: a FIFO queue may still have this port as its tail. */
	p->state = ECS_FREE;
	p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	p->early = 0;
	p->vcpu = 0;
	p->peer = 0;
	p->remote_domid = 0;
	p->remote = NULL;
	t->in_use--;
	if (port < t->first_free)
		t->first_free = port;
}

unsigned int evtchn_2l_unmask(struct shared_info *s, struct vcpu_info *vi, u32 port)
{
	if (test_and_clear_bit(port, s->evtchn_mask) && test_bit(port, s->evtchn_pending) && vi &&
	    !test_and_set_bit(port / 64, &vi->evtchn_pending_sel))
		return EVTCHN_NOTIFY;
	return 0;
}

bool evtchn_is_pending(const struct evtchn_table *t, const struct shared_info *s, u32 port)
{
	const event_word_t *w;

	if (!t->fifo)
		return port < EVTCHN_2L_NR_CHANNELS && test_bit(port, s->evtchn_pending);
	w = evtchn_fifo_word(t->fifo, port);
	return w && READ_ONCE(*w) & BIT(EVTCHN_FIFO_PENDING);
}

bool evtchn_is_masked(const struct evtchn_table *t, const struct shared_info *s, u32 port)
{
	const event_word_t *w;

	if (!t->fifo)
		return port >= EVTCHN_2L_NR_CHANNELS || test_bit(port, s->evtchn_mask);
	w = evtchn_fifo_word(t->fifo, port);
	return !w || READ_ONCE(*w) & BIT(EVTCHN_FIFO_MASKED);
}

void evtchn_clear_pending(struct evtchn_table *t, struct shared_info *s, u32 port)
{
	event_word_t *w;

	if (!t->fifo) {
		if (port < EVTCHN_2L_NR_CHANNELS)
			clear_bit(port, s->evtchn_pending);
		return;
	}
	w = evtchn_fifo_word(t->fifo, port);
	/* It stays linked if it is: the guest takes it off its queue and finds nothing pending. */
	if (w)
		__atomic_fetch_and(w, (event_word_t)~BIT(EVTCHN_FIFO_PENDING), __ATOMIC_SEQ_CST);
}
