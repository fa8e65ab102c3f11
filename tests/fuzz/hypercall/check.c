/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold between two calls: event channels point at each other, grants in use are exactly those that handles
 * name, reference counts of domains are the sum of what holds them, and the frame checker finds nothing.
 */
#include "machine.h"
#include <hypercall/evtchn.h>
#include <hypercall/grant.h>
#include <lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86/irq/internal.h>

static const char *last_call;

#define must(c, d, n)                                                                                 \
	do {                                                                                          \
		if (!(c)) {                                                                           \
			fprintf(stderr, "after %s: domain %u, %ld: not so: %s\n", last_call, (d)->id, \
				(long)(n), #c);                                                       \
			abort();                                                                      \
		}                                                                                     \
	} while (0)

static void check_port(const struct domain *d, u32 port, const struct evtchn_port *p)
{
	const struct evtchn_port *rp;

	must(p->state <= ECS_IPI, d, port);
	must(p->vcpu < d->max_vcpus && d->vcpus[p->vcpu], d, port);
	must(p->last_vcpu < d->max_vcpus, d, port);
	must(p->priority <= EVTCHN_FIFO_PRIORITY_MIN && p->last_priority <= EVTCHN_FIFO_PRIORITY_MIN, d,
	     port);
	switch (p->state) {
	case ECS_RESERVED:
		must(!port, d, port); /* others are only on the way */
		break;
	case ECS_INTERDOMAIN:
		must(p->remote && p->remote->evtchn, d, port);
		rp = evtchn_find(p->remote->evtchn, p->peer);
		must(rp && rp->state == ECS_INTERDOMAIN && rp->remote == d && rp->peer == port, d, port);
		break;
	case ECS_VIRQ:
		must(p->peer < NR_VIRQS, d, port);
		must(d->vcpus[evtchn_virq_is_global(p->peer) ? 0 : p->vcpu]->virq_to_evtchn[p->peer] == port,
		     d, port);
		break;
	case ECS_PIRQ:
		must(d->evtchn->pirq_port && d->evtchn->pirq_port[p->peer] == port, d, port);
		break;
	default:
		must(!p->remote, d, port);
	}
}

static void check_fifo(const struct domain *d, const struct evtchn_fifo *f)
{
	for (u32 i = 0; i < f->nr_vcpus; i++)
		for (u32 q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			must(f->vcpu[i].tail[q] < max(d->evtchn->nr_ports, 1U), d, i);
	must(f->nr_pages <= EVTCHN_FIFO_PAGES, d, f->nr_pages);
}

static void check_events(struct domain *d)
{
	const struct evtchn_table *t = d->evtchn;
	u32 used = 0, pollers = 0;
	struct vcpu *v;

	for (u32 port = 0; port < t->nr_ports; port++) {
		const struct evtchn_port *p = evtchn_find(t, port);

		check_port(d, port, p);
		used += p->state != ECS_FREE;
		must(port >= t->first_free || p->state != ECS_FREE, d, port);
	}
	must(used == t->in_use, d, used);
	must(t->nr_ports <= ROUND_UP(t->max_ports, EVTCHN_PORTS_PER_PAGE), d, t->nr_ports);
	for_each_vcpu(d, v) {
		pollers += v->poll_evtchn != 0;
		for (u32 virq = 0; virq < NR_VIRQS; virq++) {
			u32 port = v->virq_to_evtchn[virq];
			const struct evtchn_port *p = evtchn_find(t, port);

			must(!port || (p && p->state == ECS_VIRQ && p->peer == virq), d, port);
		}
	}
	must(pollers == t->pollers, d, pollers);
	if (t->fifo)
		check_fifo(d, t->fifo);
}

static u64 use_off(u64 w)
{
	u64 without;
	bool idle;

	(void)pgt_put_plain(w, &without, &idle);
	return without;
}

/* The uses of every grant that handles stand for are taken off the active entries, which must then be 0; and the frames
 * that device mappings alone hold are let go for the frame checker's time. sign 1: off, -1: back. */
static void count_handles(const struct domain *d, int sign, unsigned int *held)
{
	const struct maptrack *m = &d->grant->maptrack;
	u32 used = 0;

	for (u32 h = 0; h < m->nr; h++) {
		const struct maptrack_entry *e = maptrack_find(m, h);
		struct grant_active *a;
		struct frame *f;

		if (!e->flags)
			continue;
		used++;
		must(e->granter && e->granter->id < NR_DOMAINS && e->granter->grant, d, h);
		must(e->ref < e->granter->grant->nr_frames * GRANT_V1_PER_PAGE, d, h);
		held[e->granter->id]++;
		a = grant_active(e->granter->grant, e->ref);
		must(a->domid == d->id, d, h);
		*(e->flags & GNTMAP_readonly ? &a->readers : &a->writers) -= (u32)sign;
		f = mfn_to_frame(MFN(a->mfn));
		must(a->mfn < max_mfn, d, h);
		if (e->flags & GNTMAP_host_map)
			continue;
		f->refs -= (u64)(s64)sign;
		if (!(e->flags & GNTMAP_readonly))
			f->type_word = sign > 0 ? use_off(f->type_word) : (f->type_word | PGT_VALID) + 1;
	}
	must(used == m->in_use, d, used);
}

static void check_active(const struct domain *d)
{
	const struct grant_table *gt = d->grant;

	must(gt->version == 1 || gt->version == 2, d, gt->version);
	must(gt->nr_frames <= gt->max_frames, d, gt->nr_frames);
	for (u32 ref = 0; ref < grant_nr_entries(gt); ref++)
		must(!grant_active_used(grant_active(gt, ref)), d, ref);
}

/* A level interrupt is masked until every guest it went to has said that it is done. */
static void check_irqs(void)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		const struct irq_desc *desc = &irq_descs[i];
		const struct domain *d = desc->nr_guests ? desc->guests[0].d : current->domain;
		unsigned int waiting = 0;

		must(desc->nr_guests <= MAX_GUESTS, d, i);
		for (unsigned int g = 0; g < desc->nr_guests; g++) {
			waiting += desc->guests[g].needs_eoi;
			must(!machine.killed[desc->guests[g].d->id], desc->guests[g].d, i);
		}
		must(waiting == desc->unacked, d, i);
		must(desc->masked || (desc->nr_guests && !waiting), d, i);
		must(!desc->nr_guests || desc->vector, d, i);
		must(!desc->nr_guests || desc->kind != IRQ_UNUSED, d, i);
	}
}

void machine_check(const char *after)
{
	unsigned int held[NR_DOMAINS] = {0}, wrong;

	last_call = after;
	must(!locks_held, current->domain, locks_held);
	check_irqs();
	for (unsigned int i = 0; i < NR_DOMAINS; i++) {
		check_events(machine.d[i]);
		count_handles(machine.d[i], 1, held);
	}
	for (unsigned int i = 0; i < NR_DOMAINS; i++)
		check_active(machine.d[i]);
	wrong = mm_check_all();
	for (unsigned int i = 0; i < NR_DOMAINS; i++) {
		const struct domain *d = machine.d[i];
		unsigned int refs = 1U + !machine.killed[i] + !!d->mm->tot_pages + held[i];

		count_handles(d, -1, (unsigned int[NR_DOMAINS]){0});
		must((unsigned int)d->refcount == refs, d, d->refcount);
	}
	must(!wrong, current->domain, wrong);
}
