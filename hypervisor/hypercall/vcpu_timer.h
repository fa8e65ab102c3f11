/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's timers, for the hypercalls that set them. */
#ifndef SERAI_HYPERCALL_VCPU_TIMER_H
#define SERAI_HYPERCALL_VCPU_TIMER_H

#include <sched.h>

/* v is the running vCPU. In the past: the event is raised at once. */
void vcpu_singleshot_set(struct vcpu *v, stime_t expires);
void vcpu_singleshot_stop(struct vcpu *v);
int vcpu_periodic_set(struct vcpu *v, u64 period_ns); /* -EINVAL: under a millisecond, over a year */
void vcpu_periodic_stop(struct vcpu *v);

#endif
