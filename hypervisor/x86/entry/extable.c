/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception table: pairs of offsets, each relative to its own place. A few dozen entries: a linear walk. */
#include <extable.h>

struct ext_entry {
	s32 from, to;
};
extern const struct ext_entry extable_start[], extable_end[];

u64 extable_search(u64 rip)
{
	for (const struct ext_entry *e = extable_start; e < extable_end; e++)
		if ((u64)&e->from + (u64)(s64)e->from == rip)
			return (u64)&e->to + (u64)(s64)e->to;
	return 0;
}
