/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots of guest page tables, and the loop around operations that take long: each stretch runs under the mm
 * lock with a budget, and between two stretches interrupts get their chance.
 *
 * A vCPU holds a type reference and a general one to guest_table and guest_table_user.
 */
#include <hypercall.h>
#include <lib.h>
#include <smp.h>
#include <x86/mm/hvmap.h>
#include <core/mm/shadow.h>
#include <x86/mm/pvmmu.h>

int mm_finish_pending(struct domain *d)
{
	while (unlikely(READ_ONCE(d->mm->nr_pending))) {
		int rc;

		mm_lock(d);
		rc = mm_pending_work(d);
		mm_unlock(d);
		if (rc && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

/* After a refused table: what had been checked before the bad entry is dropped here and now, so that the frames are
 * what they were when the guest learns of it. */
void mm_drop_refused(struct domain *d)
{
	while (READ_ONCE(d->mm->nr_pending)) {
		mm_lock(d);
		(void)mm_pending_work(d);
		mm_unlock(d);
		(void)hypercall_preempt_check();
	}
}

int pv_table_get(struct domain *d, mfn_t m, enum frame_type t)
{
	struct frame *f = frame_get_from_mfn(m, d);
	int rc;

	if (!f)
		return -EINVAL;
	for (;;) {
		mm_lock(d);
		rc = mm_pending_work(d);
		if (!rc)
			rc = frame_get_table(d, f, t);
		mm_unlock(d);
		if (rc != -ERESTART || hypercall_preempt_check())
			break;
	}
	if (rc && rc != -ERESTART)
		mm_drop_refused(d);
	if (rc)
		frame_put(f);
	return rc;
}

void pv_table_put(struct domain *d, mfn_t m)
{
	/* What an earlier call left must go first: there is room for one chain of tables. */
	for (;;) {
		mm_drop_refused(d);
		mm_lock(d);
		if (!d->mm->nr_pending)
			break;
		mm_unlock(d); /* another vCPU left something in between */
	}
	(void)frame_put_table_and_ref(d, mfn_to_frame(m));
	mm_unlock(d);
}

/* Log-dirty mode: the CPU walks the shadows. */
static __cold u64 shadow_cr3(struct vcpu *v, mfn_t root)
{
	struct domain *d = v->domain;
	mfn_t s;

	mm_lock(d);
	s = d->mm->log_dirty ? shadow_root(d, root) : root;
	if (mfn_eq(s, INVALID_MFN)) {
		shadow_drop(d);
		s = shadow_root(d, root);
	}
	mm_unlock(d);
	if (!mfn_eq(s, INVALID_MFN))
		return mfn_to_paddr(s);
	domain_crash(d, "no memory for a shadow page table");
	return idle_cr3;
}

void pv_update_cr3(struct vcpu *v)
{
	if (unlikely(v->domain->mm->log_dirty)) {
		v->cr3_kernel = shadow_cr3(v, v->guest_table);
		v->cr3_user =
			mfn_eq(v->guest_table_user, INVALID_MFN) ? 0 : shadow_cr3(v, v->guest_table_user);
		return;
	}
	v->cr3_kernel = mfn_to_paddr(v->guest_table);
	v->cr3_user = mfn_eq(v->guest_table_user, INVALID_MFN) ? 0 : mfn_to_paddr(v->guest_table_user);
}

int pv_set_guest_tables(struct vcpu *v, mfn_t kernel, mfn_t user)
{
	bool has_user = !mfn_eq(user, INVALID_MFN);
	int rc = pv_table_get(v->domain, kernel, FT_L4);

	if (rc)
		return rc;
	if (has_user) {
		rc = pv_table_get(v->domain, user, FT_L4);
		if (rc) {
			/* Complete so far; a restart finds it complete again. */
			pv_table_put(v->domain, kernel);
			return rc;
		}
	}
	pv_drop_guest_tables(v);
	v->guest_table = kernel;
	v->guest_table_user = user;
	pv_update_cr3(v);
	return 0;
}

void pv_drop_guest_tables(struct vcpu *v)
{
	mfn_t kernel = v->guest_table, user = v->guest_table_user;

	v->guest_table = v->guest_table_user = INVALID_MFN;
	v->cr3_kernel = v->cr3_user = 0;
	/* Frame 0 is nobody's table: a vCPU that never had any. */
	if (kernel.n && !mfn_eq(kernel, INVALID_MFN))
		pv_table_put(v->domain, kernel);
	if (user.n && !mfn_eq(user, INVALID_MFN))
		pv_table_put(v->domain, user);
}

static void leave_dead_tables(void *arg)
{
	(void)arg;
	if (!current->is_idle)
		return;
	desc_window_clear();
	write_cr3(idle_cr3);
}

enum relinquish_steps { RELINQUISH_VCPUS, RELINQUISH_FRAMES, RELINQUISH_DONE };

int mm_domain_relinquish(struct domain *d)
{
	struct vcpu *v;
	int rc;

	switch (d->mm->relinquish_step) {
	case RELINQUISH_VCPUS:
		/* No vCPU runs any more, but an idle CPU may still have the tables loaded. */
		for_each_vcpu(d, v)
			vcpu_sync_state(v);
		smp_call(&d->dirty_cpus, leave_dead_tables, NULL);
		for_each_vcpu(d, v) {
			pv_drop_guest_tables(v);
			pv_destroy_gdt(v);
			pv_set_ldt(v, 0, 0);
		}
		d->mm->relinquish_step = RELINQUISH_FRAMES;
		/* fall through */
	case RELINQUISH_FRAMES:
		while ((rc = mm_domain_relinquish_frames(d)) == -ERESTART)
			if (hypercall_preempt_check())
				return -ERESTART;
		if (rc)
			return rc;
		if (d->mm->outstanding_pages)
			mm_claim(d, 0);
		d->mm->relinquish_step = RELINQUISH_DONE;
	}
	return 0;
}
