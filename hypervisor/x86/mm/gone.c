/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last frame of a domain can go while locks are held: another domain unmaps a frame of one that is dead. The
 * reference the frames held to the domain's struct is then dropped by SOFTIRQ_TASKLET, on the way out to a guest.
 *
 * gone is a stack; a domain is on it while puts_owed is not 0.
 */
#include <core/mm/frame.h>
#include <percpu.h>
#include <x86/mm/hvmap.h>

static struct domain *gone;

void mm_last_frame_gone(struct domain *d)
{
	if (!__atomic_fetch_add(&d->mm->puts_owed, 1, __ATOMIC_SEQ_CST)) {
		struct domain *head = READ_ONCE(gone);

		do
			d->mm->gone_next = head;
		while (!__atomic_compare_exchange_n(&gone, &head, d, false, __ATOMIC_SEQ_CST,
						    __ATOMIC_SEQ_CST));
	}
	raise_softirq(SOFTIRQ_TASKLET);
}

static void drop_gone(void)
{
	struct domain *d = __atomic_exchange_n(&gone, NULL, __ATOMIC_SEQ_CST), *next;

	for (; d; d = next) {
		u32 n;

		next = d->mm->gone_next;
		/* From here on the domain may be pushed again; after the last put it is no more. */
		for (n = __atomic_exchange_n(&d->mm->puts_owed, 0, __ATOMIC_SEQ_CST); n; n--)
			domain_put(d);
	}
}

void gone_init(void)
{
	softirq_register(SOFTIRQ_TASKLET, drop_gone);
}
