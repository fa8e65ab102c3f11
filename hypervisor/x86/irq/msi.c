/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI and MSI-X (PCI 3.0, 6.8) on behalf of the hardware domain, which finds the devices, switches
 * the capability on and off, and owns everything else in it. Ours are message address, message data
 * and mask bits: the domain's kernel knows only pirqs, and leaves the masks to us.
 *
 * A device is remembered from its first mapping until its last one goes. RANK_PCI protects the list
 * and each device's table; the message of an entry is written under its interrupt's lock.
 */
#include <io.h>
#include <lib.h>
#include <list.h>
#include <mm.h>
#include <pci.h>
#include <xerrno.h>

#include "internal.h"

#define MSI_CTRL 2
#define MSI_CTRL_ENABLE 0x01
#define MSI_CTRL_MULTI 0x70
#define MSI_CTRL_64 0x80
#define MSI_CTRL_MASKBIT 0x100
#define MSI_ADDR 4
#define MSIX_CTRL_ENABLE 0x8000
#define MSIX_CTRL_MASKALL 0x4000
#define MSIX_TABLE 4
#define MSIX_ENTRY_SIZE 16
#define MSG_ADDR_BASE 0xfee00000U

struct msi_dev {
	struct list list;
	struct pci_addr addr;
	unsigned int msi, msix; /* capability offsets; 0: none */
	unsigned int nr_msix;
	volatile u8 *table; /* mapped while entries exist */
	size_t table_size;
	unsigned int used;
	struct list entries;
};

struct msi_entry {
	struct list list;
	struct msi_dev *dev;
	struct irq_desc *desc;
	unsigned int nr;
	volatile u8 *slot; /* MSI-X: its row of the table; MSI: NULL */
	u16 ctrl;          /* MSI: the capability's control word */
	u32 addr, data;    /* the message last written */
	bool masked;
};

static spinlock_t lock = SPINLOCK_INIT(RANK_PCI);
static struct list devices = LIST_INIT(devices);

static struct msi_dev *find_dev(struct pci_addr a)
{
	struct msi_dev *dev;

	list_for_each(dev, &devices, list)
		if (dev->addr.seg == a.seg && dev->addr.bus == a.bus && dev->addr.devfn == a.devfn)
			return dev;
	return NULL;
}

static struct msi_dev *get_dev(struct pci_addr a)
{
	struct msi_dev *dev = find_dev(a);

	if (dev)
		return dev;
	if (pci_conf_read(a, PCI_VENDOR_ID, 2) == 0xffff)
		return NULL;
	dev = hv_new(struct msi_dev);
	if (!dev)
		return NULL;
	dev->addr = a;
	dev->msi = pci_find_cap(a, PCI_CAP_ID_MSI);
	dev->msix = pci_find_cap(a, PCI_CAP_ID_MSIX);
	if (dev->msix)
		dev->nr_msix = (pci_conf_read(a, dev->msix + MSI_CTRL, 2) & 0x7ff) + 1;
	list_init(&dev->entries);
	list_add(&dev->list, &devices);
	return dev;
}

static void put_dev(struct msi_dev *dev)
{
	if (dev->used)
		return;
	if (dev->table)
		vunmap((const void *)(u64)dev->table, dev->table_size);
	list_del(&dev->list);
	hv_free(dev);
}

static void write_message(struct msi_entry *e)
{
	struct msi_dev *dev = e->dev;

	if (e->slot) {
		mmio_write32(e->slot, e->addr);
		mmio_write32(e->slot + 4, 0);
		mmio_write32(e->slot + 8, e->data);
		return;
	}
	pci_conf_write(dev->addr, dev->msi + MSI_ADDR, 4, e->addr);
	if (e->ctrl & MSI_CTRL_64) {
		pci_conf_write(dev->addr, dev->msi + MSI_ADDR + 4, 4, 0);
		pci_conf_write(dev->addr, dev->msi + MSI_ADDR + 8, 2, e->data);
	} else {
		pci_conf_write(dev->addr, dev->msi + MSI_ADDR + 4, 2, e->data);
	}
}

static void write_mask(struct msi_entry *e)
{
	struct msi_dev *dev = e->dev;

	if (e->slot)
		mmio_write32(e->slot + 12, e->masked);
	else if (e->ctrl & MSI_CTRL_MASKBIT)
		pci_conf_write(dev->addr, dev->msi + (e->ctrl & MSI_CTRL_64 ? 0x10 : 0xc), 4, e->masked);
}

void msi_program(struct msi_entry *e, u8 vector, u32 apic_id)
{
	u32 addr = MSG_ADDR_BASE | apic_id << 12;
	bool was_masked = e->masked;

	if (e->addr == addr && e->data == vector)
		return;
	/* Address and data are separate writes: a message must not leave with half of each. An MSI
	 * without mask bit usually keeps its vector number when it moves, so that only the address
	 * changes. */
	e->masked = true;
	write_mask(e);
	e->addr = addr;
	e->data = vector;
	write_message(e);
	e->masked = was_masked;
	write_mask(e);
}

void msi_mask(struct msi_entry *e, bool mask)
{
	e->masked = mask;
	write_mask(e);
}

static u64 bar_address(struct pci_addr a, unsigned int bir)
{
	u32 lo = pci_conf_read(a, PCI_BAR(bir), 4);
	u64 base = lo & ~0xfU;

	if ((lo & 7) == 4 && bir < 5)
		base |= (u64)pci_conf_read(a, PCI_BAR(bir + 1), 4) << 32;
	return lo & 1 ? 0 : base;
}

/* table_base: what the domain knows of the BAR, for virtual functions, whose BARs read as zero. */
static int map_table(struct msi_dev *dev, paddr_t table_base)
{
	u32 t = pci_conf_read(dev->addr, dev->msix + MSIX_TABLE, 4);
	paddr_t base;

	if (dev->table)
		return 0;
	if ((t & 7) > 5)
		return -EIO;
	base = bar_address(dev->addr, t & 7);
	if (!base)
		base = table_base;
	if (!base || base >> 52)
		return -EIO;
	dev->table_size = (size_t)dev->nr_msix * MSIX_ENTRY_SIZE;
	dev->table = vmap_io(base + (t & ~7U), dev->table_size);
	return dev->table ? 0 : -ENOMEM;
}

static struct msi_entry *find_entry(struct msi_dev *dev, bool msix, unsigned int nr)
{
	struct msi_entry *e;

	list_for_each(e, &dev->entries, list)
		if (!!e->slot == msix && e->nr == nr)
			return e;
	return NULL;
}

static int check_map(struct msi_dev *dev, bool msix, unsigned int nr, paddr_t table_base)
{
	if (!msix)
		return !dev->msi ? -ENODEV : find_entry(dev, false, 0) ? -EEXIST : 0;
	if (!dev->msix)
		return -ENODEV;
	if (nr >= dev->nr_msix)
		return -EINVAL;
	if (find_entry(dev, true, nr))
		return -EEXIST;
	if (!(pci_conf_read(dev->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO; /* the table is in memory that does not answer */
	return map_table(dev, table_base);
}

static int new_entry(struct msi_dev *dev, bool msix, unsigned int nr, struct irq_desc **out)
{
	struct msi_entry *e = hv_new(struct msi_entry);

	if (!e)
		return -ENOMEM;
	e->dev = dev;
	e->nr = msix ? nr : 0;
	e->masked = true;
	if (msix)
		e->slot = dev->table + (size_t)nr * MSIX_ENTRY_SIZE;
	else
		e->ctrl = (u16)pci_conf_read(dev->addr, dev->msi + MSI_CTRL, 2);
	e->desc = irq_alloc_msi(e);
	if (!e->desc) {
		hv_free(e);
		return -ENOSPC;
	}
	write_mask(e);
	if (!msix) /* one message of those the device could send */
		pci_conf_write(dev->addr, dev->msi + MSI_CTRL, 2, e->ctrl & ~MSI_CTRL_MULTI);
	list_add(&e->list, &dev->entries);
	dev->used++;
	*out = e->desc;
	return 0;
}

int msi_map(struct pci_addr a, bool msix, unsigned int entry_nr, paddr_t table_base, struct irq_desc **out)
{
	struct msi_dev *dev;
	int rc;

	spin_lock(&lock);
	dev = get_dev(a);
	rc = dev ? check_map(dev, msix, entry_nr, table_base) : -ENODEV;
	if (!rc)
		rc = new_entry(dev, msix, entry_nr, out);
	if (dev)
		put_dev(dev);
	spin_unlock(&lock);
	return rc;
}

void msi_unmap(struct irq_desc *desc)
{
	struct msi_entry *e;
	struct msi_dev *dev;

	spin_lock(&lock);
	e = desc->msi;
	dev = e->dev;
	irq_free_msi(desc);
	list_del(&e->list);
	hv_free(e);
	dev->used--;
	put_dev(dev);
	spin_unlock(&lock);
}

/* After the device lost its state (reset, D3): messages and masks again, then the enable bit. */
int msi_restore(struct pci_addr a)
{
	struct msi_dev *dev;
	struct msi_entry *e;

	spin_lock(&lock);
	dev = find_dev(a);
	if (!dev) {
		spin_unlock(&lock);
		return -ENODEV;
	}
	list_for_each(e, &dev->entries, list) {
		unsigned int ctrl = e->slot ? dev->msix + MSI_CTRL : dev->msi + MSI_CTRL;
		u32 on = e->slot ? MSIX_CTRL_ENABLE : MSI_CTRL_ENABLE;

		spin_lock(&e->desc->lock);
		if (e->slot)
			pci_conf_write(a, ctrl, 2, pci_conf_read(a, ctrl, 2) | on | MSIX_CTRL_MASKALL);
		if (e->addr)
			write_message(e);
		write_mask(e);
		pci_conf_write(
			a, ctrl, 2,
			(pci_conf_read(a, ctrl, 2) & ~(u32)(e->slot ? MSIX_CTRL_MASKALL : MSI_CTRL_MULTI)) |
				on);
		spin_unlock(&e->desc->lock);
	}
	spin_unlock(&lock);
	return 0;
}

/* The hardware domain hands a device to another domain (or takes it back): nothing may be mapped.
 */
int msix_prepare(struct pci_addr a, bool on)
{
	struct msi_dev *dev;
	int rc = 0;

	(void)on;
	if (!pci_find_cap(a, PCI_CAP_ID_MSIX))
		return -ENODEV;
	spin_lock(&lock);
	dev = find_dev(a);
	if (dev && dev->used)
		rc = -EBUSY;
	spin_unlock(&lock);
	return rc;
}

/*
 * Functions of segment 0 that somebody has added or removed, by bus and devfn. Others are known
 * when they answer: nothing here needs a list of devices, but one that was taken out stays known
 * until that is said.
 */
#define NR_FUNCTIONS 65536
static u64 added[NR_FUNCTIONS / 64], removed[NR_FUNCTIONS / 64];

static unsigned int function_nr(struct pci_addr a)
{
	return (unsigned int)a.bus << 8 | a.devfn;
}

static bool answers(struct pci_addr a)
{
	return pci_conf_read(a, PCI_VENDOR_ID, 2) != 0xffff;
}

int pci_device_added(struct pci_addr a)
{
	if (a.seg != 0)
		return 0;
	spin_lock(&lock);
	set_bit(function_nr(a), added);
	clear_bit(function_nr(a), removed);
	spin_unlock(&lock);
	return 0;
}

int pci_device_removed(struct pci_addr a)
{
	unsigned int nr = function_nr(a);
	bool there = answers(a);
	struct msi_dev *dev;
	int rc = 0;

	spin_lock(&lock);
	dev = find_dev(a);
	if (dev && dev->used)
		rc = -EBUSY;
	else if (a.seg != 0)
		rc = there || dev ? 0 : -ENODEV;
	else if (!test_bit(nr, added) && (!there || test_bit(nr, removed)))
		rc = -ENODEV;
	if (!rc && a.seg == 0) {
		clear_bit(nr, added);
		set_bit(nr, removed);
	}
	spin_unlock(&lock);
	return rc;
}
