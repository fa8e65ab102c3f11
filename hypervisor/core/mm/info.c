/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the toolstack learns of a frame (XEN_DOMCTL_getpageframeinfo3). */
#include <core/mm/frame.h>
#include <xen/domctl.h>

u32 mm_page_frame_info(const struct domain *d, mfn_t mfn)
{
	struct frame *f = frame_get_from_mfn(mfn, d);
	u32 info = XEN_DOMCTL_PFINFO_NOTAB;
	u64 w;

	if (!f)
		return XEN_DOMCTL_PFINFO_XTAB;
	w = READ_ONCE(f->type_word);
	/* A table is one while it is in use as one, validated. */
	if ((w & PGT_VALID) && pgt_is_table(pgt_type(w))) {
		info = (u32)(pgt_type(w) - FT_L1 + 1) << 28;
		if (w & PGT_PINNED)
			info |= XEN_DOMCTL_PFINFO_LPINTAB;
	}
	frame_put(f);
	return info;
}
