/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References, ownership, the two allocators, descriptors: small cases. */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <lib.h>
#include <pthread.h>
#include <string.h>

static struct domain *a, *b;

static int setup(void **s)
{
	(void)s;
	world_init();
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

static void frames_come_zeroed_and_owned(void **s)
{
	struct frame *f = alloc_frames(a, 3, 0);

	(void)s;
	assert_non_null(f);
	for (unsigned int i = 0; i < 8; i++) {
		u8 *p = map_frame(frame_to_mfn(f + i));

		assert_ptr_equal(frame_owner(f + i), a);
		for (unsigned int j = 0; j < PAGE_SIZE; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0x5a, PAGE_SIZE);
	}
	assert_int_equal(a->mm->tot_pages, 8);
	assert_int_equal(a->refcount, 2);
}

static void max_pages_holds(void **s)
{
	(void)s;
	a->mm->max_pages = 5;
	assert_non_null(alloc_frames(a, 2, 0));
	assert_null(alloc_frames(a, 1, 0));
	assert_non_null(alloc_frames(a, 0, 0));
	assert_null(alloc_frames(a, 0, 0));
	assert_int_equal(a->mm->tot_pages, 5);
}

static void address_limit_holds(void **s)
{
	struct frame *f;
	unsigned int n = 0;

	(void)s;
	/* 256 frames are below 2^20; frame 0 is nobody's. */
	while ((f = alloc_frames(a, 0, 20))) {
		assert_true(frame_to_mfn(f).n < 256);
		n++;
	}
	assert_int_equal(n, 255);
	f = alloc_frames(a, 0, 0);
	assert_true(frame_to_mfn(f).n >= 256);
	assert_null(alloc_frames(a, 0, 12));
	assert_null(alloc_frames(a, MM_MAX_ORDER + 1, 0));
}

static void claims_keep_others_out(void **s)
{
	u64 nr = mm_free_frames();

	(void)s;
	assert_int_equal(mm_claim(a, nr + 1), -ENOMEM);
	assert_int_equal(mm_claim(a, nr - 1), 0);
	assert_int_equal(mm_claim(a, nr - 1), -EINVAL);
	assert_int_equal(mm_claim(b, 2), -ENOMEM);
	assert_non_null(alloc_frames(b, 0, 0));
	assert_null(alloc_frames(b, 0, 0));
	assert_non_null(alloc_frames(a, 0, 0));
	assert_int_equal(a->mm->outstanding_pages, nr - 2);
	assert_int_equal(mm_claim(a, 0), 0);
	assert_int_equal(a->mm->outstanding_pages, 0);
	assert_int_equal(buddy_claimed(), 0);
	assert_non_null(alloc_frames(b, 0, 0));
}

static void references_are_the_owners(void **s)
{
	struct frame *f = alloc_frames(a, 0, 0);
	mfn_t m = frame_to_mfn(f);

	(void)s;
	assert_true(frame_get(f, a));
	assert_false(frame_get(f, b));
	assert_null(frame_get_from_mfn(m, b));
	assert_null(frame_get_from_mfn(MFN(~0ULL), a));
	assert_null(frame_get_from_mfn(MFN(0), a));
	assert_true(frame_get_and_type(f, a, FT_WRITABLE));
	assert_false(frame_get_and_type(f, a, FT_L1));
	assert_int_equal(frame_get_type(f, FT_SEGDESC), -EINVAL);
	frame_put_and_type(f);
	assert_int_equal(world_pin(a, f, FT_L1), 0);
	assert_false(frame_get_and_type(f, a, FT_WRITABLE));
	assert_int_equal(world_pin(a, f, FT_L1), -EINVAL); /* twice */
	assert_int_equal(world_unpin(a, f), 0);
	assert_int_equal(world_unpin(a, f), -EINVAL);
	assert_true(frame_get_and_type(f, a, FT_WRITABLE));
	frame_put_and_type(f);
	frame_put(f);
}

static void a_change_of_type_flushes(void **s)
{
	struct frame *f = alloc_frames(a, 0, 0);
	unsigned int n = world_flushes;

	(void)s;
	assert_int_equal(frame_get_type(f, FT_WRITABLE), 0);
	frame_put_type(f);
	assert_int_equal(frame_get_type(f, FT_WRITABLE), 0);
	frame_put_type(f);
	assert_int_equal(world_flushes, n);
	assert_int_equal(frame_get_type(f, FT_SEGDESC), 0);
	assert_int_equal(world_flushes, n + 1);
	frame_put_type(f);
	assert_int_equal(frame_get_type(f, FT_WRITABLE), 0);
	assert_int_equal(world_flushes, n + 2);
	frame_put_type(f);
}

static void stolen_frames_change_hands(void **s)
{
	struct frame *f = alloc_frames(a, 0, 0);

	(void)s;
	assert_true(frame_get(f, a));
	assert_int_equal(frame_steal(a, f), -EINVAL); /* somebody holds it */
	frame_put(f);
	assert_int_equal(frame_steal(b, f), -EINVAL);
	assert_int_equal(frame_steal(a, f), 0);
	assert_int_equal(a->mm->tot_pages, 0);
	assert_int_equal(a->refcount, 1);
	assert_false(frame_get(f, a));
	b->mm->max_pages = 0;
	assert_int_equal(frame_assign(b, f), -ENOMEM);
	b->mm->max_pages = 1;
	assert_int_equal(frame_assign(b, f), 0);
	assert_true(frame_get(f, b));
	frame_put(f);
	b->dying = DOMDYING_dying;
	assert_null(alloc_frames(b, 0, 0));
}

#define HANDOVERS 300000
#define TAKEN 1000

static bool handed_over;
static u64 taken;

/* Another CPU, which maps the frame and unmaps it. */
static void *maps_it(void *f)
{
	while (!__atomic_load_n(&handed_over, __ATOMIC_ACQUIRE))
		if (frame_get_and_type(f, a, FT_WRITABLE)) {
			__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
			frame_put_and_type(f);
		}
	return NULL;
}

static void nobody_takes_a_frame_that_changes_hands(void **s)
{
	struct frame *f = alloc_frames(a, 0, 0);
	unsigned int stolen = 0;
	pthread_t other;

	(void)s;
	handed_over = false;
	taken = 0;
	assert_non_null(alloc_frames(a, 0, 0)); /* its last frame would be its last reference */
	assert_int_equal(pthread_create(&other, NULL, maps_it, f), 0);
	while (stolen < HANDOVERS || __atomic_load_n(&taken, __ATOMIC_RELAXED) < TAKEN) {
		if (frame_steal(a, f))
			continue;
		stolen++;
		assert_int_equal(f->refs, 0);
		assert_int_equal(pgt_count(f->type_word), 0);
		assert_int_equal(frame_assign(a, f), 0);
	}
	__atomic_store_n(&handed_over, true, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
	assert_int_equal(f->refs, FREF_ALLOCATED | 1);
	assert_int_equal(pgt_count(f->type_word), 0);
}

static void shared_pages_live_as_long_as_a_mapping(void **s)
{
	u8 *p = hv_alloc_pages(0);
	struct frame *f = mfn_to_frame(virt_to_mfn(p));
	u64 nr = mm_free_frames();

	(void)s;
	assert_false(frame_get(f, a));
	frame_share_with_guest(p, a, true);
	assert_true(frame_get_and_type(f, a, FT_WRITABLE)); /* mapped */
	assert_false(frame_get_and_type(f, a, FT_L1));
	frame_unshare(p);
	assert_false(frame_get(f, a));
	hv_free_pages(p, 0);
	assert_int_equal(mm_free_frames(), nr);
	frame_put_and_type(f);
	assert_int_equal(mm_free_frames(), nr + 1);

	p = hv_alloc_pages(0);
	frame_share_with_guest(p, b, false);
	f = mfn_to_frame(virt_to_mfn(p));
	assert_true(frame_get(f, b));
	assert_false(frame_get_and_type(f, b, FT_WRITABLE));
	frame_put(f);
	hv_free_pages(p, 0);
	assert_int_equal(mm_free_frames(), nr + 1);
}

static void small_objects(void **s)
{
	static void *obj[3000];
	static size_t size[3000];
	u64 nr = mm_free_frames();

	(void)s;
	world_seed(7);
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = world_random() % ARRAY_SIZE(obj);

		if (obj[i]) {
			for (size_t j = 0; j < size[i]; j++)
				assert_int_equal(((u8 *)obj[i])[j], (u8)i);
			hv_free(obj[i]);
			obj[i] = NULL;
			continue;
		}
		size[i] = 1 + world_random() % (round % 16 ? 300 : 9000);
		obj[i] = hv_zalloc(size[i]);
		if (!obj[i])
			continue; /* the world is small */
		assert_int_equal((u64)((u8 *)obj[i] - direct_map) % (size[i] >= 64 ? 64 : 16), 0);
		for (size_t j = 0; j < size[i]; j++)
			assert_int_equal(((u8 *)obj[i])[j], 0);
		memset(obj[i], (int)i, size[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(obj); i++)
		hv_free(obj[i]);
	assert_int_equal(mm_free_frames(), nr);
	assert_null(hv_zalloc(1UL << 40));
}

static void descriptors(void **s)
{
	static const struct {
		u64 in, out;
		bool ok;
	} cases[] = {
		{0, 0, true},
		{0x00af9a000000ffff, 0x00affa000000ffff, true}, /* 64-bit code, DPL 0 -> 3 */
		{0x00cff2000000ffff, 0x00cff2000000ffff, true}, /* data, DPL 3 */
		{0x0000890000000067, 0, false},                 /* TSS */
		{0x0000820000000fff, 0, false},                 /* LDT */
		{0x00008c0000080000, 0, false},                 /* call gate */
		{0x0000ee0000080000, 0, false},                 /* interrupt gate, DPL 3 */
		{0x0000090000000067, 0x0000090000000067, true}, /* TSS, not present */
		{0x0000800000000000, 0x0000e00000000000, true}, /* void type */
	};
	struct frame *f = alloc_frames(a, 0, 0);
	u64 *p = map_frame(frame_to_mfn(f));

	(void)s;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 d = cases[i].in;

		assert_int_equal(pv_fix_descriptor(&d), cases[i].ok);
		if (cases[i].ok)
			assert_int_equal(d, cases[i].out);
		memset(p, 0, PAGE_SIZE);
		p[511] = cases[i].in;
		assert_int_equal(frame_get_type(f, FT_SEGDESC), cases[i].ok ? 0 : -EINVAL);
		if (cases[i].ok) {
			assert_int_equal(p[511], cases[i].out);
			frame_put_type(f);
		}
		assert_int_equal(pgt_count(f->type_word), 0);
	}
}

/* The allocator against a plain map of which frames are out. */
static void buddy_property(void **s)
{
	static u8 used[WORLD_FRAMES];
	static struct {
		struct frame *f;
		unsigned int order;
	} out[400];
	u64 nr = mm_free_frames();

	(void)s;
	world_seed(99);
	memset(used, 0, sizeof(used));
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = world_random() % ARRAY_SIZE(out);
		u64 n;

		if (out[i].f) {
			n = frame_to_mfn(out[i].f).n;
			memset(&used[n], 0, 1UL << out[i].order);
			free_frames(out[i].f, out[i].order);
			out[i].f = NULL;
			continue;
		}
		out[i].order = world_random() % 7;
		out[i].f = alloc_frames(NULL, out[i].order, 0);
		if (!out[i].f)
			continue;
		n = frame_to_mfn(out[i].f).n;
		assert_int_equal(n & ((1UL << out[i].order) - 1), 0);
		for (u64 j = n; j < n + (1UL << out[i].order); j++) {
			assert_true(j && j < WORLD_FRAMES);
			assert_int_equal(used[j]++, 0);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(out); i++)
		if (out[i].f)
			free_frames(out[i].f, out[i].order);
	assert_int_equal(mm_free_frames(), nr);
	/* All merged again: half of the machine is one block, or nearly. */
	out[0].f = alloc_frames(NULL, 9, 0);
	assert_non_null(out[0].f);
	free_frames(out[0].f, 9);
	out[0].f = NULL;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_come_zeroed_and_owned),
		TEST(max_pages_holds),
		TEST(address_limit_holds),
		TEST(claims_keep_others_out),
		TEST(references_are_the_owners),
		TEST(a_change_of_type_flushes),
		TEST(stolen_frames_change_hands),
		TEST(nobody_takes_a_frame_that_changes_hands),
		TEST(shared_pages_live_as_long_as_a_mapping),
		TEST(small_objects),
		TEST(descriptors),
		TEST(buddy_property),
	};

	return cmocka_run_group_tests_name("core/mm frames", tests, NULL, NULL);
}
