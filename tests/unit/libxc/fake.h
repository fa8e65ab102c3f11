/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hypervisor of arrays: enough of one to build a domain in a test. */
#ifndef TESTS_LIBXC_FAKE_H
#define TESTS_LIBXC_FAKE_H

#include "serai/xc.h"

#define FAKE_FIRST_MFN 0x1000ul

struct fake {
	uint8_t *memory; /* frames, handed out from FAKE_FIRST_MFN */
	size_t frames, used;
	bool no_superpages;
	unsigned int address_size, pins;
	xen_pfn_t pinned;
	vcpu_guest_context_t vcpu0;
	bool has_vcpu0;
	uint8_t *grants;
	xen_pfn_t shared;
	unsigned int unmapped, mapped;
};

struct xc *fake_open(struct fake *f, size_t frames);
void fake_close(struct fake *f, struct xc *xc);
void *fake_frame(struct fake *f, xen_pfn_t mfn);

#endif
