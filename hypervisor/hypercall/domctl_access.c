/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOMCTLs that let a domain at hardware: I/O ports, device memory, interrupts. Nobody can pass on
 * what he has not. The domain is paused while its lists change (rangeset.h). Lock: domctl_lock.
 */
#include <event.h>
#include <hypercall/ctl.h>
#include <mm.h>
#include <rangeset.h>

static long change(struct domain *d, struct iorange_list **list, u64 first, u64 last, bool allow)
{
	int ret;

	if (d != current->domain)
		domain_pause(d);
	ret = allow ? iorange_add(list, first, last) : iorange_remove(list, first, last);
	if (d != current->domain)
		domain_unpause(d);
	return ret;
}

long domctl_irq_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_irq_permission *p = &op->u.irq_permission;

	if (p->pirq >= EVTCHN_MAX_PIRQS)
		return -EINVAL;
	if (!current->domain->is_hardware && !domain_irq_permitted(current->domain, p->pirq))
		return -EPERM;
	return change(d, &d->irq_caps, p->pirq, p->pirq, p->allow_access);
}

#define MAX_PHYS_FRAMES (1ULL << (52 - PAGE_SHIFT))

long domctl_iomem_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;
	u64 last = p->first_mfn + p->nr_mfns - 1;

	if (last < p->first_mfn || last >= MAX_PHYS_FRAMES)
		return -EINVAL;
	if (!iorange_contains(current->domain->iomem, p->first_mfn, last))
		return -EPERM;
	return change(d, &d->iomem, p->first_mfn, last, p->allow_access);
}

long domctl_ioport_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;
	u64 end = (u64)p->first_port + p->nr_ports;

	if (!p->nr_ports || end > 0x10000)
		return -EINVAL;
	if (!iorange_contains(current->domain->ioport, p->first_port, end - 1))
		return -EPERM;
	return change(d, &d->ioport, p->first_port, end - 1, p->allow_access);
}
