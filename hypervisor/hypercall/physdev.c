/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_physdev_op (docs/abi/physdev.md): interrupts, I/O privilege and PCI devices of the
 * hardware domain. The work is done in x86/irq; here arguments are taken apart and checked.
 */
#include <acpi.h>
#include <hypercall.h>
#include <lib.h>
#include <mm.h>
#include <pci.h>
#include <uaccess.h>
#include <xen/physdev.h>

#include "../x86/irq/internal.h"
#include "../x86/irq/pirq.h"

static long op_irq_status_query(void *arg)
{
	struct physdev_irq_status_query *q = arg;

	return pirq_status(current->domain, q->irq, &q->flags);
}

static long op_set_iopl(void *arg)
{
	const struct physdev_set_iopl *s = arg;

	if (s->iopl > 3)
		return -EINVAL;
	current->pv.iopl = (u8)s->iopl;
	return 0;
}

static long op_set_iobitmap(void *arg)
{
	const struct physdev_set_iobitmap *s = arg;

	if (s->nr_ports > 65536 || !guest_range_ok((u64)s->bitmap.p, (s->nr_ports + 7) / 8))
		return -EINVAL;
	current->pv.iobmp = (u64)s->bitmap.p;
	current->pv.iobmp_limit = s->nr_ports;
	current->pv.iobmp_set = s->nr_ports != 0;
	return 0;
}

static long op_apic_read(void *arg)
{
	struct physdev_apic *a = arg;

	return ioapic_guest_read(a->apic_physbase, a->reg, &a->value);
}

/* Pins are programmed through setup_gsi and map_pirq; what a kernel writes beside that has no
 * effect. */
static long op_apic_write(void *arg)
{
	const struct physdev_apic *a = arg;
	u32 old;

	return ioapic_guest_read(a->apic_physbase, a->reg, &old);
}

static long op_alloc_irq_vector(void *arg)
{
	struct physdev_irq *i = arg;

	/* Vectors are ours and chosen when a pin is bound: the kernel gets a number it can hold on to. */
	i->vector = i->irq;
	return 0;
}

static long op_eoi(void *arg)
{
	const struct physdev_eoi *e = arg;

	return pirq_eoi(current->domain, e->irq);
}

/* Domain named in an operation, referenced, if the caller may act on it. */
static struct domain *target(domid_t id, int *rc)
{
	struct domain *d = domain_get_by_id(id);

	*rc = d ? hc_permit(HC_TARGET, d) : -ESRCH;
	if (*rc && d) {
		domain_put(d);
		d = NULL;
	}
	return d;
}

static int map_pirq(struct domain *d, const struct physdev_map_pirq *m)
{
	struct pci_addr a = {0, (u8)m->bus, (u8)m->devfn};

	switch (m->type) {
	case MAP_PIRQ_TYPE_GSI:
		/* Every PV domain may name a GSI (its kernel does so for ISA interrupts), but gets
		 * only those it was given. */
		return m->index < 0 ? -EINVAL : pirq_map_gsi(d, (unsigned int)m->index, m->pirq);
	case MAP_PIRQ_TYPE_MSI_SEG:
		a.seg = (u16)(m->bus >> 16);
		break;
	case MAP_PIRQ_TYPE_MSI:
		break;
	case MAP_PIRQ_TYPE_MULTI_MSI:
		a.seg = (u16)(m->bus >> 16);
		if (m->table_base)
			return -EINVAL;
		if (m->entry_nr > 1)
			return -EOPNOTSUPP; /* the kernel then asks for a single one */
		break;
	default:
		return -EINVAL;
	}
	if (!current->domain->is_hardware)
		return -EPERM;
	/* -1 asks for an interrupt; only a single message may name the one it wants. */
	if (m->entry_nr < 0 ||
	    (m->type != MAP_PIRQ_TYPE_MULTI_MSI && m->index != -1 &&
	     ((unsigned int)m->index < nr_irqs_gsi() || (unsigned int)m->index >= nr_irqs)))
		return -EINVAL;
	return pirq_map_msi(d, a, m->table_base != 0, m->table_base ? (unsigned int)m->entry_nr : 0,
			    m->table_base, m->pirq);
}

static long op_map_pirq(void *arg)
{
	struct physdev_map_pirq *m = arg;
	int rc;
	struct domain *d = target(m->domid, &rc);

	if (!d)
		return rc;
	rc = map_pirq(d, m);
	domain_put(d);
	if (rc < 0)
		return rc;
	m->pirq = rc;
	return 0;
}

static long op_unmap_pirq(void *arg)
{
	const struct physdev_unmap_pirq *u = arg;
	int rc;
	struct domain *d = target(u->domid, &rc);

	if (!d)
		return rc;
	rc = u->pirq < 0 ? -EINVAL : pirq_unmap(d, (unsigned int)u->pirq);
	domain_put(d);
	return rc;
}

static long op_manage_pci_add(void *arg)
{
	const struct physdev_manage_pci *p = arg;

	return pci_device_added((struct pci_addr){0, p->bus, p->devfn});
}

static long op_manage_pci_remove(void *arg)
{
	const struct physdev_manage_pci *p = arg;

	return pci_device_removed((struct pci_addr){0, p->bus, p->devfn});
}

static long op_manage_pci_add_ext(void *arg)
{
	const struct physdev_manage_pci_ext *p = arg;

	if (p->is_extfn > 1 || p->is_virtfn > 1)
		return -EINVAL;
	return pci_device_added((struct pci_addr){0, p->bus, p->devfn});
}

static long op_pci_device_add(void *arg)
{
	const struct physdev_pci_device_add *p = arg;

	return pci_device_added((struct pci_addr){p->seg, p->bus, p->devfn});
}

static struct pci_addr addr_of(const struct physdev_pci_device *p)
{
	return (struct pci_addr){p->seg, p->bus, p->devfn};
}

static long op_pci_device_remove(void *arg)
{
	return pci_device_removed(addr_of(arg));
}

static long op_restore_msi(void *arg)
{
	const struct physdev_restore_msi *r = arg;

	return msi_restore((struct pci_addr){0, r->bus, r->devfn});
}

static long op_restore_msi_ext(void *arg)
{
	return msi_restore(addr_of(arg));
}

static long op_prepare_msix(void *arg)
{
	return msix_prepare(addr_of(arg), true);
}

static long op_release_msix(void *arg)
{
	return msix_prepare(addr_of(arg), false);
}

static long op_pirq_eoi_gmfn_v2(void *arg)
{
	const struct physdev_pirq_eoi_gmfn *p = arg;

	return pirq_set_eoi_map(current->domain, MFN(p->gmfn));
}

static long op_setup_gsi(void *arg)
{
	const struct physdev_setup_gsi *s = arg;

	/* Triggering: 0 edge, 1 level; polarity: 0 active high, 1 active low. */
	if (s->gsi < 0 || s->triggering > 1 || s->polarity > 1)
		return -EINVAL;
	return gsi_setup(current->domain, (unsigned int)s->gsi, s->triggering, s->polarity);
}

static long op_get_free_pirq(void *arg)
{
	struct physdev_get_free_pirq *g = arg;
	int rc;

	rc = pirq_get_free(current->domain, g->type != MAP_PIRQ_TYPE_GSI);
	if (rc < 0)
		return rc;
	g->pirq = (u32)rc;
	return 0;
}

/* Our own use of configuration windows does not depend on the firmware's memory map: a window we
 * know is taken note of, whatever is said about it. */
static long op_pci_mmcfg_reserved(void *arg)
{
	const struct physdev_pci_mmcfg_reserved *r = arg;

	if (r->flags & ~(u32)XEN_PCI_MMCFG_RESERVED)
		return -EINVAL;
	for (unsigned int i = 0; i < acpi.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi.mcfg[i];

		if (m->base == r->address && m->segment == r->segment && m->start_bus == r->start_bus &&
		    m->end_bus == r->end_bus)
			return 0;
	}
	return -ENODEV;
}

/* The hypervisor keeps no USB debug port: whatever is to happen to it has happened. */
static long op_dbgp_op(void *arg)
{
	(void)arg;
	return 0;
}

#define op_pirq_eoi_gmfn_v1 NULL /* eoi that unmasks the port: no kernel since 3.3 asks for it */
#define ROW(nr, nm, type, dir_, priv_) \
	[nr] = {.name = #nm, .size = sizeof(type), .dir = HC_##dir_, .priv = HC_##priv_, .fn = op_##nm},
#define OP(family, nr, name, type, dir, priv, restart) ROW(nr, name, type, dir, priv)
static const struct hc_row rows[] = {
#include <def/physdev.def>
};
#undef OP

long do_physdev_op(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	(void)a3;
	(void)a4;
	(void)a5;
	return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)min(cmd, 0xffffffffUL), uarg);
}
