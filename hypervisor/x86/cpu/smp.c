/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPIs and calls on other CPUs.
 *
 * One call is under way at a time (call.owner). The caller writes the function, then the mask of
 * those who shall run it, then sends the IPI; each clears its bit in `wanted` before it runs the
 * function and its bit in `running` afterwards. A CPU that waits, for this or for anything else,
 * serves such requests in cpu_relax_poll(), so two CPUs that call each other at the same time
 * cannot wait for ever.
 */
#include <apic.h>
#include <lib.h>
#include <mm.h>
#include <power.h>
#include <smp.h>
#include <time.h>

cpumask_t cpu_online_map, cpu_present_map;
unsigned int nr_cpu_ids;

static struct {
	u32 owner; /* CPU + 1 */
	void (*fn)(void *);
	void *arg;
	cpumask_t wanted, running;
} call;

static u32 stopper; /* CPU + 1 that takes the machine down: every other one that sees this halts */
static cpumask_t stopped;

void smp_send_ipi(unsigned int cpu, u8 vector)
{
	lapic_send(cpu_apic_id[cpu], ICR_DM_FIXED | ICR_ASSERT | vector);
}

void smp_send_ipi_mask(const cpumask_t *mask, u8 vector)
{
	unsigned int cpu, me = smp_processor_id();

	for_each_cpu(cpu, mask)
		if (cpu != me)
			smp_send_ipi(cpu, vector);
}

void smp_send_event_check(unsigned int cpu)
{
	smp_send_ipi(cpu, VEC_EVENT_CHECK);
}

static void stop_here(void)
{
	if (READ_ONCE(stopper) == smp_processor_id() + 1)
		return;
	cpumask_set(smp_processor_id(), &stopped);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void smp_call_poll(void)
{
	unsigned int cpu = smp_processor_id();
	void (*fn)(void *);
	void *arg;

	if (unlikely(READ_ONCE(stopper)))
		stop_here();
	if (!cpumask_test(cpu, &call.wanted) || !test_and_clear_bit(cpu, call.wanted.bits))
		return;
	fn = call.fn;
	arg = call.arg;
	fn(arg);
	cpumask_unset(cpu, &call.running);
}

void cpu_relax_poll(void)
{
	__asm__ volatile("pause");
	if (READ_ONCE(cpu_info()->flush_request))
		flush_requests_poll();
	smp_call_poll();
}

void smp_call(const cpumask_t *mask, void (*fn)(void *), void *arg)
{
	unsigned int me = smp_processor_id();
	cpumask_t others;
	u32 nobody;

	cpumask_and(&others, mask, &cpu_online_map);
	cpumask_unset(me, &others);
	if (cpumask_empty(&others)) {
		if (cpumask_test(me, mask))
			fn(arg);
		return;
	}
	while (nobody = 0, !__atomic_compare_exchange_n(&call.owner, &nobody, me + 1, false, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED))
		cpu_relax_poll();
	call.fn = fn;
	call.arg = arg;
	call.running = others;
	/* Behind fn and arg, whole words at a time: nobody acts on a bit before they are there. */
	for (unsigned int i = 0; i < ARRAY_SIZE(others.bits); i++)
		__atomic_store_n(&call.wanted.bits[i], others.bits[i], __ATOMIC_SEQ_CST);
	smp_send_ipi_mask(&others, VEC_CALL);
	if (cpumask_test(me, mask))
		fn(arg);
	for (unsigned int i = 0; i < ARRAY_SIZE(others.bits); i++)
		while (READ_ONCE(call.running.bits[i]))
			cpu_relax_poll();
	__atomic_store_n(&call.owner, 0, __ATOMIC_RELEASE);
}

void smp_nmi_check(void)
{
	if (unlikely(READ_ONCE(stopper)))
		stop_here();
}

static bool all_stopped(const cpumask_t *others)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(others->bits); i++)
		if (others->bits[i] & ~READ_ONCE(stopped.bits[i]))
			return false;
	return true;
}

/* First politely, by an interrupt; those deaf to it get an NMI. */
void smp_stop_others(void)
{
	unsigned int cpu, me = smp_processor_id();
	cpumask_t others = cpu_online_map;

	u32 nobody = 0;

	cpumask_unset(me, &others);
	/* Two at once: one of them is stopped like the rest. */
	if (!__atomic_compare_exchange_n(&stopper, &nobody, me + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		stop_here();
	if (cpumask_empty(&others))
		return;
	smp_send_ipi_mask(&others, VEC_CALL);
	for (unsigned int i = 0; i < 100 && !all_stopped(&others); i++)
		delay_us(1000);
	for_each_cpu(cpu, &others)
		if (!cpumask_test(cpu, &stopped))
			lapic_send(cpu_apic_id[cpu], ICR_DM_NMI | ICR_ASSERT);
	for (unsigned int i = 0; i < 100 && !all_stopped(&others); i++)
		delay_us(1000);
}
