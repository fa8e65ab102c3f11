/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine interrupts: descriptors, routing, and what happens when one arrives.
 *
 *   edge, MSI:   EOI at once, event sent.
 *   level:       the pin is masked, EOI, event sent; every guest it went to says PHYSDEVOP_eoi, the
 * last one unmasks. A guest that never does keeps only its own line quiet.
 *
 * A handler leaves the descriptor's lock before it sends events (ports rank below); in_progress
 * tells those who unbind to wait for it.
 */
#include <acpi.h>
#include <apic.h>
#include <event.h>
#include <lib.h>
#include <mm.h>
#include <smp.h>
#include <timer.h>
#include <xerrno.h>

#include "internal.h"

#define MAX_IRQS 8192U

struct irq_desc *irq_descs;
unsigned int nr_irqs;
static unsigned int nr_gsi;
static u16 vector_irq[NR_CPUS][256];
static spinlock_t vector_lock = SPINLOCK_INIT(RANK_IRQHW);
static u64 spurious;

unsigned int nr_irqs_gsi(void)
{
	return nr_gsi;
}

void irq_init(void)
{
	unsigned int cpus = cpumask_weight(&cpu_present_map);

	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		vector_table_init(vector_irq[cpu]);
	nr_gsi = ioapic_init();
	nr_irqs = min(nr_gsi + max(cpus, 2U) * (VEC_DEVICE_LAST - VEC_DEVICE_FIRST), MAX_IRQS);
	irq_descs = hv_new_array(struct irq_desc, nr_irqs);
	if (!irq_descs)
		panic("No memory for %u interrupt descriptors\n", nr_irqs);
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_desc *desc = &irq_descs[i];

		spin_lock_init(&desc->lock, RANK_IRQDESC);
		desc->masked = true;
		if (i >= nr_gsi || !ioapic_gsi_exists(i))
			continue;
		desc->kind = IRQ_IOAPIC;
		/* ISA lines are edge, active high; the rest are PCI's. */
		desc->level = desc->active_low = i >= 16;
	}
	for (unsigned int i = 0; i < acpi.nr_overrides; i++) {
		const struct acpi_override *o = &acpi.overrides[i];

		if (o->gsi >= nr_gsi)
			continue;
		irq_descs[o->gsi].level = ACPI_TRIGGER(o->flags) == 3;
		irq_descs[o->gsi].active_low = ACPI_POLARITY(o->flags) == 3;
	}
	printk(XLOG_INFO "%u GSIs, %u interrupts\n", nr_gsi, nr_irqs);
}

void irq_set_masked(struct irq_desc *desc, bool mask)
{
	desc->masked = mask;
	if (desc->kind == IRQ_IOAPIC)
		ioapic_mask(irq_number(desc), mask);
	else if (desc->kind == IRQ_MSI)
		msi_mask(desc->msi, mask);
}

static void program(struct irq_desc *desc)
{
	u32 id = cpu_apic_id[desc->cpu];

	if (desc->kind == IRQ_IOAPIC)
		ioapic_program(irq_number(desc), desc, id);
	else
		msi_program(desc->msi, desc->vector, id);
}

/* Interrupt messages without remapping carry eight bits of destination. */
static bool reachable(unsigned int cpu)
{
	return cpu < NR_CPUS && cpumask_test(cpu, &cpu_online_map) && cpu_apic_id[cpu] < 255;
}

int irq_route(struct irq_desc *desc, unsigned int cpu)
{
	u8 v;

	if (!reachable(cpu))
		cpu = cpumask_first(&cpu_online_map);
	if (desc->vector && desc->cpu == cpu) {
		program(desc);
		return 0;
	}
	spin_lock(&vector_lock);
	/* The same number on the new CPU, if it is free: then an MSI moves with one write. */
	v = vector_find(vector_irq[cpu], desc->vector);
	if (v) {
		if (desc->old_vector)
			vector_irq[desc->old_cpu][desc->old_vector] = IRQ_NONE;
		vector_irq[cpu][v] = (u16)irq_number(desc);
		desc->old_vector = desc->vector;
		desc->old_cpu = desc->cpu;
		desc->vector = v;
		desc->cpu = (u16)cpu;
	}
	spin_unlock(&vector_lock);
	if (!v)
		return -ENOSPC;
	program(desc);
	return 0;
}

static void release_vectors(struct irq_desc *desc)
{
	spin_lock(&vector_lock);
	if (desc->vector)
		vector_irq[desc->cpu][desc->vector] = IRQ_NONE;
	if (desc->old_vector)
		vector_irq[desc->old_cpu][desc->old_vector] = IRQ_NONE;
	desc->vector = desc->old_vector = 0;
	spin_unlock(&vector_lock);
}

struct irq_desc *irq_alloc_msi(struct msi_entry *e)
{
	for (unsigned int i = nr_gsi; i < nr_irqs; i++) {
		struct irq_desc *desc = &irq_descs[i];
		bool got = false;

		if (desc->kind != IRQ_UNUSED)
			continue;
		spin_lock(&desc->lock);
		if (desc->kind == IRQ_UNUSED) {
			desc->kind = IRQ_MSI;
			desc->msi = e;
			desc->level = false;
			desc->masked = true;
			desc->count = 0;
			got = true;
		}
		spin_unlock(&desc->lock);
		if (got)
			return desc;
	}
	return NULL;
}

void irq_free_msi(struct irq_desc *desc)
{
	spin_lock(&desc->lock);
	irq_set_masked(desc, true);
	release_vectors(desc);
	desc->kind = IRQ_UNUSED;
	desc->msi = NULL;
	spin_unlock(&desc->lock);
	irq_wait_idle(desc);
}

void irq_wait_idle(struct irq_desc *desc)
{
	while (__atomic_load_n(&desc->in_progress, __ATOMIC_ACQUIRE))
		cpu_relax_poll();
}

int irq_request(unsigned int gsi, void (*fn)(void *), void *data, const char *name)
{
	struct irq_desc *desc;
	int rc = -EBUSY;

	/* An ISA number may be wired to another pin. */
	for (unsigned int i = 0; i < acpi.nr_overrides; i++)
		if (acpi.overrides[i].irq == gsi) {
			gsi = acpi.overrides[i].gsi;
			break;
		}
	if (gsi >= nr_gsi || irq_descs[gsi].kind != IRQ_IOAPIC)
		return -ENODEV;
	desc = &irq_descs[gsi];
	spin_lock(&desc->lock);
	if (!desc->fn && !desc->nr_guests) {
		desc->fn = fn;
		desc->data = data;
		desc->name = name;
		desc->masked = false;
		desc->configured = true;
		rc = irq_route(desc, smp_processor_id());
		if (rc)
			desc->fn = NULL;
	}
	spin_unlock(&desc->lock);
	return rc;
}

/* Lock held; leaves it. */
static void handle_own(struct irq_desc *desc)
{
	void (*fn)(void *) = desc->fn;
	void *data = desc->data;

	__atomic_fetch_add(&desc->in_progress, 1, __ATOMIC_RELAXED);
	spin_unlock(&desc->lock);
	fn(data);
	if (desc->level) {
		spin_lock(&desc->lock);
		irq_set_masked(desc, false);
		spin_unlock(&desc->lock);
	}
	__atomic_fetch_sub(&desc->in_progress, 1, __ATOMIC_RELEASE);
}

static void handle_guests(struct irq_desc *desc)
{
	unsigned int n = desc->nr_guests;
	struct irq_guest to[MAX_GUESTS];

	for (unsigned int i = 0; i < n; i++) {
		if (desc->level && !desc->guests[i].needs_eoi) {
			desc->guests[i].needs_eoi = true;
			desc->unacked++;
		}
		to[i] = desc->guests[i];
	}
	__atomic_fetch_add(&desc->in_progress, 1, __ATOMIC_RELAXED);
	spin_unlock(&desc->lock);
	for (unsigned int i = 0; i < n; i++)
		evtchn_send_pirq(to[i].d, to[i].pirq);
	__atomic_fetch_sub(&desc->in_progress, 1, __ATOMIC_RELEASE);
}

static void device_irq(u8 vector)
{
	unsigned int irq = vector_irq[smp_processor_id()][vector];
	struct irq_desc *desc;

	if (irq >= nr_irqs) {
		spurious++;
		lapic_eoi();
		return;
	}
	desc = &irq_descs[irq];
	spin_lock(&desc->lock);
	desc->count++;
	if (desc->level)
		irq_set_masked(desc, true);
	lapic_eoi();
	if (likely(desc->nr_guests))
		handle_guests(desc);
	else if (desc->fn)
		handle_own(desc);
	else
		spin_unlock(&desc->lock);
}

static void apic_error(void)
{
	u32 esr;

	lapic_write(LAPIC_ESR, 0);
	esr = lapic_read(LAPIC_ESR);
	lapic_eoi();
	printk(XLOG_GUEST "APIC error on CPU %u: %#x\n", smp_processor_id(), esr);
}

void do_irq(struct regs *regs, u8 vector)
{
	(void)regs;
	if (vector == VEC_LAPIC_TIMER) {
		lapic_eoi();
		clockevent_interrupt();
	} else if (vector == VEC_EVENT_CHECK) {
		lapic_eoi();
	} else if (vector >= VEC_DEVICE_FIRST && vector <= VEC_DEVICE_LAST) {
		device_irq(vector);
	} else if (vector == VEC_FLUSH) {
		lapic_eoi();
		flush_requests_poll();
	} else if (vector == VEC_CALL) {
		lapic_eoi();
		smp_call_poll();
	} else if (vector == VEC_ERROR) {
		apic_error();
	} else if (vector != VEC_SPURIOUS) {
		spurious++;
		/* 0x20-0x2f without a bit in service come from an 8259, which wants no EOI of ours.
		 */
		if (lapic_read(LAPIC_ISR + vector / 32 * 0x10) >> (vector % 32) & 1)
			lapic_eoi();
	}
}

void irq_leave_cpu(unsigned int cpu)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_desc *desc = &irq_descs[i];

		spin_lock(&desc->lock);
		if (desc->vector && desc->cpu == cpu && irq_route(desc, cpumask_first(&cpu_online_map)) != 0)
			printk(XLOG_WARNING "IRQ %u has no vector on another CPU\n", i);
		spin_unlock(&desc->lock);
	}
}

void irq_dump(void)
{
	printk("Interrupts (%lu spurious):\n", spurious);
	for (unsigned int i = 0; i < nr_irqs; i++) {
		const struct irq_desc *desc = &irq_descs[i];

		if (!desc->vector)
			continue;
		printk(" irq %4u: %s cpu %u vec %02x %s%s%s count %lu", i,
		       desc->kind == IRQ_MSI ? "MSI   " : "IOAPIC", desc->cpu, desc->vector,
		       desc->level ? "level" : "edge", desc->active_low ? " low" : "",
		       desc->masked ? " masked" : "", desc->count);
		if (desc->kind == IRQ_IOAPIC)
			printk(" rte %016lx", ioapic_dump_rte(i));
		if (desc->fn)
			printk(" ours (%s)", desc->name);
		for (unsigned int g = 0; g < desc->nr_guests; g++)
			printk(" d%u:%u%s", desc->guests[g].d->id, desc->guests[g].pirq,
			       desc->guests[g].needs_eoi ? " (eoi due)" : "");
		printk("\n");
	}
}
