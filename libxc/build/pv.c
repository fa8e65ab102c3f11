/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building a PV domain: memory, kernel, tables, start_info, first vCPU.
 *
 * Order matters once: the tables are pinned only after every mapping of theirs is gone from this
 * process, because a writable foreign mapping keeps a frame's type writable.
 */
#include "layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/grant_table.h>

#define SUPERPAGE_ORDER 9

int xc_populate_range(struct xc *xc, domid_t dom, uint64_t first, uint64_t pages, xen_pfn_t *p2m)
{
	enum { BATCH = 1024 };
	xen_pfn_t ext[BATCH];
	uint64_t at = first, end = first + pages;

	/* Large extents are quicker to allocate and to map; fall back to single frames. */
	while (at < end) {
		unsigned int order = end - at >= 1u << SUPERPAGE_ORDER && !(at & 511) ? SUPERPAGE_ORDER : 0;
		uint64_t room = order ? (end - at) >> order : end - at;
		size_t n = room < BATCH ? room : BATCH;
		long got;

		if (!order && (at & 511) && n > 512 - (at & 511))
			n = 512 - (at & 511);
		for (size_t i = 0; i < n; i++)
			ext[i] = at + ((uint64_t)i << order);
		got = xc_populate(xc, dom, n, order, ext);
		if (got < 0)
			return got;
		for (long i = 0; i < got; i++, at += 1u << order)
			for (unsigned int j = 0; j < 1u << order; j++)
				p2m[at - first + j] = ext[i] + j;
		if ((size_t)got == n)
			continue;
		if (!order)
			return xc_fail(xc, -ENOMEM, "domain %u: the host ran out of memory at %lu of %lu MiB",
				       dom, (unsigned long)((at - first) >> 8), (unsigned long)(pages >> 8));
		/* No contiguous 2 MiB left: this one piece by piece. */
		n = 512;
		for (size_t i = 0; i < n; i++)
			ext[i] = at + i;
		got = xc_populate(xc, dom, n, 0, ext);
		if (got != (long)n)
			return xc_fail(xc, -ENOMEM, "domain %u: the host ran out of memory at %lu of %lu MiB",
				       dom, (unsigned long)((at - first) >> 8), (unsigned long)(pages >> 8));
		memcpy(p2m + (at - first), ext, n * sizeof(*ext));
		at += n;
	}
	return 0;
}

/* Map a run of guest frames for writing. */
static void *map_pfns(struct xc *xc, domid_t dom, const xen_pfn_t *p2m, uint64_t pfn, uint64_t n)
{
	return xc_map(xc, dom, PROT_READ | PROT_WRITE, n, p2m + pfn);
}

static int load_kernel(struct xc *xc, domid_t dom, const struct xc_build *b, const struct xc_layout *l,
		       const xen_pfn_t *p2m)
{
	const struct xc_kernel *k = b->kernel;
	uint64_t base = l->kernel_pfn << XC_PAGE_SHIFT;
	char *m = map_pfns(xc, dom, p2m, l->kernel_pfn, l->kernel_pages);

	if (!m)
		return -EFAULT;
	for (unsigned int i = 0; i < k->nr_seg; i++) {
		const struct xc_segment *s = &k->seg[i];
		char *dst = m + (s->paddr - k->paddr_offset - base);

		memcpy(dst, s->data, s->filesz);
		memset(dst + s->filesz, 0, s->memsz - s->filesz);
	}
	xc_unmap(xc, m, l->kernel_pages);
	return 0;
}

static int load_bytes(struct xc *xc, domid_t dom, const xen_pfn_t *p2m, uint64_t pfn, uint64_t pages,
		      const void *data, size_t len)
{
	char *m;

	if (!pages)
		return 0;
	m = map_pfns(xc, dom, p2m, pfn, pages);
	if (!m)
		return -EFAULT;
	memcpy(m, data, len);
	memset(m + len, 0, pages * XC_PAGE_SIZE - len);
	xc_unmap(xc, m, pages);
	return 0;
}

static int load_tables(struct xc *xc, domid_t dom, const struct xc_layout *l, const xen_pfn_t *p2m)
{
	uint64_t *pt = map_pfns(xc, dom, p2m, l->pt_pfn, l->pt_pages), *p2m_pt = NULL;

	if (!pt)
		return -EFAULT;
	if (l->p2m_pt_pages) {
		p2m_pt = map_pfns(xc, dom, p2m, l->p2m_pfn + l->p2m_pages, l->p2m_pt_pages);
		if (!p2m_pt) {
			xc_unmap(xc, pt, l->pt_pages);
			return -EFAULT;
		}
	}
	pagetables_build(l, p2m, pt, p2m_pt);
	xc_unmap(xc, pt, l->pt_pages);
	xc_unmap(xc, p2m_pt, l->p2m_pt_pages);
	return 0;
}

static void start_info_fill(struct start_info *si, const struct xc_build *b, const struct xc_layout *l,
			    const xen_pfn_t *p2m, uint64_t shared_info)
{
	memset(si, 0, XC_PAGE_SIZE);
	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
	si->nr_pages = b->pages;
	si->shared_info = shared_info;
	si->store_mfn = p2m[l->store_pfn];
	si->store_evtchn = b->store_port;
	si->console.domU.mfn = p2m[l->console_pfn];
	si->console.domU.evtchn = b->console_port;
	si->pt_base = l->virt_base + (l->pt_pfn << XC_PAGE_SHIFT);
	si->nr_pt_frames = l->pt_pages;
	si->mfn_list = l->p2m_virt;
	if (b->kernel->has_init_p2m) {
		si->first_p2m_pfn = l->p2m_pfn;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_pt_pages;
	}
	if (b->ramdisk_len) {
		si->mod_len = b->ramdisk_len;
		si->mod_start = l->ramdisk_pfn;
		if (b->kernel->mod_start_pfn)
			si->flags |= SIF_MOD_START_PFN;
		else
			si->mod_start = l->virt_base + (l->ramdisk_pfn << XC_PAGE_SHIFT);
	}
	if (b->cmdline)
		snprintf((char *)si->cmd_line, sizeof(si->cmd_line), "%s", b->cmdline);
}

static int load_start(struct xc *xc, domid_t dom, const struct xc_build *b, const struct xc_layout *l,
		      const xen_pfn_t *p2m, uint64_t shared_mfn)
{
	char *m = map_pfns(xc, dom, p2m, l->start_info_pfn, 3);
	shared_info_t *s;
	xen_pfn_t gfn = shared_mfn;

	if (!m)
		return -EFAULT;
	start_info_fill((struct start_info *)m, b, l, p2m, shared_mfn << XC_PAGE_SHIFT);
	memset(m + XC_PAGE_SIZE, 0, 2 * XC_PAGE_SIZE); /* the two rings */
	xc_unmap(xc, m, 3);

	s = xc_map(xc, dom, PROT_READ | PROT_WRITE, 1, &gfn);
	if (!s)
		return -EFAULT;
	memset(s, 0, XC_PAGE_SIZE);
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		s->vcpu_info[i].evtchn_upcall_mask = 1;
	xc_unmap(xc, s, 1);
	return 0;
}

static int start_vcpu(struct xc *xc, domid_t dom, const struct xc_build *b, const struct xc_layout *l,
		      const xen_pfn_t *p2m)
{
	vcpu_guest_context_t *c = calloc(1, sizeof(*c));
	const uint16_t fcw = 0x37f;
	const uint32_t mxcsr = 0x1f80;
	int rc;

	if (!c)
		return -ENOMEM;
	c->user_regs.rip = b->kernel->entry;
	c->user_regs.rsp = l->virt_base + ((l->stack_pfn + 1) << XC_PAGE_SHIFT);
	c->user_regs.rsi = l->virt_base + (l->start_info_pfn << XC_PAGE_SHIFT);
	c->user_regs.rflags = 1u << 9 | 1u << 1; /* IF, and the bit that is always set */
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->kernel_ss = c->user_regs.ss;
	c->kernel_sp = c->user_regs.rsp;
	c->ctrlreg[3] = xen_pfn_to_cr3(p2m[l->pt_pfn]);
	c->flags = VGCF_IN_KERNEL | VGCF_online;
	memcpy(c->fpu_ctxt.x, &fcw, sizeof(fcw)); /* FXSAVE image: FCW at 0, MXCSR at 24 */
	memcpy(c->fpu_ctxt.x + 24, &mxcsr, sizeof(mxcsr));
	rc = xc_vcpu_set_context(xc, dom, 0, c);
	free(c);
	return rc;
}

int xc_seed_grants(struct xc *xc, domid_t dom, domid_t console_dom, xen_pfn_t console, domid_t store_dom,
		   xen_pfn_t store)
{
	grant_entry_v1_t *g;
	void *p;
	int rc = xc_map_grant_table(xc, dom, 1, &p);

	if (rc < 0)
		return rc;
	g = p;
	g[GNTTAB_RESERVED_CONSOLE] = (grant_entry_v1_t){.domid = console_dom, .frame = console};
	g[GNTTAB_RESERVED_XENSTORE] = (grant_entry_v1_t){.domid = store_dom, .frame = store};
	/* An entry becomes valid with its flags; domid and frame must be there first. */
	__atomic_store_n(&g[GNTTAB_RESERVED_CONSOLE].flags, GTF_permit_access, __ATOMIC_RELEASE);
	__atomic_store_n(&g[GNTTAB_RESERVED_XENSTORE].flags, GTF_permit_access, __ATOMIC_RELEASE);
	xc_unmap(xc, p, 1);
	return 0;
}

static int build_with(struct xc *xc, domid_t dom, struct xc_build *b, const struct xc_layout *l,
		      xen_pfn_t *p2m)
{
	struct xen_domctl_getdomaininfo info;
	struct xc_mmu_op pin = {.cmd = MMUEXT_PIN_L4_TABLE};
	int rc;

	if ((rc = xc_domain_info(xc, dom, &info)) < 0 || (rc = load_kernel(xc, dom, b, l, p2m)) < 0 ||
	    (rc = load_bytes(xc, dom, p2m, l->ramdisk_pfn, l->ramdisk_pages, b->ramdisk, b->ramdisk_len)) <
		    0 ||
	    (rc = load_bytes(xc, dom, p2m, l->p2m_pfn, l->p2m_pages, p2m, b->max_pages * sizeof(*p2m))) < 0 ||
	    (rc = load_tables(xc, dom, l, p2m)) < 0 ||
	    (rc = load_start(xc, dom, b, l, p2m, info.shared_info_frame)) < 0)
		return rc;
	pin.mfn = p2m[l->pt_pfn];
	if ((rc = xc_mmuext(xc, dom, 1, &pin)) < 0 || (rc = start_vcpu(xc, dom, b, l, p2m)) < 0)
		return rc;
	b->store_mfn = p2m[l->store_pfn];
	b->console_mfn = p2m[l->console_pfn];
	return xc_seed_grants(xc, dom, b->console_dom, b->console_mfn, b->store_dom, b->store_mfn);
}

int xc_build_pv(struct xc *xc, domid_t dom, struct xc_build *b)
{
	struct xc_layout l;
	xen_pfn_t *p2m;
	int rc = xc_build_layout(xc, b, &l);

	if (rc < 0)
		return rc;
	if (b->cmdline && strlen(b->cmdline) >= MAX_GUEST_CMDLINE)
		return xc_fail(xc, -E2BIG, "the command line is %zu bytes long, %u are possible",
			       strlen(b->cmdline), MAX_GUEST_CMDLINE - 1);
	p2m = malloc(b->max_pages * sizeof(*p2m));
	if (!p2m)
		return xc_fail(xc, -ENOMEM, "no memory for a table of %lu frames",
			       (unsigned long)b->max_pages);
	memset(p2m, 0xff, b->max_pages * sizeof(*p2m)); /* ~0: no frame here */
	if ((rc = xc_domain_set_address_size(xc, dom, 64)) < 0)
		goto out;
	if (b->claim && (rc = xc_claim(xc, dom, b->pages)) < 0)
		goto out;
	rc = xc_populate_range(xc, dom, 0, b->pages, p2m);
	if (b->claim)
		xc_claim(xc, dom, 0);
	if (rc >= 0)
		rc = build_with(xc, dom, b, &l, p2m);
out:
	free(p2m);
	return rc;
}
