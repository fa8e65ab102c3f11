/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranked spinlocks.
 *
 * The hypervisor runs with interrupts off from entry to exit, so no lock needs an "irqsave" form: an
 * interrupt handler can only run in a guest, in the idle loop, or where preempt_window() opens the
 * door, and none of those holds a lock. What must not happen is that CPU A waits for B's acknowledgement
 * of an IPI while B spins, interrupts off, for a lock A holds: every wait loop therefore serves
 * incoming requests by calling cpu_relax_poll() (smp.h).
 *
 * A lock is taken only while no lock of the same or a higher rank is held; debug builds check.
 */
#ifndef SERAI_SPINLOCK_H
#define SERAI_SPINLOCK_H

#include <types.h>

enum lock_rank {
	RANK_DOMCTL = 10,       /* one control operation at a time */
	RANK_DOMLIST = 20,      /* the domain list and id table */
	RANK_DOMAIN = 30,       /* life cycle of one domain: pause counts, vCPU creation */
	RANK_IRQ = 35,          /* pirq bindings of a domain */
	RANK_PCI = 36,          /* PCI devices and their MSI state */
	RANK_GRANT_MAP = 38,    /* maptrack of the mapping domain */
	RANK_GRANT = 40,        /* a granting domain's table */
	RANK_MM = 50,           /* page-table updates of one domain */
	RANK_FRAMES = 60,       /* a domain's frame list and totals */
	RANK_EVTCHN = 70,       /* a domain's ports */
	RANK_EVTCHN_QUEUE = 75, /* a FIFO queue */
	RANK_IRQDESC = 80,      /* one machine interrupt */
	RANK_IRQHW = 82,        /* vectors of all CPUs; an I/O APIC; PCI configuration ports */
	RANK_SCHED = 85,        /* one run queue */
	RANK_TIMER = 90,        /* one CPU's timers */
	RANK_HEAP = 95,         /* frame allocator and small-object allocator */
	RANK_CONSOLE = 99,      /* console ring and UART */
};

/* A ticket lock: fair, so that nobody can be kept waiting by two others passing it to and fro. */
typedef struct spinlock {
	union {
		u32 word;
		struct {
			u16 head, tail; /* served, next ticket */
		};
	};
	u16 rank;
	u16 holder; /* CPU number + 1, debug builds */
} spinlock_t;

#define SPINLOCK_INIT(r)    \
	{                   \
		{0}, (r), 0 \
	}

void spin_lock_wait(spinlock_t *l, u16 ticket); /* until served; polls incoming requests */
void lock_rank_acquire(spinlock_t *l);
void lock_rank_release(spinlock_t *l);

#ifndef SERAI_LOCK_RANK
#define SERAI_LOCK_RANK 0
#endif

static inline void spin_lock_init(spinlock_t *l, enum lock_rank rank)
{
	*l = (spinlock_t)SPINLOCK_INIT((u16)rank);
}
/* Without the rank check: for the second lock of a pair. */
static inline void spin_lock_nested(spinlock_t *l)
{
	u32 t = __atomic_fetch_add(&l->word, 0x10000, __ATOMIC_ACQUIRE);
	if (unlikely((t >> 16) != (t & 0xffff)))
		spin_lock_wait(l, (u16)(t >> 16));
}
static inline void spin_unlock_nested(spinlock_t *l)
{
	__atomic_store_n(&l->head, (u16)(l->head + 1), __ATOMIC_RELEASE);
}
static inline void spin_lock(spinlock_t *l)
{
	if (SERAI_LOCK_RANK)
		lock_rank_acquire(l);
	spin_lock_nested(l);
}
static inline bool spin_trylock(spinlock_t *l)
{
	u32 t = READ_ONCE(l->word);
	if ((t >> 16) != (t & 0xffff) || !__atomic_compare_exchange_n(&l->word, &t, t + 0x10000, false,
								      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	if (SERAI_LOCK_RANK)
		lock_rank_acquire(l);
	return true;
}
/* For the second lock of one rank, taken against the order: may fail, never waits. Release with
 * spin_unlock_nested(). */
static inline bool spin_trylock_nested(spinlock_t *l)
{
	u32 t = READ_ONCE(l->word);

	return (t >> 16) == (t & 0xffff) && __atomic_compare_exchange_n(&l->word, &t, t + 0x10000, false,
									__ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static inline void spin_unlock(spinlock_t *l)
{
	if (SERAI_LOCK_RANK)
		lock_rank_release(l);
	spin_unlock_nested(l);
}
static inline bool spin_is_locked(const spinlock_t *l)
{
	u32 t = READ_ONCE(l->word);
	return (t >> 16) != (t & 0xffff);
}
/* Two locks of one rank, always in address order: for operations between two domains. */
static inline void spin_lock_pair(spinlock_t *a, spinlock_t *b)
{
	spinlock_t *lo = a < b ? a : b, *hi = a < b ? b : a;

	spin_lock(lo);
	if (lo != hi)
		spin_lock_nested(hi);
}
static inline void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
	spinlock_t *lo = a < b ? a : b, *hi = a < b ? b : a;

	if (lo != hi)
		spin_unlock_nested(hi);
	spin_unlock(lo);
}

#endif
