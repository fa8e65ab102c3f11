/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Caps: a domain with cap C may use C percent of one CPU, over all its vCPUs together.
 *
 * Time is cut into periods of SCHED_CAP_PERIOD on the domain's own grid. Each period brings C percent of
 * its length as budget; what it overdraws is taken from the next. A vCPU that wants to run all the time but
 * could not (a long interruption, others' turn) keeps what it could not use for KEPT_PERIODS, so that in
 * the long run it gets its due; one that sleeps keeps no more than a period's worth, so that nobody saves up
 * for a burst. A vCPU takes a share of the budget before it runs and returns the rest (or the overrun, as a
 * negative amount) when it stops, so that several vCPUs on several CPUs cannot spend the same nanosecond
 * twice. Periods are caught up with when somebody asks: no timer belongs to a domain.
 *
 * The domain's lock is a leaf below the run queues' locks.
 */
#include <lib.h>
#include <sched_policy.h>

static s64 period_budget(const struct sched_domain *d)
{
	return (s64)(SCHED_CAP_PERIOD / 100 * d->cap);
}

#define KEPT_PERIODS 20

static void catch_up(struct sched_domain *d, stime_t now)
{
	u64 periods;

	if ((s64)(now - d->period_start) < (s64)SCHED_CAP_PERIOD)
		return;
	periods = (now - d->period_start) / SCHED_CAP_PERIOD;
	d->period_start += periods * SCHED_CAP_PERIOD;
	if (periods > 1000)
		periods = 1000; /* pays back any overrun */
	d->budget = min(d->budget + (s64)periods * period_budget(d), KEPT_PERIODS * period_budget(d));
}

void sched_set_cap(struct sched_domain *d, u32 cap, stime_t now)
{
	spin_lock_nested(&d->lock);
	d->cap = cap;
	d->period_start = now;
	d->budget = period_budget(d);
	spin_unlock_nested(&d->lock);
}

void sched_quota_wake(struct sched_domain *d, stime_t now)
{
	spin_lock_nested(&d->lock);
	catch_up(d, now);
	d->budget = min(d->budget, period_budget(d));
	spin_unlock_nested(&d->lock);
}

bool sched_quota_take(struct sched_vcpu *sv, stime_t now, stime_t *refill)
{
	struct sched_domain *d = sv->dom;
	bool ok;

	spin_lock_nested(&d->lock);
	catch_up(d, now);
	ok = d->budget > 0;
	if (ok) {
		s64 share = period_budget(d) / (s64)max(d->nr_vcpus, 1U);
		s64 take = min(d->budget, max(share, (s64)500000));

		d->budget -= take;
		sv->quota += take;
	}
	*refill = d->period_start + SCHED_CAP_PERIOD;
	spin_unlock_nested(&d->lock);
	return ok;
}

void sched_quota_return(struct sched_vcpu *sv, stime_t now)
{
	struct sched_domain *d = sv->dom;

	if (!sv->quota)
		return;
	spin_lock_nested(&d->lock);
	/* Old quota must not add to a new period's budget: return first, then start the period. */
	d->budget += sv->quota;
	catch_up(d, now);
	spin_unlock_nested(&d->lock);
	sv->quota = 0;
}
