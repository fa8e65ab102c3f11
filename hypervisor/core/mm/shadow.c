/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Write-through shadows for log-dirty mode; see shadow.h. Lock: the domain's mm lock. */
#include <core/mm/shadow.h>
#include <lib.h>
#include <xen/xen.h>

static u64 *table_at(mfn_t m)
{
	return map_frame(m);
}

/* A shadow page says in its frame what it shadows: type_word = guest table and level. */
static void shadow_free(struct domain *d, u32 guest)
{
	struct log_dirty *l = log_dirty_of(d);
	u32 n = l->shadow[guest];
	struct frame *f = &frame_table[n];

	if (!n)
		return;
	l->shadow[guest] = 0;
	l->nr_shadows--;
	if (f->prev)
		frame_table[f->prev].next = f->next;
	else
		l->head = f->next;
	if (f->next)
		frame_table[f->next].prev = f->prev;
	f->type_word = 0;
	f->refs &= ~FREF_SLAB;
	f->tlb_stamp = mm_tlb_clock(); /* CPUs may have cached pointers to it */
	hv_free_pages(map_frame(MFN(n)), 0);
}

/* The shadow of a table, empty when it is new. INVALID_MFN: no memory. */
static mfn_t shadow_get(struct domain *d, mfn_t table, unsigned int level)
{
	struct log_dirty *l = log_dirty_of(d);
	struct frame *f;
	u64 *p;

	if (l->shadow[table.n])
		return MFN(l->shadow[table.n]);
	p = hv_alloc_pages(0);
	if (!p)
		return INVALID_MFN;
	f = mfn_to_frame(virt_to_mfn(p));
	f->refs |= FREF_SLAB;
	f->type_word = table.n | (u64)level << 32;
	f->prev = 0;
	f->next = l->head;
	if (f->next)
		frame_table[f->next].prev = (u32)frame_to_mfn(f).n;
	l->head = (u32)frame_to_mfn(f).n;
	l->nr_shadows++;
	if (level == 4)
		pv_init_guest_l4_slots(p);
	l->shadow[table.n] = (u32)frame_to_mfn(f).n;
	return frame_to_mfn(f);
}

mfn_t shadow_root(struct domain *d, mfn_t root)
{
	return shadow_get(d, root, 4);
}

/* Is this frame's content part of d's log? Its number in it. */
static bool logged_frame(const struct domain *d, mfn_t m, u64 *pfn)
{
	if (!mfn_valid(m) || mfn_to_frame(m)->owner != d->id)
		return false;
	*pfn = m2p_table[m.n];
	return *pfn < log_dirty_of(d)->nr_pfns;
}

static bool is_logged(const struct domain *d, mfn_t m)
{
	const u64 *bits = log_dirty_of(d)->bitmap;
	u64 pfn;

	/* What the log does not cover need not fault. */
	return !logged_frame(d, m, &pfn) || (bits[pfn / 64] >> (pfn % 64) & 1);
}

void shadow_mark_dirty(struct domain *d, mfn_t m)
{
	struct log_dirty *l = log_dirty_of(d);
	u64 pfn;

	if (!logged_frame(d, m, &pfn) || (l->bitmap[pfn / 64] >> (pfn % 64) & 1))
		return;
	l->bitmap[pfn / 64] |= 1UL << (pfn % 64);
	l->dirty++;
}

static u64 shadow_l1e(const struct domain *d, u64 e)
{
	if ((e & (PTE_P | PTE_A)) != (PTE_P | PTE_A))
		return 0;
	if ((e & PTE_RW) && !((e & PTE_D) && is_logged(d, pte_mfn(e))))
		e &= ~PTE_RW;
	return e;
}

static u64 shadow_upper(const struct domain *d, u64 e)
{
	u32 child = e & PTE_P ? log_dirty_of(d)->shadow[pte_mfn(e).n] : 0;

	return child ? (e & ~PTE_ADDR_MASK) | PTE_A | (u64)child << PAGE_SHIFT : 0;
}

void shadow_entry_written(struct domain *d, u64 *ptr)
{
	mfn_t table = virt_to_mfn(ptr);
	struct log_dirty *l = log_dirty_of(d);
	unsigned int i = (unsigned int)((u64)ptr & (PAGE_SIZE - 1)) / sizeof(u64);
	unsigned int level;
	u32 n;

	shadow_mark_dirty(d, table);
	n = l->shadow[table.n];
	if (!n)
		return;
	level = (unsigned int)(frame_table[n].type_word >> 32);
	WRITE_ONCE(table_at(MFN(n))[i], level == 1 ? shadow_l1e(d, *ptr) : shadow_upper(d, *ptr));
}

void shadow_table_gone(struct domain *d, struct frame *f)
{
	shadow_free(d, (u32)frame_to_mfn(f).n);
}

/* Does the guest's entry allow the access? */
static bool allows(u64 e, bool write, bool fetch)
{
	return (e & PTE_P) && (!write || (e & PTE_RW)) && !(fetch && (e & PTE_NX & ~pte_reserved));
}

/* Sets bits in a guest's own entry, which is then the hypervisor's writing. */
static u64 guest_entry_mark(struct domain *d, u64 *e, u64 bits)
{
	if ((*e & bits) != bits) {
		WRITE_ONCE(*e, *e | bits);
		shadow_mark_dirty(d, virt_to_mfn(e));
	}
	return *e;
}

int shadow_fault(struct domain *d, mfn_t root, u64 va, bool write, bool fetch)
{
	u64 *entry[5], *spt;
	mfn_t table = root, shadow;

	for (unsigned int level = 4; level; level--) {
		entry[level] = &table_at(table)[va >> (PAGE_SHIFT + 9 * (level - 1)) & 511];
		if (!allows(*entry[level], write, fetch))
			return 0;
		table = pte_mfn(*entry[level]);
	}
	log_dirty_of(d)->faults++;
	guest_entry_mark(d, entry[1], write ? PTE_A | PTE_D : PTE_A);
	if (write)
		shadow_mark_dirty(d, pte_mfn(*entry[1]));
	shadow = shadow_get(d, root, 4);
	for (unsigned int level = 4; level > 1; level--) {
		mfn_t child;

		if (mfn_eq(shadow, INVALID_MFN))
			return -ENOMEM;
		guest_entry_mark(d, entry[level], PTE_A);
		child = shadow_get(d, pte_mfn(*entry[level]), level - 1);
		if (mfn_eq(child, INVALID_MFN))
			return -ENOMEM;
		spt = &table_at(shadow)[va >> (PAGE_SHIFT + 9 * (level - 1)) & 511];
		WRITE_ONCE(*spt, shadow_upper(d, *entry[level]));
		shadow = child;
	}
	spt = &table_at(shadow)[va >> PAGE_SHIFT & 511];
	WRITE_ONCE(*spt, shadow_l1e(d, *entry[1]));
	return 1;
}

void shadow_protect(struct domain *d)
{
	struct log_dirty *l = log_dirty_of(d);

	for (u32 n = l->head; n; n = frame_table[n].next) {
		u64 *p = table_at(MFN(n));

		if (frame_table[n].type_word >> 32 != 1)
			continue;
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			if (p[i] & PTE_RW)
				WRITE_ONCE(p[i], p[i] & ~PTE_RW);
	}
	l->faults = l->dirty = 0;
}

void shadow_forget(struct domain *d)
{
	struct log_dirty *l = log_dirty_of(d);

	memset(l->bitmap, 0, l->nr_pfns / 8);
}

static void root_empty(u64 *p)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (!l4_slot_is_hv(i))
			WRITE_ONCE(p[i], 0);
}

void shadow_drop(struct domain *d)
{
	u32 next;

	for (u32 n = log_dirty_of(d)->head; n; n = next) {
		next = frame_table[n].next;
		if (frame_table[n].type_word >> 32 == 4)
			root_empty(table_at(MFN(n)));
		else
			shadow_free(d, (u32)frame_table[n].type_word);
	}
}

void mm_mark_dirty_slow(struct domain *d, mfn_t mfn)
{
	mm_lock(d);
	if (d->mm->log_dirty)
		shadow_mark_dirty(d, mfn);
	mm_unlock(d);
}

int shadow_enable(struct domain *d)
{
	struct log_dirty *l;
	u64 pfns = d->mm->tot_pages;

	if (d->mm->log_dirty)
		return -EBUSY;
	l = hv_new(struct log_dirty);
	if (!l)
		return -ENOMEM;
	if (d->shared_info)
		pfns = max(pfns, (u64)d->shared_info->arch.max_pfn);
	/* The guest names its size itself; the log has one bit a frame of the machine at most. */
	l->nr_pfns = ROUND_UP(min(pfns, max_mfn) + 1024, 64UL);
	l->shadow = hv_new_array(u32, max_mfn);
	l->bitmap = hv_new_array(u64, DIV_ROUND_UP(l->nr_pfns, 64UL));
	if (!l->shadow || !l->bitmap) {
		hv_free(l->shadow);
		hv_free(l->bitmap);
		hv_free(l);
		return -ENOMEM;
	}
	d->mm->log_dirty_state = l;
	d->mm->log_dirty = true;
	d->mm->fault_work |= FAULT_LOG_DIRTY;
	return 0;
}

void shadow_disable(struct domain *d)
{
	struct log_dirty *l = log_dirty_of(d);

	while (l->head)
		shadow_free(d, (u32)frame_table[l->head].type_word);
	d->mm->log_dirty = false;
	d->mm->fault_work &= (u8)~FAULT_LOG_DIRTY;
	d->mm->log_dirty_state = NULL;
	hv_free(l->shadow);
	hv_free(l->bitmap);
	hv_free(l);
}
