/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels: what other rooms may ask of core/event and hypercall/evtchn.c. */
#ifndef SERAI_EVENT_H
#define SERAI_EVENT_H

#include <domain.h>

int evtchn_domain_init(struct domain *d);     /* 0 or -ENOMEM; d->max_evtchn_port set by the caller */
int evtchn_domain_kill(struct domain *d);     /* closes every port; preemptible, -ERESTART */
void evtchn_domain_destroy(struct domain *d); /* frees */
int evtchn_vcpu_init(struct vcpu *v);
void evtchn_vcpu_destroy(struct vcpu *v);

#define EVTCHN_MAX_PIRQS 1024U /* no domain has a pirq of a higher number */

/* Raise a per-vCPU or global VIRQ; harmless when not bound. Safe from interrupt context. */
void evtchn_send_virq(struct vcpu *v, unsigned int virq);
void evtchn_send_global_virq(struct domain *d, unsigned int virq);
/* Raise for the hardware/control domain (VIRQ_CONSOLE, VIRQ_DOM_EXC, VIRQ_CON_RING, ...). */
void evtchn_send_host_virq(unsigned int virq);
/* Host-wide events of this kind go to d from now on. 0, -EINVAL, -ESRCH. */
int evtchn_set_virq_handler(struct domain *d, u32 virq);
void evtchn_drop_virq_handlers(struct domain *d);
/* A machine interrupt bound to a pirq arrived. */
void evtchn_send_pirq(struct domain *d, unsigned int pirq);
/* In-hypervisor send on a port the domain owns (xenstore/console glue). */
int evtchn_send(struct domain *d, u32 port);
/* For SCHEDOP_poll. 1: port is pending; 0: it is not; -EINVAL: it is not in use. */
int evtchn_port_poll(struct domain *d, u32 port);
/* SCHEDOP_poll: v (blocked) waits for port, for several ports (~0) or no longer (0). A raised port that it
 * waits for clears the wait and calls vcpu_unblock(). Set it first, then look at evtchn_port_poll(). */
void evtchn_poll_set(struct vcpu *v, u32 port);
int evtchn_unmask(struct domain *d, u32 port);
/* 'e' debug key */
void evtchn_dump(struct domain *d);
/* The guest frames the FIFO ABI holds (a general and a WRITABLE reference each), for the frame checker. */
void evtchn_for_each_frame(const struct domain *d, void (*fn)(mfn_t m));

/* From hypercall/physdev (irq.h): bind and unbind the machine side of EVTCHNOP_bind_pirq. */
bool domain_irq_permitted(const struct domain *d, unsigned int pirq); /* d's irq permission list */
int pirq_guest_bind(struct vcpu *v, unsigned int pirq, bool will_share);
void pirq_guest_unbind(struct domain *d, unsigned int pirq);
void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu);
/* From EVTCHNOP_unmask of a pirq port: the guest is ready again (level interrupts with auto-eoi). */
void pirq_guest_unmask(struct domain *d, unsigned int pirq);

#endif
