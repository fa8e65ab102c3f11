/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that means no good: seeded random operations on page tables, descriptors and memory, legal and not,
 * on frames it owns, frames it does not, and frames that do not exist. Nothing is promised about any one result;
 * the hypervisor must live, and its frame checker (debug key M) must find every count right afterwards.
 *
 * What must hold: docs/abi/page-tables.md, docs/abi/segments.md. seed=N and rounds=N on the command line replay a run.
 */
#include "guest.h"
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

#define POOL 24

static volatile char window[PAGE_SIZE] __page_aligned;
static unsigned long pool[POOL];
static uint64_t state;
static unsigned long ok_count, done_count;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned long number(const char *name, unsigned long otherwise)
{
	char buf[20];
	const char *p = cmdline_option(name, buf, sizeof(buf));
	unsigned long n = 0;

	for (; p && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (unsigned long)(*p - '0');
	return n ? n : otherwise;
}

static void count(long rc)
{
	done_count++;
	if (rc >= 0)
		ok_count++;
}

static unsigned long random_frame(void)
{
	switch (rnd() % 16) {
	case 0:
		return virt_to_mfn((void *)start_info->pt_base);
	case 1:
		return rnd() % 0x40000;
	case 2:
		return rnd() >> (rnd() % 64);
	default:
		return pool[rnd() % POOL];
	}
}

static uint64_t random_entry(void)
{
	uint64_t e = random_frame() << 12 | (rnd() & 0x67);

	switch (rnd() % 12) {
	case 0:
		return 0;
	case 1:
		return e | (rnd() & 0xfff);
	case 2:
		return rnd();
	case 3:
		return e & ~PTE_P;
	default:
		return e | PTE_P;
	}
}

/* Slots: a few, so that updates meet, and the ones around the hypervisor's. */
static unsigned long random_slot(void)
{
	return rnd() % 4 ? rnd() % 6 : rnd() % 2 ? 250 + rnd() % 30 : rnd() % 512;
}

/* Our own tables are not the target: a root of ours that changes takes this kernel away. */
static void random_update(void)
{
	uint64_t ptr = pool[rnd() % POOL] << 12 | random_slot() * 8;

	if (rnd() % 32 == 0)
		ptr = rnd() & ~0xffffff8000000000UL & ~3UL;
	if (ptr >> 12 == virt_to_mfn((void *)start_info->pt_base))
		return;
	count(mmu_update_one(ptr | rnd() % 4, random_entry()));
}

static void random_batch(void)
{
	static struct mmu_update u[64];
	unsigned int done = 0, n = rnd() % 64;

	for (unsigned int i = 0; i < n; i++) {
		u[i].ptr = pool[rnd() % POOL] << 12 | random_slot() * 8 | rnd() % 4;
		u[i].val = random_entry();
	}
	count(hypercall4(__HYPERVISOR_mmu_update, (unsigned long)u, n, (unsigned long)&done,
			 rnd() % 16 ? DOMID_SELF : rnd()));
}

static void random_pin(void)
{
	count(mmuext_one(rnd() % 2 ? rnd() % 4 : MMUEXT_UNPIN_TABLE, random_frame()));
}

static void random_ext(void)
{
	static const unsigned int cmds[] = { MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_INVLPG_LOCAL, MMUEXT_TLB_FLUSH_MULTI,
					     MMUEXT_INVLPG_MULTI, MMUEXT_TLB_FLUSH_ALL, MMUEXT_INVLPG_ALL,
					     MMUEXT_SET_LDT, MMUEXT_NEW_USER_BASEPTR, MMUEXT_NEW_USER_BASEPTR,
					     MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE, MMUEXT_MARK_SUPER, 77 };
	struct mmuext_op op;
	unsigned long any = rnd();

	op.cmd = cmds[rnd() % ARRAY_SIZE(cmds)];
	op.arg1.mfn = random_frame();
	op.arg2.src_mfn = random_frame();
	if (op.cmd == MMUEXT_CLEAR_PAGE || op.cmd == MMUEXT_COPY_PAGE)
		op.arg1.mfn = pool[rnd() % POOL];
	if (op.cmd == MMUEXT_TLB_FLUSH_MULTI || op.cmd == MMUEXT_INVLPG_MULTI)
		op.arg2.src_mfn = rnd() % 2 ? (unsigned long)&any : rnd();
	if (op.cmd == MMUEXT_SET_LDT) {
		op.arg1.linear_addr = rnd() % 2 ? (unsigned long)window : rnd();
		op.arg2.nr_ents = rnd() % 2 ? 512 : (unsigned int)rnd();
	}
	if (op.cmd == MMUEXT_NEW_USER_BASEPTR && rnd() % 4 == 0)
		op.arg1.mfn = 0;
	count(hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
			 rnd() % 16 ? DOMID_SELF : rnd() % 0x8000));
}

static void random_mapping(void)
{
	unsigned long flags = rnd() % 8;
	uint64_t val = random_entry();

	count(update_va((unsigned long)window, val, flags == 4 ? rnd() : flags));
	/* Read through it: of our own memory whatever it holds may be seen. */
	if (rnd() % 4 == 0)
		count(update_va(rnd(), val, 0));
}

static long reserve(unsigned int op, unsigned long *frame, unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, frame);
	return hypercall2(__HYPERVISOR_memory_op, op, (unsigned long)&r);
}

static void random_memory(void)
{
	unsigned int i = (unsigned int)(rnd() % POOL);
	unsigned long frame = pool[i], fresh = 0, out = rnd() % 4096;
	struct xen_memory_exchange x = { .in = { .nr_extents = 1, .domid = DOMID_SELF },
					 .out = { .nr_extents = 1, .domid = DOMID_SELF } };

	switch (rnd() % 4) {
	case 0: /* give a frame back, whatever it is used for, and take another */
		count(reserve(XENMEM_decrease_reservation, &frame, 0));
		count(reserve(XENMEM_decrease_reservation, &frame, 0));
		if (reserve(XENMEM_increase_reservation, &fresh, 0) == 1)
			pool[i] = fresh;
		break;
	case 1:
		frame = random_frame();
		if (frame == virt_to_mfn((void *)start_info->pt_base))
			break;
		set_xen_guest_handle(x.in.extent_start, &frame);
		set_xen_guest_handle(x.out.extent_start, &out);
		x.out.mem_flags = rnd() % 40;
		for (i = 0; i < POOL && pool[i] != frame; i++)
			;
		if (i == POOL)
			break; /* not to lose frames the kernel stands on */
		if (hypercall2(__HYPERVISOR_memory_op, XENMEM_exchange, (unsigned long)&x) == 0)
			pool[i] = out;
		break;
	default:
		count(hypercall2(__HYPERVISOR_memory_op, 32 + rnd() % 32, rnd()));
	}
}

static void random_descriptors(void)
{
	unsigned long frames[14];

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = random_frame();
	if (rnd() % 2)
		count(hypercall2(__HYPERVISOR_update_descriptor, pool[rnd() % POOL] << 12 | (rnd() % 512) * 8, rnd()));
	else
		count(hypercall2(__HYPERVISOR_set_gdt, (unsigned long)frames, rnd() % 2 ? 512 : rnd() % 8000));
}

static void clean_up(void)
{
	unsigned long none = 0;

	count(update_va((unsigned long)window, 0, UVMF_INVLPG));
	count(hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&none, 0));
	count(mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0));
}

static void rounds(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		switch (rnd() % 16) {
		case 0:
			random_memory();
			break;
		case 1:
			random_descriptors();
			break;
		case 2:
			random_batch();
			break;
		case 3:
		case 4:
		case 5:
			random_pin();
			break;
		case 6:
			random_ext();
			break;
		case 7:
		case 8:
			random_mapping();
			break;
		default:
			random_update();
		}
	}
}

CASE(page_tables)
{
	unsigned long n = number("rounds=", 40000);
	unsigned long window_mfn = virt_to_mfn((void *)window);

	state = number("seed=", 88172645463325252UL);
	for (unsigned int i = 0; i < POOL; i++)
		require(reserve(XENMEM_increase_reservation, &pool[i], 0) == 1);
	rounds(n);
	clean_up();
	check_eq(update_va((unsigned long)window, window_mfn << 12 | PTE_P | PTE_W | PTE_U, UVMF_INVLPG), 0);
	/* Both kinds of answers, or the test tests nothing. */
	check(ok_count > n / 20);
	check(done_count - ok_count > n / 20);
}

static volatile unsigned long helper_rounds;

static void helper(void)
{
	while (helper_rounds) {
		rounds(100);
		helper_rounds--;
	}
	clean_up();
	helper_rounds = ~0UL;
	for (;;)
		hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
}

/* Two vCPUs at once on the same frames, sharing even the memory their arguments are in. */
CASE(page_tables_two_vcpus)
{
	/* Few: where host CPUs are short, every lock two virtual CPUs wait for costs a time slice. */
	unsigned long n = number("rounds=", 40000) / 40;
	unsigned long window_mfn = virt_to_mfn((void *)window);

	helper_rounds = n / 100;
	if (vcpu_start(1, helper)) {
		skip("one vCPU only");
		return;
	}
	rounds(n);
	while (helper_rounds != ~0UL)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	clean_up();
	check_eq(update_va((unsigned long)window, window_mfn << 12 | PTE_P | PTE_W | PTE_U, UVMF_INVLPG), 0);
}

/* The checker's line on the console: "mm check: N contradictions". Other hypervisors have no such key. */
CASE(frames_add_up)
{
	static char buf[16384];
	static char key[1] = { 'M' };
	static struct xen_sysctl s;
	const char *p, *last = NULL;

	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	s.cmd = XEN_SYSCTL_debug_keys;
	set_xen_guest_handle(s.u.debug_keys.keys, key);
	s.u.debug_keys.nr_keys = 1;
	check_eq(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s), 0);
	memset(&s, 0, sizeof(s));
	s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	s.cmd = XEN_SYSCTL_readconsole;
	set_xen_guest_handle(s.u.readconsole.buffer, buf);
	s.u.readconsole.count = sizeof(buf) - 1;
	check_eq(hypercall1(__HYPERVISOR_sysctl, (unsigned long)&s), 0);
	for (p = buf; p + 20 < buf + s.u.readconsole.count; p++)
		if (!strncmp(p, "mm check: ", 10) && p[10] >= '0' && p[10] <= '9')
			last = p + 10;
	if (last)
		check(!strncmp(last, "0 contradictions", 16));
}
