/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the event-channel files of hypercall/; other rooms use event.h. */
#ifndef SERAI_HYPERCALL_EVTCHN_H
#define SERAI_HYPERCALL_EVTCHN_H

#include <core/event/table.h>
#include <event.h>

void evtchn_wake_pollers(struct domain *d, u32 port);

/* d's port is raised, and whoever must know is told. d's lock, or the lock of the domain at the
 * other end, is held. */
static inline void evtchn_raise(struct domain *d, struct evtchn_port *p, u32 port)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn_fifo *f = t->fifo;
	unsigned int vcpu = READ_ONCE(p->vcpu), effect;
	struct vcpu *v = d->vcpus[vcpu];

	if (f)
		effect = evtchn_fifo_raise(f, p, port, vcpu);
	else
		effect = evtchn_2l_raise(d->shared_info, v ? v->vcpu_info : NULL, port);
	if (effect & EVTCHN_NOTIFY)
		vcpu_mark_events_pending(v);
	if (unlikely(READ_ONCE(t->pollers)) && effect & EVTCHN_NEW)
		evtchn_wake_pollers(d, port);
}

/* Takes a port of d (lock held), growing the table; ECS_RESERVED. -EINVAL when d is dying. */
int evtchn_port_take(struct domain *d);
int evtchn_port_close(struct domain *d, u32 port);
/* Closes every port and returns to the two-level ABI. -ERESTART; -EAGAIN when ports were taken meanwhile. */
int evtchn_domain_reset(struct domain *d);

long evtchn_op_init_control(void *arg);
long evtchn_op_expand_array(void *arg);
long evtchn_op_set_priority(void *arg);
void evtchn_fifo_destroy(struct domain *d);

#endif
