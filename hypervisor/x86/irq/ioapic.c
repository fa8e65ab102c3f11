/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O APICs (82093AA data sheet). Two registers, index and data, reach everything, so an access is
 * a pair under the lock. A copy of each redirection entry's low word is kept: masking is then one
 * pair of writes.
 *
 *   RTE  63..56 destination   16 mask  15 level  13 active low  11 logical  10..8 mode  7..0 vector
 */
#include <acpi.h>
#include <io.h>
#include <lib.h>
#include <mm.h>
#include <xerrno.h>

#include "internal.h"

#define REG_VERSION 1
#define REG_RTE(pin) (0x10U + 2 * (pin))
#define RTE_MASKED 0x10000U
#define RTE_LEVEL 0x8000U
#define RTE_ACTIVE_LOW 0x2000U
#define MAX_PINS 240U

struct ioapic {
	volatile u8 *regs;
	paddr_t addr;
	u32 gsi_base, pins;
	u32 *low; /* copy of each pin's low word */
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static unsigned int nr_ioapics;
static spinlock_t lock = SPINLOCK_INIT(RANK_IRQHW);

static u32 rd(const struct ioapic *a, u32 reg)
{
	mmio_write32(a->regs, reg);
	return mmio_read32(a->regs + 0x10);
}
static void wr(const struct ioapic *a, u32 reg, u32 v)
{
	mmio_write32(a->regs, reg);
	mmio_write32(a->regs + 0x10, v);
}

static struct ioapic *find(unsigned int gsi)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (gsi - ioapics[i].gsi_base < ioapics[i].pins)
			return &ioapics[i];
	return NULL;
}

bool ioapic_gsi_exists(unsigned int gsi)
{
	return find(gsi) != NULL;
}

unsigned int ioapic_init(void)
{
	unsigned int nr_gsi = 16;

	for (unsigned int i = 0; i < acpi.nr_ioapics; i++) {
		struct ioapic *a = &ioapics[nr_ioapics];

		a->addr = acpi.ioapics[i].addr;
		a->gsi_base = acpi.ioapics[i].gsi_base;
		a->regs = vmap_io(a->addr, PAGE_SIZE);
		mm_io_reserve(paddr_to_mfn(a->addr), paddr_to_mfn(a->addr));
		if (!a->regs || rd(a, REG_VERSION) == 0xffffffff || a->gsi_base > 4096) {
			printk(XLOG_WARNING "I/O APIC at %#lx does not answer\n", a->addr);
			continue;
		}
		a->pins = min((rd(a, REG_VERSION) >> 16 & 0xff) + 1, MAX_PINS);
		a->low = hv_new_array(u32, a->pins);
		if (!a->low)
			panic("No memory for I/O APIC %u\n", i);
		for (u32 pin = 0; pin < a->pins; pin++) {
			a->low[pin] = RTE_MASKED;
			wr(a, REG_RTE(pin), RTE_MASKED);
			wr(a, REG_RTE(pin) + 1, 0);
		}
		nr_gsi = max(nr_gsi, a->gsi_base + a->pins);
		nr_ioapics++;
		printk(XLOG_INFO "I/O APIC at %#lx, GSI %u-%u\n", a->addr, a->gsi_base,
		       a->gsi_base + a->pins - 1);
	}
	return nr_gsi;
}

void ioapic_program(unsigned int gsi, const struct irq_desc *desc, u32 apic_id)
{
	struct ioapic *a = find(gsi);
	u32 pin;

	if (!a)
		return;
	pin = gsi - a->gsi_base;
	spin_lock(&lock);
	/* Masked while half written. */
	wr(a, REG_RTE(pin), a->low[pin] | RTE_MASKED);
	wr(a, REG_RTE(pin) + 1, apic_id << 24);
	a->low[pin] = desc->vector | (desc->level ? RTE_LEVEL : 0) | (desc->active_low ? RTE_ACTIVE_LOW : 0) |
		      (desc->masked ? RTE_MASKED : 0);
	wr(a, REG_RTE(pin), a->low[pin]);
	spin_unlock(&lock);
}

void ioapic_mask(unsigned int gsi, bool mask)
{
	struct ioapic *a = find(gsi);
	u32 pin;

	if (!a)
		return;
	pin = gsi - a->gsi_base;
	spin_lock(&lock);
	a->low[pin] = mask ? a->low[pin] | RTE_MASKED : a->low[pin] & ~RTE_MASKED;
	wr(a, REG_RTE(pin), a->low[pin]);
	spin_unlock(&lock);
}

u64 ioapic_dump_rte(unsigned int gsi)
{
	struct ioapic *a = find(gsi);
	u64 v;

	if (!a)
		return 0;
	spin_lock(&lock);
	v = rd(a, REG_RTE(gsi - a->gsi_base));
	v |= (u64)rd(a, REG_RTE(gsi - a->gsi_base) + 1) << 32;
	spin_unlock(&lock);
	return v;
}

/* The hardware domain looks at the registers, for its own bookkeeping. */
int ioapic_guest_read(paddr_t base, u32 reg, u32 *value)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		if (ioapics[i].addr != base)
			continue;
		if (reg > 2 && (reg < 0x10 || reg >= REG_RTE(ioapics[i].pins)))
			return -EINVAL;
		spin_lock(&lock);
		*value = rd(&ioapics[i], reg);
		spin_unlock(&lock);
		return 0;
	}
	return -EINVAL;
}
