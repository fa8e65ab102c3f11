/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scheduling: policy in core/sched behind sched_ops; mechanism in x86/sched and x86/pv/switch.c. */
#ifndef SERAI_SCHED_H
#define SERAI_SCHED_H

#include <domain.h>
#include <timer.h>
#include <types.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

int sched_init(void);                 /* after option parsing (sched=) */
int sched_cpu_init(unsigned int cpu); /* creates the idle vCPU's scheduling state too */
int sched_domain_init(struct domain *d, u32 cpupool);
void sched_domain_destroy(struct domain *d);
int sched_vcpu_init(struct vcpu *v); /* picks v->cpu */
void sched_vcpu_destroy(struct vcpu *v);

void sched_wake(struct vcpu *v);       /* v may have become runnable */
void sched_sleep(struct vcpu *v);      /* v stopped being runnable; its CPU is told to reschedule */
void sched_sleep_sync(struct vcpu *v); /* ... and has been descheduled on return */
void sched_yield(struct vcpu *v);

/* SOFTIRQ_SCHEDULE: accounts, picks, and calls context_switch() when the vCPU changes. */
void schedule(void);
/* x86: never returns. Leaves prev's state saved (or, into idle, loaded: v->loaded_on) and resumes
 * next. */
void context_switch(struct vcpu *prev, struct vcpu *next) __noreturn;
/* Called by context_switch() as soon as prev's registers are out of this CPU, or (into idle) may be
 * fetched from it by an IPI: clears prev->running, after which another CPU may run it. */
void sched_context_saved(struct vcpu *prev);
/* x86: called by a CPU for which idle was picked; the body of the idle vCPU. */
void idle_loop(void) __noreturn;

void vcpu_runstate_change(struct vcpu *v, int new_state, stime_t t);
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
/* Copies the runstate to the guest's registered area (on context switch in, when v is current). */
void vcpu_runstate_update_guest(struct vcpu *v);
u64 vcpu_cpu_time(struct vcpu *v);   /* ns run so far, for getdomaininfo/getvcpuinfo */
u64 cpu_idle_time(unsigned int cpu); /* ns */

/* Areas a guest registered by virtual address are written when its kernel's page tables are loaded.
 * v->areas_pending: an update is owed; whoever switches v to its virtual kernel mode calls this. */
void vcpu_update_areas(struct vcpu *v);

/* A vCPU's timers, hypercall/timer.c. */
struct vcpu_timers {
	struct timer singleshot, poll;
	stime_t period, next_tick; /* periodic tick: comes while it runs, never wakes it; 0 = none */
};

int vcpu_timers_init(struct vcpu *v);
void vcpu_timers_destroy(struct vcpu *v);
void vcpu_timers_migrate(struct vcpu *v);

/* control interface */
long sched_domctl(struct domain *d, struct xen_domctl_scheduler_op *op);
long sched_sysctl(struct xen_sysctl_scheduler_op *op);
u32 sched_id(void);
int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m);
int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m);
void vcpu_get_affinity(const struct vcpu *v, cpumask_t *hard, cpumask_t *soft);
/* Where v runs; when it does not, where it last did, or a CPU that a newer hard affinity allows it. */
unsigned int vcpu_home_cpu(const struct vcpu *v);
/* dom0_vcpus_pin, SCHEDOP_pin_override: cpu < 0 takes the override back. */
int vcpu_pin_override(struct vcpu *v, int cpu);
void sched_dump(void); /* 'r' debug key */
/* XEN_SYSCTL_cpu_hotplug. -EINVAL: no such CPU, or the boot CPU; -EEXIST, -ENOENT: as it is already;
 * -ERESTART: the caller has to leave that CPU first, and call again. */
int cpu_down(unsigned int cpu);
int cpu_up(unsigned int cpu);

#endif
