/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions. A guest's own go back to it (x86/pv/bounce.c), after the hypervisor had its chance to
 * emulate; the hypervisor's own are either expected (exception table) or the end.
 */
#include "traps.h"
#include <extable.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <power.h>
#include <pv.h>
#include <sched.h>
#include <smp.h>
#include <uaccess.h>
#include <xpti.h>

/* Vectors that push an error code (SDM vol. 3, table 6-1). */
static inline bool vector_has_error(u32 vec)
{
	return vec < 32 && ((1U << vec) & 0x00227d00U);
}

static void guest_page_fault(struct vcpu *v, struct regs *regs)
{
	u64 addr = read_cr2();
	u32 ec = regs->error_code;

	if (pv_handle_page_fault(regs, addr, ec))
		return;
	pv_inject_page_fault(v, ec, addr);
}

/*
 * INT n refused by the DPL of the hypervisor's gate: error code vector * 8 + 2 (IDT bit). The guest's own table
 * decides whether its user code may raise that vector. The vector is read from the instruction, since
 * QEMU's error code is off.
 */
static bool guest_software_interrupt(struct vcpu *v, struct regs *regs)
{
	const struct pv_trap *t;
	u8 insn[2];

	if (raw_copy_from_guest(insn, regs->rip, 2) || insn[0] != 0xcd)
		return false;
	t = &v->pv.traps[insn[1]];
	if (!t->address || t->dpl < (v->pv.kernel_mode ? v->pv.kernel_mode : 3))
		return false;
	regs->rip += 2;
	pv_inject_exception(v, insn[1], 0);
	return true;
}

static void guest_general_protection(struct vcpu *v, struct regs *regs)
{
	if ((regs->error_code & 2) && guest_software_interrupt(v, regs))
		return;
	if (pv_emulate_privileged(regs))
		return;
	pv_inject_exception(v, X86_EXC_GP, regs->error_code);
}

static void guest_debug(struct vcpu *v, struct regs *regs)
{
	u64 dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
	v->pv.dr[6] = dr6;
	pv_inject_exception(v, X86_EXC_DB, 0);
}

void trap_from_guest(struct regs *regs)
{
	struct vcpu *v = regs_to_vcpu(regs);
	u32 vec = regs->entry_vector;

	if (vec == X86_EXC_PF) {
		guest_page_fault(v, regs);
		return;
	}
	if (vec >= 32 && vec != 0x80) {
		do_irq(regs, (u8)vec);
		return;
	}
	switch (vec) {
	case X86_EXC_GP:
		guest_general_protection(v, regs);
		break;
	case X86_EXC_UD:
		if (!pv_emulate_forced_cpuid(regs))
			pv_inject_exception(v, X86_EXC_UD, 0);
		break;
	case X86_EXC_DB:
		guest_debug(v, regs);
		break;
	case X86_EXC_NM:
		if (!fpu_handle_nm(v))
			pv_inject_exception(v, X86_EXC_NM, 0);
		break;
	default:
		pv_inject_exception(v, (u8)vec, vector_has_error(vec) ? regs->error_code : 0);
		break;
	}
}

void trap_from_hypervisor(struct regs *regs)
{
	u32 vec = regs->entry_vector;
	u64 fixup, cr2 = 0;

	if (vec >= 32) {
		do_irq(regs, (u8)vec);
		return;
	}
	if (vec == X86_EXC_PF) {
		cr2 = read_cr2();
		/* A guest's descriptor window; or its memory in log-dirty mode. */
		if (((cr2 >= DESC_WINDOW_VIRT && cr2 < IMAGE_VIRT) ||
		     (current->domain->mm && current->domain->mm->log_dirty)) &&
		    pv_handle_page_fault(regs, cr2, regs->error_code))
			return;
	}
	fixup = extable_search(regs->rip);
	if (fixup) {
		regs->rip = fixup;
		return;
	}
	trap_fatal(regs, cr2);
}

/*
 * #DB is on an IST stack because a guest can make it arrive on the very first instruction of an entry
 * path, where %rsp is still its own (MOV SS blocks it until then: CVE-2018-8897). From a guest it is an
 * ordinary exception, so its frame moves to v->regs; anywhere else it is dropped.
 */
static struct regs *ist_debug(struct regs *regs)
{
	struct vcpu *v = current;

	if (!regs_from_guest(regs)) {
		u64 dr6 = 0xffff0ff0UL;

		__asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
		regs->rflags &= ~X86_EFLAGS_TF;
		return NULL;
	}
	v->regs = *regs;
	return &v->regs;
}

struct regs *trap_ist(struct regs *regs)
{
	if (xpti_active)
		xpti_ist_used();
	switch (regs->entry_vector) {
	case X86_EXC_DB:
		return ist_debug(regs);
	case X86_EXC_NMI:
		smp_nmi_check();
		/* Otherwise nothing of ours raises NMIs; the platform's are reported and survived. */
		printk(XLOG_WARNING "NMI on CPU %u\n", smp_processor_id());
		return NULL;
	default:
		trap_fatal(regs, read_cr2());
	}
}

void trap_fatal(const struct regs *regs, u64 cr2)
{
	panic_regs(regs, "FATAL: exception %u in the hypervisor, error code %#x, cr2 %016lx",
		   regs->entry_vector, regs->error_code, cr2);
}

/* ---- the way out ---- */

static void (*softirq_handlers[NR_SOFTIRQS])(void);

void softirq_register(enum softirq nr, void (*fn)(void))
{
	softirq_handlers[nr] = fn;
}

void do_softirqs(void)
{
	struct cpu_info *ci = cpu_info();
	u32 pending;

	while ((pending = __atomic_exchange_n(&ci->softirq, 0, __ATOMIC_ACQUIRE)) != 0) {
		/* SCHEDULE last: it may not come back */
		bool sched = pending & (1U << SOFTIRQ_SCHEDULE);

		pending &= ~(1U << SOFTIRQ_SCHEDULE);
		while (pending) {
			unsigned int nr = (unsigned int)__builtin_ctz(pending);

			pending &= pending - 1;
			if (softirq_handlers[nr])
				softirq_handlers[nr]();
		}
		if (sched) {
			u32 more = __atomic_load_n(&ci->softirq, __ATOMIC_RELAXED);

			if (more & ~(1U << SOFTIRQ_SCHEDULE)) {
				raise_softirq(SOFTIRQ_SCHEDULE);
				continue;
			}
			schedule();
		}
	}
}

void guest_exit_work(struct regs *regs)
{
	struct vcpu *v = regs_to_vcpu(regs);

	do_softirqs();
	if (v->async_pending)
		pv_async_work(v);
}

void cpu_raise_softirq(unsigned int cpu, enum softirq nr)
{
	u32 old = __atomic_fetch_or(&cpu_info_of(cpu)->softirq, 1U << nr, __ATOMIC_RELEASE);

	if (cpu != smp_processor_id() && !(old & (1U << nr)))
		smp_send_event_check(cpu);
}

bool preempt_window(void)
{
	/* One instruction after STI is still shielded; the NOP is where interrupts arrive. */
	__asm__ volatile("sti; nop; cli" ::: "memory");
	return READ_ONCE(cpu_info()->softirq);
}
