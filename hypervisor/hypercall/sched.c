/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOPs. Page: docs/abi/scheduling.md.
 *
 * Nothing sleeps in the hypervisor: blocking sets VPF_BLOCKED and asks for a schedule on the way
 * out; the hypercall itself has returned 0 by then.
 */
#include <bitops.h>
#include <event.h>
#include <hypercall.h>
#include <lib.h>
#include <mm.h>
#include <sched.h>
#include <time.h>
#include <uaccess.h>
#include <xen/sched.h>

#define POLL_MAX_PORTS 128
#define POLL_CHUNK 16

static bool events_waiting(const struct vcpu *v)
{
	return (READ_ONCE(v->vcpu_info->evtchn_upcall_pending) &&
		!READ_ONCE(v->vcpu_info->evtchn_upcall_mask)) ||
	       READ_ONCE(v->nmi_pending);
}

/* Blocks unless there is something to wake up for already (see x86/sched/wake.c for the order). */
static void block(struct vcpu *v)
{
	set_bit(VPF_BLOCKED, &v->pause_flags);
	if (events_waiting(v))
		clear_bit(VPF_BLOCKED, &v->pause_flags);
	else
		raise_softirq(SOFTIRQ_SCHEDULE);
}

/* 0: none pending. 1: one is. -EFAULT, -EINVAL. */
static int poll_ports(struct domain *d, const struct sched_poll *poll)
{
	evtchn_port_t ports[POLL_CHUNK];
	int rc;

	for (u32 i = 0; i < poll->nr_ports; i += POLL_CHUNK) {
		u32 n = min((u32)POLL_CHUNK, poll->nr_ports - i);

		if (copy_from_guest_va(ports, (u64)(poll->ports.p + i), n * sizeof(ports[0])))
			return -EFAULT;
		for (u32 j = 0; j < n; j++) {
			rc = evtchn_port_poll(d, ports[j]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static long schedop_poll(void *arg)
{
	const struct sched_poll *poll = arg;
	struct vcpu *v = current;
	u32 wait_for = ~0U; /* several: any port that is raised wakes */
	int rc = 1;

	if (poll->nr_ports > POLL_MAX_PORTS)
		return -EINVAL;
	if (likely(poll->nr_ports == 1) &&
	    copy_from_guest_va(&wait_for, (u64)poll->ports.p, sizeof(wait_for)))
		return -EFAULT;
	if (v->timers->poll.queued)
		timer_stop(&v->timers->poll);
	/* Blocked and polling first, then look: an event raised from here on unblocks. */
	set_bit(VPF_BLOCKED, &v->pause_flags);
	evtchn_poll_set(v, wait_for);
	if (!events_waiting(v))
		rc = poll->nr_ports == 1 ? evtchn_port_poll(v->domain, wait_for)
					 : poll_ports(v->domain, poll);
	if (rc) {
		evtchn_poll_set(v, 0);
		clear_bit(VPF_BLOCKED, &v->pause_flags);
		return rc < 0 ? rc : 0;
	}
	if (poll->timeout)
		timer_set(&v->timers->poll, poll->timeout);
	raise_softirq(SOFTIRQ_SCHEDULE);
	return 0;
}

static long schedop_yield(void *arg)
{
	sched_yield(current);
	return 0;
}

static long schedop_block(void *arg)
{
	struct vcpu *v = current;

	WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 0);
	block(v);
	return 0;
}

static long schedop_shutdown(void *arg)
{
	const struct sched_shutdown *s = arg;

	domain_shutdown(current->domain, (u8)s->reason);
	return 0;
}

/* Records why, without shutting down: for a crash kernel that takes over first. The last one counts. */
static long schedop_shutdown_code(void *arg)
{
	const struct sched_shutdown *s = arg;
	struct domain *d = current->domain;

	spin_lock(&d->lock);
	if (!d->is_shutting_down)
		d->shutdown_code = (u8)s->reason;
	spin_unlock(&d->lock);
	return 0;
}

static long schedop_remote_shutdown(void *arg)
{
	const struct sched_remote_shutdown *s = arg;
	struct domain *d = domain_get_by_id(s->domain_id);
	long rc;

	if (!d)
		return -ESRCH;
	rc = hc_permit(HC_TARGET, d);
	if (!rc)
		domain_shutdown(d, (u8)s->reason);
	domain_put(d);
	return rc;
}

/* id 0 takes a free watchdog and returns its number; a number with timeout 0 gives it back. */
static long schedop_watchdog(void *arg)
{
	const struct sched_watchdog *w = arg;
	struct domain *d = current->domain;
	stime_t expires = now() + SECONDS(w->timeout);
	long rc = 0;
	u32 slot;

	if (w->id > ARRAY_SIZE(d->watchdog_inuse) || (!w->id && !w->timeout))
		return -EINVAL;
	spin_lock(&d->lock);
	if (!w->id) {
		for (slot = 0; slot < ARRAY_SIZE(d->watchdog_inuse) && d->watchdog_inuse[slot]; slot++)
			;
		rc = slot < ARRAY_SIZE(d->watchdog_inuse) ? (long)slot + 1 : -ENOSPC;
	} else {
		slot = w->id - 1;
		if (!d->watchdog_inuse[slot])
			rc = -EINVAL;
	}
	if (rc >= 0) {
		d->watchdog_inuse[slot] = w->timeout != 0;
		if (w->timeout)
			timer_set(&d->time->watchdog[slot], expires);
		else
			timer_stop(&d->time->watchdog[slot]);
	}
	spin_unlock(&d->lock);
	return rc;
}

static long schedop_pin_override(void *arg)
{
	const struct sched_pin_override *p = arg;

	return vcpu_pin_override(current, p->pcpu);
}

#define OP(family, nr, opname, type, d, p, r) \
	[nr] = {#family "_" #opname, sizeof(*_Generic((type *)0, void *: (char(*)[0])0, default: (type *)0)),       \
		HC_##d, HC_##p, sizeof(#r) == sizeof("RESTART"), schedop_##opname},
static const struct hc_row sched_rows[] = {
#include <def/sched.def>
};
#undef OP

long do_sched_op(u64 cmd, u64 arg, u64 a3, u64 a4, u64 a5)
{
	struct sched_poll poll;

	/* The ones that are called all the time. */
	switch (cmd) {
	case SCHEDOP_block:
		return schedop_block(NULL);
	case SCHEDOP_yield:
		return schedop_yield(NULL);
	case SCHEDOP_poll:
		if (copy_from_guest_va(&poll, arg, sizeof(poll)))
			return -EFAULT;
		return schedop_poll(&poll);
	default:
		return hypercall_family(sched_rows, ARRAY_SIZE(sched_rows), (unsigned int)cmd, arg);
	}
}
