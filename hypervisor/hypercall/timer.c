/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's timers: one-shot, periodic tick and the timeout of SCHEDOP_poll. Page: docs/abi/time.md.
 *
 * A one-shot timer is set on the CPU its vCPU runs on when it sets it; when the vCPU has moved on
 * by the time it expires, the event channel finds it.
 */
#include <event.h>
#include <hypercall.h>
#include <hypercall/vcpu_timer.h>
#include <mm.h>
#include <smp.h>
#include <time.h>

static void singleshot_expired(void *data)
{
	evtchn_send_virq(data, VIRQ_TIMER);
}

/* Ticks that come due while the vCPU does not run are not saved up: it gets one when it runs again.
 */
stime_t vcpu_tick(stime_t t)
{
	struct vcpu *v = current;
	struct vcpu_timers *vt = v->timers;

	if (!vt || !vt->period)
		return 0;
	if (vt->next_tick <= t) {
		evtchn_send_virq(v, VIRQ_TIMER);
		vt->next_tick += vt->period;
		if (vt->next_tick <= t)
			vt->next_tick = t + vt->period;
	}
	return vt->next_tick;
}

static void poll_expired(void *data)
{
	struct vcpu *v = data;

	if (READ_ONCE(v->poll_evtchn))
		vcpu_unblock(v);
}

int vcpu_timers_init(struct vcpu *v)
{
	struct vcpu_timers *vt = hv_new(struct vcpu_timers);

	if (!vt)
		return -ENOMEM;
	timer_init(&vt->singleshot, singleshot_expired, v, v->cpu);
	timer_init(&vt->poll, poll_expired, v, v->cpu);
	/* A guest that never heard of timers gets a tick of 100 Hz. */
	vt->period = v->is_idle ? 0 : MILLISECS(10);
	vt->next_tick = vt->period ? now() + vt->period : 0;
	v->timers = vt;
	return 0;
}

void vcpu_timers_destroy(struct vcpu *v)
{
	if (!v->timers)
		return;
	timer_kill(&v->timers->singleshot);
	timer_kill(&v->timers->poll);
	hv_free(v->timers);
	v->timers = NULL;
}

void vcpu_timers_migrate(struct vcpu *v)
{
	timer_migrate(&v->timers->singleshot, v->cpu);
	timer_migrate(&v->timers->poll, v->cpu);
}

void vcpu_singleshot_set(struct vcpu *v, stime_t expires)
{
	struct timer *t = &v->timers->singleshot;

	if (unlikely(t->cpu != v->cpu))
		timer_migrate(t, v->cpu);
	if ((s64)(expires - now()) <= 0) {
		if (t->queued)
			timer_stop(t);
		evtchn_send_virq(v, VIRQ_TIMER);
		return;
	}
	timer_set(t, expires);
}

void vcpu_singleshot_stop(struct vcpu *v)
{
	if (v->timers->singleshot.queued)
		timer_stop(&v->timers->singleshot);
}

/* The CPU v runs on takes note of the tick when it schedules. */
static void tick_changed(const struct vcpu *v)
{
	if (READ_ONCE(v->running))
		cpu_raise_softirq(READ_ONCE(v->cpu), SOFTIRQ_SCHEDULE);
}

int vcpu_periodic_set(struct vcpu *v, u64 period_ns)
{
	struct vcpu_timers *vt = v->timers;

	if (period_ns < MILLISECS(1) || period_ns > SECONDS(3600ULL * 24 * 365))
		return -EINVAL;
	vt->period = period_ns;
	vt->next_tick = now() + period_ns;
	tick_changed(v);
	return 0;
}

void vcpu_periodic_stop(struct vcpu *v)
{
	v->timers->period = v->timers->next_tick = 0;
	tick_changed(v);
}

/* A time some 13 days ahead, or one that has wrapped, is a guest whose clock arithmetic overflowed or that
 * has nothing to wait for. A tenth of a second suits both. */
#define ABSURD_SHIFT 50

long do_set_timer_op(u64 timeout, u64 a2, u64 a3, u64 a4, u64 a5)
{
	if (!timeout) {
		vcpu_singleshot_stop(current);
		return 0;
	}
	if (unlikely(timeout >> ABSURD_SHIFT)) {
		stime_t t = now();

		if ((s64)timeout < 0 || (timeout > t && (timeout - t) >> ABSURD_SHIFT))
			timeout = t + MILLISECS(100);
	}
	vcpu_singleshot_set(current, timeout);
	return 0;
}
