/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-dirty shadows: a guest that reads, writes and edits its tables at random, on a CPU that walks the shadows.
 * At every step the shadow must allow nothing the guest's tables do not, and no write may miss the log.
 */
#include "world.h"
#include <core/mm/shadow.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <lib.h>
#include <string.h>

#define FLAGS (PTE_P | PTE_RW | PTE_US)
#define NR_L1 3
#define NR_DATA 24

static struct domain *d;
static mfn_t l4, l3, l2, l1[NR_L1], data[NR_DATA];
static u8 model[NR_DATA]; /* written since the last clean */

static mfn_t page(void)
{
	static u64 pfn;
	struct frame *f = alloc_frames(d, 0, 0);

	assert_non_null(f);
	m2p_table[frame_to_mfn(f).n] = 100 + pfn++ % 1000;
	return frame_to_mfn(f);
}

static int setup(void **s)
{
	(void)s;
	world_init();
	world_seed(12345);
	d = world_domain(3);
	l4 = page(), l3 = page(), l2 = page();
	for (unsigned int i = 0; i < NR_DATA; i++)
		data[i] = page();
	table_of(l4)[1] = pte_make(l3, FLAGS);
	table_of(l3)[2] = pte_make(l2, FLAGS);
	for (unsigned int i = 0; i < NR_L1; i++) {
		l1[i] = page();
		table_of(l2)[i] = pte_make(l1[i], FLAGS);
		for (unsigned int j = 0; j < 8; j++)
			table_of(l1[i])[j] = pte_make(data[(i * 7 + j * 3) % NR_DATA], j & 1 ? FLAGS : PTE_P);
	}
	assert_int_equal(world_pin(d, mfn_to_frame(l4), FT_L4), 0);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	assert_int_equal(mm_check_all(), 0);
	world_domain_free(d);
	return mm_free_frames() == mm_total_frames() ? 0 : -1;
}

static u64 va_of(unsigned int table, unsigned int slot)
{
	return 1UL << 39 | 2UL << 30 | (u64)table << 21 | (u64)slot << 12;
}

/* The walk a CPU does. Returns the L1 entry, or 0 where it would fault. */
static u64 walk(mfn_t root, u64 va, bool write)
{
	u64 e = 0;

	for (unsigned int level = 4; level; level--) {
		e = table_of(root)[va >> (12 + 9 * (level - 1)) & 511];
		if (!(e & PTE_P) || (write && !(e & PTE_RW)))
			return 0;
		root = pte_mfn(e);
	}
	return e;
}

static int data_index(mfn_t m)
{
	for (int i = 0; i < NR_DATA; i++)
		if (mfn_eq(data[i], m))
			return i;
	return -1;
}

static bool logged(mfn_t m)
{
	u64 pfn = m2p_table[m.n];

	return log_dirty_of(d)->bitmap[pfn / 64] >> (pfn % 64) & 1;
}

/* A guest's access, retried after each fault the hypervisor resolves. */
static void access_page(u64 va, bool write)
{
	u64 guest = walk(l4, va, write), e = 0;
	int rc;

	for (unsigned int tries = 0; tries < 3; tries++) {
		mm_lock(d);
		e = walk(shadow_root(d, l4), va, write);
		rc = e ? 1 : shadow_fault(d, l4, va, write, false);
		mm_unlock(d);
		assert_true(rc >= 0);
		if (e || !rc)
			break;
	}
	/* The same outcome as on the guest's own tables, and the same frame. */
	assert_int_equal(!e, !guest);
	if (!e)
		return;
	assert_int_equal(pte_mfn(e).n, pte_mfn(guest).n);
	guest = walk(l4, va, write);
	assert_true(guest & PTE_A);
	if (!write)
		return;
	assert_true(guest & PTE_D);
	assert_true(logged(pte_mfn(e)));
	if (data_index(pte_mfn(e)) >= 0)
		model[data_index(pte_mfn(e))] = 1;
}

/* Nothing in any shadow that the guest's tables do not say. */
static void check_shadows(void)
{
	for (unsigned int t = 0; t < NR_L1; t++)
		for (unsigned int j = 0; j < 8; j++) {
			u64 g = walk(l4, va_of(t, j), false), w = walk(l4, va_of(t, j), true), s, sw;
			mfn_t root = MFN(log_dirty_of(d)->shadow[l4.n]);

			if (!root.n)
				continue;
			s = walk(root, va_of(t, j), false);
			sw = walk(root, va_of(t, j), true);
			if (s)
				assert_true(g && pte_mfn(s).n == pte_mfn(g).n);
			if (sw)
				assert_true(w && (w & PTE_D) && logged(pte_mfn(sw)));
		}
}

static void edit(mfn_t table, unsigned int slot, u64 e)
{
	int rc;

	do {
		mm_lock(d);
		rc = mm_pending_work(d);
		if (!rc && (mfn_to_frame(table)->type_word & PGT_VALID))
			rc = entry_update(d, d, mfn_to_frame(table), &table_of(table)[slot], e,
					  world_random() & 1 ? PTE_AD : 0);
		mm_unlock(d);
	} while (rc == -ERESTART);
	if (!rc && (mfn_to_frame(table)->type_word & PGT_VALID))
		assert_true(logged(table));
	mm_lock(d);
	while (mm_pending_work(d))
		d->mm->budget = 4;
	mm_unlock(d);
}

static void random_guest(void **s)
{
	(void)s;
	mm_lock(d);
	assert_int_equal(shadow_enable(d), 0);
	assert_int_equal(shadow_enable(d), -EBUSY);
	mm_unlock(d);
	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 40000; i++) {
		unsigned int t = world_random() % NR_L1, slot = world_random() % 8, r = world_random() % 64;
		u64 e = pte_make(data[world_random() % NR_DATA],
				 world_random() & (PTE_RW | PTE_US | PTE_A | PTE_D));

		if (r < 40) {
			access_page(va_of(t, slot), r & 1);
		} else if (r < 56) {
			edit(l1[t], slot, r & 3 ? e | PTE_P : 0);
		} else if (r < 58) {
			/* A whole table leaves and comes back. */
			edit(l2, t, 0);
			assert_int_equal(log_dirty_of(d)->shadow[l1[t].n], 0);
			edit(l2, t, pte_make(l1[t], FLAGS));
		} else if (r == 58) {
			edit(l4, 1, 0);
			assert_int_equal(log_dirty_of(d)->shadow[l2.n], 0);
			edit(l4, 1, pte_make(l3, FLAGS));
		} else if (r == 59) {
			mm_lock(d);
			shadow_drop(d);
			mm_unlock(d);
		} else if (r == 60) {
			/* Every page the guest wrote is in the log, then the log starts anew. */
			for (unsigned int j = 0; j < NR_DATA; j++)
				assert_true(!model[j] || logged(data[j]));
			mm_lock(d);
			shadow_forget(d);
			shadow_protect(d);
			mm_unlock(d);
			memset(model, 0, sizeof(model));
		}
		if (i % 16 == 0)
			check_shadows();
	}
	assert_int_equal(mm_check_all(), 0);
	assert_true(log_dirty_of(d)->nr_shadows > 0);
}

static void off_gives_everything_back(void **s)
{
	u64 nr = mm_free_frames();

	(void)s;
	assert_int_equal(shadow_enable(d), 0);
	for (unsigned int t = 0; t < NR_L1; t++)
		for (unsigned int j = 0; j < 8; j++)
			access_page(va_of(t, j), j & 1);
	assert_int_equal(log_dirty_of(d)->nr_shadows, 3 + NR_L1);
	shadow_disable(d);
	assert_int_equal(mm_free_frames(), nr);
	assert_false(d->mm->log_dirty);
}

static void a_dying_domain_takes_its_shadows_along(void **s)
{
	(void)s;
	assert_int_equal(shadow_enable(d), 0);
	access_page(va_of(0, 1), true);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_guest),
		TEST(off_gives_everything_back),
		TEST(a_dying_domain_takes_its_shadows_along),
	};

	return cmocka_run_group_tests_name("core/mm shadows", tests, NULL, NULL);
}
