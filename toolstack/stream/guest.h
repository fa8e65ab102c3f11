/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running PV guest as its saver sees it: its P2M table (found through shared_info, written by the
 * guest and not trusted) and the host's M2P.
 */
#ifndef SERAI_STREAM_GUEST_H
#define SERAI_STREAM_GUEST_H

#include "../lib/serai.h"
#include "pte.h"

struct guest {
	struct serai *s;
	domid_t dom;
	struct xen_domctl_getdomaininfo info;
	const shared_info_t *shared;
	struct m2p_view view; /* p2m and m2p mapped read-only */
	uint64_t *p2m_pfns;   /* guest frames of the P2M list itself */
	uint64_t p2m_pages;
};

int guest_open(struct serai *s, domid_t dom, struct guest *g);
void guest_close(struct guest *g);
/* An ELF core of the whole guest, which the caller has paused. */
int guest_dump_core(struct serai *s, domid_t dom, int fd, void (*progress)(void *, uint64_t, uint64_t),
		    void *arg);

#endif
