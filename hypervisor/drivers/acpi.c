/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the ACPI tables and handing them to the parsers.
 *
 *     RSDP --> XSDT (or RSDT) --> FACP, APIC, HPET, MCFG, ...
 */
#include <acpi.h>
#include <lib.h>
#include <mm.h>
#include <xerrno.h>

#define MAX_TABLES 128U
#define MAX_TABLE_SIZE (1U << 20)

struct acpi_info acpi;

struct acpi_header {
	char signature[4];
	u32 length;
	u8 rest[28];
} __packed;

/* Maps a whole table; its length is in its header. NULL: implausible. */
static const struct acpi_header *map_table(paddr_t pa, size_t *len)
{
	const struct acpi_header *h = vmap_ram(pa, sizeof(*h));

	if (!h)
		return NULL;
	*len = h->length;
	vunmap(h, sizeof(*h));
	if (*len < sizeof(*h) || *len > MAX_TABLE_SIZE)
		return NULL;
	return vmap_ram(pa, *len);
}

static void one_table(paddr_t pa)
{
	static const struct {
		const char *signature;
		int (*parse)(const void *table, size_t len, struct acpi_info *out);
	} known[] = {
		{"APIC", acpi_parse_madt},
		{"FACP", acpi_parse_fadt},
		{"HPET", acpi_parse_hpet},
		{"MCFG", acpi_parse_mcfg},
	};
	size_t len = 0;
	const struct acpi_header *h = pa ? map_table(pa, &len) : NULL;

	if (!h)
		return;
	printk(XLOG_INFO "ACPI: %.4s at %#lx, %lu bytes\n", h->signature, pa, len);
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		if (memcmp(h->signature, known[i].signature, 4) != 0)
			continue;
		if (!acpi_checksum_ok(h, len))
			printk(XLOG_WARNING "ACPI: %.4s: bad checksum, used all the same\n", h->signature);
		if (known[i].parse(h, len, &acpi) != 0)
			printk(XLOG_WARNING "ACPI: %.4s: malformed, used as far as it goes\n", h->signature);
		if (i == 0)
			acpi.madt = pa;
		if (i == 1)
			acpi.fadt = pa;
	}
	vunmap(h, len);
}

static bool rsdp_at(paddr_t pa, paddr_t *root, unsigned int *entry_size)
{
	const void *p = vmap_ram(pa, 36);
	bool ok;

	if (!p)
		return false;
	ok = acpi_parse_rsdp(p, 36, root, entry_size);
	vunmap(p, 36);
	return ok;
}

/* The places a BIOS may put it, on 16-byte boundaries (5.2.5.1). */
static paddr_t search_rsdp(paddr_t start, paddr_t end, paddr_t *root, unsigned int *entry_size)
{
	const u8 *p = vmap_ram(start, end - start);
	paddr_t found = 0;

	if (!p)
		return 0;
	for (paddr_t at = start; at + 36 <= end && !found; at += 16)
		if (acpi_parse_rsdp(p + (at - start), 36, root, entry_size))
			found = at;
	vunmap(p, end - start);
	return found;
}

static paddr_t find_rsdp(paddr_t given, paddr_t *root, unsigned int *entry_size)
{
	const u16 *bda;
	paddr_t ebda, found = 0;

	if (given && rsdp_at(given, root, entry_size))
		return given;
	bda = vmap_ram(0x40e, 2);
	ebda = bda ? (paddr_t)*bda << 4 : 0;
	if (bda)
		vunmap(bda, 2);
	if (ebda >= 0x400 && ebda < 0xa0000)
		found = search_rsdp(ebda, ebda + 1024, root, entry_size);
	if (!found)
		found = search_rsdp(0xe0000, 0x100000, root, entry_size);
	return found;
}

int acpi_init(paddr_t rsdp)
{
	unsigned int entry_size = 0, n;
	const struct acpi_header *root;
	paddr_t root_pa = 0;
	size_t len;

	acpi.rsdp = find_rsdp(rsdp, &root_pa, &entry_size);
	if (!acpi.rsdp) {
		printk(XLOG_ERR "ACPI: no tables found\n");
		return -ENODEV;
	}
	root = map_table(root_pa, &len);
	if (!root || !acpi_checksum_ok(root, len)) {
		printk(XLOG_ERR "ACPI: root table at %#lx unusable\n", root_pa);
		return -ENODEV;
	}
	n = min((unsigned int)(len - sizeof(*root)) / entry_size, MAX_TABLES);
	for (unsigned int i = 0; i < n; i++) {
		u64 pa = 0;

		memcpy(&pa, (const u8 *)(root + 1) + (size_t)i * entry_size, entry_size);
		one_table(pa);
	}
	vunmap(root, len);
	printk(XLOG_INFO "ACPI: %u CPUs (%u disabled), %u I/O APICs, SCI %u%s\n", acpi.nr_cpus,
	       acpi.nr_disabled_cpus, acpi.nr_ioapics, acpi.sci_irq, acpi.hpet ? ", HPET" : "");
	return 0;
}
