/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests' interrupts. A domain's table maps its pirqs to irqs: GSIs under their own number, message
 * interrupts from the top of the table downwards, as Xen numbers them.
 *
 * domain_irq.lock (RANK_IRQ) protects the table and the end-of-interrupt page; the guests[] of a
 * descriptor are protected by the descriptor's.
 *
 * The end-of-interrupt page (PHYSDEVOP_pirq_eoi_gmfn) is the guest's; a set bit tells it that this
 * pirq wants PHYSDEVOP_eoi. We only ever write it, so what the guest does to it is its own affair.
 */
#include <event.h>
#include <lib.h>
#include <mm.h>
#include <rangeset.h>
#include <smp.h>
#include <spinlock.h>
#include <xen/physdev.h>
#include <xerrno.h>

#include "internal.h"
#include "pirq.h"

#define PIRQS_PER_CPU 196U /* so that the numbers are the ones Xen hands out */
#define PIRQS_GUEST 32U

struct domain_irq {
	spinlock_t lock;
	u16 nr_pirqs;
	u16 *irq_of; /* nr_pirqs; IRQ_NONE: not mapped */
	u64 *eoi_map;
	struct frame *eoi_frame;
};

int irq_domain_init(struct domain *d)
{
	struct domain_irq *di = hv_new(struct domain_irq);
	unsigned int cpus = cpumask_weight(&cpu_online_map), nr = nr_irqs_gsi() + PIRQS_GUEST;

	if (!di)
		return -ENOMEM;
	if (d->is_hardware)
		nr = nr_irqs_gsi() + PIRQS_PER_CPU * (32 - (unsigned int)__builtin_clz(cpus));
	nr = min(nr, EVTCHN_MAX_PIRQS);
	spin_lock_init(&di->lock, RANK_IRQ);
	di->nr_pirqs = (u16)nr;
	di->irq_of = hv_new_array(u16, nr);
	if (!di->irq_of) {
		hv_free(di);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < nr; i++)
		di->irq_of[i] = IRQ_NONE;
	d->irq = di;
	if (d->is_hardware)
		printk(XLOG_INFO "d%u has maximum %u PIRQs\n", d->id, nr);
	return 0;
}

/* Guest-controlled index: checked, and clamped where speculation might run past the check. */
static unsigned int clamp(unsigned int i, unsigned int nr)
{
	return i & (unsigned int)(((s64)i - (s64)nr) >> 63);
}

/* The domains' share of the lines. 0 is the number of the timer, which is ours, wherever it is wired. */
static bool line_is_for_guests(unsigned int gsi)
{
	return gsi != 0 && irq_descs[gsi].kind == IRQ_IOAPIC;
}

/* Lock held. NULL: no such pirq, or nothing behind it. The hardware domain's GSIs map themselves.
 */
static struct irq_desc *pirq_desc(struct domain *d, unsigned int pirq)
{
	struct domain_irq *di = d->irq;

	if (pirq >= di->nr_pirqs)
		return NULL;
	pirq = clamp(pirq, di->nr_pirqs);
	if (di->irq_of[pirq] == IRQ_NONE && d->is_hardware && pirq < nr_irqs_gsi() &&
	    line_is_for_guests(pirq) && !irq_descs[pirq].fn)
		di->irq_of[pirq] = (u16)pirq;
	return di->irq_of[pirq] == IRQ_NONE ? NULL : &irq_descs[di->irq_of[pirq]];
}

static struct irq_guest *guest_slot(struct irq_desc *desc, const struct domain *d)
{
	for (unsigned int i = 0; i < desc->nr_guests; i++)
		if (desc->guests[i].d == d)
			return &desc->guests[i];
	return NULL;
}

static void eoi_map_set(struct domain_irq *di, unsigned int pirq, bool set)
{
	if (!di->eoi_map)
		return;
	if (set)
		set_bit(pirq, di->eoi_map);
	else
		clear_bit(pirq, di->eoi_map);
}

/* Descriptor locked. */
static int add_guest(struct irq_desc *desc, struct vcpu *v, unsigned int pirq, bool will_share)
{
	int rc;

	if (desc->fn || desc->kind == IRQ_UNUSED)
		return -EBUSY;
	if (guest_slot(desc, v->domain))
		return -EEXIST;
	if (desc->nr_guests && (!desc->shareable || !will_share || desc->nr_guests == MAX_GUESTS))
		return -EBUSY;
	if (!desc->nr_guests) {
		desc->masked = true;
		rc = irq_route(desc, v->cpu);
		if (rc)
			return rc;
		desc->shareable = will_share;
		desc->unacked = 0;
	}
	desc->guests[desc->nr_guests++] = (struct irq_guest){v->domain, (u16)pirq, false};
	if (desc->nr_guests == 1)
		irq_set_masked(desc, false);
	return 0;
}

int pirq_guest_bind(struct vcpu *v, unsigned int pirq, bool will_share)
{
	struct domain *d = v->domain;
	struct irq_desc *desc;
	int rc = -EINVAL;

	spin_lock(&d->irq->lock);
	desc = pirq_desc(d, pirq);
	if (desc) {
		spin_lock(&desc->lock);
		rc = add_guest(desc, v, pirq, will_share);
		if (!rc)
			eoi_map_set(d->irq, pirq, desc->level);
		spin_unlock(&desc->lock);
	}
	spin_unlock(&d->irq->lock);
	return rc;
}

/* Descriptor locked: one guest less to wait for. */
static void ack(struct irq_desc *desc, struct irq_guest *g)
{
	if (!g->needs_eoi)
		return;
	g->needs_eoi = false;
	if (--desc->unacked == 0)
		irq_set_masked(desc, false);
}

/* Table locked. Returns when no handler can still be using d for this interrupt. */
static void unbind(struct domain *d, unsigned int pirq, struct irq_desc *desc)
{
	struct irq_guest *g;

	spin_lock(&desc->lock);
	g = guest_slot(desc, d);
	if (g) {
		ack(desc, g);
		*g = desc->guests[--desc->nr_guests];
		if (!desc->nr_guests)
			irq_set_masked(desc, true);
	}
	spin_unlock(&desc->lock);
	if (g) {
		eoi_map_set(d->irq, pirq, false);
		irq_wait_idle(desc);
	}
}

void pirq_guest_unbind(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc;

	spin_lock(&d->irq->lock);
	desc = pirq_desc(d, pirq);
	if (desc)
		unbind(d, pirq, desc);
	spin_unlock(&d->irq->lock);
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	struct irq_desc *desc;

	spin_lock(&d->irq->lock);
	desc = pirq_desc(d, pirq);
	if (desc) {
		spin_lock(&desc->lock);
		if (desc->vector && desc->cpu != cpu && guest_slot(desc, d))
			(void)irq_route(desc, cpu);
		spin_unlock(&desc->lock);
	}
	spin_unlock(&d->irq->lock);
}

/* A level interrupt is unmasked by PHYSDEVOP_eoi alone: the port's mask says nothing about the
 * device. */
void pirq_guest_unmask(struct domain *d, unsigned int pirq)
{
	(void)d;
	(void)pirq;
}

int pirq_eoi(struct domain *d, unsigned int pirq)
{
	struct irq_desc *desc;
	struct irq_guest *g;

	spin_lock(&d->irq->lock);
	desc = pirq_desc(d, pirq);
	if (desc) {
		spin_lock(&desc->lock);
		g = guest_slot(desc, d);
		if (g)
			ack(desc, g);
		spin_unlock(&desc->lock);
	}
	spin_unlock(&d->irq->lock);
	return desc ? 0 : -EINVAL;
}

int pirq_status(struct domain *d, unsigned int pirq, u32 *flags)
{
	struct irq_desc *desc;

	*flags = 0;
	if (pirq >= d->irq->nr_pirqs)
		return -EINVAL;
	/* Who asks this, rather than look into the page, ends every interrupt. */
	*flags = XENIRQSTAT_needs_eoi;
	spin_lock(&d->irq->lock);
	desc = pirq_desc(d, pirq);
	if (desc && desc->shareable)
		*flags |= XENIRQSTAT_shared;
	spin_unlock(&d->irq->lock);
	return 0;
}

static int free_pirq(struct domain *d, bool msi)
{
	struct domain_irq *di = d->irq;

	if (!msi) {
		for (unsigned int i = 16; i < nr_irqs_gsi(); i++)
			if (di->irq_of[i] == IRQ_NONE)
				return (int)i;
		return -ENOSPC;
	}
	for (unsigned int i = di->nr_pirqs; i-- > nr_irqs_gsi();)
		if (di->irq_of[i] == IRQ_NONE)
			return (int)i;
	return -ENOSPC;
}

int pirq_get_free(struct domain *d, bool msi)
{
	int rc;

	spin_lock(&d->irq->lock);
	rc = free_pirq(d, msi);
	spin_unlock(&d->irq->lock);
	return rc;
}

/* Guests beside the hardware domain need the interrupt among their permissions. */
static bool may_have_gsi(const struct domain *d, unsigned int gsi)
{
	return d->is_hardware || iorange_contains(d->irq_caps, gsi, gsi);
}

int pirq_map_gsi(struct domain *d, unsigned int gsi, int want)
{
	struct domain_irq *di = d->irq;
	int rc;

	if (gsi == 0 || gsi >= nr_irqs_gsi())
		return -EINVAL;
	if (!may_have_gsi(d, gsi))
		return -EPERM;
	gsi = clamp(gsi, nr_irqs_gsi());
	spin_lock(&di->lock);
	rc = want < 0 ? free_pirq(d, false) : want;
	if (rc >= di->nr_pirqs) {
		rc = -EINVAL;
	} else if (rc >= 0) {
		u16 old = di->irq_of[clamp((unsigned int)rc, di->nr_pirqs)];

		if (!line_is_for_guests(gsi))
			rc = -ENODEV;
		else if (old != IRQ_NONE && old != gsi)
			rc = -EEXIST;
		else
			di->irq_of[clamp((unsigned int)rc, di->nr_pirqs)] = (u16)gsi;
	}
	spin_unlock(&di->lock);
	return rc;
}

int pirq_map_msi(struct domain *d, struct pci_addr a, bool msix, unsigned int entry, paddr_t table_base,
		 int want)
{
	struct domain_irq *di = d->irq;
	struct irq_desc *desc;
	int pirq, rc;

	spin_lock(&di->lock);
	pirq = want < 0 ? free_pirq(d, true) : want;
	if (pirq < 0 || pirq >= di->nr_pirqs) {
		rc = pirq < 0 ? pirq : -EINVAL;
	} else if (di->irq_of[clamp((unsigned int)pirq, di->nr_pirqs)] != IRQ_NONE) {
		rc = -EEXIST;
	} else {
		rc = msi_map(a, msix, entry, table_base, &desc);
		if (!rc) {
			di->irq_of[pirq] = (u16)irq_number(desc);
			rc = pirq;
		}
	}
	spin_unlock(&di->lock);
	return rc;
}

/* Table locked. */
static int unmap(struct domain *d, unsigned int pirq)
{
	struct domain_irq *di = d->irq;
	struct irq_desc *desc;

	if (pirq >= di->nr_pirqs || di->irq_of[clamp(pirq, di->nr_pirqs)] == IRQ_NONE)
		return -EINVAL;
	desc = &irq_descs[di->irq_of[pirq]];
	unbind(d, pirq, desc);
	di->irq_of[pirq] = IRQ_NONE;
	if (desc->kind == IRQ_MSI)
		msi_unmap(desc);
	return 0;
}

int pirq_unmap(struct domain *d, unsigned int pirq)
{
	int rc;

	spin_lock(&d->irq->lock);
	rc = unmap(d, pirq);
	spin_unlock(&d->irq->lock);
	return rc;
}

/* Linux registers the page when it comes up, and again after a resume with a new one. */
int pirq_set_eoi_map(struct domain *d, mfn_t mfn)
{
	struct domain_irq *di = d->irq;
	struct frame *f;

	if (!mfn_valid(mfn))
		return -EINVAL;
	f = mfn_to_frame(mfn);
	if (!frame_get_and_type(f, d, FT_WRITABLE))
		return -EINVAL;
	spin_lock(&di->lock);
	if (di->eoi_map) {
		spin_unlock(&di->lock);
		frame_put_and_type(f);
		return -EBUSY;
	}
	di->eoi_map = map_frame(mfn);
	di->eoi_frame = f;
	for (unsigned int i = 0; i < di->nr_pirqs; i++) {
		struct irq_desc *desc = di->irq_of[i] == IRQ_NONE ? NULL : &irq_descs[di->irq_of[i]];

		if (desc && desc->level && guest_slot(desc, d))
			set_bit(i, di->eoi_map);
	}
	spin_unlock(&di->lock);
	return 0;
}

/* The line of an I/O APIC, NULL where there is none. */
static struct irq_desc *ioapic_line(unsigned int gsi)
{
	struct irq_desc *desc;

	if (gsi >= nr_irqs_gsi())
		return NULL;
	desc = &irq_descs[clamp(gsi, nr_irqs_gsi())];
	return desc->kind == IRQ_IOAPIC ? desc : NULL;
}

int gsi_setup(struct domain *d, unsigned int gsi, bool level, bool active_low)
{
	struct irq_desc *desc = ioapic_line(gsi);
	int rc = 0;

	if (!desc)
		return -EINVAL;
	spin_lock(&d->irq->lock);
	spin_lock(&desc->lock);
	if (desc->configured || gsi == 0) {
		rc = -EEXIST;
	} else {
		desc->configured = true;
		desc->level = level;
		desc->active_low = active_low;
		if (desc->vector)
			rc = irq_route(desc, desc->cpu);
	}
	spin_unlock(&desc->lock);
	spin_unlock(&d->irq->lock);
	return rc;
}

void irq_domain_release(struct domain *d)
{
	struct domain_irq *di = d->irq;
	struct frame *f;

	if (!di)
		return;
	spin_lock(&di->lock);
	for (unsigned int i = 0; i < di->nr_pirqs; i++)
		if (di->irq_of[i] != IRQ_NONE)
			(void)unmap(d, i);
	f = di->eoi_frame;
	di->eoi_map = NULL;
	di->eoi_frame = NULL;
	spin_unlock(&di->lock);
	if (f)
		frame_put_and_type(f);
}

void irq_domain_destroy(struct domain *d)
{
	struct domain_irq *di = d->irq;

	if (!di)
		return;
	irq_domain_release(d);
	hv_free(di->irq_of);
	hv_free(di);
	d->irq = NULL;
}

mfn_t irq_eoi_frame(const struct domain *d)
{
	return d->irq && d->irq->eoi_frame ? frame_to_mfn(d->irq->eoi_frame) : INVALID_MFN;
}
