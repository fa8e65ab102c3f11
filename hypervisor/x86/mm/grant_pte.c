/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table entries of grant mappings.
 *
 * The references the grant took for a host mapping belong to the entry while it is there: pv_grant_unmap() hands
 * them back to the caller, and an entry that goes in any other way drops them as every entry does.
 */
#include <grant.h>
#include <lib.h>
#include <x86/mm/hvmap.h>
#include <x86/mm/pvmmu.h>
#include <xen/grant_table.h>

static u64 grant_pte(mfn_t mfn, unsigned int flags, unsigned int cache_flags)
{
	u64 e = pte_make(mfn, PTE_P | PTE_A | PTE_D) | hv_nx();

	if (flags & GNTMAP_application_map)
		e |= PTE_US;
	if (!(flags & GNTMAP_readonly))
		e |= PTE_RW;
	e |= (u64)(flags >> _GNTMAP_guest_avail0) << 9 & PTE_AVAIL;
	if (cache_flags & GTF_PWT)
		e |= PTE_PWT;
	if (cache_flags & GTF_PCD)
		e |= PTE_PCD;
	if (cache_flags & GTF_PAT)
		e |= PTE_PAT;
	return l1e_adjust(e);
}

/* The L1 entry host_addr means; NULL and a GNTST_* in *err. Under the mm lock. */
static u64 *grant_entry(struct vcpu *v, u64 host_addr, unsigned int flags, int *err)
{
	struct frame *table;
	u64 m = host_addr >> PAGE_SHIFT, *l1e;

	*err = GNTST_general_error;
	if (!(flags & GNTMAP_contains_pte)) {
		if (!va_is_guest(host_addr))
			return NULL;
		l1e = pv_walk_l1e(v->guest_table, host_addr, &table);
		return l1e;
	}
	if ((host_addr & 7) || m >= max_mfn)
		return NULL;
	table = &frame_table[m];
	if (table->owner != v->domain->id ||
	    (table->type_word & (PGT_TYPE_MASK | PGT_VALID)) != (PGT_TYPE(FT_L1) | PGT_VALID))
		return NULL;
	return (u64 *)((u8 *)map_frame(MFN(m)) + (host_addr & (PAGE_SIZE - 1)));
}

int pv_grant_map(struct vcpu *v, u64 host_addr, mfn_t mfn, unsigned int flags, unsigned int cache_flags)
{
	struct domain *d = v->domain;
	u64 new = grant_pte(mfn, flags, cache_flags), *l1e;
	int err;

	mm_lock(d);
	l1e = grant_entry(v, host_addr, flags, &err);
	if (likely(l1e)) {
		if ((new &PTE_RW) && mfn_to_frame(mfn)->owner != d->id)
			__atomic_fetch_or(&mfn_to_frame(mfn)->type_word, PGT_FOREIGN, __ATOMIC_SEQ_CST);
		l1e_put(entry_exchange(d, l1e, new, 0));
		err = GNTST_okay;
	}
	mm_unlock(d);
	return err;
}

static int grant_replace(struct vcpu *v, u64 *l1e, u64 new_addr)
{
	struct domain *d = v->domain;
	struct frame *table;
	u64 *from;

	if (!new_addr) {
		entry_exchange(d, l1e, 0, 0);
		return GNTST_okay;
	}
	if (!va_is_guest(new_addr))
		return GNTST_general_error;
	from = pv_walk_l1e(v->guest_table, new_addr, &table);
	if (!from || from == l1e)
		return GNTST_general_error;
	/* The entry moves, with what it holds. */
	entry_exchange(d, l1e, entry_exchange(d, from, 0, 0), 0);
	return GNTST_okay;
}

int pv_grant_unmap(struct vcpu *v, u64 host_addr, u64 new_addr, mfn_t mfn, unsigned int flags)
{
	struct domain *d = v->domain;
	u64 *l1e, e;
	int err;

	if (new_addr && (flags & GNTMAP_contains_pte))
		return GNTST_general_error;
	mm_lock(d);
	l1e = grant_entry(v, host_addr, flags, &err);
	if (likely(l1e)) {
		e = READ_ONCE(*l1e);
		err = GNTST_general_error;
		/* What is there now must be this grant's mapping and hold exactly its references. */
		if ((e & PTE_P) && pte_mfn(e).n == mfn.n && !(e & PTE_RW) == !!(flags & GNTMAP_readonly))
			err = grant_replace(v, l1e, new_addr);
	}
	mm_unlock(d);
	return err;
}
