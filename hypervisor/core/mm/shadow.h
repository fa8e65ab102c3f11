/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-dirty mode of a PV domain: the CPU walks shadows of the guest's page tables.
 *
 * Every write to a guest table goes through the hypervisor, and recomputes the shadow entry in the same
 * place; nothing is ever out of sync. Shadows are made when the CPU asks for them by faulting:
 *
 *   guest L4 --> guest L3 --> guest L2 --> guest L1     entries the guest wrote, validated
 *     |            |            |            |
 *   shadow L4 -> shadow L3 -> shadow L2 -> shadow L1    present where a fault found the guest's entry present
 *
 * A shadow L1 entry is present when the guest's is and has its accessed bit, and writable when the guest's
 * is, has its dirty bit, and the frame is in the log. So the first access and the first write fault, set the
 * guest's accessed and dirty bits and the log's, and no bit has to flow back later.
 *
 * Invariant: a shadow exists only for a validated table; it never maps what the guest's table does not. All of it
 * is protected by the domain's mm lock.
 */
#ifndef SERAI_CORE_MM_SHADOW_H
#define SERAI_CORE_MM_SHADOW_H

#include <core/mm/table.h>

struct log_dirty {
	u32 *shadow; /* by frame number of the guest's table: its shadow's frame, 0 = none */
	u64 *bitmap; /* by pfn */
	u64 nr_pfns;
	u32 head; /* all shadows, linked by their frames' next and prev */
	u32 nr_shadows;
	u32 faults, dirty; /* since the last clean */
};

int shadow_enable(struct domain *d); /* 0, -EBUSY, -ENOMEM; nobody of d runs */
void shadow_disable(struct domain *d);

/* The shadow of a validated root, made if need be; INVALID_MFN: no memory. */
mfn_t shadow_root(struct domain *d, mfn_t root);

/* A fault at va with the guest's tables at root. 1: resolved; 0: the guest's own fault; -ENOMEM. */
int shadow_fault(struct domain *d, mfn_t root, u64 va, bool write, bool fetch);

/* An entry of a guest table was written. ptr: the guest's entry, mapped. */
void shadow_entry_written(struct domain *d, u64 *ptr);
/* The table stops being one. */
void shadow_table_gone(struct domain *d, struct frame *f);

void shadow_mark_dirty(struct domain *d, mfn_t mfn);
void shadow_forget(struct domain *d); /* empties the log */
/* Every write faults again, to be logged: after bits were taken out of the log. */
void shadow_protect(struct domain *d);
/* Short of memory: all shadows but the roots go, and come back by faults. */
void shadow_drop(struct domain *d);

static inline struct log_dirty *log_dirty_of(const struct domain *d)
{
	return d->mm->log_dirty_state;
}

#endif
