/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Meltdown isolation: the roots guests run on. What they map and why a copy may lag behind: core/mm/isolate.h.
 *
 *      in the guest                                inside
 *      CR3 = copy ----- entry.S: pushes into ----> CR3 = guest's own root, v->cr3_full
 *                       v->regs, loads v->cr3_full
 *                 <---- loads cpu_info.xpti_cr3 --
 *
 * Two copies a CPU: the running vCPU's roots of kernel and user mode, so that a system call of the guest's copies nothing.
 * cpu_info.xpti_cr3 is the copy to leave with, 0 when it must be looked for or made (xpti_prepare).
 *
 * Everything that ends translations on a CPU goes through write_cr3(), which calls xpti_forget() before its flush counts
 * as done. So whoever waits for a flush before a page table becomes something else waits for the copies, too.
 *
 * v->regs is reached at a per-CPU address that shows the page of the running vCPU only.
 */
#include <console.h>
#include <lib.h>
#include <mm.h>
#include <percpu.h>
#include <smp.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>
#include <xerrno.h>
#include <xpti.h>

bool xpti_active, xpti_for_control, xpti_for_others;

struct copies {
	u64 *root[2];            /* of kernel and user mode */
	u64 source[2];           /* CR3 each is a copy of; 0: none */
	u64 *vcpu_hv, *vcpu_out; /* entries that show the vCPU's page: in our tables, in the copies' */
	struct isolate_range *ranges;
	unsigned int nr_ranges;
	unsigned int loads;
	bool ist_used;
};
static struct copies copies[NR_CPUS];

static void check_cpu(unsigned int cpu);

/* Pages of the entry area that change: the vCPU's. */
static int find_vcpu_entries(struct copies *c, unsigned int cpu)
{
	c->vcpu_hv = hvmap_l1e(ENTRY_VCPU(cpu));
	c->vcpu_out = isolate_entry(c->root[0], ENTRY_VCPU(cpu));
	return c->vcpu_hv && c->vcpu_out ? 0 : -ENOMEM;
}

int xpti_cpu_prepare(unsigned int cpu, const struct isolate_range *r, unsigned int nr)
{
	struct copies *c = &copies[cpu];
	u64 *window;

	if (!xpti_active || c->vcpu_out)
		return 0;
	c->root[0] = hv_alloc_pages(0);
	c->root[1] = hv_alloc_pages(0);
	c->ranges = hv_new_array(struct isolate_range, nr);
	if (!c->root[0] || !c->root[1] || !c->ranges || isolate_map(c->root[0], r, nr))
		return -ENOMEM;
	window = isolate_entry(c->root[0], DESC_WINDOW(cpu));
	if (!window)
		return -ENOMEM;
	desc_window_isolated(cpu, window);
	memcpy(c->ranges, r, nr * sizeof(*r));
	c->nr_ranges = nr;
	c->root[0][HV_L4_FIRST] = idle_l4[HV_L4_FIRST];
	memcpy(c->root[1], c->root[0], PAGE_SIZE);
	if (find_vcpu_entries(c, cpu))
		return -ENOMEM;
	/* What is left of a CPU's start: no guest runs where anything else can be seen. */
	check_cpu(cpu);
	return 0;
}

void xpti_load(struct vcpu *next, unsigned int cpu)
{
	struct copies *c = &copies[cpu];
	u64 e = pte_make(virt_to_mfn(next), PTE_P | PTE_RW | PTE_A | PTE_D | hv_nx());

	/* Pages of its own, and entry.S needs the first only. */
	_Static_assert(sizeof(struct vcpu) >= PAGE_SIZE / 2 + 1 &&
			       offsetof(struct vcpu, pv.traps) < PAGE_SIZE,
		       "struct vcpu");
	next->entry_regs = (struct regs *)(ENTRY_VCPU(cpu) + offsetof(struct vcpu, regs));
	next->cr3_full = 0;
	if (*c->vcpu_hv != e) {
		WRITE_ONCE(*c->vcpu_hv, e);
		WRITE_ONCE(*c->vcpu_out, e);
		invlpg(ENTRY_VCPU(cpu));
	}
	xpti_forget();
	/* The walk costs as much as a hundred switches. */
	if (SERAI_ASSERT && !(c->loads++ & 127))
		check_cpu(cpu);
}

void xpti_forget(void)
{
	struct cpu_info *ci = cpu_info();
	struct copies *c = &copies[ci->cpu];

	c->source[0] = c->source[1] = 0;
	ci->xpti_cr3 = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static unsigned int role_of(const struct vcpu *v)
{
	return !v->pv.kernel_mode;
}

void xpti_toggled(u64 cr3)
{
	struct cpu_info *ci = cpu_info();
	struct vcpu *v = ci->current_vcpu;
	struct copies *c = &copies[ci->cpu];
	unsigned int role = role_of(v);

	if (ci->xpti_cr3 == XPTI_NOT_ISOLATED)
		return;
	ci->xpti_cr3 = cr3 && c->source[role] == cr3 ? virt_to_paddr(c->root[role]) : 0;
}

bool xpti_out_of_date(u64 addr)
{
	struct cpu_info *ci = cpu_info();
	struct vcpu *v = ci->current_vcpu;
	const struct copies *c = &copies[ci->cpu];
	u64 cr3 = cr3_read() & PTE_ADDR_MASK;

	if (c->source[role_of(v)] != cr3 || !isolate_stale(c->root[role_of(v)], paddr_to_virt(cr3), addr))
		return false;
	xpti_forget();
	return true;
}

void xpti_invlpg(u64 addr)
{
	/* The translation itself goes when CR3 is loaded on the way out. */
	(void)xpti_out_of_date(addr);
}

void xpti_ist_used(void)
{
	struct cpu_info *ci = cpu_info();

	copies[ci->cpu].ist_used = true;
	ci->xpti_cr3 = 0;
}

void xpti_prepare(void)
{
	struct cpu_info *ci = cpu_info();
	struct vcpu *v = ci->current_vcpu;
	struct copies *c = &copies[ci->cpu];
	unsigned int role = role_of(v);
	u64 cr3 = cr3_read() & PTE_ADDR_MASK;

	if (!v->domain->isolated) {
		ci->xpti_cr3 = XPTI_NOT_ISOLATED;
		return;
	}
	if (unlikely(c->ist_used)) {
		c->ist_used = false;
		memset((void *)ENTRY_STACK(ci->cpu), 0, IST_PAGES * PAGE_SIZE);
	}
	if (c->source[role] != cr3) {
		/* Nobody looks at this from elsewhere: a flush asked for now comes by interrupt, right after
		 * the way out. */
		c->source[role] = cr3;
		isolate_copy(c->root[role], paddr_to_virt(cr3));
	}
	ci->xpti_cr3 = virt_to_paddr(c->root[role]);
}

/* ---- showing that it is so ---- */

static void report_bad(u64 va, u64 entry)
{
	printk(XLOG_ERR "xpti: a guest's root maps %016lx: entry %016lx\n", va, entry);
}

static void report_seen(u64 va, u64 entry, const char *what)
{
	static u64 last;

	/* One line for the filler where a guest has no descriptors. */
	if (entry == last)
		return;
	last = entry;
	printk("  %016lx -> %010lx %c%c  %s\n", va, (u64)(entry & PTE_ADDR_MASK), entry & PTE_RW ? 'w' : '-',
	       entry & PTE_NX ? '-' : 'x', what);
}

/* The list, completed by what changes: the page of the vCPU and the window of descriptors. */
static unsigned int check_copies(unsigned int cpu, void (*seen)(u64 va, u64 entry, const char *what))
{
	struct copies *c = &copies[cpu];
	unsigned int bad = 0, nr = c->nr_ranges;
	struct isolate_range r[16];

	BUG_ON(nr + 2 > ARRAY_SIZE(r));
	memcpy(r, c->ranges, nr * sizeof(*r));
	r[nr++] = (struct isolate_range){ENTRY_VCPU(cpu), 1, pte_mfn(*c->vcpu_hv), PTE_P | PTE_RW | hv_nx(),
					 "running vCPU"};
	r[nr++] = (struct isolate_range){DESC_WINDOW(cpu), DESC_WINDOW_PAGES, INVALID_MFN,
					 PTE_P | PTE_RW | hv_nx(), "descriptors"};
	for (unsigned int i = 0; i < 2; i++)
		bad += isolate_check(c->root[i], idle_l4[HV_L4_FIRST], r, nr, report_bad, i ? NULL : seen);
	return bad;
}

static void check_cpu(unsigned int cpu)
{
	if (copies[cpu].vcpu_out && check_copies(cpu, NULL))
		panic("CPU %u: the roots guests run on map more than they may", cpu);
}

static void list_key(void)
{
	unsigned int cpu, bad;

	if (!xpti_active) {
		printk("Meltdown isolation is off\n");
		return;
	}
	for_each_cpu(cpu, &cpu_online_map) {
		printk("CPU %u: pages of the hypervisor that guests run with\n", cpu);
		bad = check_copies(cpu, report_seen);
		printk("CPU %u: %u pages that should not be there\n", cpu, bad);
	}
}

void xpti_init(void)
{
	debug_key_register('x', "Meltdown isolation: what guests' roots map of the hypervisor", list_key);
}
