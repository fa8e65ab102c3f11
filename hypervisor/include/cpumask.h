/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of physical CPUs. */
#ifndef SERAI_CPUMASK_H
#define SERAI_CPUMASK_H

#include <bitops.h>

#define NR_CPUS 128

typedef struct cpumask {
	u64 bits[NR_CPUS / 64];
} cpumask_t;

extern cpumask_t cpu_online_map;  /* CPUs that run guests and take IPIs */
extern cpumask_t cpu_present_map; /* CPUs the firmware tables name */
extern unsigned int nr_cpu_ids;   /* one more than the highest present id */

static inline void cpumask_clear(cpumask_t *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		m->bits[i] = 0;
}
static inline void cpumask_setall(cpumask_t *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		m->bits[i] = ~0ULL;
}
static inline void cpumask_set(unsigned int cpu, cpumask_t *m)
{
	set_bit(cpu, m->bits);
}
static inline void cpumask_unset(unsigned int cpu, cpumask_t *m)
{
	clear_bit(cpu, m->bits);
}
static inline bool cpumask_test(unsigned int cpu, const cpumask_t *m)
{
	return test_bit(cpu, m->bits);
}
static inline void cpumask_and(cpumask_t *d, const cpumask_t *a, const cpumask_t *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->bits); i++)
		d->bits[i] = a->bits[i] & b->bits[i];
}
static inline void cpumask_or(cpumask_t *d, const cpumask_t *a, const cpumask_t *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->bits); i++)
		d->bits[i] = a->bits[i] | b->bits[i];
}
static inline bool cpumask_empty(const cpumask_t *m)
{
	u64 v = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		v |= m->bits[i];
	return !v;
}
static inline bool cpumask_intersects(const cpumask_t *a, const cpumask_t *b)
{
	u64 v = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(a->bits); i++)
		v |= a->bits[i] & b->bits[i];
	return v != 0;
}
static inline unsigned int cpumask_first(const cpumask_t *m)
{
	return (unsigned int)find_next_bit(m->bits, NR_CPUS, 0);
}
static inline unsigned int cpumask_next(unsigned int after, const cpumask_t *m)
{
	return (unsigned int)find_next_bit(m->bits, NR_CPUS, after + 1);
}
static inline unsigned int cpumask_weight(const cpumask_t *m)
{
	unsigned int n = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		n += (unsigned int)__builtin_popcountll(m->bits[i]);
	return n;
}
#define for_each_cpu(cpu, mask) \
	for ((cpu) = cpumask_first(mask); (cpu) < NR_CPUS; (cpu) = cpumask_next((cpu), (mask)))
#define for_each_online_cpu(cpu) for_each_cpu(cpu, &cpu_online_map)

#endif
