/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels of a domain: beginning, end, and what the 'e' debug key shows. */
#include <hypercall.h>
#include <hypercall/evtchn.h>
#include <lib.h>
#include <mm.h>

int evtchn_domain_init(struct domain *d)
{
	struct evtchn_table *t = hv_new(struct evtchn_table);
	void *page = hv_alloc_pages(0);

	if (!t || !page)
		goto fail;
	spin_lock_init(&t->lock, RANK_EVTCHN);
	t->max_ports = d->max_evtchn_port >= EVTCHN_FIFO_NR_CHANNELS - 1 ? EVTCHN_FIFO_NR_CHANNELS
									 : d->max_evtchn_port + 1;
	t->pages = hv_new_array(struct evtchn_port *, evtchn_page_slots(t->max_ports));
	if (!t->pages)
		goto fail;
	evtchn_add_page(t, page);
	evtchn_take(t); /* port 0 means "none" in the ABI */
	t->reset_next = 1;
	d->evtchn = t;
	return 0;
fail:
	if (page)
		hv_free_pages(page, 0);
	hv_free(t);
	return -ENOMEM;
}

/* Closes the ports from *next on. -ERESTART leaves there where to go on: who is interrupted every time gets done, too. */
static int close_ports(struct domain *d, u32 *next)
{
	struct evtchn_table *t = d->evtchn;

	for (u32 port = READ_ONCE(*next); port < t->nr_ports; port++) {
		if (evtchn_find(t, port)->state != ECS_FREE)
			evtchn_port_close(d, port);
		if (port && !(port % 64) && hypercall_preempt_check()) {
			WRITE_ONCE(*next, port + 1);
			return -ERESTART;
		}
	}
	WRITE_ONCE(*next, t->nr_ports);
	return 0;
}

int evtchn_domain_reset(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	int ret = close_ports(d, &t->reset_next);

	if (ret)
		return ret;
	WRITE_ONCE(t->reset_next, 1);
	spin_lock(&t->lock);
	/* Port 0 is always taken. Others: another vCPU was quicker, or an earlier reset was given up half-way. */
	if (t->in_use > 1)
		ret = -EAGAIN;
	else
		evtchn_fifo_destroy(d);
	spin_unlock(&t->lock);
	return ret;
}

int evtchn_domain_kill(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	int rc;

	if (!t)
		return 0;
	evtchn_drop_virq_handlers(d);
	/* No port can be taken any more; so one pass, with pauses, closes all there will be. */
	rc = close_ports(d, &t->kill_next);
	if (rc)
		return rc;
	spin_lock(&t->lock);
	evtchn_fifo_destroy(d);
	spin_unlock(&t->lock);
	return 0;
}

void evtchn_domain_destroy(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t)
		return;
	d->evtchn = NULL;
	for (u32 i = 0; i < t->nr_ports / EVTCHN_PORTS_PER_PAGE; i++)
		hv_free_pages(t->pages[i], 0);
	hv_free(t->pages);
	if (t->pirq_port)
		hv_free(t->pirq_port);
	hv_free(t);
}

int evtchn_vcpu_init(struct vcpu *v)
{
	spin_lock_init(&v->virq_lock, RANK_EVTCHN);
	return 0;
}

void evtchn_vcpu_destroy(struct vcpu *v)
{
}

static const char *const state_names[] = {"free", "reserved", "unbound", "interdomain",
					  "pirq", "virq",     "ipi"};

void evtchn_dump(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t)
		return;
	printk("d%u event channels (%s, %u in use):\n", d->id, t->fifo ? "FIFO" : "2-level", t->in_use);
	spin_lock(&t->lock);
	for (u32 port = 1; port < t->nr_ports; port++) {
		const struct evtchn_port *p = evtchn_find(t, port);

		if (p->state == ECS_FREE)
			continue;
		printk("  %5u [p%u m%u] %s vcpu %u peer %u dom %d prio %u\n", port,
		       evtchn_is_pending(t, d->shared_info, port), evtchn_is_masked(t, d->shared_info, port),
		       state_names[p->state], p->vcpu, p->peer,
		       p->state == ECS_UNBOUND || p->state == ECS_INTERDOMAIN ? p->remote_domid : -1,
		       p->priority);
	}
	spin_unlock(&t->lock);
}
