/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of interrupt hardware, PCI devices, the console, the FPU and CPU policies. Interrupt numbers: an I/O
 * APIC with 24 lines, and 8 for messages. Devices with an even function send messages, on segment 0.
 */
#include "machine.h"
#include <acpi.h>
#include <console.h>
#include <pv.h>
#include <lib.h>
#include <pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86/irq/internal.h>

#define NR_GSIS 24U
#define NR_MSIS 8U

static struct irq_desc descs[NR_GSIS + NR_MSIS];
struct irq_desc *irq_descs = descs;
unsigned int nr_irqs = ARRAY_SIZE(descs);
struct acpi_info acpi = {.nr_mcfg = 1, .mcfg = {{0xe0000000, 0, 0, 255}}};

unsigned int nr_irqs_gsi(void)
{
	return NR_GSIS;
}
void machine_irqs_init(void)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		descs[i] = (struct irq_desc){.masked = true, .kind = i < NR_GSIS ? IRQ_IOAPIC : IRQ_UNUSED};
		descs[i].level = i >= 16 && i < NR_GSIS;
		spin_lock_init(&descs[i].lock, RANK_IRQDESC);
	}
}
int irq_route(struct irq_desc *desc, unsigned int cpu)
{
	if (cpu > 1)
		abort();
	desc->cpu = (u16)cpu;
	desc->vector = (u8)(VEC_DEVICE_FIRST + irq_number(desc));
	return 0;
}
void irq_set_masked(struct irq_desc *desc, bool mask)
{
	desc->masked = mask;
}
void irq_wait_idle(struct irq_desc *desc)
{
	if (desc->in_progress)
		abort();
}
int ioapic_guest_read(paddr_t base, u32 reg, u32 *value)
{
	*value = reg;
	return base != 0xfec00000 || reg > 0x3f ? -EINVAL : 0;
}

static bool device_exists(struct pci_addr a)
{
	return !a.seg && !(a.devfn & 1);
}
int msi_map(struct pci_addr a, bool msix, unsigned int entry_nr, paddr_t table_base, struct irq_desc **out)
{
	(void)msix, (void)entry_nr, (void)table_base;
	if (!device_exists(a))
		return -ENODEV;
	for (*out = &descs[NR_GSIS]; *out < &descs[nr_irqs]; (*out)++)
		if ((*out)->kind == IRQ_UNUSED) {
			(*out)->kind = IRQ_MSI;
			return 0;
		}
	return -ENOSPC;
}
void msi_unmap(struct irq_desc *desc)
{
	if (desc->kind != IRQ_MSI || desc->nr_guests || !desc->masked)
		abort();
	desc->kind = IRQ_UNUSED;
	desc->vector = 0;
}
int msi_restore(struct pci_addr a)
{
	return device_exists(a) ? 0 : -ENODEV;
}
int msix_prepare(struct pci_addr a, bool on)
{
	(void)on;
	return device_exists(a) ? 0 : -ENODEV;
}
int pci_device_added(struct pci_addr a)
{
	return device_exists(a) ? 0 : -ENODEV;
}
int pci_device_removed(struct pci_addr a)
{
	return device_exists(a) ? 0 : -ENODEV;
}

void console_guest_write(const char *s, size_t n)
{
	static char last[256];

	if (n > sizeof(last))
		abort();
	memcpy(last, s, n);
}
size_t console_input_read(char *buf, size_t size)
{
	size_t n = size & 1 ? 0 : size;

	memset(buf, 'x', n);
	return n;
}

int fpu_vcpu_init(struct vcpu *v)
{
	(void)v;
	return 0;
}
void fpu_vcpu_destroy(struct vcpu *v)
{
	(void)v;
}
/* An image may be a bad one. */
int fpu_import_fxsave(struct vcpu *v, const void *fx512)
{
	(void)v;
	return *(const u8 *)fx512 & 1 ? -EINVAL : 0;
}
void fpu_export_fxsave(struct vcpu *v, void *fx512)
{
	(void)v;
	memset(fx512, 0, 512);
}
int policy_domain_init(struct domain *d)
{
	(void)d;
	return 0;
}
void policy_domain_destroy(struct domain *d)
{
	(void)d;
}
