/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log-dirty mode of PV guests. */
#include <lib.h>
#include <x86/mm/pvmmu.h>
#include <xen/domctl.h>

void mm_mark_dirty_slow(struct domain *d, mfn_t mfn)
{
	(void)d;
	(void)mfn;
}

long mm_shadow_op(struct domain *d, struct xen_domctl_shadow_op *op)
{
	(void)d;
	(void)op;
	return -EOPNOTSUPP;
}
