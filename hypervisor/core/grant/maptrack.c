/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles: a free list through the unused entries, last in first out, growing a page at a time.
 * Lock: maptrack.lock, held by the caller.
 */
#include <core/grant/table.h>

u32 maptrack_take(struct maptrack *m)
{
	struct maptrack_entry *e;
	u32 handle = m->free;

	if (handle == MAPTRACK_NONE)
		return handle;
	e = maptrack_find(m, handle);
	m->free = e->ref;
	m->in_use++;
	return handle;
}

void maptrack_release(struct maptrack *m, u32 handle)
{
	struct maptrack_entry *e = maptrack_find(m, handle);

	e->flags = 0;
	e->granter = NULL;
	e->ref = m->free;
	m->free = handle;
	m->in_use--;
}

int maptrack_add_page(struct maptrack *m, void *page)
{
	struct maptrack_entry *e = page;
	u32 first = m->nr;

	if (first / MAPTRACK_PER_PAGE >= m->max_pages)
		return -ENOSPC;
	for (u32 i = 0; i < MAPTRACK_PER_PAGE; i++)
		e[i].ref = i + 1 < MAPTRACK_PER_PAGE ? first + i + 1 : m->free;
	m->pages[first / MAPTRACK_PER_PAGE] = e;
	m->free = first;
	__atomic_store_n(&m->nr, first + (u32)MAPTRACK_PER_PAGE, __ATOMIC_RELEASE);
	return 0;
}
