/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a vCPU's time went: running, runnable, blocked, offline; for tools, and for the guest in an
 * area it registered. Page: docs/abi/vcpu.md.
 *
 * The area is named by a virtual address of the guest kernel. When its user page tables are loaded
 * it is out of reach: the update stays owed (v->areas_pending) until the kernel runs.
 */
#include "internal.h"
#include <time.h>
#include <uaccess.h>

void vcpu_runstate_change(struct vcpu *v, int new_state, stime_t t)
{
	struct sched_rq *rq;

	if (!v->sched) {
		runstate_set(v, new_state, t);
		return;
	}
	rq = sched_lock_vcpu(v->sched);
	runstate_set(v, new_state, t);
	spin_unlock(&rq->lock);
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	struct sched_rq *rq = v->sched ? sched_lock_vcpu(v->sched) : &scheduler.rq[v->cpu];
	stime_t t;

	if (!v->sched)
		spin_lock(&rq->lock);
	*out = v->runstate;
	t = now();
	spin_unlock(&rq->lock);
	if ((s64)(t - out->state_entry_time) > 0)
		out->time[out->state] += t - out->state_entry_time;
}

u64 vcpu_cpu_time(struct vcpu *v)
{
	struct vcpu_runstate_info r;

	vcpu_runstate_get(v, &r);
	return r.time[RUNSTATE_running];
}

u64 cpu_idle_time(unsigned int cpu)
{
	struct vcpu *idle = idle_domain->vcpus[cpu];

	return idle ? vcpu_cpu_time(idle) : 0;
}

/* With the update flag the guest sees: entry time with the flag, new contents, entry time without.
 */
static bool write_flagged(struct vcpu *v)
{
	u64 at = v->runstate_guest;
	struct vcpu_runstate_info r = v->runstate;
	const size_t entry = offsetof(struct vcpu_runstate_info, state_entry_time);
	u64 final = r.state_entry_time;

	/* cppcheck-suppress shiftTooManyBits ; the macro's constant has 64 bits */
	r.state_entry_time |= XEN_RUNSTATE_UPDATE;
	if (raw_copy_to_guest(at + entry, &r.state_entry_time, sizeof(u64)))
		return false;
	barrier();
	if (raw_copy_to_guest(at, &r, sizeof(r)))
		return false;
	barrier();
	return !raw_copy_to_guest(at + entry, &final, sizeof(u64));
}

void vcpu_runstate_update_guest(struct vcpu *v)
{
	bool ok;

	if (!v->runstate_guest)
		return;
	if (!v->pv.kernel_mode) {
		v->areas_pending = true;
		return;
	}
	if (v->domain->vm_assist & BIT(VMASST_TYPE_runstate_update_flag))
		ok = write_flagged(v);
	else
		ok = !raw_copy_to_guest(v->runstate_guest, &v->runstate, sizeof(v->runstate));
	(void)ok; /* a guest that unmapped its area loses the update: its own doing */
}

void vcpu_update_areas(struct vcpu *v)
{
	v->areas_pending = false;
	vcpu_runstate_update_guest(v);
	time_update_vcpu_area(v);
}
