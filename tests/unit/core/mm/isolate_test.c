/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots for guests on CPUs open to Meltdown: what the list names is there, and the check finds whatever else is.
 */
#include "world.h"
#include <core/mm/isolate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <lib.h>
#include <string.h>

#define RX (PTE_P | PTE_A)
#define RW (PTE_P | PTE_A | PTE_D | PTE_RW | PTE_NX)
#define M2P (0x5000UL | PTE_P | PTE_RW | PTE_US | PTE_A)
#define TEXT (IMAGE_VIRT + 0x1000UL)

static const struct isolate_range list[] = {
	{TEXT, 3, {0x200}, RX, "text"},
	{ENTRY_DATA(1), 1, {0x300}, RW, "data"},
	{DESC_WINDOW(1), DESC_WINDOW_PAGES, {~0ULL}, RW, "window"},
};
static u64 *root;
static unsigned int nr_seen, nr_reported;
static u64 last_bad;

static void seen(u64 va, u64 entry, const char *what)
{
	nr_seen++;
	assert_true(entry & PTE_P);
	assert_string_equal(what, va == ENTRY_DATA(1) ? "data" : va < IMAGE_VIRT ? "window" : "text");
}

static void bad(u64 va, u64 entry)
{
	(void)entry;
	nr_reported++;
	last_bad = va;
}

static unsigned int check(void)
{
	nr_seen = nr_reported = 0;
	last_bad = 0;
	return isolate_check(root, M2P, list, ARRAY_SIZE(list), bad, seen);
}

/* Tables of the tree, the root too. */
static void free_tables(u64 *t, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < PT_ENTRIES; i++)
		if ((t[i] & (PTE_P | PTE_PS | PTE_US)) == PTE_P)
			free_tables(map_frame(pte_mfn(t[i])), level - 1);
	hv_free_pages(t, 0);
}

static int setup(void **s)
{
	(void)s;
	world_init();
	root = hv_alloc_pages(0);
	assert_non_null(root);
	assert_int_equal(isolate_map(root, list, ARRAY_SIZE(list)), 0);
	root[HV_L4_FIRST] = M2P;
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	free_tables(root, 4);
	return mm_free_frames() == mm_total_frames() ? 0 : -1;
}

static void maps_the_list(void **s)
{
	(void)s;
	assert_int_equal(check(), 0);
	assert_int_equal(nr_seen, 4);
	assert_int_equal(pte_mfn(*isolate_entry(root, TEXT + 2 * PAGE_SIZE)).n, 0x202);
	/* Filled as the CPU's window is: a guest's page, a filler that cannot be written. */
	*isolate_entry(root, DESC_WINDOW(1)) = pte_make(MFN(0x777), RW);
	*isolate_entry(root, DESC_WINDOW(1) + PAGE_SIZE) = pte_make(MFN(0x778), RW & ~PTE_RW);
	assert_int_equal(check(), 0);
	assert_int_equal(nr_seen, 6);
	/* Bits the CPU sets. */
	root[HV_L4_FIRST] |= PTE_D;
	*isolate_entry(root, TEXT) |= PTE_D;
	assert_int_equal(check(), 0);
}

/* Any page of the hypervisor, at any of its addresses. */
static void finds_pages(void **s)
{
	static const u64 places[] = {
		TEXT - PAGE_SIZE,
		TEXT + 3 * PAGE_SIZE,
		ENTRY_DATA(0),
		ENTRY_STACK(1),
		DESC_WINDOW(0),
		DESC_WINDOW(2),
		FRAME_TABLE_VIRT,
		VMAP_VIRT,
		DIRECTMAP_VIRT,
		HV_VIRT_END - PAGE_SIZE,
		M2P_VIRT_START + (1UL << 39),
	};

	(void)s;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		u64 *e = isolate_entry(root, places[i]);

		*e = pte_make(MFN(0x400), RW);
		assert_int_equal(check(), 1);
		assert_int_equal(nr_reported, 1);
		assert_true(last_bad == places[i]);
		*e = 0;
		assert_int_equal(check(), 0);
	}
}

/* The right address with something else behind it, or with more rights. */
static void finds_wrong_entries(void **s)
{
	u64 *text = isolate_entry(root, TEXT), *data = isolate_entry(root, ENTRY_DATA(1)),
	    *window = isolate_entry(root, DESC_WINDOW(1));
	const struct {
		u64 *entry, value;
	} wrong[] = {
		{text, pte_make(MFN(0x201), RX)},
		{text, pte_make(MFN(0x200), RX | PTE_RW)},
		{text, pte_make(MFN(0x200), RX | PTE_US)},
		{text, pte_make(MFN(0x200), RX | PTE_NX)},
		{data, pte_make(MFN(0x300), RW & ~PTE_NX)},
		{data, pte_make(MFN(0x300), RW | PTE_US)},
		{data, pte_make(MFN(0x300), RW & ~PTE_RW)},
		{window, pte_make(MFN(0x777), RW | PTE_US)},
		{window, pte_make(MFN(0x777), RW & ~PTE_NX)},
	};

	(void)s;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		u64 good = *wrong[i].entry;

		*wrong[i].entry = wrong[i].value;
		assert_int_equal(check(), 1);
		*wrong[i].entry = good;
		assert_int_equal(check(), 0);
	}
}

/* Entries above the last level that lead to large pages, to the guest's rights, or to another M2P. */
static void finds_upper_entries(void **s)
{
	u64 *l3 = map_frame(pte_mfn(root[261])), *l2 = map_frame(pte_mfn(l3[TEXT >> 30 & 511]));
	u64 *const uppers[] = {&root[262], &root[271], &l3[3], &l2[9]};

	(void)s;
	for (unsigned int i = 0; i < ARRAY_SIZE(uppers); i++) {
		u64 good = *uppers[i];

		assert_int_equal(good, 0);
		*uppers[i] = pte_make(MFN(0), PTE_P | PTE_RW | PTE_PS);
		assert_int_equal(check(), 1);
		*uppers[i] = pte_make(MFN(0), PTE_P | PTE_US);
		assert_int_equal(check(), 1);
		*uppers[i] = good;
	}
	root[HV_L4_FIRST] = M2P + PAGE_SIZE;
	assert_int_equal(check(), 1);
	assert_true(last_bad == HV_VIRT_START);
	root[HV_L4_FIRST] = M2P;
	assert_int_equal(check(), 0);
}

static void copies_and_compares(void **s)
{
	static u64 guest[PT_ENTRIES];
	u64 before[HV_L4_LAST + 1];

	(void)s;
	memcpy(before, root, sizeof(before));
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		guest[i] = 0x1000UL * i | PTE_P | PTE_US;
	isolate_copy(root, guest);
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 va = (u64)((s64)((u64)i << 55) >> 16), old = guest[i];

		/* The guest's root has the hypervisor in it: none of that comes along. */
		assert_true(root[i] == (l4_slot_is_hv(i) ? before[i] : guest[i]));
		assert_false(isolate_stale(root, guest, va));
		guest[i] |= PTE_A;
		assert_false(isolate_stale(root, guest, va));
		guest[i] = 0;
		assert_int_equal(isolate_stale(root, guest, va + 0x12345), !l4_slot_is_hv(i));
		guest[i] = old ^ PTE_RW;
		assert_int_equal(isolate_stale(root, guest, va), !l4_slot_is_hv(i));
		guest[i] = old;
	}
	assert_int_equal(check(), 0);
}

static void runs_out_of_memory(void **s)
{
	static const struct isolate_range far = {DIRECTMAP_VIRT, 1, {1}, RW, "far"};
	void *taken[WORLD_FRAMES];
	unsigned int n = 0;

	(void)s;
	while (n < WORLD_FRAMES && (taken[n] = hv_alloc_pages(0)) != NULL)
		n++;
	assert_int_equal(isolate_map(root, &far, 1), -ENOMEM);
	while (n)
		hv_free_pages(taken[--n], 0);
	assert_int_equal(check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(maps_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_wrong_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_upper_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_and_compares, setup, teardown),
		cmocka_unit_test_setup_teardown(runs_out_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
