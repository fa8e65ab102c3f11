/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a guest's P2M table. Two forms:
 *
 *   linear   p2m_cr3 is an address space in which p2m_vaddr maps the list
 *   tree     pfn_to_mfn_frame_list_list -> frames of (frames of (the list))
 */
#include "guest.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PFNS_PER_PAGE 512u

static void *map1(struct guest *g, xen_pfn_t mfn)
{
	return xc_map(g->s->xc, g->dom, PROT_READ, 1, &mfn);
}

/* One step of the walk: the frame named by entry `index` of table `mfn`. */
static int walk_step(struct guest *g, xen_pfn_t *mfn, unsigned int index)
{
	uint64_t *t = map1(g, *mfn), e;

	if (!t)
		return -EFAULT;
	e = t[index];
	xc_unmap(g->s->xc, t, 1);
	if (!(e & PTE_PRESENT))
		return -ENOENT;
	*mfn = (e & PTE_FRAME_MASK) >> 12;
	return 0;
}

/* The machine frames of the linear list, an L1 table at a time. */
static int frames_linear(struct guest *g, uint64_t cr3, uint64_t va, xen_pfn_t *list, uint64_t pages)
{
	for (uint64_t done = 0; done < pages;) {
		uint64_t at = va + done * XC_PAGE_SIZE, *l1;
		unsigned int i = at >> 12 & 511;
		xen_pfn_t mfn = cr3;
		int rc;

		if ((rc = walk_step(g, &mfn, at >> 39 & 511)) || (rc = walk_step(g, &mfn, at >> 30 & 511)) ||
		    (rc = walk_step(g, &mfn, at >> 21 & 511)))
			return rc;
		l1 = map1(g, mfn);
		if (!l1)
			return -EFAULT;
		for (; i < 512 && done < pages; i++, done++)
			list[done] = (l1[i] & PTE_FRAME_MASK) >> 12;
		xc_unmap(g->s->xc, l1, 1);
	}
	return 0;
}

static int frames_tree(struct guest *g, xen_pfn_t top, xen_pfn_t *list, uint64_t pages)
{
	uint64_t *fll = map1(g, top), lists = (pages + PFNS_PER_PAGE - 1) / PFNS_PER_PAGE;
	int rc = fll && lists <= PFNS_PER_PAGE ? 0 : -EFAULT;

	for (uint64_t i = 0; i < lists && rc == 0; i++) {
		uint64_t *fl = map1(g, fll[i]), n = pages - i * PFNS_PER_PAGE;

		if (!fl) {
			rc = -EFAULT;
			break;
		}
		memcpy(list + i * PFNS_PER_PAGE, fl, (n < PFNS_PER_PAGE ? n : PFNS_PER_PAGE) * 8);
		xc_unmap(g->s->xc, fl, 1);
	}
	xc_unmap(g->s->xc, fll, 1);
	return rc;
}

static int p2m_open(struct guest *g)
{
	const struct arch_shared_info *a = &g->shared->arch;
	uint64_t max = a->max_pfn, cr3 = a->p2m_cr3, fll = a->pfn_to_mfn_frame_list_list, va = a->p2m_vaddr;
	xen_pfn_t *list;
	int rc;

	if (!max || max > g->info.max_pages * 2 + (1u << 20))
		return serai_fail(g->s, -EINVAL,
				  "domain %u: its kernel has not said where its memory is (%lu frames)",
				  g->dom, (unsigned long)max);
	g->view.nr_pfns = max;
	g->p2m_pages = (max + PFNS_PER_PAGE - 1) / PFNS_PER_PAGE;
	list = calloc(g->p2m_pages, sizeof(*list));
	g->p2m_pfns = calloc(g->p2m_pages, sizeof(*g->p2m_pfns));
	if (!list || !g->p2m_pfns) {
		free(list);
		return serai_fail(g->s, -ENOMEM, "out of memory");
	}
	/* A folded cr3: the low 12 bits hold the frame number's top, as the ABI spells large frames. */
	rc = cr3           ? frames_linear(g, xen_cr3_to_pfn(cr3), va, list, g->p2m_pages)
	     : fll && ~fll ? frames_tree(g, fll, list, g->p2m_pages)
			   : -ENOENT;
	if (rc < 0)
		rc = serai_fail(g->s, rc, "domain %u: its table of frames is damaged: %s", g->dom,
				strerror(-rc));
	else if (!(g->view.p2m = xc_map(g->s->xc, g->dom, PROT_READ, g->p2m_pages, list)))
		rc = serai_fail_xc(g->s, -EFAULT, "domain %u: its table of frames", g->dom);
	for (uint64_t i = 0; g->view.p2m && i < g->p2m_pages && rc == 0; i++) {
		g->p2m_pfns[i] = view_pfn(&g->view, list[i]);
		if (g->p2m_pfns[i] == ~0ull)
			rc = serai_fail(g->s, -EINVAL, "domain %u: frame %#lx of its table is not its own",
					g->dom, (unsigned long)list[i]);
	}
	free(list);
	return rc;
}

int guest_open(struct serai *s, domid_t dom, struct guest *g)
{
	xen_pfn_t shared;
	unsigned int bits = 0;
	int rc;

	memset(g, 0, sizeof(*g));
	g->s = s;
	g->dom = dom;
	rc = xc_domain_info(s->xc, dom, &g->info);
	if (rc < 0)
		return serai_fail(s, rc, "there is no domain %u", dom);
	if (g->info.flags & XEN_DOMINF_hvm_guest)
		return serai_fail(s, -EOPNOTSUPP, "domain %u is not a PV domain: only those can be saved",
				  dom);
	if (xc_domain_get_address_size(s->xc, dom, &bits) < 0 || bits != 64)
		return serai_fail(s, -EOPNOTSUPP, "domain %u is a %u-bit guest", dom, bits);
	shared = g->info.shared_info_frame;
	g->shared = map1(g, shared);
	if (!g->shared)
		return serai_fail_xc(s, -EFAULT, "domain %u", dom);
	rc = xc_map_m2p(s->xc, &g->view.m2p, &g->view.nr_mfns);
	if (rc < 0)
		serai_fail_xc(s, rc, "domain %u", dom);
	else
		rc = p2m_open(g);
	if (rc < 0)
		guest_close(g);
	return rc;
}

void guest_close(struct guest *g)
{
	xc_unmap(g->s->xc, (void *)(uintptr_t)g->shared, 1);
	xc_unmap(g->s->xc, (void *)(uintptr_t)g->view.p2m, g->p2m_pages);
	xc_unmap_m2p(g->s->xc, g->view.m2p, g->view.nr_mfns);
	free(g->p2m_pfns);
	g->shared = NULL;
	g->view.p2m = g->view.m2p = NULL;
	g->p2m_pfns = NULL;
}

int guest_dump_core(struct serai *s, domid_t dom, int fd, void (*progress)(void *, uint64_t, uint64_t),
		    void *arg)
{
	uint64_t(*list)[2], n = 0;
	struct guest g;
	int rc = guest_open(s, dom, &g);

	if (rc < 0)
		return rc;
	list = calloc(g.view.nr_pfns, sizeof(*list));
	if (!list) {
		guest_close(&g);
		return serai_fail(s, -ENOMEM, "out of memory");
	}
	for (uint64_t pfn = 0; pfn < g.view.nr_pfns; pfn++) {
		if (view_pfn(&g.view, g.view.p2m[pfn]) != pfn)
			continue;
		list[n][0] = pfn;
		list[n++][1] = g.view.p2m[pfn];
	}
	rc = xc_dump_core(s->xc, dom, fd, (const uint64_t(*)[2])list, n, progress, arg);
	if (rc < 0)
		serai_fail_xc(s, rc, "domain %u", dom);
	free(list);
	guest_close(&g);
	return rc;
}
