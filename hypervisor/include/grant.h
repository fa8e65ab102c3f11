/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grant tables: what other rooms may ask. */
#ifndef SERAI_GRANT_H
#define SERAI_GRANT_H

#include <domain.h>
#include <types.h>

int grant_domain_init(struct domain *d); /* limits in d->max_grant_frames, max_maptrack_frames, version */
/* Undo every mapping the dying domain still has of others' frames; preemptible, -ERESTART. */
int grant_domain_release_mappings(struct domain *d);
void grant_domain_destroy(struct domain *d);
/* XENMEM_acquire_resource type grant_table: frames [first, first + nr) of the table (id 0 shared, 1 status)
 * grown on demand. Fills mfns. 0 or -errno. */
int grant_acquire_resource(struct domain *d, unsigned int id, unsigned long first, unsigned int nr,
			   u64 *mfns);
/* XENMAPSPACE_grant_table for auto-translated guests; -EINVAL for PV. */
int grant_map_frame_for_guest(struct domain *d, unsigned long idx, mfn_t *mfn);
int grant_set_limits(struct domain *d, u32 grant_frames, u32 maptrack_frames);
void grant_dump(struct domain *d); /* 'g' debug key */
/* Is any frame of owner mapped writable by grant elsewhere (log-dirty on unmap, frame_steal)? The page
 * reference counts tell; grants hold a general reference and, for writable maps, a FT_WRITABLE type. */

#endif
