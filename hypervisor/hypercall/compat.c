/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Older forms of calls, for old kernels: the command inside the structure, in front of the argument.
 * The argument lies in the guest's own memory, so the present call is made on it where it is.
 * docs/abi/hypercalls.md; virtual performance counters, which do not exist, are refused here too.
 */
#include <hypercall.h>
#include <lib.h>
#include <uaccess.h>
#include <xen/physdev.h>
#include <xen/sched.h>

hypercall_fn do_sched_op_compat, do_physdev_op_compat;

long do_sched_op_compat(u64 cmd, u64 arg, u64 a3, u64 a4, u64 a5)
{
	switch (cmd) {
	case SCHEDOP_yield:
	case SCHEDOP_block:
		return do_sched_op(cmd, arg, a3, a4, a5);
	default:
		return -ENOSYS;
	}
}

long do_physdev_op_compat(u64 op, u64 a2, u64 a3, u64 a4, u64 a5)
{
	u32 cmd;

	if (copy_from_guest_va(&cmd, op, sizeof(cmd)))
		return -EFAULT;
	switch (cmd) {
	case PHYSDEVOP_IRQ_UNMASK_NOTIFY:
		return 0;
	case PHYSDEVOP_irq_status_query ... PHYSDEVOP_alloc_irq_vector:
		return do_physdev_op(cmd, op + offsetof(struct physdev_op, u), a3, a4, a5);
	default:
		return -ENOSYS;
	}
}

long do_xenpmu_op(u64 op, u64 arg, u64 a3, u64 a4, u64 a5)
{
	return -EOPNOTSUPP;
}
