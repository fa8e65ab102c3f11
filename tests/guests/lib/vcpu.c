/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secondary vCPUs: same tables and address space, a stack of their own, upcalls masked. */
#include "guest.h"
#include "internal.h"

static char stacks[MAX_VCPUS][2 * PAGE_SIZE] __page_aligned;
static struct vcpu_guest_context context __page_aligned;

struct vcpu_guest_context *vcpu_context(unsigned int n, void (*fn)(void))
{
	unsigned long top = (unsigned long)stacks[n] + sizeof(stacks[n]);

	memset(&context, 0, sizeof(context));
	context.flags = VGCF_in_kernel;
	context.user_regs.rip = (unsigned long)fn;
	context.user_regs.rsp = top - 8;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.user_regs.rflags = 0x202;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = top;
	context.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
	context.event_callback_eip = (unsigned long)entry_event;
	context.failsafe_callback_eip = (unsigned long)entry_failsafe;
	context.syscall_callback_eip = (unsigned long)entry_syscall;
	return &context;
}

unsigned int vcpu_id(void)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0) - (unsigned long)stacks;

	return here < sizeof(stacks) ? (unsigned int)(here / sizeof(stacks[0])) : 0;
}

long vcpu_start_with(unsigned int n, struct vcpu_guest_context *c)
{
	long ret;

	shared_info->vcpu_info[n].evtchn_upcall_mask = 1;
	ret = hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, n, (unsigned long)c);
	if (!ret)
		ret = hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_up, n, 0);
	return ret;
}

long vcpu_start(unsigned int n, void (*fn)(void))
{
	return vcpu_start_with(n, vcpu_context(n, fn));
}
