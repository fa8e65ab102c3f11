/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB flushing, and the clock that tells which flushes are needed.
 *
 * The clock ticks at every flush. A CPU's stamp is the tick of its latest complete flush; a frame's stamp is
 * the time when a translation of it was last given up. A CPU whose stamp is later cannot hold that translation
 * any more. Stamps are compared as points on a circle; CPUs are made to flush twice a turn at least, so that
 * no stamp of a CPU is ever half a circle old.
 *
 * Guest translations are never global: loading CR3 flushes them all.
 */
#include <core/mm/frame.h>
#include <lib.h>
#include <smp.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>
#include <xpti.h>

#define FLUSH_GUEST 1U
#define FLUSH_GLOBAL 2U

u32 tlb_clock __aligned(64) = 1;
static u32 cpu_stamp[NR_CPUS];

static __cold void clock_half_turn(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		__atomic_fetch_or(&cpu_info_of(cpu)->flush_request, FLUSH_GUEST, __ATOMIC_SEQ_CST);
	smp_send_ipi_mask(&cpu_online_map, VEC_FLUSH);
}

static inline u32 clock_tick(void)
{
	u32 t = __atomic_add_fetch(&tlb_clock, 1, __ATOMIC_SEQ_CST);

	if (unlikely(!(t & 0x3fffffff)))
		clock_half_turn();
	return t;
}

/* The copies go before the flush counts as done. */
static __cold void flushed_isolated(u32 t)
{
	xpti_forget();
	WRITE_ONCE(cpu_stamp[smp_processor_id()], t);
}

void write_cr3(u64 cr3)
{
	u32 t = clock_tick();

	cr3_load(cr3);
	if (unlikely(xpti_active))
		flushed_isolated(t);
	else
		WRITE_ONCE(cpu_stamp[smp_processor_id()], t);
}

void flush_tlb_local(void)
{
	write_cr3(cr3_read());
}

static void flush_global_local(void)
{
	u64 cr4 = cr4_get();

	cr4_put(cr4 & ~CR4_PGE);
	flush_tlb_local();
	cr4_put(cr4);
}

void flush_tlb_one_local(u64 va)
{
	invlpg(va);
	if (unlikely(xpti_active))
		xpti_invlpg(va);
}

void flush_requests_poll(void)
{
	u32 *word = &cpu_info()->flush_request, req;

	if (likely(!READ_ONCE(*word)))
		return;
	req = __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
	if (req & FLUSH_GLOBAL)
		flush_global_local();
	else if (req)
		flush_tlb_local();
}

static inline bool stamp_after(u32 a, u32 b)
{
	return (s32)(a - b) > 0;
}

/* Every CPU of the mask but this one flushes after this call began. */
static void flush_others(const cpumask_t *mask, u32 what)
{
	unsigned int cpu, self = smp_processor_id();
	u32 since = __atomic_load_n(&tlb_clock, __ATOMIC_SEQ_CST);
	cpumask_t ask;

	cpumask_and(&ask, mask, &cpu_online_map);
	cpumask_unset(self, &ask);
	if (cpumask_empty(&ask))
		return;
	for_each_cpu(cpu, &ask)
		__atomic_fetch_or(&cpu_info_of(cpu)->flush_request, what, __ATOMIC_SEQ_CST);
	smp_send_ipi_mask(&ask, VEC_FLUSH);
	for_each_cpu(cpu, &ask) {
		/* A stamp is written after its flush. A global request must itself be served. */
		while (!stamp_after(READ_ONCE(cpu_stamp[cpu]), since) ||
		       (what == FLUSH_GLOBAL && READ_ONCE(cpu_info_of(cpu)->flush_request)))
			cpu_relax_poll();
	}
}

void flush_tlb_mask(const cpumask_t *mask)
{
	if (cpumask_test(smp_processor_id(), mask))
		flush_tlb_local();
	flush_others(mask, FLUSH_GUEST);
}

void flush_tlb_one_mask(const cpumask_t *mask, u64 va)
{
	if (cpumask_test(smp_processor_id(), mask))
		flush_tlb_one_local(va);
	flush_others(mask, FLUSH_GUEST);
}

void flush_tlb_global_all(void)
{
	flush_global_local();
	flush_others(&cpu_online_map, FLUSH_GLOBAL);
}

/* Flushes the CPUs of mask that have not flushed since the stamp. */
static void flush_filtered(const cpumask_t *mask, u32 stamp)
{
	cpumask_t need;
	unsigned int cpu;

	cpumask_clear(&need);
	for_each_cpu(cpu, mask)
		if (!stamp_after(READ_ONCE(cpu_stamp[cpu]), stamp))
			cpumask_set(cpu, &need);
	if (!cpumask_empty(&need))
		flush_tlb_mask(&need);
}

void mm_flush_stamp(u32 stamp)
{
	flush_filtered(&cpu_online_map, stamp);
}

void mm_flush_frame(const struct frame *f)
{
	const struct domain *d = frame_owner(f);

	if (!f->tlb_stamp)
		return;
	if (d && !(f->type_word & PGT_FOREIGN))
		flush_filtered(&d->dirty_cpus, f->tlb_stamp);
	else
		flush_filtered(&cpu_online_map, f->tlb_stamp);
}

void mm_clear_page(void *p)
{
	unsigned long n = PAGE_SIZE / 8;

	__asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0UL) : "memory");
}
