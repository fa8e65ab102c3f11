/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/suspend.md promises: the shutdown call returns 1 when a suspend was called off, and nothing has changed; it
 * returns 0 in the restored domain, where frames, shared page, event channels and grants are new, and registers,
 * tables, segment bases, debug registers and extended state are what they were.
 *
 * The toolstack has to play along: it saves the domain with a checkpoint when the kernel says "suspend: ready 1", and
 * saves and restores it at "suspend: ready 2". Not in the control domain, which nobody saves.
 */
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"

#define FS_BASE 0x123456789000UL
#define DR0 0x100000UL
#define OWN_SELECTOR 0x0b /* entry 1, privilege 3 */
#define LDT_SELECTOR 0x0f /* entry 1 of the LDT */
#define DESC_DATA 0x00cff3000000ffffUL

static uint64_t gdt[512] __page_aligned;
static uint64_t ldt[512] __page_aligned;
static struct vcpu_runstate_info runstate;
static uint32_t ipi_port;
static unsigned long old_start_mfn, old_memory_mfn;
static uint64_t time_before;
static char memory[PAGE_SIZE] __page_aligned;
static unsigned int upcalls;

static void on_event(uint32_t port)
{
	if (port == ipi_port)
		upcalls++;
}

static long event_op(unsigned int cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg);
}

static bool bind_ipi(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};

	if (event_op(EVTCHNOP_bind_ipi, &b))
		return false;
	ipi_port = b.port;
	event_unmask(b.port);
	return true;
}

static unsigned int events_of_one_send(void)
{
	struct evtchn_send s = {.port = ipi_port};

	upcalls = 0;
	upcalls_on();
	event_op(EVTCHNOP_send, &s);
	upcalls_off();
	return upcalls;
}

static uint32_t limit_of(uint32_t selector)
{
	uint32_t limit = 0;

	__asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(selector) : "cc");
	return limit;
}

static uint64_t read_dr(unsigned int n)
{
	return (uint64_t)hypercall1(__HYPERVISOR_get_debugreg, n);
}

static uint64_t fs_base(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000100));
	return (uint64_t)hi << 32 | lo;
}

static bool set_state(void)
{
	unsigned long frame = virt_to_mfn(gdt);
	struct mmuext_op op = {
		.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)ldt, .arg2.nr_ents = 512};
	struct vcpu_register_runstate_memory_area a = {.addr = {.v = &runstate}};

	gdt[1] = DESC_DATA;
	ldt[1] = DESC_DATA;
	memory[5] = 55;
	return !set_readonly(gdt) && !hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512) &&
	       !set_readonly(ldt) &&
	       !hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, DOMID_SELF) &&
	       !hypercall2(__HYPERVISOR_set_segment_base, SEGBASE_FS, FS_BASE) &&
	       !hypercall2(__HYPERVISOR_set_debugreg, 0, DR0) &&
	       !hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, (unsigned long)&a);
}

/* What both ways back keep. */
static void check_state(void)
{
	struct regs in = {.rflags = 2}, out;

	extern const char do_undefined[];

	check_eq(limit_of(OWN_SELECTOR), 0xffffffff);
	check_eq(limit_of(LDT_SELECTOR), 0xffffffff);
	check_eq(fs_base(), FS_BASE);
	check_eq(read_dr(0), DR0);
	check_eq(memory[5], 55);
	check_eq(trap_probe(&in, &out, do_undefined), 6);
}
__asm__("do_undefined: ud2");

static struct regs in, out;
static uint64_t __used xmm_in[2] = {0x1122334455667788, 0x99aabbccddeeff00};
static uint64_t __used xmm_out[2];
extern const char do_suspend[];

static long suspend(void)
{
	static struct sched_shutdown s = {.reason = SHUTDOWN_suspend};

	time_before = uptime_ns();
	if (!suspend_prepare())
		return -1;
	regs_fill(&in, 4711);
	in.rax = __HYPERVISOR_sched_op;
	in.rdi = SCHEDOP_shutdown;
	in.rsi = (unsigned long)&s;
	in.rdx = virt_to_mfn(start_info);
	probe(&in, &out, do_suspend);
	return suspend_over((long)out.rax) ? (long)out.rax : -1;
}
__asm__("do_suspend:\n"
	"movups xmm_in(%rip), %xmm5\n"
	"syscall\n"
	"movups %xmm5, xmm_out(%rip)\n"
	"jmp probe_done\n");

CASE(suspend_called_off)
{
	struct gnttab_set_version v = {.version = 2};
	struct evtchn_status st = {.dom = DOMID_SELF};
	unsigned long shared_before;

	if (is_dom0()) {
		skip("not the control domain");
		return;
	}
	event_set_handler(on_event);
	suspend_offer_frames();
	require(set_state());
	require(bind_ipi());
	check_eq(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_set_version, (unsigned long)&v, 1), 0);
	check_eq(events_of_one_send(), 1);
	shared_before = start_info->shared_info;
	old_memory_mfn = virt_to_mfn(memory);
	printk("suspend: ready 1\n");
	suspend_wait_for_request();
	check_eq(suspend(), 1);
	check_regs(&in, &out, R_RAX | R_RCX | R_R11 | R_RSP | R_RFLAGS, __LINE__);
	check_eq(xmm_out[0], xmm_in[0]);
	check_eq(xmm_out[1], xmm_in[1]);
	check_state();
	check_eq(start_info->shared_info, shared_before);
	check_eq(virt_to_mfn(memory), old_memory_mfn);
	st.port = ipi_port;
	check_eq(event_op(EVTCHNOP_status, &st), 0);
	check_eq(st.status, EVTCHNSTAT_ipi);
	check_eq(events_of_one_send(), 1);
	check(uptime_ns() >= time_before);
}

static unsigned long frames_that_disagree(void)
{
	unsigned long n = 0;

	for (unsigned long pfn = 0; pfn < start_info->nr_pages; pfn++)
		n += machine_to_phys_mapping[pfn_to_mfn(pfn)] != pfn;
	return n;
}

CASE(suspended_and_restored)
{
	struct gnttab_get_version v = {.dom = DOMID_SELF};
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct evtchn_status st = {.dom = DOMID_SELF};
	struct vcpu_register_runstate_memory_area a = {.addr = {.v = &runstate}};

	if (is_dom0()) {
		skip("not the control domain");
		return;
	}
	old_start_mfn = virt_to_mfn(start_info);
	printk("suspend: ready 2\n");
	suspend_wait_for_request();
	check_eq(suspend(), 0);
	/* rdx was the start info's frame, which has moved. */
	check_regs(&in, &out, R_RAX | R_RCX | R_R11 | R_RSP | R_RFLAGS | 1u << 3, __LINE__);
	check_eq(xmm_out[0], xmm_in[0]);
	check_eq(xmm_out[1], xmm_in[1]);
	check_state();
	/* The frame list, the machine's table and the page tables agree. */
	check_eq(frames_that_disagree(), 0);
	check_eq((*pte_of((unsigned long)memory, 1) & PTE_ADDR) >> 12, virt_to_mfn(memory));
	check_eq((*pte_of((unsigned long)start_info, 1) & PTE_ADDR) >> 12, virt_to_mfn(start_info));
	check(start_info->store_evtchn != 0);
	check(start_info->console.domU.evtchn != 0);
	/* Ports are gone but for those two; the next one is the first free. */
	st.port = ipi_port;
	check(event_op(EVTCHNOP_status, &st) != 0 || st.status == EVTCHNSTAT_closed);
	require(bind_ipi());
	check_eq(events_of_one_send(), 1);
	check_eq(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_get_version, (unsigned long)&v, 1), 0);
	check_eq(v.version, 1);
	check_eq(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, (unsigned long)&q, 1), 0);
	check_eq(q.status, GNTST_okay);
	record("grant_frames", q.nr_frames);
	/* Nobody writes the runstate here until it is asked for again. */
	runstate.state = 9;
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	store_pause();
	check_eq(runstate.state, 9);
	check_eq(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, (unsigned long)&a),
		 0);
	check_eq(runstate.state, RUNSTATE_running);
	check(uptime_ns() > 0);
}
