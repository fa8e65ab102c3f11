/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's frames as its saver reads them: mapped when they are first asked for, and kept.
 *
 * A page that a live move sends again is mapped already. And nothing is unmapped one by one: to a PV kernel each
 * entry of a table in use costs a trap, while those of a process that has ended cost none. So these mappings go
 * when the process does, which is as soon as the move is over. What they cost until then is a table entry a page,
 * and that a frame the guest gives back meanwhile is not free before.
 */
#ifndef SERAI_STREAM_FRAMES_H
#define SERAI_STREAM_FRAMES_H

#include "../lib/serai.h"

/* So many are kept, 16 GiB; of a larger guest the rest is mapped anew each time. */
#define FRAMES_KEPT (4ul << 20)

struct frames {
	struct serai *s;
	domid_t dom;
	struct frame_slot {
		xen_pfn_t mfn;
		char *page; /* NULL: not mapped */
	} * slot;           /* by pfn */
	size_t kept;
	char *brief; /* mapped for the last batch only */
	size_t nr_brief;
};

int frames_open(struct frames *f, struct serai *s, domid_t dom, uint64_t nr_pfns);
void frames_close(struct frames *f);
/*
 * n frames and the pfns they are at: page[i] is where they can be read until the next call, NULL for one that is no
 * page of the guest any more. Negative: nothing could be mapped.
 */
int frames_get(struct frames *f, unsigned int n, const uint64_t *pfn, const xen_pfn_t *mfn, char **page);

#endif
