/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of some CPUs for scheduling policies: vCPUs that compute and sleep, a clock that jumps
 * from event to event. It does what x86/sched does around a policy, including the time during which
 * a descheduled vCPU's registers are still being saved, and measures what each vCPU got.
 */
#ifndef TESTS_SCHED_SIM_H
#define TESTS_SCHED_SIM_H

#include <sched_policy.h>

#define SIM_MAX_CPUS 16
#define SIM_MAX_VCPUS 256
#define SIM_SAVE_NS 1000 /* registers stay on the CPU this long after a switch */
#define MS 1000000ULL
#define SEC 1000000000ULL

struct vcpu { /* the policy never looks inside */
	struct sched_vcpu sv;
	bool on_cpu;
	stime_t saved_at; /* 0: not being saved */
	unsigned int saved_by;
	u64 burst, pause; /* runs so long, then sleeps so long; burst 0 = for ever. 0 pause: yields */
	u64 jitter;       /* per cent of random variation of both */
	u64 left;         /* of this burst */
	stime_t wake_at;  /* asleep until then; 0 = not asleep */
	bool runnable, removed;

	u64 got, wakes;
	stime_t since;              /* when it began to wait, while it waits */
	u64 worst_wait, worst_wake; /* ns from ready to running: any, after a wake-up */
	u64 total_wake;
	bool woken;
	u32 ran_on; /* CPUs, a bit each */
};

struct sim {
	struct sched s;
	struct sched_rq rq[SIM_MAX_CPUS];
	stime_t now;
	struct {
		stime_t until, ran_to;
		bool kicked;
	} cpu[SIM_MAX_CPUS];
	unsigned int nr_cpus, nr_vcpus;
	struct vcpu *v[SIM_MAX_VCPUS];
	u64 late; /* slice ends are noticed up to so many ns late */
	u64 seed, switches, picks, kicks;
};

struct sim *sim_new(const struct sched_ops *ops, unsigned int cpus, u64 seed);
void sim_free(struct sim *m);
struct vcpu *sim_hog(struct sim *m, struct sched_domain *d);
struct vcpu *sim_sleeper(struct sim *m, struct sched_domain *d, u64 burst, u64 pause, u64 jitter);
void sim_pin(struct sim *m, struct vcpu *v, u64 hard, u64 soft); /* while running, too */
void sim_stop(struct sim *m, struct vcpu *v);                    /* as if paused */
void sim_start(struct sim *m, struct vcpu *v);
void sim_run(struct sim *m, u64 ns);
void sim_clear(struct sim *m); /* forget what was measured so far */
u64 sim_random(struct sim *m, u64 below);
/* Every list sorted, every count right, every vCPU in exactly the place its state says. */
void sim_check(const struct sim *m);

#endif
