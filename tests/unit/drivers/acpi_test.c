/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drivers/acpi_parse.c: tables as firmware writes them, then the same tables cut short and bent.
 * Every table is parsed in an allocation of its own size, so that the sanitizer sees a read past
 * its end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <acpi.h>
#include <stdlib.h>
#include <string.h>
#include <xerrno.h>

struct table {
	u8 b[512];
	size_t len;
};

static void put(struct table *t, u64 v, unsigned int bytes)
{
	for (; bytes; bytes--, v >>= 8)
		t->b[t->len++] = (u8)v;
}

static void begin(struct table *t, const char *sig)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->b, sig, 4);
	t->len = 36;
}

static void finish(struct table *t)
{
	u8 sum = 0;

	memcpy(t->b + 4, &(u32){(u32)t->len}, 4);
	for (size_t i = 0; i < t->len; i++)
		sum = (u8)(sum + t->b[i]);
	t->b[9] = (u8)-sum;
}

static void make_madt(struct table *t)
{
	begin(t, "APIC");
	put(t, 0xfee00000, 4);
	put(t, 1, 4);
	for (unsigned int i = 0; i < 4; i++) { /* local APICs; the third is disabled */
		put(t, 0x0800, 2);
		put(t, i + 10, 1);
		put(t, i * 2, 1);
		put(t, i != 2, 4);
	}
	put(t, 0x0c01, 2); /* I/O APIC */
	put(t, 5, 2);
	put(t, 0xfec00000, 4);
	put(t, 24, 4);
	put(t, 0x0a02, 2); /* override: ISA 9 is GSI 20, level, active low */
	put(t, 0x0900, 2);
	put(t, 20, 4);
	put(t, 0xf, 2);
	put(t, 0x0604, 2); /* NMI on LINT1 of all CPUs */
	put(t, 0xff, 1);
	put(t, 0, 2);
	put(t, 1, 1);
	put(t, 0x1009, 2); /* x2APIC */
	put(t, 0, 2);
	put(t, 300, 4);
	put(t, 1, 4);
	put(t, 77, 4);
	put(t, 0x0c05, 2); /* where the local APIC really is */
	put(t, 0, 2);
	put(t, 0x1fee00000, 8);
	put(t, 0x06fe, 2); /* a kind nobody knows */
	put(t, 0, 4);
	finish(t);
}

static void test_madt(void **state)
{
	struct acpi_info a = {0};
	struct table t;

	(void)state;
	make_madt(&t);
	assert_true(acpi_checksum_ok(t.b, t.len));
	assert_int_equal(acpi_parse_madt(t.b, t.len, &a), 0);
	assert_int_equal(a.nr_cpus, 4);
	assert_int_equal(a.nr_disabled_cpus, 1);
	assert_int_equal(a.cpus[1].apic_id, 2);
	assert_int_equal(a.cpus[1].acpi_id, 11);
	assert_int_equal(a.cpus[3].apic_id, 300);
	assert_int_equal(a.cpus[3].acpi_id, 77);
	assert_int_equal(a.nr_ioapics, 1);
	assert_int_equal(a.ioapics[0].addr, 0xfec00000);
	assert_int_equal(a.ioapics[0].gsi_base, 24);
	assert_int_equal(a.nr_overrides, 1);
	assert_int_equal(a.overrides[0].irq, 9);
	assert_int_equal(a.overrides[0].gsi, 20);
	assert_int_equal(ACPI_POLARITY(a.overrides[0].flags), 3);
	assert_int_equal(ACPI_TRIGGER(a.overrides[0].flags), 3);
	assert_int_equal(a.nr_nmis, 1);
	assert_int_equal(a.nmis[0].acpi_id, 0xffffffff);
	assert_int_equal(a.nmis[0].lint, 1);
	assert_true(a.lapic_addr == 0x1fee00000);
	assert_true(a.pcat_compat);
}

static void make_fadt(struct table *t, unsigned int len)
{
	begin(t, "FACP");
	t->len = len;
	memcpy(t->b + 46, &(u16){9}, 2);
	memcpy(t->b + 48, &(u32){0xb2}, 4);
	t->b[52] = 0xf1;
	memcpy(t->b + 56, &(u32){0x600}, 4);
	memcpy(t->b + 64, &(u32){0x604}, 4);
	memcpy(t->b + 76, &(u32){0x608}, 4);
	t->b[88] = 4;
	t->b[91] = 4;
	memcpy(t->b + 112, &(u32){1 << 8 | 1 << 10}, 4);
	if (len >= 129) {
		t->b[116] = ACPI_GAS_IO;
		t->b[117] = 8;
		memcpy(t->b + 120, &(u64){0xcf9}, 8);
		t->b[128] = 0x0f;
	}
	if (len >= 220) {
		t->b[208] = ACPI_GAS_MEMORY;
		memcpy(t->b + 212, &(u64){0xfed08000}, 8);
	}
	finish(t);
}

static void test_fadt(void **state)
{
	struct acpi_info a = {0}, old = {0};
	struct table t;

	(void)state;
	make_fadt(&t, 244);
	assert_int_equal(acpi_parse_fadt(t.b, t.len, &a), 0);
	assert_int_equal(a.sci_irq, 9);
	assert_int_equal(a.pm1a_cnt.space, ACPI_GAS_IO);
	assert_int_equal(a.pm1a_cnt.address, 0x604);
	assert_int_equal(a.pm1b_cnt.address, 0);
	assert_int_equal(a.pm_timer.space, ACPI_GAS_MEMORY);
	assert_true(a.pm_timer.address == 0xfed08000);
	assert_int_equal(a.pm_timer.width, 32);
	assert_true(a.reset_supported);
	assert_int_equal(a.reset_reg.address, 0xcf9);
	assert_int_equal(a.reset_value, 0x0f);
	/* ACPI 1.0: no reset register, no extended addresses. */
	make_fadt(&t, 116);
	assert_int_equal(acpi_parse_fadt(t.b, t.len, &old), 0);
	assert_false(old.reset_supported);
	assert_int_equal(old.pm_timer.address, 0x608);
	assert_int_equal(old.pm_timer.space, ACPI_GAS_IO);
	assert_int_equal(acpi_parse_fadt(t.b, 115, &old), -EINVAL);
}

static void make_mcfg(struct table *t)
{
	begin(t, "MCFG");
	put(t, 0, 8);
	put(t, 0xb0000000, 8);
	put(t, 0, 2);
	put(t, 0, 1);
	put(t, 255, 1);
	put(t, 0, 4);
	put(t, 0xc0000000, 8); /* ends before it begins: left out */
	put(t, 1, 2);
	put(t, 9, 1);
	put(t, 3, 1);
	put(t, 0, 4);
	finish(t);
}

static void make_hpet(struct table *t)
{
	begin(t, "HPET");
	put(t, 0x8086a201, 4);
	put(t, ACPI_GAS_MEMORY, 4);
	put(t, 0xfed00000, 8);
	put(t, 0, 4);
	finish(t);
}

static void test_small_tables(void **state)
{
	struct acpi_info a = {0};
	struct table t;

	(void)state;
	make_mcfg(&t);
	assert_int_equal(acpi_parse_mcfg(t.b, t.len, &a), 0);
	assert_int_equal(a.nr_mcfg, 1);
	assert_int_equal(a.mcfg[0].base, 0xb0000000);
	assert_int_equal(a.mcfg[0].end_bus, 255);
	make_hpet(&t);
	assert_int_equal(acpi_parse_hpet(t.b, t.len, &a), 0);
	assert_int_equal(a.hpet, 0xfed00000);
	t.b[40] = ACPI_GAS_IO;
	assert_int_equal(acpi_parse_hpet(t.b, t.len, &a), -EINVAL);
}

static void rsdp_sum(u8 *b, size_t len, unsigned int at)
{
	u8 sum = 0;

	b[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + b[i]);
	b[at] = (u8)-sum;
}

static void test_rsdp(void **state)
{
	unsigned int size = 0;
	paddr_t root = 0;
	u8 b[36] = "RSD PTR ";

	(void)state;
	memcpy(b + 16, &(u32){0x1000}, 4);
	rsdp_sum(b, 20, 8);
	assert_true(acpi_parse_rsdp(b, 20, &root, &size));
	assert_int_equal(root, 0x1000);
	assert_int_equal(size, 4);
	b[15] = 2;
	memcpy(b + 24, &(u64){0x2000}, 8);
	rsdp_sum(b, 20, 8);
	rsdp_sum(b, 36, 32);
	assert_true(acpi_parse_rsdp(b, 36, &root, &size));
	assert_int_equal(root, 0x2000);
	assert_int_equal(size, 8);
	b[33] ^= 1; /* the extension is broken: the old part still counts */
	assert_true(acpi_parse_rsdp(b, 36, &root, &size));
	assert_int_equal(root, 0x1000);
	b[0] = 'X';
	assert_false(acpi_parse_rsdp(b, 36, &root, &size));
}

typedef int parser(const void *table, size_t len, struct acpi_info *out);

static void bend(const struct table *good, parser *parse)
{
	for (unsigned int i = 0; i < 20000; i++) {
		struct acpi_info a = {0};
		size_t len = (size_t)random() % 8 ? good->len : (size_t)random() % (good->len + 1);
		u8 *copy = malloc(len ? len : 1);
		long n = random() % 8;

		memcpy(copy, good->b, len);
		while (n-- && len)
			copy[(size_t)random() % len] = (u8)random();
		(void)parse(copy, len, &a);
		assert_true(a.nr_cpus <= NR_CPUS && a.nr_ioapics <= ACPI_MAX_IOAPICS &&
			    a.nr_overrides <= ACPI_MAX_OVERRIDES && a.nr_nmis <= ACPI_MAX_NMIS &&
			    a.nr_mcfg <= ACPI_MAX_MCFG);
		free(copy);
	}
}

static void test_bent_tables(void **state)
{
	struct table t;

	(void)state;
	srandom(7);
	make_madt(&t);
	bend(&t, acpi_parse_madt);
	make_fadt(&t, 244);
	bend(&t, acpi_parse_fadt);
	make_mcfg(&t);
	bend(&t, acpi_parse_mcfg);
	make_hpet(&t);
	bend(&t, acpi_parse_hpet);
}

/* More of everything than there is room for. */
static void test_full_madt(void **state)
{
	struct acpi_info a = {0};
	size_t len = 44 + 300 * 16;
	u8 *b = calloc(1, len);

	(void)state;
	memcpy(b, "APIC", 4);
	memcpy(b + 4, &(u32){(u32)len}, 4);
	for (unsigned int i = 0; i < 300; i++) {
		u8 *e = b + 44 + (size_t)i * 16;

		e[0] = 9;
		e[1] = 16;
		memcpy(e + 4, &i, 4);
		e[8] = 1;
	}
	assert_int_equal(acpi_parse_madt(b, len, &a), 0);
	assert_int_equal(a.nr_cpus, NR_CPUS);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_madt),         cmocka_unit_test(test_fadt),
		cmocka_unit_test(test_small_tables), cmocka_unit_test(test_rsdp),
		cmocka_unit_test(test_bent_tables),  cmocka_unit_test(test_full_madt),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
