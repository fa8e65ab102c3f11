/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transitions of a shared grant entry. The granting guest writes the entry whenever it likes; the
 * rules for taking a grant back are its own (it must find the use bits clear in one
 * compare-and-swap), ours are that the use bits never appear on an entry that did not permit the
 * use at that instant. Page: docs/abi/grants.md.
 */
#include <core/grant/table.h>

/* An honest guest changes an entry in use only by clearing permissions, once or twice. */
#define PIN_TRIES 5

int grant_pin_v1(u32 *word, domid_t who, bool readonly, bool whole)
{
	u32 old = READ_ONCE(*word);

	for (unsigned int try = 0; try < PIN_TRIES; try++) {
		if (!grant_word_permits(old, who, readonly, whole))
			return GNTST_general_error;
		if (__atomic_compare_exchange_n(word, &old, old | grant_use_bits(readonly), false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

int grant_pin_v2(const u32 *word, u16 *status, domid_t who, bool readonly, bool whole)
{
	u16 bits = (u16)grant_use_bits(readonly), old;

	if (!grant_word_permits(READ_ONCE(*word), who, readonly, whole))
		return GNTST_general_error;
	old = __atomic_fetch_or(status, bits, __ATOMIC_SEQ_CST);
	/* The guest revokes by clearing the flags and then looking at the status; one of us sees
	 * the other. */
	if (grant_word_permits(READ_ONCE(*word), who, readonly, whole))
		return GNTST_okay;
	__atomic_fetch_and(status, (u16) ~(bits & ~old), __ATOMIC_SEQ_CST);
	return GNTST_general_error;
}

void grant_unpin(u16 *flags, bool still_read, bool still_written)
{
	u16 drop = 0;

	if (!still_written)
		drop |= GTF_writing;
	if (!still_read && !still_written)
		drop |= GTF_reading;
	if (drop)
		__atomic_fetch_and(flags, (u16)~drop, __ATOMIC_SEQ_CST);
}

int grant_transfer_commit(u32 *word, domid_t from)
{
	u32 old = READ_ONCE(*word);

	for (unsigned int try = 0; try < PIN_TRIES; try++) {
		/* Any other flag, committed or completed included, means it is not waiting for a
		 * page. */
		if (old != grant_word(GTF_accept_transfer, from))
			return GNTST_general_error;
		if (__atomic_compare_exchange_n(word, &old, old | GTF_transfer_committed, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}
