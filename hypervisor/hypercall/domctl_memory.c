/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DOMCTLs on a domain's memory: its limit, log-dirty mode, what its frames are. Lock: domctl_lock.
 */
#include <hypercall/ctl.h>
#include <mm.h>

/* A limit below what the domain has is fine: it gets nothing more. */
long domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	u64 pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

	spin_lock(&d->mm->frames_lock);
	d->mm->max_pages = (u32)min(pages, (u64)UINT_MAX);
	spin_unlock(&d->mm->frames_lock);
	return 0;
}

long domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	return mm_shadow_op(d, &op->u.shadow_op);
}

#define PAGEINFO_MAX 1024U
#define PAGEINFO_CHUNK 64U

long domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_getpageframeinfo3 *p = &op->u.getpageframeinfo3;
	u64 entries[PAGEINFO_CHUNK], at = (u64)p->array.p;

	if (p->num > PAGEINFO_MAX)
		return -E2BIG;
	for (u32 done = 0, n; done < p->num; done += n, at += n * sizeof(entries[0])) {
		n = min((u32)(p->num - done), PAGEINFO_CHUNK);
		if (copy_from_guest_va(entries, at, n * sizeof(entries[0])))
			return -EFAULT;
		for (u32 i = 0; i < n; i++)
			entries[i] = mm_page_frame_info(d, MFN(entries[i]));
		if (copy_to_guest_va(at, entries, n * sizeof(entries[0])))
			return -EFAULT;
	}
	return 0;
}
