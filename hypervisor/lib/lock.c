/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slow side of spinlocks, and the rank check of debug builds. */
#include <lib.h>
#include <percpu.h>
#include <smp.h>
#include <spinlock.h>

void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	while (__atomic_load_n(&l->head, __ATOMIC_ACQUIRE) != ticket)
		cpu_relax_poll();
}

/* Ranks a CPU holds, innermost last. Pairs of one rank count once (spin_lock_pair). */
#define MAX_HELD 12
static struct {
	unsigned int n;
	const spinlock_t *lock[MAX_HELD];
} held[NR_CPUS];

void lock_rank_acquire(spinlock_t *l)
{
	unsigned int cpu = smp_processor_id(), n = held[cpu].n;

	if (n && held[cpu].lock[n - 1]->rank >= l->rank) {
		printk("Lock rank %u taken while holding rank %u\n", l->rank, held[cpu].lock[n - 1]->rank);
		BUG();
	}
	BUG_ON(n == MAX_HELD);
	held[cpu].lock[n] = l;
	held[cpu].n = n + 1;
	l->holder = (u16)(cpu + 1);
}

void lock_rank_release(spinlock_t *l)
{
	unsigned int cpu = smp_processor_id(), n = held[cpu].n;

	for (unsigned int i = n; i-- > 0;) {
		if (held[cpu].lock[i] != l)
			continue;
		for (; i + 1 < n; i++)
			held[cpu].lock[i] = held[cpu].lock[i + 1];
		held[cpu].n = n - 1;
		l->holder = 0;
		return;
	}
	printk("Lock of rank %u released by CPU %u, which does not hold it\n", l->rank, cpu);
	BUG();
}
