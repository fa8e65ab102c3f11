/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration space by ports, shared by the hypervisor and the hardware domain. */
#ifndef SERAI_PCI_PORT_H
#define SERAI_PCI_PORT_H

#include <types.h>

/* address: bit 31, bus, device, function, register & 0xfc; offset: register & 3. Any context. */
u32 pci_port_read(u32 address, unsigned int offset, unsigned int bytes);
void pci_port_write(u32 address, unsigned int offset, unsigned int bytes, u32 val);

#endif
