/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared grant entries: every value of the flags, both layouts, every kind of use, against the rule
 * of the ABI page spelled out once more here; and a granter who revokes while a user pins.
 */
#include <core/grant/table.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define ME 7
#define OTHER 9

/* permit_access, to me, not read-only if I write, and not a part of a page if I want all of it */
static bool rule(u16 flags, domid_t domid, bool readonly, bool whole)
{
	if ((flags & 3) != 1 || domid != ME)
		return false;
	if (!readonly && flags & 4)
		return false;
	return !(whole && flags & 0x100);
}

static void every_v1_entry(void **state)
{
	(void)state;
	for (u32 i = 0; i < 0x10000U * 8; i++) {
		u16 flags = (u16)i;
		bool readonly = i >> 16 & 1, whole = i >> 17 & 1;
		domid_t domid = i >> 18 & 1 ? OTHER : ME;
		u32 before = grant_word(flags, domid), word = before;
		int ret = grant_pin_v1(&word, ME, readonly, whole);

		if (rule(flags, domid, readonly, whole)) {
			assert_int_equal(ret, GNTST_okay);
			assert_int_equal(word, before | GTF_reading | (readonly ? 0 : GTF_writing));
		} else {
			assert_int_equal(ret, GNTST_general_error);
			assert_int_equal(word, before);
		}
	}
}

static void every_v2_entry(void **state)
{
	(void)state;
	for (u32 i = 0; i < 0x10000U * 32; i++) {
		u16 flags = (u16)i;
		bool readonly = i >> 16 & 1, whole = i >> 17 & 1;
		domid_t domid = i >> 18 & 1 ? OTHER : ME;
		u16 in_use = (u16)((i >> 19 & 3) << 3), status = in_use;
		u32 word = grant_word(flags, domid);
		int ret = grant_pin_v2(&word, &status, ME, readonly, whole);

		assert_int_equal(word, grant_word(flags, domid)); /* never written */
		if (rule(flags, domid, readonly, whole)) {
			assert_int_equal(ret, GNTST_okay);
			assert_int_equal(status, in_use | GTF_reading | (readonly ? 0 : GTF_writing));
		} else {
			assert_int_equal(ret, GNTST_general_error);
			assert_int_equal(status, in_use);
		}
	}
}

static void unpin_clears_what_nobody_needs(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 0x10000U * 4; i++) {
		u16 before = (u16)i, flags = before, want = before;
		bool readers = i >> 16 & 1, writers = i >> 17 & 1;

		if (!writers)
			want &= (u16)~GTF_writing;
		if (!readers && !writers)
			want &= (u16)~GTF_reading;
		grant_unpin(&flags, readers, writers);
		assert_int_equal(flags, want);
	}
}

static void transfers_need_a_clean_entry(void **state)
{
	(void)state;
	for (u32 i = 0; i < 0x10000U * 2; i++) {
		u32 before = grant_word((u16)i, i >> 16 ? OTHER : ME), word = before;
		int ret = grant_transfer_commit(&word, ME);

		if (before == grant_word(GTF_accept_transfer, ME)) {
			assert_int_equal(ret, GNTST_okay);
			assert_int_equal(word, before | GTF_transfer_committed);
		} else {
			assert_int_equal(ret, GNTST_general_error);
			assert_int_equal(word, before);
		}
	}
}

/* ---- a granter that revokes, and a user; the user must never be using what was revoked ---- */

static struct {
	union {
		u32 word;
		u16 flags;
	};
	u16 status;
	u32 users, revocations;
	bool stop;
	int layout;
} race;

/* Until each has had its turn: on a busy machine one of the two may not run at all for a long while. */
#define ROUNDS 200000U
#define LIMIT_SECONDS 60

static bool race_goes_on(unsigned int round, unsigned long uses, time_t deadline)
{
	if (round < ROUNDS)
		return true;
	if (uses && __atomic_load_n(&race.revocations, __ATOMIC_SEQ_CST))
		return false;
	sched_yield();
	return time(NULL) < deadline;
}

static void *user(void *data)
{
	time_t deadline = time(NULL) + LIMIT_SECONDS;
	unsigned long *uses = data;

	for (unsigned int i = 0; race_goes_on(i, *uses, deadline); i++) {
		u16 *bits = race.layout == 1 ? &race.flags : &race.status;
		int ret = race.layout == 1 ? grant_pin_v1(&race.word, ME, i & 1, true)
					   : grant_pin_v2(&race.word, &race.status, ME, i & 1, true);

		if (ret)
			continue;
		__atomic_store_n(&race.users, 1, __ATOMIC_SEQ_CST);
		++*uses;
		__atomic_store_n(&race.users, 0, __ATOMIC_SEQ_CST);
		grant_unpin(bits, false, false);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* As guests do it: v1 swaps the flags for 0 only while the use bits are clear; v2 clears the flags,
 * then looks whether the status says in use. */
static bool revoke(void)
{
	if (race.layout == 1) {
		u32 expect = grant_word(GTF_permit_access, ME);

		return __atomic_compare_exchange_n(&race.word, &expect, 0, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&race.word, 0, __ATOMIC_SEQ_CST);
	return !(__atomic_load_n(&race.status, __ATOMIC_SEQ_CST) & (GTF_reading | GTF_writing));
}

static void revoking_race(int layout)
{
	unsigned long uses = 0;
	pthread_t t;

	race.layout = layout;
	race.word = race.users = race.revocations = 0;
	race.status = 0;
	race.stop = false;
	pthread_create(&t, NULL, user, &uses);
	while (!__atomic_load_n(&race.stop, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&race.word, grant_word(GTF_permit_access, ME), __ATOMIC_SEQ_CST);
		for (unsigned int spin = 0; spin < 50; spin++)
			__asm__ volatile("pause");
		while (!revoke() && !__atomic_load_n(&race.stop, __ATOMIC_SEQ_CST))
			;
		if (__atomic_load_n(&race.stop, __ATOMIC_SEQ_CST))
			break;
		assert_int_equal(__atomic_load_n(&race.users, __ATOMIC_SEQ_CST), 0);
		__atomic_add_fetch(&race.revocations, 1, __ATOMIC_SEQ_CST);
	}
	pthread_join(t, NULL);
	print_message("layout %d: %lu uses, %u revocations\n", layout, uses, race.revocations);
	assert_true(uses && race.revocations);
}

static void revoked_v1_is_not_in_use(void **state)
{
	(void)state;
	revoking_race(1);
}

static void revoked_v2_is_not_in_use(void **state)
{
	(void)state;
	revoking_race(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_v1_entry),
		cmocka_unit_test(every_v2_entry),
		cmocka_unit_test(unpin_clears_what_nobody_needs),
		cmocka_unit_test(transfers_need_a_clean_entry),
		cmocka_unit_test(revoked_v1_is_not_in_use),
		cmocka_unit_test(revoked_v2_is_not_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
