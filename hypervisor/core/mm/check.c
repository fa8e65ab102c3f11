/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The invariant checker: recomputes from the tables, lists and roots what every frame's counts have to be.
 *
 * It holds every domain's mm lock, so that no table changes; what comes and goes without that lock (a copy in
 * progress on another CPU, a grant mapping of a device only) can show as a count above the expected one and is
 * reported as "held elsewhere", which is an error only when it stays.
 */
#include <core/mm/table.h>
#include <event.h>
#include <irq.h>
#include <lib.h>

struct expect {
	u32 refs, types;
};
static struct expect *expect;
static unsigned int errors;
static bool quiet;

#define COMPLAIN_MAX 20
/*
 * The other CPUs go on meanwhile, and not all that holds a frame is under a lock: what one pass finds may have been
 * under way. A wrong count stays wrong.
 */
#define PASSES 3

#define complain(f, fmt, ...)                                                                                \
	do {                                                                                                 \
		if (errors++ < COMPLAIN_MAX && !quiet)                                                       \
			printk(XLOG_ERR "mm check: frame %#lx owner %#x type %016lx refs %016lx: " fmt "\n", \
			       frame_to_mfn(f).n, (f)->owner, (f)->type_word, (f)->refs, ##__VA_ARGS__);     \
	} while (0)

static void held(mfn_t m, bool typed)
{
	if (m.n && m.n < max_mfn) {
		expect[m.n].refs++;
		expect[m.n].types += typed;
	}
}

static void held_typed(mfn_t m)
{
	held(m, true);
}

static void count_table(const struct frame *f)
{
	enum frame_type t = pgt_type(f->type_word);
	u64 *p = map_frame(frame_to_mfn(f));

	for (unsigned int i = 0; i < f->nr_valid && i < PT_ENTRIES; i++) {
		if (!(p[i] & PTE_P) || (t == FT_L4 && l4_slot_is_hv(i)) || !mfn_valid(pte_mfn(p[i])))
			continue;
		held(pte_mfn(p[i]), t != FT_L1 || (p[i] & PTE_RW));
		if (t != FT_L1 &&
		    (!(frame_table[pte_mfn(p[i]).n].type_word & PGT_VALID) && i + 1 < f->nr_valid))
			complain(f, "entry %u leads to a table that is not valid", i);
	}
	unmap_frame(p);
}

static void count_frame(const struct frame *f)
{
	u64 w = f->type_word, refs = f->refs;
	mfn_t m = frame_to_mfn(f);

	if (refs & (FREF_FREE | FREF_SLAB))
		return;
	if (!pgt_word_ok(w) || (w & PGT_BUSY))
		complain(f, "impossible type word");
	if (refs & FREF_ALLOCATED)
		held(m, false);
	if ((refs & FREF_HV) && !(refs & FREF_RELEASED))
		held(m, f->owner != FRAME_NO_OWNER);
	if (w & (PGT_PINNED | PGT_SELF))
		held(m, true);
	if (pgt_is_table(pgt_type(w)) && pgt_count(w))
		count_table(f);
}

static void count_vcpu(const struct vcpu *v)
{
	held(v->guest_table, true);
	if (!mfn_eq(v->guest_table_user, INVALID_MFN))
		held(v->guest_table_user, true);
	if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
		held(v->vcpu_info_mfn, true);
	for (unsigned int i = 0; i < DIV_ROUND_UP(v->pv.gdt_ents, 512U); i++)
		held(MFN(v->pv.gdt_frames[i]), true);
}

static void compare_frame(const struct frame *f)
{
	const struct expect *e = &expect[frame_to_mfn(f).n];
	u64 refs = f->refs & FREF_COUNT_MASK;

	if (f->refs & (FREF_FREE | FREF_SLAB)) {
		if (e->refs || e->types)
			complain(f, "free, but held %u times", e->refs);
		return;
	}
	if (refs < e->refs || pgt_count(f->type_word) < e->types)
		complain(f, "%u references and %u uses found: the counts are too low", e->refs, e->types);
	else if (refs != e->refs || pgt_count(f->type_word) != e->types)
		complain(f, "%u references and %u uses found: held elsewhere", e->refs, e->types);
}

/* The list of d and its total agree, and every frame on it is d's. */
static void check_list(struct domain *d, u32 head, u32 *nr)
{
	u32 n = head;

	if (!head)
		return;
	do {
		struct frame *f = &frame_table[n];

		if (f->owner != d->id || frame_table[f->next].prev != n)
			complain(f, "on the list of domain %u", d->id);
		(*nr)++;
		n = f->next;
	} while (n != head && *nr <= d->mm->tot_pages + 1);
}

static void check_domain(struct domain *d)
{
	u32 nr = 0;

	spin_lock(&d->mm->frames_lock);
	check_list(d, d->mm->frame_list, &nr);
	check_list(d, d->mm->zombie_list, &nr);
	if (nr != d->mm->tot_pages && errors++ < COMPLAIN_MAX && !quiet)
		printk(XLOG_ERR "mm check: domain %u has %u frames on its lists, %u in its total\n", d->id,
		       nr, d->mm->tot_pages);
	spin_unlock(&d->mm->frames_lock);
}

static void check_locked(void)
{
	struct domain *d;
	struct vcpu *v;

	for (u64 n = 1; n < max_mfn; n++)
		if (mfn_valid(MFN(n)))
			count_frame(&frame_table[n]);
	mm_check_windows(held_typed);
	list_for_each(d, &domain_list, list) {
		if (!d->mm)
			continue;
		check_domain(d);
		evtchn_for_each_frame(d, held_typed);
		held_typed(irq_eoi_frame(d));
		for_each_vcpu(d, v)
			count_vcpu(v);
	}
	for (u64 n = 1; n < max_mfn; n++)
		if (mfn_valid(MFN(n)))
			compare_frame(&frame_table[n]);
}

static void check_pass(void)
{
	struct domain *d;

	memset(expect, 0, max_mfn * sizeof(*expect));
	errors = 0;
	spin_lock_nested(&domlist_lock);
	list_for_each(d, &domain_list, list)
		if (d->mm)
			spin_lock_nested(&d->mm->lock);
	check_locked();
	list_for_each(d, &domain_list, list)
		if (d->mm)
			spin_unlock_nested(&d->mm->lock);
	spin_unlock_nested(&domlist_lock);
}

unsigned int mm_check_all(void)
{
	expect = hv_new_array(struct expect, max_mfn);
	if (!expect) {
		printk(XLOG_ERR "mm check: no memory for the check\n");
		return 0;
	}
	for (unsigned int i = 1; i <= PASSES; i++) {
		quiet = i < PASSES;
		check_pass();
		if (!errors)
			break;
	}
	printk("mm check: %u contradictions in %lu frames\n", errors, max_mfn);
	hv_free(expect);
	return errors;
}
