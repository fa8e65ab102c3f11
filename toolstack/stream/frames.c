/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frames.h"
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

int frames_open(struct frames *f, struct serai *s, domid_t dom, uint64_t nr_pfns)
{
	*f = (struct frames){.s = s, .dom = dom, .slot = calloc(nr_pfns, sizeof(*f->slot))};
	return f->slot ? 0 : serai_fail(s, -ENOMEM, "out of memory");
}

static void brief_end(struct frames *f)
{
	xc_unmap(f->s->xc, f->brief, f->nr_brief);
	f->brief = NULL;
	f->nr_brief = 0;
}

void frames_close(struct frames *f)
{
	if (f->slot)
		brief_end(f);
	free(f->slot);
	f->slot = NULL;
}

int frames_get(struct frames *f, unsigned int n, const uint64_t *pfn, const xen_pfn_t *mfn, char **page)
{
	xen_pfn_t want[PAGE_BATCH];
	unsigned int at[PAGE_BATCH], nr = 0;
	int failed[PAGE_BATCH];
	bool keep;
	char *m;

	brief_end(f);
	for (unsigned int i = 0; i < n; i++) {
		const struct frame_slot *slot = &f->slot[pfn[i]];

		page[i] = slot->page && slot->mfn == mfn[i] ? slot->page : NULL;
		if (page[i])
			continue;
		want[nr] = mfn[i];
		at[nr++] = i;
	}
	if (!nr)
		return 0;
	m = xc_map_some(f->s->xc, f->dom, PROT_READ, nr, want, failed);
	if (!m)
		return serai_fail_xc(f->s, -EFAULT, "domain %u", f->dom);
	keep = f->kept + nr <= FRAMES_KEPT;
	f->kept += keep ? nr : 0;
	f->brief = keep ? NULL : m;
	f->nr_brief = keep ? 0 : nr;
	for (unsigned int i = 0; i < nr; i++) {
		if (failed[i])
			continue;
		page[at[i]] = m + (size_t)i * XC_PAGE_SIZE;
		if (keep)
			f->slot[pfn[at[i]]] = (struct frame_slot){want[i], page[at[i]]};
	}
	return 0;
}
