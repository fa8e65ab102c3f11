/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of the CPU: locks that nobody else holds, messages, preemption, clocks, a scheduler that never runs
 * anybody. */
#include "machine.h"
#include <apic.h>
#include <event.h>
#include <lib.h>
#include <options.h>
#include <power.h>
#include <sched.h>
#include <sched_policy.h>
#include <smp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uaccess.h>
#include <x86/mm/hvmap.h>

struct cpu_info fuzz_cpu;
unsigned int machine_preempt, locks_held;
u32 machine_dice;
u64 machine_now;

char boot_cmdline[1024] = "fuzz";
u32 cpu_apic_id[NR_CPUS], cpu_acpi_id[NR_CPUS];
cpumask_t cpu_online_map = {{3}};
struct cpu_time cpu_times[NR_CPUS];

/* ---- locks: ranks are checked, and waiting for one is a deadlock, because nobody else runs ---- */

static u16 ranks[16];

void lock_rank_acquire(spinlock_t *l)
{
	if (locks_held && ranks[locks_held - 1] >= l->rank) {
		fprintf(stderr, "lock of rank %u taken while one of rank %u is held\n", l->rank,
			ranks[locks_held - 1]);
		abort();
	}
	ranks[locks_held++] = l->rank;
}
void lock_rank_release(spinlock_t *l)
{
	unsigned int i = locks_held;

	while (i && ranks[i - 1] != l->rank)
		i--;
	if (!i)
		abort();
	for (locks_held--; i <= locks_held; i++)
		ranks[i - 1] = ranks[i];
}
void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	fprintf(stderr, "deadlock: rank %u, ticket %u\n", l->rank, ticket);
	abort();
}
void cpu_relax_poll(void)
{
}

/* ---- messages: only the frame checker's are worth reading ---- */

void vprintk(const char *fmt, va_list ap)
{
	(void)fmt, (void)ap;
}
void printk(const char *fmt, ...)
{
	va_list ap;

	if (*fmt != 1 || strncmp(fmt + 2, "mm check", 8))
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt + 2, ap);
	va_end(ap);
}
void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}
void bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s at %s:%d\n", what, file, line);
	abort();
}
void dump_regs(const struct regs *r)
{
	(void)r;
}

/* ---- preemption, softirqs ---- */

bool preempt_window(void)
{
	if (locks_held) {
		fprintf(stderr, "interrupts let in with a lock held\n");
		abort();
	}
	machine_dice = machine_dice * 1103515245 + 12345;
	return (machine_dice >> 16 & 0xff) < machine_preempt;
}

static void (*softirqs[NR_SOFTIRQS])(void);

void softirq_register(enum softirq nr, void (*fn)(void))
{
	softirqs[nr] = fn;
}
void cpu_raise_softirq(unsigned int cpu, enum softirq nr)
{
	(void)cpu;
	raise_softirq(nr);
}
void machine_softirqs(void)
{
	if (!softirqs[SOFTIRQ_TASKLET])
		gone_init();
	fuzz_cpu.softirq = 0;
	softirqs[SOFTIRQ_TASKLET]();
}
void smp_call(const cpumask_t *mask, void (*fn)(void *), void *arg)
{
	(void)mask, (void)fn, (void)arg;
}

/* ---- time ---- */

stime_t now(void)
{
	return machine_now;
}
void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .data = data, .cpu = cpu};
}
void timer_set(struct timer *t, stime_t expires)
{
	t->expires = expires;
	t->queued = true;
}
void timer_stop(struct timer *t)
{
	t->queued = false;
}
void timer_migrate(struct timer *t, unsigned int cpu)
{
	t->cpu = cpu;
}
void timer_kill(struct timer *t)
{
	t->queued = false;
	t->killed = true;
}
int time_domain_init(struct domain *d)
{
	d->time = hv_new(struct domain_time);
	return d->time ? 0 : -ENOMEM;
}
void time_domain_destroy(struct domain *d)
{
	hv_free(d->time);
}
void time_write_vcpu(struct vcpu *v)
{
	v->vcpu_info->time.system_time = machine_now;
}
void time_update_vcpu_area(struct vcpu *v)
{
	if (v->time_area_guest)
		(void)raw_copy_to_guest(v->time_area_guest, &v->vcpu_info->time,
					sizeof(struct vcpu_time_info));
}
void time_update_wallclock(struct domain *d)
{
	(void)d;
}

/* ---- the scheduler ---- */

int sched_domain_init(struct domain *d, u32 cpupool)
{
	(void)d, (void)cpupool;
	return 0;
}
void sched_domain_destroy(struct domain *d)
{
	(void)d;
}
int sched_vcpu_init(struct vcpu *v)
{
	v->sched = hv_new(struct sched_vcpu);
	if (!v->sched)
		return -ENOMEM;
	cpumask_set(v->id, &v->sched->hard);
	return 0;
}
void sched_vcpu_destroy(struct vcpu *v)
{
	hv_free(v->sched);
}
void sched_wake(struct vcpu *v)
{
	(void)v;
}
void sched_sleep(struct vcpu *v)
{
	(void)v;
}
void sched_sleep_sync(struct vcpu *v)
{
	(void)v;
}
void sched_yield(struct vcpu *v)
{
	(void)v;
}
void vcpu_sync_state(struct vcpu *v)
{
	(void)v;
}
int vcpu_pin_override(struct vcpu *v, int cpu)
{
	(void)v;
	return cpu < 2 ? 0 : -EINVAL;
}
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	*out = v->runstate;
}
void vcpu_runstate_update_guest(struct vcpu *v)
{
	if (v->runstate_guest)
		(void)raw_copy_to_guest(v->runstate_guest, &v->runstate, sizeof(v->runstate));
}
void smp_send_event_check(unsigned int cpu)
{
	(void)cpu;
}

void hwdom_shutdown(u32 reason)
{
	fprintf(stderr, "the machine is shut down: %u\n", reason);
	abort();
}
