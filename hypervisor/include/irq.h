/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine interrupts: vectors, I/O APIC, MSI, and the pirqs of the hardware domain. */
#ifndef SERAI_IRQ_H
#define SERAI_IRQ_H

#include <domain.h>
#include <regs.h>

#define VEC_DEVICE_FIRST 0x30
#define VEC_DEVICE_LAST 0xdf

void irq_init(void); /* by lapic_init() */
/* Entry code calls this for every vector from 0x20 up that is not an exception; in a guest, in the idle
 * loop or in preempt_window(). Interrupts off. */
void do_irq(struct regs *regs, u8 vector);
int irq_request(unsigned int gsi, void (*fn)(void *), void *data, const char *name); /* ours: UART, HPET */
int irq_domain_init(struct domain *d);
/* A dying domain: its interrupts are unbound and unmapped, its end-of-interrupt page given back. The frame
 * would keep the domain otherwise. */
void irq_domain_release(struct domain *d);
void irq_domain_destroy(struct domain *d); /* unbinds and unmaps every pirq */
unsigned int nr_irqs_gsi(void);
/* The guest frame with the eoi bitmap, for the frame checker; INVALID_MFN: none. */
mfn_t irq_eoi_frame(const struct domain *d);
void irq_dump(void); /* 'i' debug key */
/* cpu goes offline: its interrupts go elsewhere. On that CPU, which is no longer in cpu_online_map. */
void irq_leave_cpu(unsigned int cpu);

#endif
