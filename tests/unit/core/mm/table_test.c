/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: single rules, then long random sequences of pins, roots and entry updates with preemption everywhere,
 * judged by the invariant checker.
 */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <lib.h>
#include <string.h>

#define FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static struct domain *a, *b;

static int setup(void **s)
{
	(void)s;
	world_init();
	world_seed(4711);
	a = world_domain(1);
	b = world_domain(2);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	assert_int_equal(mm_check_all(), 0);
	world_domain_free(a);
	world_domain_free(b);
	return mm_free_frames() == mm_total_frames() ? 0 : -1;
}

static mfn_t page(struct domain *d)
{
	struct frame *f = alloc_frames(d, 0, 0);

	assert_non_null(f);
	return frame_to_mfn(f);
}

static u64 set(mfn_t table, unsigned int i, u64 e)
{
	return table_of(table)[i] = e;
}

static int update(struct domain *d, mfn_t table, unsigned int i, u64 e)
{
	int rc;

	do {
		mm_lock(d);
		d->mm->budget = 1;
		rc = mm_pending_work(d);
		if (!rc)
			rc = mfn_to_frame(table)->type_word & PGT_VALID
				     ? entry_update(d, d, mfn_to_frame(table), &table_of(table)[i], e, 0)
				     : -EINVAL;
		mm_unlock(d);
	} while (rc == -ERESTART);
	mm_lock(d);
	while (mm_pending_work(d))
		d->mm->budget = 1;
	mm_unlock(d);
	return rc;
}

static void l1_rules(void **s)
{
	mfn_t l1 = page(a), data = page(a), others = page(b);
	static const u64 flags_ok[] = {PTE_PWT, PTE_PCD, PTE_PAT, PTE_AVAIL, PTE_NX, BIT(58), 0};

	(void)s;
	for (unsigned int i = 0; i < ARRAY_SIZE(flags_ok); i++)
		set(l1, i, pte_make(data, FLAGS | flags_ok[i]));
	set(l1, 100, pte_make(data, PTE_P)); /* a kernel page */
	set(l1, 101, pte_make(data, FLAGS | PTE_G));
	set(l1, 102, 0xdeadbeef000); /* not present: anything */
	assert_int_equal(world_pin(a, mfn_to_frame(l1), FT_L1), 0);
	assert_int_equal(table_of(l1)[100], pte_make(data, PTE_P | PTE_US | PTE_GUEST_KERNEL));
	assert_int_equal(table_of(l1)[101], pte_make(data, FLAGS | PTE_G));
	assert_int_equal(table_of(l1)[6], pte_make(data, FLAGS | PTE_G));
	assert_int_equal(pgt_count(mfn_to_frame(data)->type_word), ARRAY_SIZE(flags_ok) + 1);
	assert_int_equal(frame_count(mfn_to_frame(data)), ARRAY_SIZE(flags_ok) + 3);

	assert_int_equal(update(a, l1, 1, pte_make(others, FLAGS)), -EBUSY);
	assert_int_equal(update(a, l1, 1, pte_make(l1, FLAGS)), -EBUSY);
	assert_int_equal(update(a, l1, 1, pte_make(l1, FLAGS & ~PTE_RW)), 0);
	assert_int_equal(update(a, l1, 1, pte_make(MFN(0), FLAGS)), -EPERM);
	assert_int_equal(update(a, l1, 1, pte_make(MFN(WORLD_FRAMES), FLAGS)), -EPERM);
	assert_int_equal(update(a, l1, 1, BIT(45) | FLAGS), -EPERM);
	a->is_hardware = true;
	assert_int_equal(update(a, l1, 1, pte_make(MFN(WORLD_FRAMES), FLAGS)), 0);
	assert_int_equal(update(a, l1, 1, pte_make(MFN(0), FLAGS)), 0);
	assert_int_equal(update(a, l1, 1, pte_make(others, FLAGS)), -EBUSY);
	assert_int_equal(update(a, l1, 1, 0), 0);
	l1tf_unsafe_end = BIT(32);
	assert_int_equal(update(a, l1, 1, 0x1000), -EINVAL);
	assert_int_equal(update(a, l1, 1, BIT(33)), 0);
	l1tf_unsafe_end = 0;
}

static void upper_rules(void **s)
{
	mfn_t l4 = page(a), l3 = page(a), l2 = page(a), l1 = page(a), data = page(a), other = page(b);
	static const u64 refused[] = {PTE_PS, PTE_G, PTE_PCD, PTE_PWT, BIT(44)};

	(void)s;
	set(l1, 5, pte_make(data, FLAGS));
	set(l2, 6, pte_make(l1, PTE_P | PTE_RW));
	set(l3, 7, pte_make(l2, FLAGS));
	set(l4, 8, pte_make(l3, FLAGS));
	set(l4, HV_L4_FIRST, ~0ULL);
	set(l4, HV_L4_LAST, ~0ULL);
	assert_int_equal(world_pin(a, mfn_to_frame(l4), FT_L4), 0);
	assert_int_equal(table_of(l2)[6], pte_make(l1, PTE_P | PTE_RW | PTE_US));
	assert_int_equal(table_of(l4)[HV_L4_FIRST], 0xdead000 | PTE_P);
	assert_int_equal(pgt_type(mfn_to_frame(l1)->type_word), FT_L1);
	assert_int_equal(update(a, l4, HV_L4_FIRST, 0), -EINVAL);
	assert_int_equal(update(a, l4, HV_L4_LAST, pte_make(l3, FLAGS)), -EINVAL);
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(update(a, l2, 9, pte_make(l1, FLAGS) | refused[i]), -EINVAL);
	assert_int_equal(update(a, l2, 9, pte_make(data, FLAGS)), -EINVAL); /* mapped writable */
	assert_int_equal(update(a, l2, 9, pte_make(other, FLAGS)), -EINVAL);
	assert_int_equal(update(a, l2, 9, pte_make(l2, FLAGS)), -EINVAL);
	assert_int_equal(update(a, l4, 9, pte_make(l4, FLAGS)), -EINVAL); /* no linear tables */
	assert_int_equal(update(a, l3, 9, pte_make(l1, FLAGS)), -EINVAL);
	assert_int_equal(update(a, l2, 9, pte_make(l1, FLAGS)), 0); /* one table twice */
	assert_int_equal(update(a, l2, 6, 0), 0);
	assert_int_equal(pgt_count(mfn_to_frame(l1)->type_word), 1);
	assert_int_equal(update(a, l2, 9, 0), 0);
	assert_int_equal(pgt_count(mfn_to_frame(l1)->type_word), 0);
	assert_int_equal(pgt_count(mfn_to_frame(data)->type_word), 0);
}

static void a_bad_entry_undoes_everything(void **s)
{
	mfn_t l2 = page(a), data = page(a), l1[8];

	(void)s;
	for (unsigned int i = 0; i < 8; i++) {
		l1[i] = page(a);
		set(l1[i], 3, pte_make(data, FLAGS));
		set(l2, i, pte_make(l1[i], FLAGS));
	}
	set(l1[6], 500, pte_make(MFN(~0U), FLAGS));
	assert_int_not_equal(world_pin(a, mfn_to_frame(l2), FT_L2), 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(pgt_count(mfn_to_frame(l1[i])->type_word), 0);
	assert_int_equal(pgt_count(mfn_to_frame(l2)->type_word), 0);
	assert_int_equal(frame_count(mfn_to_frame(data)), 1);
	set(l1[6], 500, 0);
	assert_int_equal(world_pin(a, mfn_to_frame(l2), FT_L2), 0);
}

/* The domain dies while a table is half validated. */
static void a_half_built_table_dies_with_its_domain(void **s)
{
	mfn_t l2 = page(a);

	(void)s;
	for (unsigned int i = 0; i < 20; i++)
		set(l2, i, pte_make(page(a), FLAGS));
	assert_true(frame_get(mfn_to_frame(l2), a));
	mm_lock(a);
	a->mm->budget = 7;
	assert_int_equal(frame_get_table(a, mfn_to_frame(l2), FT_L2), -ERESTART);
	mm_unlock(a);
	frame_put(mfn_to_frame(l2));
	assert_true(mfn_to_frame(l2)->type_word & PGT_SELF);
	assert_false(frame_get_and_type(mfn_to_frame(l2), a, FT_WRITABLE));
}

/* A dismantling that was preempted is taken back by a new user of the table. */
static void a_half_dismantled_table_revives(void **s)
{
	mfn_t l3 = page(a), l2 = page(a);
	struct frame *f3 = mfn_to_frame(l3);

	(void)s;
	for (unsigned int i = 0; i < 20; i++)
		set(l2, i, pte_make(page(a), FLAGS));
	set(l3, 1, pte_make(l2, FLAGS));
	assert_int_equal(world_pin(a, f3, FT_L3), 0);
	mm_lock(a);
	a->mm->budget = 5;
	assert_int_equal(frame_unpin(a, f3), -ERESTART);
	mm_unlock(a);
	assert_true(mfn_to_frame(l2)->type_word & PGT_PARTIAL);
	assert_true(frame_get(f3, a));
	assert_int_equal(world_get_table(a, f3, FT_L3), 0);
	assert_true(mfn_to_frame(l2)->type_word & PGT_VALID);
	assert_int_equal(mfn_to_frame(l2)->nr_valid, PT_ENTRIES);
	assert_int_equal(mm_check_all(), 1); /* this test's own reference to l3 */
	world_put_table_and_ref(a, f3);
}

/* ---- random sequences ---- */

#define POOL 48

static u64 random_entry(const mfn_t *pool, const mfn_t *foreign)
{
	u64 flags = PTE_P | (world_random() & (PTE_US | PTE_A | PTE_D));
	u32 r = world_random() % 32;

	if (r < 8)
		return 0;
	if (world_random() & 1)
		flags |= PTE_RW;
	if (r == 8)
		return pte_make(foreign[world_random() % 4], flags);
	if (r == 9)
		flags |= PTE_PS;
	if (r == 10)
		return (u64)world_random() << 32 | world_random();
	return pte_make(pool[world_random() % POOL], flags);
}

static void random_step(struct domain *d, const mfn_t *pool, const mfn_t *foreign)
{
	struct frame *f = mfn_to_frame(pool[world_random() % POOL]);
	u64 *t = table_of(frame_to_mfn(f));
	enum frame_type type = pgt_type(f->type_word);
	unsigned int slot = world_random() % 4 ? world_random() % 6 : HV_L4_FIRST + world_random() % 20;

	switch (world_random() % 8) {
	case 0:
	case 1:
		world_pin(d, f, (enum frame_type)(FT_L1 + world_random() % 4));
		break;
	case 2:
		world_unpin(d, f);
		break;
	case 3:
		/* Abandoned half way, or preempted for good. */
		if (!frame_get(f, d))
			break;
		mm_lock(d);
		d->mm->budget = 1;
		if (!mm_pending_work(d) &&
		    !frame_get_table(d, f, (enum frame_type)(FT_L1 + world_random() % 4))) {
			d->mm->budget = 1;
			frame_put_table_and_ref(d, f);
		} else {
			frame_put(f);
		}
		mm_unlock(d);
		break;
	default:
		if (pgt_count(f->type_word) && pgt_is_table(type)) {
			if (f->type_word & PGT_VALID)
				update(d, frame_to_mfn(f), slot, random_entry(pool, foreign));
		} else if (frame_get_and_type(f, d, FT_WRITABLE)) {
			t[slot] = random_entry(pool, foreign);
			frame_put_and_type(f);
		}
	}
}

static void random_sequences(void **s)
{
	mfn_t pool[POOL], foreign[4];

	(void)s;
	for (unsigned int i = 0; i < POOL; i++)
		pool[i] = page(a);
	for (unsigned int i = 0; i < 4; i++)
		foreign[i] = page(b);
	for (unsigned int i = 0; i < 60000; i++) {
		random_step(a, pool, foreign);
		if (i % 50 == 0)
			assert_int_equal(mm_check_all(), 0);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(l1_rules),
		TEST(upper_rules),
		TEST(a_bad_entry_undoes_everything),
		TEST(a_half_built_table_dies_with_its_domain),
		TEST(a_half_dismantled_table_revives),
		TEST(random_sequences),
	};

	return cmocka_run_group_tests_name("core/mm tables", tests, NULL, NULL);
}
