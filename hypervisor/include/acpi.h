/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware's static tables say (ACPI 6.4, chapter 5). Filled once at boot, read-only
 * afterwards. The byte parsers are pure and take untrusted input: a table is firmware's, but
 * firmware has bugs.
 */
#ifndef SERAI_ACPI_H
#define SERAI_ACPI_H

#include <cpumask.h>
#include <types.h>

#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_OVERRIDES 24
#define ACPI_MAX_NMIS 16
#define ACPI_MAX_MCFG 8

struct acpi_cpu {
	u32 apic_id, acpi_id;
};
struct acpi_ioapic {
	u32 id, gsi_base;
	paddr_t addr;
};
/* Flags of overrides and NMIs: MPS INTI (5.2.12.5) */
#define ACPI_POLARITY(f) ((f)&3)       /* 0 as the bus has it, 1 high, 3 low */
#define ACPI_TRIGGER(f) ((f) >> 2 & 3) /* 0 as the bus has it, 1 edge, 3 level */
struct acpi_override {
	u32 gsi;
	u16 flags;
	u8 irq;
};
struct acpi_nmi {
	u32 acpi_id; /* 0xffffffff: all */
	u16 flags;
	u8 lint;
};
struct acpi_mcfg {
	paddr_t base;
	u16 segment;
	u8 start_bus, end_bus;
};
/* Generic address structure (5.2.3.2) */
#define ACPI_GAS_MEMORY 0
#define ACPI_GAS_IO 1
#define ACPI_GAS_PCI 2
struct acpi_gas {
	u8 space, width, offset, access;
	u64 address;
} __packed;

struct acpi_info {
	paddr_t rsdp, fadt, madt;
	unsigned int nr_cpus, nr_disabled_cpus; /* cpus[] holds the enabled ones */
	struct acpi_cpu cpus[NR_CPUS];
	paddr_t lapic_addr;
	bool pcat_compat; /* there are 8259s to silence */
	unsigned int nr_ioapics, nr_overrides, nr_nmis, nr_mcfg;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	struct acpi_override overrides[ACPI_MAX_OVERRIDES];
	struct acpi_nmi nmis[ACPI_MAX_NMIS];
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];

	paddr_t hpet;             /* 0: none */
	struct acpi_gas pm_timer; /* address 0: none; width 24 or 32 */
	struct acpi_gas pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, reset_reg;
	u8 pm1_evt_len, reset_value;
	u16 sci_irq, smi_cmd;
	u8 acpi_enable;
	u32 fadt_flags;
	bool reset_supported, hw_reduced;
	paddr_t facs;
};
extern struct acpi_info acpi;

/* Finds and reads the tables; rsdp 0: search the BIOS areas. 0, or -ENODEV with the reason printed.
 */
int acpi_init(paddr_t rsdp);

/* Pure: table points at len readable bytes, header included. 0 or -EINVAL (out may be partly
 * filled). */
int acpi_parse_madt(const void *table, size_t len, struct acpi_info *out);
int acpi_parse_fadt(const void *table, size_t len, struct acpi_info *out);
int acpi_parse_hpet(const void *table, size_t len, struct acpi_info *out);
int acpi_parse_mcfg(const void *table, size_t len, struct acpi_info *out);
bool acpi_checksum_ok(const void *p, size_t len);
/* Is this a valid RSDP? Fills in the address of the XSDT (or RSDT) and the size of its entries. */
bool acpi_parse_rsdp(const void *p, size_t len, paddr_t *root, unsigned int *entry_size);

#endif
