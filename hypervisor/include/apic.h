/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC (SDM vol. 3, chapter 10), in xAPIC or x2APIC mode: registers are named by their xAPIC
 * offset, lapic_read/write find the way. Each CPU touches only its own.
 */
#ifndef SERAI_APIC_H
#define SERAI_APIC_H

#include <types.h>

#define LAPIC_ID 0x020
#define LAPIC_VERSION 0x030
#define LAPIC_TPR 0x080
#define LAPIC_EOI 0x0b0
#define LAPIC_LDR 0x0d0
#define LAPIC_DFR 0x0e0
#define LAPIC_SVR 0x0f0
#define LAPIC_ISR 0x100
#define LAPIC_IRR 0x200
#define LAPIC_ESR 0x280
#define LAPIC_ICR 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_THERMAL 0x330
#define LAPIC_LVT_PC 0x340
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_INIT 0x380
#define LAPIC_TIMER_CUR 0x390
#define LAPIC_TIMER_DIV 0x3e0

#define LVT_MASKED 0x10000U
#define LVT_TIMER_PERIODIC 0x20000U
#define LVT_TIMER_TSCDEADLINE 0x40000U
#define LVT_DM_NMI 0x400U
#define LVT_DM_EXTINT 0x700U

#define ICR_DM_FIXED 0x000U
#define ICR_DM_NMI 0x400U
#define ICR_DM_INIT 0x500U
#define ICR_DM_STARTUP 0x600U
#define ICR_ASSERT 0x4000U
#define ICR_LEVEL 0x8000U
#define ICR_BUSY 0x1000U

#define BAD_APIC_ID 0xffffffffU

extern bool x2apic_mode;
extern volatile u32 *lapic_mmio; /* xAPIC mode */

u32 lapic_read(unsigned int reg);
void lapic_write(unsigned int reg, u32 v);
void lapic_init(void);     /* once, on the boot CPU, after acpi_init(): mode, mapping, 8259s masked */
void lapic_cpu_init(void); /* each CPU: enabled, all masked but errors and NMI */
u32 lapic_id(void);
void lapic_eoi(void);
void lapic_send(u32 apic_id, u32 icr_low); /* waits until it is on its way */
void lapic_disable_for_reset(void);

/* CPU number <-> APIC id, from the MADT; the boot CPU is 0. */
extern u32 cpu_apic_id[], cpu_acpi_id[];

#endif
