/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers of ACPI's static tables (ACPI 6.4, section 5.2). Pure: bytes in, struct acpi_info out.
 * Nothing is read beyond the length given, whatever the tables say about themselves; entries that
 * do not fit in our arrays are left out.
 */
#include <acpi.h>
#include <lib.h>
#include <xerrno.h>

#define HEADER 36U

static u16 le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}
static u32 le32(const u8 *p)
{
	return le16(p) | (u32)le16(p + 2) << 16;
}
static u64 le64(const u8 *p)
{
	return le32(p) | (u64)le32(p + 4) << 32;
}

bool acpi_checksum_ok(const void *p, size_t len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *b++);
	return sum == 0;
}

bool acpi_parse_rsdp(const void *p, size_t len, paddr_t *root, unsigned int *entry_size)
{
	const u8 *b = p;

	if (len < 20 || memcmp(b, "RSD PTR ", 8) != 0 || !acpi_checksum_ok(b, 20))
		return false;
	if (b[15] >= 2 && len >= 36 && acpi_checksum_ok(b, 36) && le64(b + 24)) {
		*root = le64(b + 24);
		*entry_size = 8;
	} else {
		*root = le32(b + 16);
		*entry_size = 4;
	}
	return *root != 0;
}

/* The table's own length, cut to what is there. */
static size_t table_length(const u8 *t, size_t len)
{
	if (len < HEADER)
		return 0;
	return min((size_t)le32(t + 4), len);
}

static void add_cpu(struct acpi_info *out, u32 apic_id, u32 acpi_id, u32 flags)
{
	if (!(flags & 1)) {
		out->nr_disabled_cpus++;
		return;
	}
	for (unsigned int i = 0; i < out->nr_cpus; i++)
		if (out->cpus[i].apic_id == apic_id)
			return;
	if (out->nr_cpus < NR_CPUS)
		out->cpus[out->nr_cpus++] = (struct acpi_cpu){apic_id, acpi_id};
}

static void add_nmi(struct acpi_info *out, u32 acpi_id, u16 flags, u8 lint)
{
	if (out->nr_nmis < ACPI_MAX_NMIS)
		out->nmis[out->nr_nmis++] = (struct acpi_nmi){acpi_id, flags, lint};
}

/* One interrupt controller structure: type e[0], length e[1], already known to be inside the table.
 */
static void madt_entry(const u8 *e, struct acpi_info *out)
{
	/* by type: least length */
	static const u8 least[] = {[0] = 8, [1] = 12, [2] = 10, [4] = 6, [5] = 12, [9] = 16, [10] = 12};

	if (e[0] >= ARRAY_SIZE(least) || !least[e[0]] || e[1] < least[e[0]])
		return;
	switch (e[0]) {
	case 0: /* local APIC; id 255 is the broadcast address, so no CPU */
		if (e[3] != 0xff)
			add_cpu(out, e[3], e[2], le32(e + 4));
		break;
	case 1:
		if (out->nr_ioapics < ACPI_MAX_IOAPICS)
			out->ioapics[out->nr_ioapics++] =
				(struct acpi_ioapic){e[2], le32(e + 8), le32(e + 4)};
		break;
	case 2:
		if (out->nr_overrides < ACPI_MAX_OVERRIDES)
			out->overrides[out->nr_overrides++] =
				(struct acpi_override){le32(e + 4), le16(e + 8), e[3]};
		break;
	case 4:
		add_nmi(out, e[2] == 0xff ? 0xffffffffU : e[2], le16(e + 3), e[5]);
		break;
	case 5:
		out->lapic_addr = le64(e + 4);
		break;
	case 9:
		if (le32(e + 4) != 0xffffffffU)
			add_cpu(out, le32(e + 4), le32(e + 12), le32(e + 8));
		break;
	case 10:
		add_nmi(out, le32(e + 4), le16(e + 2), e[8]);
		break;
	default:
		break;
	}
}

int acpi_parse_madt(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;
	size_t at = HEADER + 8;

	len = table_length(t, len);
	if (len < at)
		return -EINVAL;
	out->lapic_addr = le32(t + HEADER);
	out->pcat_compat = le32(t + HEADER + 4) & 1;
	while (at + 2 <= len) {
		if (t[at + 1] < 2 || t[at + 1] > len - at)
			return -EINVAL;
		madt_entry(t + at, out);
		at += t[at + 1];
	}
	return 0;
}

/* The extended form at ext if the table has it and it is set, else the old I/O port at old. */
static struct acpi_gas fadt_register(const u8 *t, size_t len, unsigned int old, unsigned int ext, u8 width)
{
	struct acpi_gas g = {0, 0, 0, 0, 0};

	if (len >= ext + sizeof(g)) {
		memcpy(&g, t + ext, sizeof(g));
		if (g.address)
			return g;
	}
	memset(&g, 0, sizeof(g));
	if (len >= old + 4 && le32(t + old)) {
		g.space = ACPI_GAS_IO;
		g.width = width;
		g.address = le32(t + old);
	}
	return g;
}

int acpi_parse_fadt(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	len = table_length(t, len);
	if (len < 116)
		return -EINVAL;
	out->sci_irq = le16(t + 46);
	out->smi_cmd = (u16)le32(t + 48);
	out->acpi_enable = t[52];
	out->pm1_evt_len = t[88];
	out->fadt_flags = le32(t + 112);
	out->hw_reduced = out->fadt_flags >> 20 & 1;
	out->facs = len >= 140 && le64(t + 132) ? le64(t + 132) : le32(t + 36);
	out->pm1a_evt = fadt_register(t, len, 56, 148, 32);
	out->pm1b_evt = fadt_register(t, len, 60, 160, 32);
	out->pm1a_cnt = fadt_register(t, len, 64, 172, 16);
	out->pm1b_cnt = fadt_register(t, len, 68, 184, 16);
	if (t[91] == 4) {
		out->pm_timer = fadt_register(t, len, 76, 208, 32);
		out->pm_timer.width = out->fadt_flags >> 8 & 1 ? 32 : 24;
	}
	if (len >= 129 && (out->fadt_flags >> 10 & 1)) {
		memcpy(&out->reset_reg, t + 116, sizeof(out->reset_reg));
		out->reset_value = t[128];
		out->reset_supported = out->reset_reg.address != 0 && out->reset_reg.space <= ACPI_GAS_PCI;
	}
	return 0;
}

int acpi_parse_hpet(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	if (table_length(t, len) < 56 || t[40] != ACPI_GAS_MEMORY)
		return -EINVAL;
	out->hpet = le64(t + 44);
	return 0;
}

int acpi_parse_mcfg(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	len = table_length(t, len);
	if (len < HEADER + 8)
		return -EINVAL;
	for (size_t at = HEADER + 8; at + 16 <= len && out->nr_mcfg < ACPI_MAX_MCFG; at += 16) {
		const struct acpi_mcfg m = {le64(t + at), le16(t + at + 8), t[at + 10], t[at + 11]};

		/* Room for the whole window below the top of the address space, and aligned to it.
		 */
		if (m.start_bus <= m.end_bus && m.base && !(m.base & 0xfffff) && m.base < 1ULL << 52)
			out->mcfg[out->nr_mcfg++] = m;
	}
	return 0;
}
