/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVENT_CHANNEL_OP: binding, closing and asking about ports. Sending is in evtchn_send.c, the FIFO
 * ABI's set-up in evtchn_fifo.c, a domain's beginning and end in evtchn_domain.c. Lock:
 * evtchn_table.lock of the domain, of both for operations between two (in address order). Page:
 * docs/abi/event-channels.md.
 */
#include <hypercall.h>
#include <hypercall/evtchn.h>
#include <lib.h>
#include <mm.h>
#include <smp.h>
#include <uaccess.h>

static struct vcpu *find_vcpu(struct domain *d, u32 id)
{
	if (id >= d->max_vcpus)
		return NULL;
	return d->vcpus[id & evtchn_index_mask(id, d->max_vcpus)];
}

int evtchn_port_take(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	int port;

	if (d->dying != DOMDYING_alive)
		return -EINVAL;
	port = evtchn_take(t);
	if (unlikely(port == -ENOBUFS)) {
		void *page = hv_alloc_pages(0);

		if (!page)
			return -ENOMEM;
		evtchn_add_page(t, page);
		port = evtchn_take(t);
	}
	return port;
}

static long op_alloc_unbound(void *arg)
{
	struct evtchn_alloc_unbound *a = arg;
	struct domain *d = domain_get_by_any_id(a->dom);
	int port;

	if (!d)
		return -ESRCH;
	port = hc_permit(HC_TARGET, d);
	if (port)
		goto out;
	if (!d->evtchn) {
		port = -EINVAL;
		goto out;
	}
	spin_lock(&d->evtchn->lock);
	port = evtchn_port_take(d);
	if (port >= 0) {
		struct evtchn_port *p = evtchn_find(d->evtchn, (u32)port);

		p->remote_domid = a->remote_dom == DOMID_SELF ? current->domain->id : a->remote_dom;
		p->state = ECS_UNBOUND;
		a->port = (u32)port;
		port = 0;
	}
	spin_unlock(&d->evtchn->lock);
out:
	domain_put(d);
	return port;
}

static long op_bind_interdomain(void *arg)
{
	struct evtchn_bind_interdomain *b = arg;
	struct domain *ld = current->domain, *rd = domain_get_by_id(b->remote_dom);
	struct evtchn_port *lp, *rp;
	int port;

	if (!rd)
		return -ESRCH;
	if (!rd->evtchn) {
		domain_put(rd);
		return -EINVAL;
	}
	spin_lock_pair(&ld->evtchn->lock, &rd->evtchn->lock);
	port = evtchn_port_take(ld);
	if (port < 0)
		goto out;
	lp = evtchn_find(ld->evtchn, (u32)port);
	rp = evtchn_find(rd->evtchn, b->remote_port);
	if (!rp || rp->state != ECS_UNBOUND || rp->remote_domid != ld->id) {
		evtchn_release(ld->evtchn, (u32)port);
		port = -EINVAL;
		goto out;
	}
	lp->remote = rd;
	lp->remote_domid = rd->id;
	lp->peer = b->remote_port;
	lp->state = ECS_INTERDOMAIN;
	rp->remote = ld;
	rp->peer = (u32)port;
	rp->state = ECS_INTERDOMAIN;
	/* What the other side sent before now is lost; a spurious event is better than a missed
	 * one. */
	evtchn_raise(ld, lp, (u32)port);
	b->local_port = (u32)port;
	port = 0;
out:
	spin_unlock_pair(&ld->evtchn->lock, &rd->evtchn->lock);
	domain_put(rd);
	return port;
}

static long op_bind_virq(void *arg)
{
	struct evtchn_bind_virq *b = arg;
	struct domain *d = current->domain;
	struct evtchn_port *p;
	struct vcpu *v;
	int port;

	if (b->virq >= NR_VIRQS || (evtchn_virq_is_global(b->virq) && b->vcpu))
		return -EINVAL;
	b->virq &= (u32)evtchn_index_mask(b->virq, NR_VIRQS);
	v = find_vcpu(d, b->vcpu);
	if (!v)
		return -ENOENT;
	spin_lock(&d->evtchn->lock);
	if (v->virq_to_evtchn[b->virq]) {
		port = -EEXIST;
		goto out;
	}
	port = evtchn_port_take(d);
	if (port < 0)
		goto out;
	p = evtchn_find(d->evtchn, (u32)port);
	p->vcpu = (u16)v->id;
	p->peer = b->virq;
	p->state = ECS_VIRQ;
	WRITE_ONCE(v->virq_to_evtchn[b->virq], (u32)port);
	b->port = (u32)port;
	port = 0;
out:
	spin_unlock(&d->evtchn->lock);
	return port;
}

static long op_bind_ipi(void *arg)
{
	struct evtchn_bind_ipi *b = arg;
	struct domain *d = current->domain;
	struct vcpu *v = find_vcpu(d, b->vcpu);
	int port;

	if (!v)
		return -ENOENT;
	spin_lock(&d->evtchn->lock);
	port = evtchn_port_take(d);
	if (port >= 0) {
		struct evtchn_port *p = evtchn_find(d->evtchn, (u32)port);

		p->vcpu = (u16)v->id;
		p->state = ECS_IPI;
		b->port = (u32)port;
		port = 0;
	}
	spin_unlock(&d->evtchn->lock);
	return port;
}

/* The machine side is bound outside the lock (pirq bindings rank below ports); meanwhile the port
 * is ECS_RESERVED, so nobody can close it, and pirq_port[] says the pirq is taken. */
static long op_bind_pirq(void *arg)
{
	struct evtchn_bind_pirq *b = arg;
	struct domain *d = current->domain;
	struct evtchn_table *t = d->evtchn;
	struct evtchn_port *p;
	int port, ret;

	if (b->pirq >= EVTCHN_MAX_PIRQS)
		return -EINVAL;
	b->pirq &= (u32)evtchn_index_mask(b->pirq, EVTCHN_MAX_PIRQS);
	if (!d->is_hardware && !domain_irq_permitted(d, b->pirq))
		return -EPERM;
	spin_lock(&t->lock);
	if (!t->pirq_port) {
		u32 *ports = hv_new_array(u32, EVTCHN_MAX_PIRQS);

		if (!ports) {
			spin_unlock(&t->lock);
			return -ENOMEM;
		}
		__atomic_store_n(&t->pirq_port, ports, __ATOMIC_RELEASE);
	}
	port = t->pirq_port[b->pirq] ? -EEXIST : evtchn_port_take(d);
	if (port < 0) {
		spin_unlock(&t->lock);
		return port;
	}
	p = evtchn_find(t, (u32)port);
	p->peer = b->pirq;
	WRITE_ONCE(t->pirq_port[b->pirq], (u32)port);
	spin_unlock(&t->lock);

	ret = pirq_guest_bind(d->vcpus[0], b->pirq, b->flags & BIND_PIRQ__WILL_SHARE);

	spin_lock(&t->lock);
	if (ret) {
		WRITE_ONCE(t->pirq_port[b->pirq], 0);
		evtchn_clear_pending(t, d->shared_info, (u32)port);
		evtchn_release(t, (u32)port);
	} else {
		p->state = ECS_PIRQ;
		b->port = (u32)port;
	}
	spin_unlock(&t->lock);
	return ret;
}

/* Both ends' locks are held, or it is one domain. */
static void unlink_remote(struct domain *d, struct evtchn_port *p)
{
	struct evtchn_port *rp = evtchn_find(p->remote->evtchn, p->peer);

	rp->state = ECS_UNBOUND;
	rp->remote = NULL;
	rp->peer = 0;
	rp->remote_domid = d->id;
}

static void release_port(struct domain *d, u32 port)
{
	evtchn_clear_pending(d->evtchn, d->shared_info, port);
	evtchn_release(d->evtchn, port);
}

/* Closes an interdomain port whose other end is rd. 0, or -EAGAIN: it is something else by now. */
static int close_interdomain(struct domain *d, u32 port, struct domain *rd)
{
	struct evtchn_port *p = evtchn_find(d->evtchn, port);
	int ret = -EAGAIN;

	spin_lock_pair(&d->evtchn->lock, &rd->evtchn->lock);
	if (p->state == ECS_INTERDOMAIN && p->remote == rd) {
		unlink_remote(d, p);
		release_port(d, port);
		ret = 0;
	}
	spin_unlock_pair(&d->evtchn->lock, &rd->evtchn->lock);
	return ret;
}

int evtchn_port_close(struct domain *d, u32 port)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_port *p = evtchn_find(t, port);
	struct domain *rd;
	u32 pirq;
	int ret;

	if (!p)
		return -EINVAL;
again:
	spin_lock(&t->lock);
	switch (p->state) {
	case ECS_UNBOUND:
	case ECS_IPI:
		break;
	case ECS_VIRQ:
		WRITE_ONCE(d->vcpus[evtchn_virq_is_global(p->peer) ? 0 : p->vcpu]->virq_to_evtchn[p->peer],
			   0);
		break;
	case ECS_PIRQ:
		pirq = p->peer;
		p->state = ECS_RESERVED;
		spin_unlock(&t->lock);
		pirq_guest_unbind(d, pirq);
		spin_lock(&t->lock);
		WRITE_ONCE(t->pirq_port[pirq], 0);
		break;
	case ECS_INTERDOMAIN:
		rd = p->remote;
		/* The link keeps rd alive as long as we hold the lock; a reference does beyond. It
		 * can only be refused to a domain on its last way, whose own closing of the link
		 * waits for our lock. */
		if (!domain_get(rd)) {
			spin_unlock(&t->lock);
			cpu_relax_poll();
			goto again;
		}
		spin_unlock(&t->lock);
		ret = close_interdomain(d, port, rd);
		domain_put(rd);
		if (ret)
			goto again;
		return 0;
	default:
		spin_unlock(&t->lock);
		return -EINVAL;
	}
	release_port(d, port);
	spin_unlock(&t->lock);
	return 0;
}

static long op_close(void *arg)
{
	return evtchn_port_close(current->domain, ((struct evtchn_close *)arg)->port);
}

static long op_send(void *arg)
{
	return evtchn_send(current->domain, ((struct evtchn_send *)arg)->port);
}

static long op_unmask(void *arg)
{
	u32 port = ((struct evtchn_unmask *)arg)->port, pirq = ~0U;
	struct domain *d = current->domain;
	struct evtchn_port *p = evtchn_find(d->evtchn, port);

	if (p && p->state == ECS_PIRQ)
		pirq = READ_ONCE(p->peer);
	if (pirq != ~0U)
		pirq_guest_unmask(d, pirq);
	return evtchn_unmask(d, port);
}

static long op_status(void *arg)
{
	struct evtchn_status *s = arg;
	struct domain *d = domain_get_by_any_id(s->dom);
	const struct evtchn_port *p = NULL;
	int ret = -EINVAL;

	if (!d)
		return -ESRCH;
	if (d->evtchn)
		p = evtchn_find(d->evtchn, s->port);
	if (!p)
		goto out;
	ret = hc_permit(HC_TARGET, d);
	if (ret)
		goto out;
	spin_lock(&d->evtchn->lock);
	switch (p->state) {
	case ECS_UNBOUND:
		s->status = EVTCHNSTAT_unbound;
		s->u.unbound.dom = p->remote_domid;
		break;
	case ECS_INTERDOMAIN:
		s->status = EVTCHNSTAT_interdomain;
		s->u.interdomain.dom = p->remote->id;
		s->u.interdomain.port = p->peer;
		break;
	case ECS_PIRQ:
		s->status = EVTCHNSTAT_pirq;
		s->u.pirq = p->peer;
		break;
	case ECS_VIRQ:
		s->status = EVTCHNSTAT_virq;
		s->u.virq = p->peer;
		break;
	case ECS_IPI:
		s->status = EVTCHNSTAT_ipi;
		break;
	default:
		s->status = EVTCHNSTAT_closed;
		break;
	}
	s->vcpu = p->vcpu;
	spin_unlock(&d->evtchn->lock);
out:
	domain_put(d);
	return ret;
}

static long op_bind_vcpu(void *arg)
{
	struct evtchn_bind_vcpu *b = arg;
	struct domain *d = current->domain;
	struct vcpu *v = find_vcpu(d, b->vcpu);
	struct evtchn_port *p;
	u32 pirq = ~0U;
	int ret = 0;

	if (!v)
		return -ENOENT;
	p = evtchn_find(d->evtchn, b->port);
	if (!p)
		return -EINVAL;
	spin_lock(&d->evtchn->lock);
	switch (p->state) {
	case ECS_VIRQ:
		if (!evtchn_virq_is_global(p->peer)) {
			ret = -EINVAL;
			break;
		}
		/* fall through */
	case ECS_UNBOUND:
	case ECS_INTERDOMAIN:
		WRITE_ONCE(p->vcpu, (u16)v->id);
		break;
	case ECS_PIRQ:
		if (p->vcpu != v->id)
			pirq = p->peer;
		WRITE_ONCE(p->vcpu, (u16)v->id);
		break;
	default:
		ret = -EINVAL;
		break;
	}
	spin_unlock(&d->evtchn->lock);
	if (pirq != ~0U)
		pirq_set_affinity(d, pirq, v->cpu);
	return ret;
}

static long op_reset(void *arg)
{
	struct domain *d = domain_get_by_any_id(((struct evtchn_reset *)arg)->dom);
	long ret;

	if (!d)
		return -ESRCH;
	ret = hc_permit(HC_TARGET, d);
	if (!ret)
		ret = d->evtchn ? evtchn_domain_reset(d) : -EINVAL;
	domain_put(d);
	return ret;
}

#define op_init_control evtchn_op_init_control
#define op_expand_array evtchn_op_expand_array
#define op_set_priority evtchn_op_set_priority

#define OP(family, nr, name, type, dir, priv, again) [nr] = HC_ROW(name, type, dir, priv, again),
static const struct hc_row rows[] = {
#include <def/evtchn.def>
};
#undef OP

long do_event_channel_op(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	if (likely(cmd == EVTCHNOP_send)) {
		struct evtchn_send s;

		if (copy_from_guest_va(&s, uarg, sizeof(s)))
			return -EFAULT;
		return evtchn_send(current->domain, s.port);
	}
	return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
}

/* The old form: number and argument in one structure, and only the operations of its time. */
long do_event_channel_op_compat(u64 uarg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	u32 cmd;

	if (copy_from_guest_va(&cmd, uarg, sizeof(cmd)))
		return -EFAULT;
	if (cmd > EVTCHNOP_unmask)
		return -ENOSYS;
	return do_event_channel_op(cmd, uarg + offsetof(struct evtchn_op, u), 0, 0, 0);
}
