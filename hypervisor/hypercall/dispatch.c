/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercall table, argument copying for families, restart, and multicall (docs/abi/hypercalls.md).
 *
 * A call that is to be restarted puts the guest back on its own SYSCALL instruction with the number and arguments it
 * should be entered with again; inside a multicall the entry is rewritten instead, and the
 * multicall itself restarts there.
 */
#include <hypercall.h>
#include <lib.h>
#include <smp.h>
#include <uaccess.h>

#define SYSCALL_INSN_LEN 2

/* Families that are not built in answer -ENOSYS: their symbols stay undefined and weak. */
#define HYPERCALL(nr, name, page) extern hypercall_fn do_##name __attribute__((weak));
#include <def/hypercall.def>
#undef HYPERCALL
extern hypercall_fn do_mca __attribute__((weak));

static long do_ni_hypercall(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	return -ENOSYS;
}

hypercall_fn *hypercall_table[NR_HYPERCALLS] = {
#define HYPERCALL(nr, name, page) [nr] = do_##name,
#include <def/hypercall.def>
#undef HYPERCALL
	[48] = do_mca,
};

void hypercalls_init(void)
{
	for (unsigned int i = 0; i < NR_HYPERCALLS; i++)
		if (!hypercall_table[i])
			hypercall_table[i] = do_ni_hypercall;
}

/* One a CPU: nothing switches vCPUs inside a hypercall. */
static struct multicall_state {
	struct multicall_entry call;
	bool active, restarted;
} multicall_states[NR_CPUS];

long call_restart(unsigned int nr_args, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct multicall_state *mc = &multicall_states[smp_processor_id()];
	struct regs *r = &current->regs;
	const u64 args[5] = {a0, a1, a2, a3, a4};
	u64 *slots[5] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8};

	if (mc->active) {
		for (unsigned int i = 0; i < nr_args; i++)
			mc->call.args[i] = args[i];
		mc->restarted = true;
		return 0;
	}
	for (unsigned int i = 0; i < nr_args; i++)
		*slots[i] = args[i];
	r->rip -= SYSCALL_INSN_LEN;
	return (long)r->rax;
}

bool hypercall_preempt_check(void)
{
	return preempt_window() ||
	       unlikely(current->vcpu_info->evtchn_upcall_pending && !current->vcpu_info->evtchn_upcall_mask);
}

long hypercall_family(const struct hc_row *rows, unsigned int nr, unsigned int cmd, u64 uarg)
{
	u64 buf[HC_ARG_MAX / 8];
	const struct hc_row *row;
	long rc;

	if (cmd >= nr)
		return -ENOSYS;
	/* Clamp under speculation too. */
	cmd &= (unsigned int)(((s64)cmd - (s64)nr) >> 63);
	row = &rows[cmd];
	if (!row->fn)
		return -ENOSYS;
	if (row->priv >= HC_CONTROL && hc_permit((enum hc_priv)row->priv, NULL))
		return -EPERM;
	if (row->dir == HC_RAW || row->dir == HC_ARRAY)
		return row->fn((void *)uarg);
	if ((row->dir == HC_IN || row->dir == HC_INOUT) && copy_from_guest_va(buf, uarg, row->size))
		return -EFAULT;
	if (row->dir == HC_OUT)
		memset(buf, 0, row->size);
	rc = row->fn(buf);
	if ((row->dir == HC_INOUT || row->dir == HC_OUT) && (rc >= 0 || rc == -ERESTART) &&
	    copy_to_guest_va(uarg, buf, row->size))
		rc = -EFAULT;
	if (rc == -ERESTART)
		return call_restart(0, 0, 0, 0, 0, 0);
	return rc;
}

long do_multicall(u64 list, u64 nr_calls, u64 a3, u64 a4, u64 a5)
{
	struct multicall_state *mc = &multicall_states[smp_processor_id()];
	struct vcpu *v = current;
	u64 i;

	if (unlikely(mc->active))
		return -EINVAL;
	if (nr_calls > UINT32_MAX || !guest_range_ok(list, nr_calls * sizeof(mc->call)))
		return -EFAULT;
	mc->active = true;
	for (i = 0; i < nr_calls; i++, list += sizeof(mc->call)) {
		struct multicall_entry *c = &mc->call;
		long rc;

		if (i && READ_ONCE(cpu_info()->softirq))
			goto restart;
		if (unlikely(raw_copy_from_guest(c, list, sizeof(*c))))
			goto fault;
		if (c->op >= NR_HYPERCALLS) {
			rc = -ENOSYS;
		} else {
			u64 op = c->op & (u64)(((s64)c->op - NR_HYPERCALLS) >> 63);

			rc = hypercall_table[op](c->args[0], c->args[1], c->args[2], c->args[3], c->args[4]);
		}
		if (unlikely(mc->restarted)) {
			mc->restarted = false;
			if (raw_copy_to_guest(list + offsetof(struct multicall_entry, args), c->args,
					      sizeof(c->args)))
				goto fault;
			goto restart;
		}
		if (unlikely(raw_copy_to_guest(list + offsetof(struct multicall_entry, result), &rc,
					       sizeof(rc))))
			goto fault;
		/* A call that let user code in (iret) or killed the domain ends the batch. */
		if (unlikely(!v->pv.kernel_mode))
			break;
	}
	mc->active = false;
	return 0;

restart:
	mc->active = false;
	return call_restart(2, list, nr_calls - i, 0, 0, 0);
fault:
	mc->active = false;
	return -EFAULT;
}
