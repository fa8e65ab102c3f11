/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the parts of the PV builder. */
#ifndef LIBXC_BUILD_LAYOUT_H
#define LIBXC_BUILD_LAYOUT_H

#include "serai/xc_build.h"

/* How many tables with 2^shift bytes a table map [start, end). */
uint64_t layout_tables(uint64_t start, uint64_t end, unsigned int shift);
/*
 * Fill the initial page tables. `tables` is the memory of frames pt_pfn.. followed by the P2M's tables;
 * p2m[] translates guest frames to machine frames.
 */
void pagetables_build(const struct xc_layout *l, const xen_pfn_t *p2m, uint64_t *pt, uint64_t *p2m_pt);

#endif
