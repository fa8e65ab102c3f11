/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling a vCPU that there is something to look at.
 *
 * A vCPU that blocks first sets VPF_BLOCKED, then looks for pending events once more; one that
 * raises an event first sets the pending flag, then looks at VPF_BLOCKED. Both with full barriers,
 * so one of them sees the other.
 */
#include <bitops.h>
#include <domain.h>
#include <event.h>
#include <sched.h>
#include <smp.h>

/*
 * What v polled for goes before the flag: once that is clear, v may be awake, and poll anew, while its waker has not
 * come further (tests/unit/x86/sched/wake_test.c). A new poll taken back here is one whose vCPU is woken, for nothing;
 * taken back behind the flag, nobody would ever raise it again.
 */
void vcpu_unblock(struct vcpu *v)
{
	if (!(READ_ONCE(v->pause_flags) & BIT(VPF_BLOCKED)))
		return;
	if (READ_ONCE(v->poll_evtchn))
		evtchn_poll_set(v, 0);
	if (test_and_clear_bit(VPF_BLOCKED, &v->pause_flags))
		sched_wake(v);
}

void vcpu_kick(struct vcpu *v)
{
	if (v == current)
		return;
	if (READ_ONCE(v->pause_flags) & BIT(VPF_BLOCKED))
		vcpu_unblock(v);
	else if (READ_ONCE(v->running))
		smp_send_event_check(READ_ONCE(v->cpu));
}

void vcpu_mark_events_pending(struct vcpu *v)
{
	if (!__atomic_exchange_n(&v->vcpu_info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		vcpu_kick(v);
}
