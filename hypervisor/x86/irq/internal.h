/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine interrupts inside this room.
 *
 * An irq number is a GSI, or above them an MSI's. A domain names interrupts by pirq; its table maps
 * pirqs to irqs. desc.lock (RANK_IRQDESC) protects a descriptor; the vector tables and an I/O
 * APIC's window have locks of their own (RANK_IRQHW), never two of them at a time.
 */
#ifndef SERAI_X86_IRQ_INTERNAL_H
#define SERAI_X86_IRQ_INTERNAL_H

#include <cpumask.h>
#include <irq.h>
#include <spinlock.h>
#include <types.h>

#define IRQ_NONE 0xffffU
#define MAX_GUESTS 4

struct msi_entry;

enum irq_kind { IRQ_UNUSED, IRQ_IOAPIC, IRQ_MSI };

struct irq_guest {
	struct domain *d;
	u16 pirq;
	bool needs_eoi; /* a level interrupt was delivered, PHYSDEVOP_eoi has not come */
};

struct irq_desc {
	spinlock_t lock;
	u8 kind;
	u8 vector, old_vector; /* 0: none. The old one stays claimed until the next move, for
				  stragglers */
	u16 cpu, old_cpu;
	bool level, active_low, masked;
	bool configured; /* trigger and polarity were set by setup_gsi */
	bool shareable;
	u8 nr_guests, unacked;
	struct irq_guest guests[MAX_GUESTS];
	u32 in_progress;    /* handlers that have left the lock */
	void (*fn)(void *); /* ours */
	void *data;
	const char *name;
	struct msi_entry *msi;
	u64 count;
};

extern struct irq_desc *irq_descs;
extern unsigned int nr_irqs;

/* Vectors (vectors.c, pure). A table holds the irq of each vector of one CPU, IRQ_NONE where free.
 * Returns a free vector, hint if that is free, or 0. */
void vector_table_init(u16 table[256]);
u8 vector_find(const u16 table[256], u8 hint);

/* I/O APICs */
unsigned int ioapic_init(void); /* returns the number of GSIs */
bool ioapic_gsi_exists(unsigned int gsi);
void ioapic_program(unsigned int gsi, const struct irq_desc *desc, u32 apic_id);
void ioapic_mask(unsigned int gsi, bool mask);
int ioapic_guest_read(paddr_t base, u32 reg, u32 *value);
u64 ioapic_dump_rte(unsigned int gsi);

/* MSI (msi.c): the hardware side of an entry; the descriptor's lock is held. */
void msi_program(struct msi_entry *e, u8 vector, u32 apic_id);
void msi_mask(struct msi_entry *e, bool mask);

/* irq.c */
int irq_route(struct irq_desc *desc, unsigned int cpu); /* vector on cpu, hardware programmed; lock held */
void irq_set_masked(struct irq_desc *desc, bool mask);
struct irq_desc *irq_alloc_msi(struct msi_entry *e); /* NULL: none left */
void irq_free_msi(struct irq_desc *desc);
void irq_wait_idle(struct irq_desc *desc);

static inline unsigned int irq_number(const struct irq_desc *desc)
{
	return (unsigned int)(desc - irq_descs);
}

#endif
