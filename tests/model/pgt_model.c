/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-type state machine, exhaustively.
 *
 * Part 1 puts every request to every word the rules allow and compares with what the invariants of
 * core/mm/pgt.h say. Part 2 walks every state reachable by up to USERS holders whose validations and
 * dismantlings end in every way they can, with other holders acting while one is under way.
 */
#include <core/mm/pgt.h>
#include <lib.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s at %s:%d\n", what, file, line);
	abort();
}

static const u64 counts[] = {0, 1, 2, 3, PGT_COUNT_MAX - 1, PGT_COUNT_MAX};
static const u64 flags[] = {PGT_BUSY, PGT_PARTIAL, PGT_VALID, PGT_PINNED, PGT_SELF, PGT_FOREIGN};
static unsigned long words, pairs;

static u64 make_word(unsigned int type, unsigned int set, u64 count)
{
	u64 w = PGT_TYPE(type) | count;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
		if (set & (1U << i))
			w |= flags[i];
	return w;
}

static void check_get(u64 w, enum frame_type want)
{
	struct pgt_step s = pgt_get(w, want);
	u64 fast;

	pairs++;
	if (pgt_get_fast(w, want, &fast)) {
		assert_int_equal(s.action, PGT_NONE);
		assert_int_equal(s.word, fast);
	}
	if (s.action == PGT_REJECT || s.action == PGT_WAIT) {
		assert_int_equal(s.word, w);
		assert_true(pgt_count(w) > 0);
		/* Refused only for another use or a full count; waiting only for the same use. */
		if (s.action == PGT_REJECT)
			assert_true(pgt_type(w) != want || pgt_count(w) >= PGT_COUNT_MAX);
		else
			assert_true(pgt_type(w) == want && (w & PGT_BUSY));
		return;
	}
	/* 1: the type changes from count 0 only. */
	assert_true(pgt_type(s.word) == want);
	if (pgt_count(w))
		assert_true(pgt_type(w) == want);
	assert_true(pgt_word_ok(s.word));
	/* 5: a change of type flushes first. */
	assert_int_equal(s.action == PGT_FLUSH || s.action == PGT_FLUSH_VALIDATE,
			 !pgt_count(w) && pgt_type(w) != want && pgt_type(w) != FT_NONE);
	/* Nobody uses a table or descriptors that were not checked. */
	if (pgt_needs_validation(want) && !(w & PGT_VALID))
		assert_true((s.word & PGT_BUSY) && !(s.word & PGT_VALID));
	if (s.action == PGT_NONE)
		assert_true(s.word & PGT_VALID);
	/* The count grows by one, but for a table that held itself. */
	assert_int_equal(pgt_count(s.word), pgt_count(w) + (w & PGT_SELF ? 0 : 1));
	if (w & PGT_FOREIGN) /* remembered until the flush is done */
		assert_true(s.word & PGT_FOREIGN);
}

static void check_put(u64 w)
{
	struct pgt_step s;
	bool idle;
	u64 fast;

	if (!pgt_count(w) || (w & PGT_SELF))
		return;
	s = pgt_put(w);
	pairs++;
	if (!pgt_is_table(pgt_type(w)) && pgt_put_plain(w, &fast, &idle)) {
		assert_int_equal(s.action, idle ? PGT_IDLE : PGT_NONE);
		assert_int_equal(s.word, fast);
	}
	if (s.action == PGT_WAIT) {
		assert_true(w & PGT_BUSY);
		return;
	}
	assert_true(pgt_word_ok(s.word));
	assert_int_equal(pgt_type(s.word), pgt_type(w));
	if (s.action == PGT_DEVALIDATE) {
		assert_true(pgt_count(w) == 1 && pgt_is_table(pgt_type(w)));
		assert_true((s.word & PGT_BUSY) && pgt_count(s.word) == 1);
	} else {
		assert_int_equal(pgt_count(s.word), pgt_count(w) - 1);
		assert_int_equal(s.action == PGT_IDLE, pgt_count(w) == 1);
	}
}

static void check_ends(u64 w)
{
	int self;

	if (!(w & PGT_BUSY))
		return;
	for (enum pgt_result r = PGT_DONE; r <= PGT_FAILED; r++) {
		u64 v = pgt_validated(w, r, &self);

		pairs++;
		if (!pgt_needs_validation(pgt_type(w)))
			continue;
		/* Whose only count is the pin is being taken apart, not built. */
		if ((w & PGT_PINNED) && pgt_count(w) == 1)
			goto dismantled;
		assert_true(pgt_word_ok(v) && !(v & PGT_BUSY));
		assert_int_equal(!!(v & PGT_VALID), r == PGT_DONE);
		assert_int_equal(self, !!(v & PGT_SELF) - !!(w & PGT_SELF));
dismantled:
		if (r == PGT_FAILED || !pgt_is_table(pgt_type(w)))
			continue;
		v = pgt_devalidated(w, r, &self);
		assert_true(!(v & PGT_BUSY) && !(v & PGT_VALID));
		if (pgt_count(w) == 1) /* the only count it can have there */
			assert_true(pgt_word_ok(v));
		assert_int_equal(pgt_count(v) == 0, r == PGT_DONE);
	}
}

static void every_word_and_request(void **state)
{
	(void)state;
	for (unsigned int t = 0; t < 16; t++)
		for (unsigned int set = 0; set < 1U << ARRAY_SIZE(flags); set++)
			for (unsigned int c = 0; c < ARRAY_SIZE(counts); c++) {
				u64 w = make_word(t, set, counts[c]);

				if (!pgt_word_ok(w))
					continue;
				words++;
				for (unsigned int want = FT_WRITABLE; want <= FT_SHARED; want++)
					check_get(w, (enum frame_type)want);
				check_put(w);
				check_ends(w);
			}
	print_message("%lu words, %lu (word, request) pairs\n", words, pairs);
	assert_true(words > 300 && pairs > 2000);
}

/* ---- part 2 ---- */

#define USERS 3

struct state {
	u64 word;
	u8 users; /* established counts */
	u8 job;   /* 0 none, 1 validating, 2 dismantling for a user, 3 dismantling itself, 4 flushing */
	bool pinned, foreign_use;
};

static struct state seen[20000];
static unsigned int nr_seen, nr_done, transitions;

static void visit(struct state s)
{
	unsigned int in_job = s.job == 1 ? !(s.word & PGT_SELF) : s.job == 4;
	unsigned int self = !!(s.word & PGT_SELF);

	transitions++;
	assert_true(pgt_word_ok(s.word));
	/* Every count belongs to somebody: a user, the one at work, the pin, or the table itself. */
	assert_int_equal(pgt_count(s.word), s.users + in_job + self + s.pinned);
	assert_int_equal(!!(s.word & PGT_BUSY), s.job != 0);
	assert_int_equal(!!(s.word & PGT_PINNED), s.pinned);
	for (unsigned int i = 0; i < nr_seen; i++)
		if (!memcmp(&seen[i], &s, sizeof(s)))
			return;
	assert_true(nr_seen < ARRAY_SIZE(seen));
	seen[nr_seen++] = s;
}

static void try_get(struct state s, enum frame_type want)
{
	struct pgt_step p = pgt_get(s.word, want);

	if (s.users + s.job > USERS)
		return;
	if (p.action == PGT_REJECT || p.action == PGT_WAIT)
		return;
	s.word = p.word;
	if (p.action == PGT_NONE)
		s.users++;
	else
		s.job = p.action == PGT_FLUSH ? 4 : 1;
	visit(s);
}

static void try_put(struct state s)
{
	struct pgt_step p;

	if (!s.users || s.job)
		return;
	p = pgt_put(s.word);
	s.word = p.word;
	if (p.action == PGT_DEVALIDATE)
		s.job = 2;
	else
		s.users--;
	visit(s);
}

static void try_pin(struct state s)
{
	u64 w;

	if (!s.users || s.job || !pgt_is_table(pgt_type(s.word)) || !(s.word & PGT_VALID))
		return;
	if (!pgt_pin(s.word, &w))
		return;
	s.word = w;
	s.users--;
	s.pinned = true;
	visit(s);
}

/* As frame_unpin(): a count that is not the last just goes, the last one is a dismantling. */
static void try_unpin(struct state s)
{
	if (!s.pinned || s.job)
		return;
	s.pinned = false;
	if (pgt_count(s.word) > 1) {
		s.word = (s.word & ~PGT_PINNED) - 1;
	} else {
		s.pinned = true;
		s.word = pgt_put(s.word).word;
		s.job = 2;
	}
	visit(s);
}

static void finish_validation(struct state s, enum pgt_result r)
{
	bool was_self = s.word & PGT_SELF;
	int self;

	s.word = pgt_validated(s.word, r, &self);
	s.job = 0;
	if (r == PGT_DONE)
		s.users++;
	/* Not done: whoever asked has nothing; a table that was nobody's else holds itself. */
	assert_true(self == 0 || (self == 1) == !was_self);
	visit(s);
}

static void finish_dismantling(struct state s, enum pgt_result r)
{
	u8 job = s.job;
	int self;

	s.word = pgt_devalidated(s.word, r, &self);
	s.job = 0;
	if (r == PGT_DONE) {
		if (job == 3)
			assert_int_equal(self, -1);
		else if (s.pinned)
			s.pinned = false;
		else
			s.users--;
	}
	visit(s);
	/* A user that cannot come back leaves its count to the table. */
	if (r != PGT_DONE && job == 2 && !s.pinned) {
		s.word = pgt_abandon(s.word);
		s.users--;
		visit(s);
	}
}

static void expand(struct state s)
{
	for (unsigned int want = FT_WRITABLE; want <= FT_SHARED; want++)
		try_get(s, (enum frame_type)want);
	try_put(s);
	try_pin(s);
	try_unpin(s);
	if (s.job == 1)
		for (enum pgt_result r = PGT_DONE; r <= PGT_FAILED; r++)
			finish_validation(s, r);
	if (s.job == 2 || s.job == 3) {
		finish_dismantling(s, PGT_DONE);
		finish_dismantling(s, PGT_PREEMPTED);
	}
	if (s.job == 4) {
		s.word = pgt_flushed(s.word);
		s.job = 0;
		s.users++;
		visit(s);
	} else if (!s.job && (s.word & PGT_SELF)) {
		s.word = pgt_put_self(s.word).word;
		s.job = 3;
		visit(s);
	}
}

static void every_reachable_state(void **state)
{
	struct state s;

	(void)state;
	memset(&s, 0, sizeof(s));
	visit(s);
	while (nr_done < nr_seen)
		expand(seen[nr_done++]);
	print_message("%u states, %u transitions\n", nr_seen, transitions);
	assert_true(nr_seen > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_and_request),
		cmocka_unit_test(every_reachable_state),
	};

	return cmocka_run_group_tests_name("page-type model", tests, NULL, NULL);
}
