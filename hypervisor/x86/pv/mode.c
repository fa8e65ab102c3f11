/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual kernel/user switch of the running vCPU: page-table root and GS base. */
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <sched.h>
#include <xpti.h>

static __cold void toggled_rest(struct vcpu *v, u64 cr3)
{
	if (xpti_active)
		xpti_toggled(cr3);
	/* The guest's registered areas can be reached through its kernel's tables only. */
	if (v->areas_pending && v->pv.kernel_mode)
		vcpu_update_areas(v);
}

void pv_toggle_mode(struct vcpu *v)
{
	u64 cr3;

	/* Each virtual mode has its own GS base; the other one waits in KERNEL_GS_BASE. */
	__asm__ volatile("swapgs" ::: "memory");
	v->pv.kernel_mode ^= 1;
	cr3 = v->pv.kernel_mode ? v->cr3_kernel : v->cr3_user;
	if (likely(cr3 && v->cr3_kernel != v->cr3_user))
		__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	if (unlikely(v->areas_pending | xpti_active))
		toggled_rest(v, cr3);
}
