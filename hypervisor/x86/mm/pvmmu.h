/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the page-table hypercalls, the fault handler and grant mappings share. */
#ifndef SERAI_X86_MM_PVMMU_H
#define SERAI_X86_MM_PVMMU_H

#include <core/mm/table.h>
#include <uaccess.h>

/* The domain a page-table call names, referenced unless it is the caller's own. NULL: *err says why. */
struct domain *mmu_domain_get(domid_t id, int *err);
static inline void mmu_domain_put(struct domain *d, const struct domain *self)
{
	if (unlikely(d != self) && !d->is_system)
		domain_put(d);
}

/* A type reference (and a general one) to a table, built step by step: 0, -EINVAL..., -ERESTART. */
int pv_table_get(struct domain *d, mfn_t m, enum frame_type t);
/* Drops both; what cannot be done at once is left to mm_finish_pending(). */
void pv_table_put(struct domain *d, mfn_t m);
/* Completes what was left, letting others in between: 0 or -ERESTART. */
int mm_finish_pending(struct domain *d);
void mm_drop_refused(struct domain *d);

/* Where the guest's L1 entry for va is, in the tables with this root; NULL: none. Under the mm lock. */
static inline u64 *pv_walk_l1e(mfn_t root, u64 va, struct frame **table)
{
	u64 e = ((u64 *)map_frame(root))[va >> 39 & 511];

	/* Tables of a guest hold no large pages and nothing that is not validated. */
	if (unlikely(!(e & PTE_P)))
		return NULL;
	e = ((u64 *)map_frame(pte_mfn(e)))[va >> 30 & 511];
	if (unlikely(!(e & PTE_P)))
		return NULL;
	e = ((u64 *)map_frame(pte_mfn(e)))[va >> 21 & 511];
	if (unlikely(!(e & PTE_P)))
		return NULL;
	*table = mfn_to_frame(pte_mfn(e));
	return &((u64 *)map_frame(pte_mfn(e)))[va >> 12 & 511];
}
/* An address whose translation is the guest's business. */
static inline bool va_is_guest(u64 va)
{
	return (va < (1UL << 47)) || va >= HV_VIRT_END;
}

/* CPUs that a guest's vCPU bitmap at uptr means. 0 or -EFAULT. */
int mmu_vcpumask(struct domain *d, u64 uptr, cpumask_t *mask);

/* MMUEXT_NEW_BASEPTR, and MOV to CR3 of the running vCPU: 0, -EINVAL..., -ERESTART. */
int pv_new_baseptr(struct vcpu *v, u64 mfn);

bool desc_window_fault(struct vcpu *v, const struct regs *regs, u64 addr, u32 error_code);
void desc_ldt_unmap(struct vcpu *v);

#endif
