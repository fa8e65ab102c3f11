/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O of PV guests. Two questions: may the running code use ports at all (virtual IOPL, or the
 * bitmap its kernel gave), which is answered with #GP; and does the domain own this port, which is
 * answered with the silence of an empty bus: all ones, writes lost.
 *
 * PCI configuration by 0xcf8/0xcfc is two accesses, and the hypervisor makes its own: a guest's
 * address register is kept here and the pair is made under a lock.
 */
#include <io.h>
#include <lib.h>
#include <pv.h>
#include <rangeset.h>
#include <spinlock.h>
#include <uaccess.h>
#include <x86/pv/pci_port.h>
#include <x86/pv/priv.h>

bool guest_io_port_ok(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
	return port + bytes <= 0x10000 &&
	       iorange_contains(v->domain->ioport, port, port + bytes - 1);
}

bool pv_guest_io_allowed(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	u8 bits[2] = {0xff, 0xff};

	if (pv_iopl_ok(v))
		return true;
	if (!v->pv.iobmp || port + bytes > v->pv.iobmp_limit)
		return false;
	/* The last byte of a bitmap may be the last of its page. */
	if (copy_from_guest_va(&bits[0], v->pv.iobmp + port / 8, 1))
		return false;
	if (port % 8 + bytes > 8 && copy_from_guest_va(&bits[1], v->pv.iobmp + port / 8 + 1, 1))
		return false;
	return !((bits[0] | bits[1] << 8) >> port % 8 & ((1U << bytes) - 1));
}

static u32 raw_read(unsigned int port, unsigned int bytes)
{
	return bytes == 1 ? inb((u16)port) : bytes == 2 ? inw((u16)port) : inl((u16)port);
}

static void raw_write(unsigned int port, unsigned int bytes, u32 val)
{
	if (bytes == 1)
		outb((u16)port, (u8)val);
	else if (bytes == 2)
		outw((u16)port, (u16)val);
	else
		outl((u16)port, val);
}

#define PCI_ADDRESS 0xcf8U
#define PCI_DATA 0xcfcU

static spinlock_t pci_lock = SPINLOCK_INIT(RANK_HEAP); /* innermost: nothing is called under it */
static u32 guest_pci_address; /* of the hardware domain: the only one with PCI ports */

u32 pci_port_read(u32 address, unsigned int offset, unsigned int bytes)
{
	u32 v;

	spin_lock(&pci_lock);
	outl(PCI_ADDRESS, address);
	v = raw_read(PCI_DATA + offset, bytes);
	spin_unlock(&pci_lock);
	return v;
}

void pci_port_write(u32 address, unsigned int offset, unsigned int bytes, u32 val)
{
	spin_lock(&pci_lock);
	outl(PCI_ADDRESS, address);
	raw_write(PCI_DATA + offset, bytes, val);
	spin_unlock(&pci_lock);
}

static bool is_pci_data(unsigned int port)
{
	return (port & ~3U) == PCI_DATA;
}

/* Only a four-byte access is the address register; others at 0xcf9.. are different devices. */
static bool is_pci_address(unsigned int port, unsigned int bytes)
{
	return port == PCI_ADDRESS && bytes == 4;
}

u32 pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes)
{
	if (!guest_io_port_ok(v, port, bytes))
		return bytes == 4 ? ~0U : (1U << bytes * 8) - 1;
	if (is_pci_address(port, bytes))
		return guest_pci_address;
	if (is_pci_data(port))
		return guest_pci_address >> 31
			       ? pci_port_read(guest_pci_address, port & 3, bytes)
			       : ~0U;
	return raw_read(port, bytes);
}

void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, u32 val)
{
	if (!guest_io_port_ok(v, port, bytes))
		return;
	if (is_pci_address(port, bytes))
		guest_pci_address = val;
	else if (!is_pci_data(port))
		raw_write(port, bytes, val);
	else if (guest_pci_address >> 31)
		pci_port_write(guest_pci_address, port & 3, bytes, val);
}
