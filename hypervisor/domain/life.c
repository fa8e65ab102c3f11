/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pausing, shutting down, resuming, crashing and killing domains. */
#include <cpu.h>
#include <event.h>
#include <grant.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <power.h>
#include <pv.h>
#include <sched.h>
#include <smp.h>
#include <time.h>
#include <xen/sched.h>
#include <xerrno.h>

static void vcpu_stop_sync(struct vcpu *v)
{
	if (v == current)
		sched_sleep(v);
	else
		sched_sleep_sync(v);
}

void vcpu_pause(struct vcpu *v)
{
	__atomic_fetch_add(&v->pause_count, 1, __ATOMIC_SEQ_CST);
	vcpu_stop_sync(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (!__atomic_sub_fetch(&v->pause_count, 1, __ATOMIC_SEQ_CST))
		sched_wake(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, v)
		vcpu_stop_sync(v);
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	if (__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST))
		return;
	for_each_vcpu(d, v)
		sched_wake(v);
}

/*
 * The domain stopped by itself (SCHEDOP_shutdown) or for good cause: its vCPUs stay paused with the
 * reason for the controller to see. For the hardware domain the machine follows.
 */
void domain_shutdown(struct domain *d, u32 reason)
{
	struct vcpu *v;

	spin_lock(&d->lock);
	if (d->is_shutting_down) {
		spin_unlock(&d->lock);
		return;
	}
	d->is_shutting_down = true;
	d->shutdown_code = reason;
	spin_unlock(&d->lock);

	if (d->is_hardware)
		hwdom_shutdown(reason);
	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(d, v)
		vcpu_stop_sync(v);
	d->is_shut_down = true;
	/* A saver that subscribed hears of it on its own port; everybody else by the VIRQ. */
	if (reason == SHUTDOWN_suspend && d->suspend_evtchn)
		(void)evtchn_send(d, d->suspend_evtchn);
	else
		evtchn_send_host_virq(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	bool was;

	spin_lock(&d->lock);
	was = d->is_shutting_down;
	d->is_shutting_down = d->is_shut_down = false;
	d->shutdown_code = ~0U;
	spin_unlock(&d->lock);
	if (was)
		domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	if (d->is_shutting_down)
		return;
	printk(XLOG_ERR "Domain %u crashed: ", d->id);
	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	printk("\n");
	if (current->domain == d) {
		printk("d%uv%u on CPU %u:\n", d->id, current->id, smp_processor_id());
		dump_regs(&current->regs);
	}
	domain_shutdown(d, SHUTDOWN_crash);
}

/* What a vCPU holds of its domain's memory. */
static void vcpu_relinquish(struct vcpu *v)
{
	vcpu_sync_state(v);
	v->runstate_guest = 0;
	v->time_area_guest = 0;
	pv_destroy_gdt(v);
	pv_set_ldt(v, 0, 0);
	pv_drop_guest_tables(v);
	vcpu_info_unmap(v);
	v->initialised = false;
}

int domain_kill(struct domain *d)
{
	struct vcpu *v;
	int rc;

	if (d == current->domain || d->is_system)
		return -EINVAL;
	if (d->dying == DOMDYING_dead)
		return 0;
	if (d->dying == DOMDYING_alive) {
		domain_pause(d);
		spin_lock(&d->lock);
		d->dying = DOMDYING_dying;
		spin_unlock(&d->lock);
	}
	rc = evtchn_domain_kill(d);
	if (rc)
		return rc;
	irq_domain_release(d);
	rc = grant_domain_release_mappings(d);
	if (rc)
		return rc;
	for_each_vcpu(d, v)
		vcpu_relinquish(v);
	rc = mm_domain_relinquish(d);
	if (rc)
		return rc;
	d->dying = DOMDYING_dead;
	domain_put(d);
	evtchn_send_host_virq(VIRQ_DOM_EXC);
	return 0;
}
