/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raising events: sends between and within domains, virtual and physical interrupts, unmasking,
 * polling. The paths here are short because guests take them all the time; binding and closing are
 * in evtchn.c. Lock: the sender's evtchn_table.lock (see core/event/table.h for why that suffices).
 */
#include <hypercall/evtchn.h>
#include <lib.h>
#include <rangeset.h>

int evtchn_send(struct domain *d, u32 port)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_port *p;
	int ret = 0;

	spin_lock(&t->lock);
	p = evtchn_find(t, port);
	if (unlikely(!p))
		ret = -EINVAL;
	else if (p->state == ECS_IPI)
		evtchn_raise(d, p, port);
	else if (p->state == ECS_INTERDOMAIN)
		evtchn_raise(p->remote, evtchn_find(p->remote->evtchn, p->peer), p->peer);
	else if (p->state != ECS_UNBOUND) /* nobody listens yet: the event is lost, as the ABI says */
		ret = -EINVAL;
	spin_unlock(&t->lock);
	return ret;
}

int evtchn_unmask(struct domain *d, u32 port)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_port *p;
	unsigned int effect;
	struct vcpu *v;

	spin_lock(&t->lock);
	p = evtchn_find(t, port);
	if (!p || (!t->fifo && port >= EVTCHN_2L_NR_CHANNELS)) {
		spin_unlock(&t->lock);
		return -EINVAL;
	}
	v = d->vcpus[p->vcpu];
	if (t->fifo)
		effect = evtchn_fifo_unmask(t->fifo, p, port, p->vcpu);
	else
		effect = evtchn_2l_unmask(d->shared_info, v ? v->vcpu_info : NULL, port);
	if (effect & EVTCHN_NOTIFY)
		vcpu_mark_events_pending(v);
	spin_unlock(&t->lock);
	return 0;
}

/* Raises the port behind *slot, looked at again under the lock. */
static void raise_slot(struct domain *d, const u32 *slot)
{
	struct evtchn_table *t = d->evtchn;
	u32 port;

	if (!READ_ONCE(*slot))
		return;
	spin_lock(&t->lock);
	port = READ_ONCE(*slot);
	if (port)
		evtchn_raise(d, evtchn_find(t, port), port);
	spin_unlock(&t->lock);
}

void evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
	ASSERT(virq < NR_VIRQS);
	if (v->domain->evtchn)
		raise_slot(v->domain, &v->virq_to_evtchn[virq]);
}

void evtchn_send_global_virq(struct domain *d, unsigned int virq)
{
	if (d && d->evtchn && d->max_vcpus && d->vcpus && d->vcpus[0])
		evtchn_send_virq(d->vcpus[0], virq);
}

/* Who hears of host-wide events; dom0 unless a domctl gave one away. */
static struct domain *virq_handler[NR_VIRQS];
static spinlock_t virq_handler_lock = SPINLOCK_INIT(RANK_DOMLIST);

void evtchn_send_host_virq(unsigned int virq)
{
	struct domain *d = READ_ONCE(virq_handler[virq]);

	evtchn_send_global_virq(d ? d : dom0, virq);
}

int evtchn_set_virq_handler(struct domain *d, u32 virq)
{
	struct domain *old = NULL;
	int ret = 0;

	if (virq >= NR_VIRQS)
		return -EINVAL;
	if (!evtchn_virq_is_global(virq))
		return -EINVAL;
	if (!domain_get(d))
		return -ESRCH;
	spin_lock(&virq_handler_lock);
	if (d->dying != DOMDYING_alive) {
		ret = -EINVAL;
		old = d;
	} else {
		old = virq_handler[virq];
		virq_handler[virq] = d;
	}
	spin_unlock(&virq_handler_lock);
	if (old)
		domain_put(old);
	return ret;
}

void evtchn_drop_virq_handlers(struct domain *d)
{
	for (unsigned int i = 0; i < NR_VIRQS; i++) {
		bool mine;

		spin_lock(&virq_handler_lock);
		mine = virq_handler[i] == d;
		if (mine)
			virq_handler[i] = NULL;
		spin_unlock(&virq_handler_lock);
		if (mine)
			domain_put(d);
	}
}

bool domain_irq_permitted(const struct domain *d, unsigned int pirq)
{
	return iorange_contains(d->irq_caps, pirq, pirq);
}

void evtchn_send_pirq(struct domain *d, unsigned int pirq)
{
	u32 *ports = READ_ONCE(d->evtchn->pirq_port);

	if (ports && pirq < EVTCHN_MAX_PIRQS)
		raise_slot(d, &ports[pirq]);
}

int evtchn_port_poll(struct domain *d, u32 port)
{
	struct evtchn_table *t = d->evtchn;
	const struct evtchn_port *p;
	int ret;

	spin_lock(&t->lock);
	p = evtchn_find(t, port);
	if (p && evtchn_is_pending(t, d->shared_info, port))
		ret = 1;
	else
		ret = !p || p->state == ECS_FREE || p->state == ECS_RESERVED ? -EINVAL : 0;
	spin_unlock(&t->lock);
	return ret;
}

void evtchn_poll_set(struct vcpu *v, u32 port)
{
	u32 old = __atomic_exchange_n(&v->poll_evtchn, port, __ATOMIC_SEQ_CST);
	u32 *count = &v->domain->evtchn->pollers;

	if (!old && port)
		__atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
	else if (old && !port)
		__atomic_fetch_sub(count, 1, __ATOMIC_SEQ_CST);
}

void evtchn_wake_pollers(struct domain *d, u32 port)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		u32 want = READ_ONCE(v->poll_evtchn);

		if (want && (want == ~0U || want == port)) {
			evtchn_poll_set(v, 0);
			vcpu_unblock(v);
		}
	}
}
