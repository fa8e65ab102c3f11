/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space. Mechanism #1 (PCI 3.0, 3.2.2.3.2) is one pair of ports for the whole
 * machine, so each access is made under a lock; the hardware domain's address register exists only
 * as its last value. Segments other than 0 and registers above 255 go through MCFG's windows.
 */
#include <acpi.h>
#include <io.h>
#include <lib.h>
#include <mm.h>
#include <pci.h>
#include <spinlock.h>

#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ENABLE 0x80000000U

static spinlock_t lock = SPINLOCK_INIT(RANK_IRQHW);
static u32 guest_address;                   /* what the hardware domain wrote to 0xcf8 */
static volatile u8 *windows[ACPI_MAX_MCFG]; /* one bus's megabyte of each, mapped on use */
static u8 window_bus[ACPI_MAX_MCFG];

static volatile u8 *mcfg_map(struct pci_addr a)
{
	for (unsigned int i = 0; i < acpi.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi.mcfg[i];

		if (a.seg != m->segment || a.bus < m->start_bus || a.bus > m->end_bus)
			continue;
		if (!windows[i] || window_bus[i] != a.bus) {
			if (windows[i])
				vunmap((const void *)(u64)windows[i], 1UL << 20);
			windows[i] = vmap_io(m->base + ((paddr_t)a.bus << 20), 1UL << 20);
			window_bus[i] = a.bus;
		}
		return windows[i] ? windows[i] + ((u32)a.devfn << 12) : NULL;
	}
	return NULL;
}

static u16 select(struct pci_addr a, unsigned int reg)
{
	outl(ADDRESS_PORT, ENABLE | (u32)a.bus << 16 | (u32)a.devfn << 8 | (reg & 0xfc));
	return (u16)(DATA_PORT + (reg & 3));
}

static u32 port_in(u16 port, unsigned int bytes)
{
	return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

static void port_out(u16 port, unsigned int bytes, u32 v)
{
	if (bytes == 1)
		outb(port, (u8)v);
	else if (bytes == 2)
		outw(port, (u16)v);
	else
		outl(port, v);
}

u32 pci_conf_read(struct pci_addr a, unsigned int reg, unsigned int bytes)
{
	volatile u8 *w;
	u32 v = ~0U;

	if (a.seg == 0 && reg < 256) {
		spin_lock(&lock);
		v = port_in(select(a, reg), bytes);
		spin_unlock(&lock);
		return v;
	}
	w = reg < 4096 ? mcfg_map(a) : NULL;
	if (w)
		v = bytes == 1   ? mmio_read8(w + reg)
		    : bytes == 2 ? mmio_read16(w + reg)
				 : mmio_read32(w + reg);
	return v;
}

void pci_conf_write(struct pci_addr a, unsigned int reg, unsigned int bytes, u32 val)
{
	volatile u8 *w;

	if (a.seg == 0 && reg < 256) {
		spin_lock(&lock);
		port_out(select(a, reg), bytes, val);
		spin_unlock(&lock);
		return;
	}
	w = reg < 4096 ? mcfg_map(a) : NULL;
	if (!w)
		return;
	if (bytes == 1)
		mmio_write8(w + reg, (u8)val);
	else if (bytes == 2)
		mmio_write16(w + reg, (u16)val);
	else
		mmio_write32(w + reg, val);
}

unsigned int pci_find_cap(struct pci_addr a, u8 id)
{
	unsigned int pos;

	if (!(pci_conf_read(a, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	pos = pci_conf_read(a, PCI_CAP_PTR, 1) & 0xfc;
	/* A list is at most 48 entries long; a loop in it ends here. */
	for (unsigned int i = 0; i < 48 && pos >= 0x40; i++) {
		u32 head = pci_conf_read(a, pos, 2);

		if ((head & 0xff) == id)
			return pos;
		pos = head >> 8 & 0xfc;
	}
	return 0;
}

bool pci_cfg_port_read(unsigned int port, unsigned int bytes, u32 *val)
{
	if (port == ADDRESS_PORT && bytes == 4) {
		*val = guest_address;
		return true;
	}
	if (port < DATA_PORT) { /* other registers that share the numbers: 0xcf9 */
		*val = port_in((u16)port, bytes);
		return true;
	}
	if (!(guest_address & ENABLE) || (port & 3) + bytes > 4) {
		*val = ~0U;
		return true;
	}
	*val = pci_conf_read((struct pci_addr){0, (u8)(guest_address >> 16), (u8)(guest_address >> 8)},
			     (guest_address & 0xfc) | (port & 3), bytes);
	return true;
}

bool pci_cfg_port_write(unsigned int port, unsigned int bytes, u32 val)
{
	if (port == ADDRESS_PORT && bytes == 4)
		guest_address = val;
	else if (port < DATA_PORT)
		port_out((u16)port, bytes, val);
	else if ((guest_address & ENABLE) && (port & 3) + bytes <= 4)
		pci_conf_write((struct pci_addr){0, (u8)(guest_address >> 16), (u8)(guest_address >> 8)},
			       (guest_address & 0xfc) | (port & 3), bytes, val);
	return true;
}
