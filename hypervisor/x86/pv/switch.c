/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Context switch. The general registers need none: they live in struct vcpu. What has to move is the rest of a
 * vCPU's state in the CPU: page-table root, descriptor windows, segments, FPU.
 *
 * A CPU that goes idle keeps the last vCPU's state loaded (loaded_vcpu[], v->loaded_on), so that waking the
 * same vCPU costs nothing. Anyone else who wants that state first calls vcpu_sync_state().
 */
#include "../entry/traps.h"
#include <cpu.h>
#include <extable.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <sched.h>
#include <smp.h>
#include <time.h>
#include <xpti.h>

static struct vcpu *loaded_vcpu[NR_CPUS];

static void load_selector_failed(struct vcpu *v, const char *which)
{
	struct pv_vcpu *pv = &v->pv;

	printk(XLOG_GUEST "d%uv%u: %s selector no longer loads, null instead\n", v->domain->id, v->id, which);
	pv->failsafe_due = true;
	pv->failsafe_selectors[0] = pv->ds;
	pv->failsafe_selectors[1] = pv->es;
	pv->failsafe_selectors[2] = pv->fs;
	pv->failsafe_selectors[3] = pv->gs;
	v->async_pending = 1;
}

#define LOAD_SELECTOR(reg, value)                                                                  \
	({                                                                                         \
		int err_ = 0;                                                                      \
		__asm__ volatile("1: mov %w1, %%" #reg "\n2:\n"                                    \
				 ".pushsection .text.fixup, \"ax\"\n"                              \
				 "3: movl $1, %0\n xorl %k1, %k1\n mov %w1, %%" #reg "\n jmp 2b\n" \
				 ".popsection\n" EXTABLE(1b, 3b)                                   \
				 : "+r"(err_), "+r"(value));                                       \
		err_;                                                                              \
	})

static inline u16 read_ds(void)
{
	u16 v;

	__asm__ volatile("mov %%ds, %0" : "=r"(v));
	return v;
}
static inline u16 read_es(void)
{
	u16 v;

	__asm__ volatile("mov %%es, %0" : "=r"(v));
	return v;
}
static inline u16 read_fs(void)
{
	u16 v;

	__asm__ volatile("mov %%fs, %0" : "=r"(v));
	return v;
}
static inline u16 read_gs(void)
{
	u16 v;

	__asm__ volatile("mov %%gs, %0" : "=r"(v));
	return v;
}

static void save_segments(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;
	u64 gs = rdgsbase(), other = rdmsr(MSR_KERNEL_GS_BASE);

	pv->ds = read_ds();
	pv->es = read_es();
	pv->fs = read_fs();
	pv->gs = read_gs();
	pv->fs_base = rdfsbase();
	pv->gs_base_kernel = pv->kernel_mode ? gs : other;
	pv->gs_base_user = pv->kernel_mode ? other : gs;
}

static void load_segments(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;
	u32 sel;

	/* Null already loaded needs no load: the common case of 64-bit kernels. */
	if (unlikely(pv->ds | read_ds())) {
		sel = pv->ds;
		if (LOAD_SELECTOR(ds, sel))
			load_selector_failed(v, "ds");
	}
	if (unlikely(pv->es | read_es())) {
		sel = pv->es;
		if (LOAD_SELECTOR(es, sel))
			load_selector_failed(v, "es");
	}
	if (unlikely(pv->fs | read_fs())) {
		sel = pv->fs;
		if (LOAD_SELECTOR(fs, sel))
			load_selector_failed(v, "fs");
	}
	if (unlikely(pv->gs | read_gs())) {
		sel = pv->gs;
		if (LOAD_SELECTOR(gs, sel))
			load_selector_failed(v, "gs");
	}
	wrfsbase(pv->fs_base);
	wrgsbase(pv->kernel_mode ? pv->gs_base_kernel : pv->gs_base_user);
	wrmsr(MSR_KERNEL_GS_BASE, pv->kernel_mode ? pv->gs_base_user : pv->gs_base_kernel);
}

#define LOAD_DR(n, v) __asm__ volatile("mov %0, %%db" #n : : "r"(v))

void pv_load_debugregs(const struct vcpu *v)
{
	LOAD_DR(0, v->pv.dr[0]);
	LOAD_DR(1, v->pv.dr[1]);
	LOAD_DR(2, v->pv.dr[2]);
	LOAD_DR(3, v->pv.dr[3]);
	LOAD_DR(7, v->pv.dr[7]);
}

static void save_state(struct vcpu *v)
{
	fpu_switch_out(v);
	save_segments(v);
	if (unlikely(v->pv.dr[7] & 0xff))
		LOAD_DR(7, 0x400UL);
}

static void load_state(struct vcpu *v, unsigned int cpu)
{
	u64 cr4 = hv_cr4 | (tsc_is_emulated(v->domain) ? X86_CR4_TSD : 0);

	if (!cpumask_test(cpu, &v->domain->dirty_cpus))
		cpumask_set(cpu, &v->domain->dirty_cpus);
	v->dirty_cpu = cpu;
	pv_load_descriptors(v);
	WRITE_CR(3, v->pv.kernel_mode ? v->cr3_kernel : v->cr3_user);
	if (unlikely(xpti_active))
		xpti_load(v, cpu);
	if (unlikely(READ_CR(4) != cr4))
		WRITE_CR(4, cr4);
	load_segments(v);
	pv_load_tsc_aux(v);
	if (unlikely(v->pv.dr[7] & 0xff))
		pv_load_debugregs(v);
	cpu_set_entry_stack(v);
	fpu_switch_in(v);
}

/* v's translations are gone from this CPU: CR3 has been loaded with something else (no global entries). */
static void unloaded(struct vcpu *v, const struct vcpu *next, unsigned int cpu)
{
	if (!next || next->domain != v->domain)
		cpumask_unset(cpu, &v->domain->dirty_cpus);
	v->dirty_cpu = ~0U;
	__atomic_store_n(&v->loaded_on, -1, __ATOMIC_RELEASE);
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
	struct cpu_info *ci = cpu_info();
	unsigned int cpu = ci->cpu;
	struct vcpu *loaded;

	ci->current_vcpu = next;
	if (next->is_idle) {
		sched_context_saved(prev);
		run_on_empty_stack(idle_loop);
	}
	if (loaded_vcpu[cpu] != next) {
		if (unlikely(READ_ONCE(next->loaded_on) >= 0))
			vcpu_sync_state(next);
		/* Only now: while this CPU waited, another may have fetched what was loaded here. */
		loaded = loaded_vcpu[cpu];
		if (loaded)
			save_state(loaded);
		if (spec_ibpb && (!loaded || loaded->domain != next->domain))
			spec_domain_switch();
		load_state(next, cpu);
		loaded_vcpu[cpu] = next;
		next->loaded_on = (int)cpu;
		if (loaded)
			unloaded(loaded, next, cpu);
	}
	if (prev != next)
		sched_context_saved(prev);
	vcpu_runstate_update_guest(next);
	time_update_vcpu(next);
	resume_guest(&next->regs);
}

/* On the CPU that has v loaded (or had): its state goes to memory. */
static void sync_here(void *arg)
{
	struct vcpu *v = arg;
	unsigned int cpu = smp_processor_id();

	if (loaded_vcpu[cpu] != v)
		return;
	save_state(v);
	if (current != v) {
		loaded_vcpu[cpu] = NULL;
		write_cr3(idle_cr3);
		unloaded(v, NULL, cpu);
	}
}

void vcpu_sync_state(struct vcpu *v)
{
	int cpu = READ_ONCE(v->loaded_on);
	cpumask_t m;

	if (cpu < 0)
		return;
	cpumask_clear(&m);
	cpumask_set((unsigned int)cpu, &m);
	smp_call(&m, sync_here, v);
}

void idle_loop(void)
{
	struct cpu_info *ci = cpu_info();

	for (;;) {
		do_softirqs();
		if (!READ_ONCE(ci->softirq))
			__asm__ volatile("sti; hlt; cli" ::: "memory");
	}
}
