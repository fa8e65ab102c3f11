/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain's interrupt numbers; hypercall/physdev.c acts through these. */
#ifndef SERAI_X86_IRQ_PIRQ_H
#define SERAI_X86_IRQ_PIRQ_H

#include <domain.h>
#include <pci.h>

int pirq_map_gsi(struct domain *d, unsigned int gsi, int want); /* pirq, or -errno; want -1: any */
int pirq_map_msi(struct domain *d, struct pci_addr a, bool msix, unsigned int entry, paddr_t table_base,
		 int want);
int pirq_unmap(struct domain *d, unsigned int pirq);
int pirq_get_free(struct domain *d, bool msi);
int pirq_status(struct domain *d, unsigned int pirq, u32 *flags);
int pirq_eoi(struct domain *d, unsigned int pirq);
int pirq_set_eoi_map(struct domain *d, mfn_t mfn);
int gsi_setup(struct domain *d, unsigned int gsi, bool level, bool active_low);

#endif
