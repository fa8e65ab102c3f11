/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hardware domain may touch: everything but what the hypervisor drives itself. */
#include "dom0.h"
#include <acpi.h>
#include <console.h>
#include <cpu.h>
#include <irq.h>
#include <lib.h>
#include <rangeset.h>

static const struct {
	u16 first, last;
} denied_ports[] = {
	{0x20, 0x21},   {0xa0, 0xa1}, /* interrupt controllers */
	{0x4d0, 0x4d1},               /* their edge/level registers */
	{0x40, 0x43},   {0x61, 0x61}, /* interval timer: emulated */
};

void dom0_permissions(struct domain *d)
{
	int rc = iorange_add(&d->ioport, 0, 0xffff);

	for (unsigned int i = 0; i < ARRAY_SIZE(denied_ports); i++)
		rc |= iorange_remove(&d->ioport, denied_ports[i].first, denied_ports[i].last);
	if (console_io_base())
		rc |= iorange_remove(&d->ioport, console_io_base(), console_io_base() + 7);
	rc |= iorange_add(&d->iomem, 0, (1UL << (cpu_feat.phys_bits - PAGE_SHIFT)) - 1);
	/* Local APICs and where interrupt messages go; I/O APICs. */
	rc |= iorange_remove(&d->iomem, 0xfee00, 0xfeeff);
	for (unsigned int i = 0; i < acpi.nr_ioapics; i++)
		rc |= iorange_remove(&d->iomem, acpi.ioapics[i].addr >> PAGE_SHIFT,
				     acpi.ioapics[i].addr >> PAGE_SHIFT);
	rc |= iorange_add(&d->irq_caps, 0, 0xffff);
	if (rc)
		panic("dom0: no memory for its permissions");
}
