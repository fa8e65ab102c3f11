/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine frames that are no RAM a guest may map: the devices of the hardware domain, less the ones
 * the hypervisor keeps. */
#include <lib.h>
#include <mm.h>
#include <rangeset.h>
#include <x86/mm/pvmmu.h>

static struct {
	u64 first, last;
} reserved[64];
static unsigned int nr_reserved;

void mm_io_reserve(mfn_t first, mfn_t last)
{
	if (nr_reserved < ARRAY_SIZE(reserved)) {
		reserved[nr_reserved].first = first.n;
		reserved[nr_reserved].last = last.n;
		nr_reserved++;
	}
}

bool mm_io_permitted(const struct domain *d, mfn_t m)
{
	for (unsigned int i = 0; i < nr_reserved; i++)
		if (m.n >= reserved[i].first && m.n <= reserved[i].last)
			return false;
	return iorange_contains(d->iomem, m.n, m.n);
}
