/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as guests see it: vcpu_time_info, wall clock, TSC modes. Page: docs/abi/time.md.
 *
 * The version protocol: odd while the rest is being changed. vcpu_info is written only by the CPU v
 * runs on (or while v does not run); a reader is the vCPU itself or one of its siblings.
 */
#include "internal.h"
#include <lib.h>
#include <mm.h>
#include <sched.h>
#include <uaccess.h>
#include <xen/sched.h>
#include <xerrno.h>

/* Wall-clock time at system time 0. The lock also keeps two from writing one shared_info. */
static spinlock_t wall_lock = SPINLOCK_INIT(RANK_TIMER);
static u64 wall_sec;
static u32 wall_nsec;

/* Guests whose TSC frequency differs by less are left to run natively: clock discipline absorbs it,
 * two boots of one machine calibrate no better. */
#define TSC_TOLERANCE_PPM 100

static u64 guest_tsc_at(const struct domain_time *dt, stime_t t)
{
	return (u64)(((unsigned __int128)(t - dt->tsc_offset) * dt->ticks_per_ns) >> 32);
}

static void fill(const struct vcpu *v, struct vcpu_time_info *out)
{
	const struct cpu_time *t = &cpu_times[smp_processor_id()];
	const struct domain_time *dt = v->domain->time;
	struct tsc_scale scale = t->scale;

	out->tsc_timestamp = t->tsc;
	out->system_time = t->stime;
	if (unlikely(dt && dt->emulated)) {
		/* The guest's TSC began at tsc_offset; before that there is nothing to extrapolate
		 * from. */
		stime_t at = (s64)(t->stime - dt->tsc_offset) < 0 ? dt->tsc_offset : t->stime;

		scale = tsc_scale_of((u64)dt->khz * 1000);
		out->tsc_timestamp = guest_tsc_at(dt, at);
		out->system_time = at;
	}
	out->tsc_to_system_mul = scale.mul;
	out->tsc_shift = scale.shift;
	out->flags = tsc_synchronised ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
}

void time_write_vcpu(struct vcpu *v)
{
	volatile struct vcpu_time_info *p;
	struct vcpu_time_info u = {0};
	u32 version;

	if (!v->vcpu_info)
		return;
	fill(v, &u);
	p = &v->vcpu_info->time;
	version = (p->version + 1) | 1;
	p->version = version;
	barrier();
	p->tsc_timestamp = u.tsc_timestamp;
	p->system_time = u.system_time;
	p->tsc_to_system_mul = u.tsc_to_system_mul;
	p->tsc_shift = u.tsc_shift;
	p->flags = u.flags;
	barrier();
	p->version = version + 1;
	v->time_generation = cpu_times[smp_processor_id()].generation;

	if (v->time_area_guest) {
		if (v->pv.kernel_mode && v == current)
			time_update_vcpu_area(v);
		else
			v->areas_pending = true;
	}
}

void time_update_vcpu_area(struct vcpu *v)
{
	const size_t ver = offsetof(struct vcpu_time_info, version);
	struct vcpu_time_info u = {0};
	u64 at = v->time_area_guest;
	u32 version;

	if (!at)
		return;
	fill(v, &u);
	if (raw_copy_from_guest(&version, at + ver, sizeof(version)))
		return;
	u.version = (version + 1) | 1;
	if (raw_copy_to_guest(at + ver, &u.version, sizeof(version)))
		return;
	barrier();
	if (raw_copy_to_guest(at, &u, sizeof(u)))
		return;
	barrier();
	u.version++;
	if (raw_copy_to_guest(at + ver, &u.version, sizeof(version)))
		return;
}

/* ---- wall clock ---- */

static void write_wallclock(struct domain *d)
{
	volatile struct shared_info *s = d->shared_info;
	u64 sec;
	u32 version;

	if (!s)
		return;
	sec = wall_sec + (u64)(d->time ? d->time->wallclock_offset : 0);
	version = (s->wc_version + 1) | 1;
	s->wc_version = version;
	barrier();
	s->wc_sec = (u32)sec;
	s->wc_nsec = wall_nsec;
	s->wc_sec_hi = (u32)(sec >> 32);
	barrier();
	s->wc_version = version + 1;
}

void time_update_wallclock(struct domain *d)
{
	spin_lock(&wall_lock);
	write_wallclock(d);
	spin_unlock(&wall_lock);
}

void time_set_wallclock(u64 secs, u32 nsecs, stime_t system_time)
{
	unsigned __int128 ns = (unsigned __int128)secs * 1000000000 + nsecs;
	struct domain *d;

	ns = ns > system_time ? ns - system_time : 0;
	spin_lock(&domlist_lock);
	spin_lock(&wall_lock);
	wall_sec = (u64)(ns / 1000000000);
	wall_nsec = (u32)(ns % 1000000000);
	list_for_each(d, &domain_list, list)
		write_wallclock(d);
	spin_unlock(&wall_lock);
	spin_unlock(&domlist_lock);
}

void time_set_domain_offset(struct domain *d, s64 seconds)
{
	d->time->wallclock_offset = seconds;
	time_update_wallclock(d);
}

/* ---- TSC modes ---- */

enum { TSC_DEFAULT, TSC_EMULATE, TSC_NATIVE };

static bool differs(u64 a, u64 b)
{
	u64 diff = a > b ? a - b : b - a;

	return diff * 1000000 > b * TSC_TOLERANCE_PPM;
}

int tsc_set_info(struct domain *d, u32 mode, u64 elapsed_nsec, u32 gtsc_khz, u32 incarnation)
{
	struct domain_time *dt = d->time;
	struct vcpu *v;

	if (mode > TSC_NATIVE || (gtsc_khz && gtsc_khz < 1000))
		return -EINVAL;
	dt->tsc_mode = mode;
	dt->khz = gtsc_khz && mode != TSC_NATIVE ? gtsc_khz : (u32)cpu_khz;
	dt->emulated = !d->is_hardware &&
		       (mode == TSC_EMULATE || (mode == TSC_DEFAULT && differs(dt->khz, cpu_khz)));
	if (!dt->emulated)
		dt->khz = (u32)cpu_khz;
	dt->ticks_per_ns = (u64)(((unsigned __int128)dt->khz << 32) / 1000000);
	dt->tsc_offset = now() - elapsed_nsec;
	dt->incarnation = incarnation;
	for_each_vcpu(d, v)
		v->time_generation = 0;
	return 0;
}

void tsc_get_info(struct domain *d, u32 *mode, u64 *elapsed_nsec, u32 *gtsc_khz, u32 *incarnation)
{
	const struct domain_time *dt = d->time;

	*mode = dt->tsc_mode;
	*incarnation = dt->incarnation;
	*gtsc_khz = dt->tsc_mode == TSC_NATIVE ? 0 : dt->khz;
	*elapsed_nsec = 0;
	if (dt->emulated)
		*elapsed_nsec = now() - dt->tsc_offset;
	else if (dt->tsc_mode == TSC_DEFAULT)
		*elapsed_nsec = tsc_scale_ns(rdtsc(), cpu_times[0].scale);
}

u64 tsc_guest_read(struct vcpu *v)
{
	const struct domain_time *dt = v->domain->time;

	return dt->emulated ? guest_tsc_at(dt, now()) : rdtsc();
}

static void watchdog_expired(void *data)
{
	struct domain *d = data;

	printk(XLOG_WARNING "d%u: watchdog expired\n", d->id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

int time_domain_init(struct domain *d)
{
	d->time = hv_new(struct domain_time);
	if (!d->time)
		return -ENOMEM;
	d->time->khz = (u32)cpu_khz;
	for (unsigned int i = 0; i < ARRAY_SIZE(d->time->watchdog); i++)
		timer_init(&d->time->watchdog[i], watchdog_expired, d, 0);
	return 0;
}

void time_domain_destroy(struct domain *d)
{
	if (!d->time)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(d->time->watchdog); i++)
		timer_kill(&d->time->watchdog[i]);
	hv_free(d->time);
	d->time = NULL;
}
