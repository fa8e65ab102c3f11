/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of x86/sched. */
#ifndef SERAI_X86_SCHED_INTERNAL_H
#define SERAI_X86_SCHED_INTERNAL_H

#include <mm.h>
#include <sched.h>
#include <sched_policy.h>
#include <xerrno.h>

extern struct sched scheduler;

/* Locks the queue v belongs to; returns it. */
struct sched_rq *sched_lock_vcpu(const struct sched_vcpu *sv);
/* Places a waiting vCPU anew. */
void sched_replace(struct vcpu *v);

/* The queue's lock is held. */
static inline void runstate_set(struct vcpu *v, int state, stime_t t)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (r->state == state)
		return;
	if ((s64)(t - r->state_entry_time) > 0) {
		r->time[r->state] += t - r->state_entry_time;
		r->state_entry_time = t;
	}
	r->state = state;
}

#endif
