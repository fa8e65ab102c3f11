/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between scheduling mechanism and scheduling policy. A policy is pure: it is told what happened
 * and what time it is, and answers what should happen; it never reads a clock, sends an interrupt
 * or touches a vCPU.
 *
 * Every function but place() is called with the lock of the run queue sv->cpu (or cpu) held; a
 * policy takes other queues' locks by trylock only, so that there is no order among them to keep.
 *
 * A vCPU's scheduling state:
 *
 *             wake                    pick
 *     OFF ----------> READY <--------------------> RUNNING
 *      ^                |  ^ ---- budget refilled --- |
 *      |     sleep      v                             v
 *      +------------- PARKED <---- budget spent ------+
 */
#ifndef SERAI_SCHED_POLICY_H
#define SERAI_SCHED_POLICY_H

#include <cpumask.h>
#include <list.h>
#include <spinlock.h>
#include <types.h>

struct vcpu;

#define SCHED_DEFAULT_WEIGHT 256U
#define SCHED_DEFAULT_RATELIMIT \
	1000000ULL                   /* ns a vCPU may run before a waking one displaces it \
					    */
#define SCHED_CAP_PERIOD 10000000ULL /* ns over which a cap holds */

/* What the vCPUs of a domain share. */
struct sched_domain {
	u32 weight;
	u32 cap;         /* percent of one CPU, 0 = none */
	u64 inv_weight;  /* virtual time per real time, 24 fraction bits; 1.0 at the default weight
			  */
	spinlock_t lock; /* a leaf: protects what follows */
	s64 budget;      /* ns left to hand out in this period; negative = overrun to be paid back */
	stime_t period_start;
	u32 nr_vcpus;
};

enum sched_state { SV_OFF, SV_READY, SV_PARKED, SV_RUNNING };

struct sched_vcpu {
	struct list link; /* in its queue's ready (by deadline) or parked (by refill time) list */
	u64 vruntime;     /* weighted time received, in the frame of its queue */
	u64 deadline;     /* virtual time by which the current request should have been served */
	s64 request;      /* ns of the current request not yet served */
	struct sched_domain *dom;
	struct vcpu *vcpu;
	const bool *on_cpu; /* its registers are still being saved somewhere: do not run elsewhere */
	u32 cpu;            /* whose queue it belongs to */
	u8 state;
	bool yielded;       /* let somebody else go first, once */
	bool push;          /* should leave this CPU as soon as its registers are saved */
	bool has_soft;      /* the soft affinity is narrower than the hard one */
	stime_t charged_to; /* time received is accounted up to here */
	stime_t picked_at;
	stime_t park_until;
	s64 quota; /* ns of the domain's budget in hand; only with a cap */
	u64 migrations, waits;
	cpumask_t hard, soft;
	bool pinned; /* by SCHEDOP_pin_override */
	cpumask_t hard_saved;
};

struct __aligned(64) sched_rq
{
	spinlock_t lock; /* RANK_SCHED: everything here, and every sched_vcpu whose cpu this is */
	struct list ready, parked;
	struct sched_vcpu *curr; /* NULL: idle */
	u64 vtime;               /* this queue's virtual clock */
	u64 offset;              /* vtime + offset compares with other queues' (the global frame) */
	u64 head_deadline;       /* first ready one's, global frame; peeked at by thieves without the lock
			    */
	u32 nr_ready;
	u32 next_victim;
	u32 kick;                    /* left by pick(): another CPU that should schedule too; NR_CPUS: none */
	bool online, started;        /* takes part; ever has */
	bool retry;                  /* balancing met a vCPU that was still being saved: look again soon */
	bool slice_armed;            /* the CPU will come back to pick() by itself */
	struct sched_vcpu *assigned; /* null scheduler */
};

struct sched {
	const struct sched_ops *ops;
	struct sched_rq *rq; /* indexed by CPU */
	unsigned int nr_cpus;
	cpumask_t online, idle; /* idle: a waking vCPU is welcome there; set and cleared by pick() */
	u64 vmax;               /* the furthest queue clock seen, global frame */
	u64 ratelimit;          /* ns */
	u64 nr_steals, nr_wakes, nr_picks;
};

struct sched_decision {
	struct sched_vcpu *next; /* NULL: idle */
	stime_t until;           /* come back at this time; 0 = only when told */
};

struct sched_ops {
	const char *name;
	u32 id; /* XEN_SCHEDULER_* */
	/* Which queue sv should wait in. Reads other queues without their locks: a hint. */
	unsigned int (*place)(struct sched *s, const struct sched_vcpu *sv);
	/* sv (OFF) wants to run on sv->cpu. When that CPU should schedule: now or earlier, later, or 0
	 * for not on this account. */
	stime_t (*wake)(struct sched *s, struct sched_vcpu *sv, stime_t now);
	/* sv (READY or PARKED) no longer wants to run, or leaves this queue. */
	void (*sleep)(struct sched *s, struct sched_vcpu *sv);
	/* Who runs on cpu from now on. stay: the one running so far still wants to. */
	struct sched_decision (*pick)(struct sched *s, unsigned int cpu, stime_t now, bool stay);
	/* A vCPU comes into being (OFF) or goes (OFF). Returned by remove: a CPU that should
	 * schedule, or NR_CPUS. */
	void (*add)(struct sched *s, struct sched_vcpu *sv);
	unsigned int (*remove)(struct sched *s, struct sched_vcpu *sv);
};

extern const struct sched_ops sched_fair, sched_null;

void sched_state_init(struct sched *s, const struct sched_ops *ops, struct sched_rq *rq,
		      unsigned int nr_cpus);
void sched_state_cpu_online(struct sched *s, unsigned int cpu);
void sched_state_cpu_offline(struct sched *s, unsigned int cpu);
void sched_domain_state_init(struct sched_domain *d);
void sched_vcpu_state_init(struct sched_vcpu *sv, struct sched_domain *d, unsigned int cpu,
			   const bool *on_cpu);
void sched_set_weight(struct sched_domain *d, u32 weight);
void sched_set_cap(struct sched_domain *d, u32 cap, stime_t now);
void sched_set_affinity(struct sched_vcpu *sv, const cpumask_t *hard, const cpumask_t *soft);
/* CPUs sv may use now: its hard affinity, or every CPU when none of that is online. */
void sched_allowed_cpus(const struct sched *s, const struct sched_vcpu *sv, cpumask_t *out);

/* Caps (core/sched/cap.c). Take a share of the domain's budget into sv->quota; false: none left,
 * and *refill says when there will be. Give back what is left (or owe what was overdrawn). */
bool sched_quota_take(struct sched_vcpu *sv, stime_t now, stime_t *refill);
void sched_quota_wake(struct sched_domain *d, stime_t now); /* one of d's vCPUs has slept */
void sched_quota_return(struct sched_vcpu *sv, stime_t now);

/* Carries sv (OFF, or just taken out of its queue) over to another queue; the old one's lock is
 * held. */
void sched_move(struct sched *s, struct sched_vcpu *sv, unsigned int cpu);

static inline u64 sched_weighted(const struct sched_domain *d, u64 ns)
{
	return (u64)(((unsigned __int128)ns * d->inv_weight) >> 24);
}

#endif
