/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration space and the MSI capability, as far as interrupts need them. */
#ifndef SERAI_PCI_H
#define SERAI_PCI_H

#include <types.h>

struct domain;

struct pci_addr {
	u16 seg;
	u8 bus, devfn;
};

#define PCI_VENDOR_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_INTX_OFF 0x400
#define PCI_STATUS 0x06
#define PCI_STATUS_CAP_LIST 0x10
#define PCI_HEADER_TYPE 0x0e
#define PCI_BAR(n) (0x10U + 4 * (n))
#define PCI_CAP_PTR 0x34
#define PCI_CAP_ID_MSI 0x05
#define PCI_CAP_ID_MSIX 0x11

/* bytes 1, 2, 4, aligned; all ones where nothing answers. Ports 0xcf8/0xcfc, or MCFG where those do
 * not reach. */
u32 pci_conf_read(struct pci_addr a, unsigned int reg, unsigned int bytes);
void pci_conf_write(struct pci_addr a, unsigned int reg, unsigned int bytes, u32 val);
unsigned int pci_find_cap(struct pci_addr a, u8 id); /* 0: has none */

/* A guest's access to ports 0xcf8-0xcff (the emulator calls it for the hardware domain). The
 * address register is the domain's own, so that its two-step accesses and ours do not mix. True:
 * done. */
bool pci_cfg_port_read(unsigned int port, unsigned int bytes, u32 *val);
bool pci_cfg_port_write(unsigned int port, unsigned int bytes, u32 val);

/* MSI on behalf of a domain. RANK_PCI inside. */
struct irq_desc;
int msi_map(struct pci_addr a, bool msix, unsigned int entry_nr, paddr_t table_base, struct irq_desc **out);
void msi_unmap(struct irq_desc *desc);
int msi_restore(struct pci_addr a);
int msix_prepare(struct pci_addr a, bool on);
int pci_device_added(struct pci_addr a);
int pci_device_removed(struct pci_addr a);

#endif
