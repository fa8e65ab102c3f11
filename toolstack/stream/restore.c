/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side: a stream visitor that fills a freshly created domain.
 *
 * Page tables name guest frames that may arrive later, so they are held back until the end: once
 * every frame has its place, tables are translated, written, and pinned. Nothing here trusts the
 * stream beyond what the reader checked.
 */
#include "stream.h"
#include "format.h"
#include "pte.h"
#include "reader.h"
#include "sink.h"
#include "serai/xc_build.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct table {
	uint64_t pfn;
	unsigned int type;
	uint64_t *data; /* the page as it came: guest frames */
};

struct restorer {
	struct restore *r;
	struct serai *s;
	domid_t dom;
	struct domain_ports *ports;
	struct stream_reader reader;

	xen_pfn_t *p2m; /* machine frames, ~0 where the guest has none */
	uint64_t nr_pfns;
	uint64_t *p2m_pfns; /* where the guest keeps its own copy of that table */
	uint64_t p2m_pages;

	struct table *tables;
	size_t nr_tables, room_tables;
	uint64_t *table_at; /* index + 1 into tables[], by pfn: a live stream sends a table many
			       times */

	char *mapped; /* what a batch is being read into */
	unsigned int nr_mapped;
	uint64_t last_pfn;

	vcpu_guest_context_t *basic[128];
	struct blob {
		void *p;
		uint32_t n;
	} extended[128], xsave[128], msrs[128];
	uint8_t *shared;
	struct tsc_record tsc;
	bool has_tsc;
	struct xc_policy policy;
};

static const char hvm[] = "an HVM domain: only PV domains can be restored";

static int bad(struct restorer *w, int err, const char *what)
{
	return stream_fail(&w->reader, err, "%s", what);
}

static int refused(struct restorer *w, int err, const char *what)
{
	return stream_fail(&w->reader, err, "%s: %s", what, xc_error(w->s->xc));
}

static int on_p2m_frames(struct restorer *w, const struct p2m_frames *f, uint32_t len)
{
	uint64_t nr = (uint64_t)f->end + 1, old = w->nr_pfns;
	xen_pfn_t *p2m = realloc(w->p2m, nr * sizeof(*p2m));
	uint64_t *at;

	if (!p2m)
		return bad(w, -ENOMEM, "out of memory");
	w->p2m = p2m;
	at = realloc(w->table_at, nr * sizeof(*at));
	if (!at)
		return bad(w, -ENOMEM, "out of memory");
	w->table_at = at;
	for (uint64_t i = old; i < nr; i++) {
		p2m[i] = ~0ull;
		at[i] = 0;
	}
	w->nr_pfns = nr;
	w->p2m_pages = (len - 8) / 8;
	free(w->p2m_pfns);
	w->p2m_pfns = malloc(w->p2m_pages * 8 + 8);
	if (!w->p2m_pfns)
		return bad(w, -ENOMEM, "out of memory");
	memcpy(w->p2m_pfns, f->pfn, w->p2m_pages * 8);
	for (uint64_t i = 0; i < w->p2m_pages; i++)
		if (w->p2m_pfns[i] >= nr)
			return bad(w, -EINVAL, "X86_PV_P2M_FRAMES record: a frame beyond the table's end");
	return 0;
}

/* Give memory to the pfns of a batch that have none yet. */
static int populate(struct restorer *w, const uint64_t *words, uint32_t count)
{
	xen_pfn_t want[PAGE_BATCH], got[PAGE_BATCH];
	unsigned int n = 0;
	long rc;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t pfn = words[i] & PAGE_PFN_MASK;
		unsigned int type = words[i] >> PAGE_TYPE_SHIFT;

		if (type == PAGE_XTAB || type == PAGE_BROKEN || w->p2m[pfn] != ~0ull)
			continue;
		w->p2m[pfn] = ~1ull; /* wanted: a pfn listed twice is populated once */
		want[n++] = pfn;
	}
	if (!n)
		return 0;
	memcpy(got, want, n * sizeof(*got));
	rc = xc_populate(w->s->xc, w->dom, n, 0, got);
	for (long i = 0; i < (long)n; i++)
		w->p2m[want[i]] = i < rc ? got[i] : ~0ull;
	if (rc < 0)
		return refused(w, rc, "no memory for the domain");
	return rc == (long)n ? 0 : bad(w, -ENOMEM, "the host has no more memory for the domain");
}

/* Where the contents of a page table are kept until the end; NULL: out of memory. */
static void *table_keep(struct restorer *w, uint64_t pfn, unsigned int type)
{
	struct table *t;

	if (!w->table_at[pfn]) {
		if (w->nr_tables == w->room_tables) {
			size_t room = w->room_tables ? w->room_tables * 2 : 256;
			struct table *more = realloc(w->tables, room * sizeof(*more));

			if (!more)
				return NULL;
			w->tables = more;
			w->room_tables = room;
		}
		t = &w->tables[w->nr_tables];
		t->data = malloc(XC_PAGE_SIZE);
		if (!t->data)
			return NULL;
		w->table_at[pfn] = ++w->nr_tables;
	}
	t = &w->tables[w->table_at[pfn] - 1];
	t->pfn = pfn;
	t->type = type;
	return t->data;
}

/* Where a batch's pages go: tables are kept for later, the others are mapped and read into as they are. */
static int on_pages(void *arg, const uint64_t *words, uint32_t n, void **to)
{
	struct restorer *w = arg;
	xen_pfn_t mfn[PAGE_BATCH];
	unsigned int at[PAGE_BATCH], k = 0, nr = 0;
	int err[PAGE_BATCH], rc;

	if (w->reader.type != DOMAIN_PV)
		return bad(w, -EOPNOTSUPP, hvm);
	rc = populate(w, words, n);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		uint64_t pfn = words[i] & PAGE_PFN_MASK;
		unsigned int type = words[i] >> PAGE_TYPE_SHIFT;

		if (!page_has_data(type))
			continue;
		if (page_table_level(type)) {
			to[k] = table_keep(w, pfn, type);
			if (!to[k++])
				rc = bad(w, -ENOMEM, "out of memory for page tables");
			continue;
		}
		if (w->table_at[pfn]) /* was a table in an earlier round */
			w->tables[w->table_at[pfn] - 1].type = PAGE_NOTAB;
		mfn[nr] = w->p2m[pfn];
		at[nr++] = k++;
	}
	w->last_pfn = words[n - 1] & PAGE_PFN_MASK;
	if (rc < 0 || !nr)
		return rc;
	w->mapped = xc_map_some(w->s->xc, w->dom, PROT_READ | PROT_WRITE, nr, mfn, err);
	if (!w->mapped)
		return refused(w, -EFAULT, "cannot map the new domain's memory");
	w->nr_mapped = nr;
	for (unsigned int i = 0; i < nr; i++) {
		if (err[i])
			return bad(w, err[i], "cannot map a frame of the new domain");
		to[at[i]] = w->mapped + (size_t)i * XC_PAGE_SIZE;
	}
	return 0;
}

static int on_placed(void *arg)
{
	struct restorer *w = arg;

	xc_unmap(w->s->xc, w->mapped, w->nr_mapped);
	w->mapped = NULL;
	w->nr_mapped = 0;
	if (w->r->progress)
		w->r->progress("Memory", w->last_pfn, w->nr_pfns);
	return 0;
}

int restore_check_policy(struct serai *s, const struct xc_policy *p)
{
	struct xc_policy host;
	char names[256];
	int rc = xc_policy_host(s->xc, XEN_SYSCTL_cpu_policy_pv_max, &host);

	if (rc < 0)
		return serai_fail_xc(s, rc, "no CPU policy of this host");
	rc = xc_policy_missing(p, &host, names, sizeof(names));
	xc_policy_free(&host);
	return rc > 0 ? serai_fail(s, -EOPNOTSUPP, "this host lacks CPU features the domain was given: %s",
				   names)
		      : 0;
}

/* What the saved CPU had and this host cannot give is said before any memory moves. */
static int on_static_end(struct restorer *w)
{
	int rc;

	if (!w->policy.nr_leaves)
		return 0;
	rc = restore_check_policy(w->s, &w->policy);
	if (rc < 0)
		return stream_fail(&w->reader, rc, "%s", w->s->error);
	rc = xc_policy_set(w->s->xc, w->dom, &w->policy);
	return rc < 0 ? refused(w, rc, "CPU policy") : 0;
}

static int keep(struct restorer *w, struct blob *to, const struct vcpu_record *v, uint32_t len)
{
	if (v->vcpu >= 128)
		return bad(w, -EINVAL, "more than 128 vCPUs");
	to += v->vcpu;
	free(to->p);
	to->n = len - sizeof(*v);
	to->p = malloc(to->n + 8);
	if (!to->p)
		return bad(w, -ENOMEM, "out of memory");
	memcpy(to->p, v->context, to->n);
	return 0;
}

static int on_basic(struct restorer *w, const struct vcpu_record *v)
{
	if (v->vcpu >= 128)
		return bad(w, -EINVAL, "more than 128 vCPUs");
	if (!w->basic[v->vcpu])
		w->basic[v->vcpu] = malloc(sizeof(vcpu_guest_context_t));
	if (!w->basic[v->vcpu])
		return bad(w, -ENOMEM, "out of memory");
	memcpy(w->basic[v->vcpu], v->context, sizeof(vcpu_guest_context_t));
	return 0;
}

static int on_policy(struct restorer *w, bool cpuid, const void *body, uint32_t len)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		return bad(w, -ENOMEM, "out of memory");
	memcpy(copy, body, len);
	if (cpuid) {
		free(w->policy.leaves);
		w->policy.leaves = copy;
		w->policy.nr_leaves = len / sizeof(xen_cpuid_leaf_t);
	} else {
		free(w->policy.msrs);
		w->policy.msrs = copy;
		w->policy.nr_msrs = len / sizeof(xen_msr_entry_t);
	}
	return 0;
}

/* The frame of a pfn the stream names: it must have come with data. */
static int frame_of(struct restorer *w, uint64_t pfn, const char *what, xen_pfn_t *mfn)
{
	*mfn = ~0ull; /* no frame, for who goes on all the same */
	if (pfn >= w->nr_pfns || w->p2m[pfn] == ~0ull)
		return stream_fail(&w->reader, -EINVAL, "%s is frame %#llx, which the stream does not hold",
				   what, (unsigned long long)pfn);
	*mfn = w->p2m[pfn];
	return 0;
}

/* Translate the tables and write them. */
static int tables_write(struct restorer *w)
{
	for (size_t at = 0; at < w->nr_tables; at += PAGE_BATCH) {
		size_t n = w->nr_tables - at < PAGE_BATCH ? w->nr_tables - at : PAGE_BATCH, k = 0;
		xen_pfn_t mfn[PAGE_BATCH];
		char *m;

		for (size_t i = 0; i < n; i++) {
			struct table *t = &w->tables[at + i];
			uint64_t missing;

			if (t->type == PAGE_NOTAB)
				continue;
			while (!pte_localise((const uint64_t *)w->p2m, w->nr_pfns, page_table_level(t->type),
					     t->data, &missing)) {
				/* A frame that is mapped but never sent: it was empty; give it
				 * memory. */
				uint64_t word = missing;

				if (missing == ~0ull)
					return bad(w, -EINVAL,
						   "a page table maps a frame beyond the table's end");
				if (populate(w, &word, 1) < 0)
					return -ENOMEM;
			}
			mfn[k++] = w->p2m[t->pfn];
		}
		if (!k)
			continue;
		m = xc_map(w->s->xc, w->dom, PROT_READ | PROT_WRITE, k, mfn);
		if (!m)
			return refused(w, -EFAULT, "page tables");
		k = 0;
		for (size_t i = 0; i < n; i++)
			if (w->tables[at + i].type != PAGE_NOTAB)
				memcpy(m + k++ * XC_PAGE_SIZE, w->tables[at + i].data, XC_PAGE_SIZE);
		xc_unmap(w->s->xc, m, k);
	}
	return 0;
}

/* The guest's own table of frames, with this host's frames in it. */
static int p2m_write(struct restorer *w)
{
	xen_pfn_t *mfn = calloc(w->p2m_pages, sizeof(*mfn));
	uint64_t *list;
	int rc = mfn ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < w->p2m_pages && rc == 0; i++)
		rc = frame_of(w, w->p2m_pfns[i], "a page of the table of frames", &mfn[i]);
	if (rc == 0) {
		list = xc_map(w->s->xc, w->dom, PROT_READ | PROT_WRITE, w->p2m_pages, mfn);
		if (list) {
			memcpy(list, w->p2m, w->nr_pfns * 8);
			memset(list + w->nr_pfns, 0xff, w->p2m_pages * XC_PAGE_SIZE - w->nr_pfns * 8);
			xc_unmap(w->s->xc, list, w->p2m_pages);
		} else {
			rc = refused(w, -EFAULT, "the table of frames");
		}
	}
	free(mfn);
	return rc;
}

static int tables_pin(struct restorer *w)
{
	static const unsigned int cmd[] = {0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
					   MMUEXT_PIN_L4_TABLE};
	struct xc_mmu_op *ops = malloc((w->nr_tables + 1) * sizeof(*ops));
	size_t n = 0;
	int rc;

	if (!ops)
		return bad(w, -ENOMEM, "out of memory");
	/* Lower levels first: a pinned L4 validates everything below it in one long call otherwise.
	 */
	for (unsigned int level = 1; level <= 4; level++)
		for (size_t i = 0; i < w->nr_tables; i++)
			if (w->tables[i].type == PAGE_PINNED + level)
				ops[n++] = (struct xc_mmu_op){cmd[level], w->p2m[w->tables[i].pfn]};
	rc = xc_mmuext(w->s->xc, w->dom, n, ops);
	free(ops);
	return rc < 0 ? refused(w, rc, "page tables") : 0;
}

/* start_info: the suspended guest left frame numbers of its rings in it; ports are new. */
static int start_info_write(struct restorer *w, uint64_t pfn, xen_pfn_t *mfn)
{
	struct xen_domctl_getdomaininfo info;
	struct start_info *si;
	int rc = frame_of(w, pfn, "start_info", mfn);

	if (rc < 0)
		return rc;
	rc = xc_domain_info(w->s->xc, w->dom, &info);
	if (rc < 0)
		return refused(w, rc, "start_info");
	si = xc_map(w->s->xc, w->dom, PROT_READ | PROT_WRITE, 1, mfn);
	if (!si)
		return refused(w, -EFAULT, "start_info");
	if ((rc = frame_of(w, si->store_mfn, "the xenstore ring", &w->ports->store_mfn)) == 0 &&
	    (rc = frame_of(w, si->console.domU.mfn, "the console ring", &w->ports->console_mfn)) == 0) {
		snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
		si->nr_pages = w->nr_pfns;
		si->shared_info = (uint64_t)info.shared_info_frame << XC_PAGE_SHIFT;
		si->flags = 0;
		si->store_mfn = w->ports->store_mfn;
		si->store_evtchn = w->ports->store;
		si->console.domU.mfn = w->ports->console_mfn;
		si->console.domU.evtchn = w->ports->console;
	}
	xc_unmap(w->s->xc, si, 1);
	return rc;
}

static int shared_info_write(struct restorer *w)
{
	const shared_info_t *old = (const shared_info_t *)w->shared;
	struct xen_domctl_getdomaininfo info;
	shared_info_t *sh;
	xen_pfn_t gfn;
	int rc = xc_domain_info(w->s->xc, w->dom, &info);

	if (rc < 0)
		return refused(w, rc, "shared_info");
	gfn = info.shared_info_frame;
	sh = xc_map(w->s->xc, w->dom, PROT_READ | PROT_WRITE, 1, &gfn);
	if (!sh)
		return refused(w, -EFAULT, "shared_info");
	/* The guest's part comes over; time and event channels are this host's. */
	memcpy(sh->vcpu_info, old->vcpu_info, sizeof(sh->vcpu_info));
	memcpy(&sh->arch, &old->arch, sizeof(sh->arch));
	sh->arch.pfn_to_mfn_frame_list_list = 0;
	sh->arch.p2m_cr3 = 0; /* named a frame of the old host; the guest sets it again when it resumes */
	memset(sh->evtchn_pending, 0, sizeof(sh->evtchn_pending));
	memset(sh->evtchn_mask, 0xff, sizeof(sh->evtchn_mask));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		sh->vcpu_info[i].evtchn_pending_sel = 0;
	xc_unmap(w->s->xc, sh, 1);
	return 0;
}

static int vcpu_write(struct restorer *w, unsigned int v)
{
	vcpu_guest_context_t *c = w->basic[v];
	unsigned int frames = (c->gdt_ents + 511) / 512;
	xen_pfn_t mfn;
	int rc;

	if (v == 0) {
		rc = start_info_write(w, c->user_regs.rdx, &mfn);
		if (rc < 0)
			return rc;
		c->user_regs.rdx = mfn;
	}
	if (c->gdt_ents > FIRST_RESERVED_GDT_ENTRY)
		return bad(w, -EINVAL, "a vCPU with too large a GDT");
	for (unsigned int i = 0; i < frames; i++) {
		if ((rc = frame_of(w, c->gdt_frames[i], "a GDT frame", &mfn)) < 0)
			return rc;
		c->gdt_frames[i] = mfn;
	}
	if ((rc = frame_of(w, xen_cr3_to_pfn(c->ctrlreg[3]), "a vCPU's page table", &mfn)) < 0)
		return rc;
	c->ctrlreg[3] = xen_pfn_to_cr3(mfn);
	if (c->ctrlreg[1] & 1) {
		if ((rc = frame_of(w, c->ctrlreg[1] >> XC_PAGE_SHIFT, "a vCPU's user page table", &mfn)) < 0)
			return rc;
		c->ctrlreg[1] = xen_pfn_to_cr3(mfn);
	} else {
		c->ctrlreg[1] = 0;
	}
	rc = xc_vcpu_set_context(w->s->xc, w->dom, v, c);
	if (rc >= 0 && w->extended[v].p) {
		struct xen_domctl op = {0};

		memcpy(&op.u, w->extended[v].p, w->extended[v].n);
		op.u.ext_vcpucontext.vcpu = v;
		rc = xc_vcpu_set_extended(w->s->xc, w->dom, &op.u.ext_vcpucontext);
	}
	if (rc >= 0 && w->xsave[v].p)
		rc = xc_vcpu_set_xsave(w->s->xc, w->dom, v, w->xsave[v].p, w->xsave[v].n);
	if (rc >= 0 && w->msrs[v].p)
		rc = xc_vcpu_set_msrs(w->s->xc, w->dom, v, w->msrs[v].p,
				      w->msrs[v].n / sizeof(xen_domctl_vcpu_msr_t));
	return rc < 0 ? stream_fail(&w->reader, rc, "state of vCPU %u refused: %s", v, xc_error(w->s->xc))
		      : 0;
}

/* Everything has arrived. */
static int on_end(struct restorer *w)
{
	struct xen_domctl_tsc_info tsc = {w->tsc.mode, w->tsc.khz, w->tsc.incarnation, 0, w->tsc.nsec};
	double began = stream_now(), written, pinned;
	int rc;

	if (!w->basic[0])
		return bad(w, -EINVAL, "the stream holds no vCPU 0");
	if ((rc = p2m_write(w)) < 0 || (rc = tables_write(w)) < 0 || (rc = shared_info_write(w)) < 0)
		return rc;
	written = stream_now();
	if (w->has_tsc && (rc = xc_domain_set_tsc(w->s->xc, w->dom, &tsc)) < 0)
		return refused(w, rc, "TSC information");
	/* start_info must be written before its frame may become part of anything typed, so vCPU 0
	 * first. */
	if ((rc = tables_pin(w)) < 0)
		return rc;
	pinned = stream_now();
	for (unsigned int v = 0; v < 128 && rc >= 0; v++)
		if (w->basic[v])
			rc = vcpu_write(w, v);
	if (rc < 0)
		return rc;
	rc = xc_seed_grants(w->s->xc, w->dom, 0, w->ports->console_mfn, 0, w->ports->store_mfn);
	serai_say(w->s, "%zu page tables written in %.0f ms, pinned in %.0f ms; vCPUs in %.0f ms",
		  w->nr_tables, (written - began) * 1000, (pinned - written) * 1000,
		  (stream_now() - pinned) * 1000);
	return rc < 0 ? refused(w, rc, "grants") : 0;
}

static int on_record(void *arg, uint32_t type, const void *body, uint32_t len)
{
	struct restorer *w = arg;

	if (w->reader.type != DOMAIN_PV)
		return bad(w, -EOPNOTSUPP, hvm);
	switch (type) {
	case REC_PV_P2M_FRAMES:
		return on_p2m_frames(w, body, len);
	case REC_CPUID_POLICY:
		return on_policy(w, true, body, len);
	case REC_MSR_POLICY:
		return on_policy(w, false, body, len);
	case REC_STATIC_DATA_END:
		return on_static_end(w);
	case REC_PV_VCPU_BASIC:
		return on_basic(w, body);
	case REC_PV_VCPU_EXTENDED:
		return keep(w, w->extended, body, len);
	case REC_PV_VCPU_XSAVE:
		return keep(w, w->xsave, body, len);
	case REC_PV_VCPU_MSRS:
		return keep(w, w->msrs, body, len);
	case REC_TSC_INFO:
		memcpy(&w->tsc, body, sizeof(w->tsc));
		w->has_tsc = true;
		return 0;
	case REC_SHARED_INFO:
		if (!w->shared && !(w->shared = malloc(XC_PAGE_SIZE)))
			return bad(w, -ENOMEM, "out of memory");
		memcpy(w->shared, body, XC_PAGE_SIZE);
		return 0;
	case REC_CHECKPOINT:
		return bad(w, -EOPNOTSUPP, "checkpointed (Remus) streams are not understood");
	case REC_END:
		return w->shared ? on_end(w) : bad(w, -EINVAL, "no SHARED_INFO record");
	}
	return 0;
}

static void restorer_free(struct restorer *w)
{
	xc_unmap(w->s->xc, w->mapped, w->nr_mapped);
	for (size_t i = 0; i < w->nr_tables; i++)
		free(w->tables[i].data);
	for (unsigned int v = 0; v < 128; v++) {
		free(w->basic[v]);
		free(w->extended[v].p);
		free(w->xsave[v].p);
		free(w->msrs[v].p);
	}
	free(w->tables);
	free(w->table_at);
	free(w->p2m);
	free(w->p2m_pfns);
	free(w->shared);
	xc_policy_free(&w->policy);
	free(w);
}

int restore_build(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p, void *arg)
{
	struct restore *r = arg;
	struct restorer *w = calloc(1, sizeof(*w));
	struct stream_visitor v = {.record = on_record, .arg = w, .pages = on_pages, .placed = on_placed};
	struct source from = {.fd = r->fd};
	int rc;

	if (!w)
		return serai_fail(s, -ENOMEM, "out of memory");
	w->r = r;
	w->s = s;
	w->dom = dom;
	w->ports = p;
	w->reader.read = stream_read_fd;
	w->reader.arg = (void *)(intptr_t)r->fd;
	if (r->compressed && source_open(&from, r->fd) == 0) {
		w->reader.read = source_read;
		w->reader.arg = &from;
	}
	rc = xc_domain_set_address_size(s->xc, dom, 64);
	if (rc >= 0)
		rc = container_read(&w->reader, &v);
	if (rc < 0)
		serai_fail(s, rc, "%s: %s", c->name, w->reader.error[0] ? w->reader.error : xc_error(s->xc));
	if (r->compressed)
		source_close(&from);
	restorer_free(w);
	return rc;
}

int restore_header(struct serai *s, int fd, struct domain_config *c)
{
	struct xl_header h;
	char *opt = NULL, error[256];
	uint32_t len = 0;
	int rc = stream_read_fd((void *)(intptr_t)fd, &h, sizeof(h));

	if (rc < 0 || memcmp(h.magic, XL_MAGIC, XL_MAGIC_LEN))
		return serai_fail(s, -EINVAL, "this is not a saved domain");
	if (h.byte_order != XL_BYTE_ORDER || h.mandatory != (XL_FLAG_JSON | XL_FLAG_STREAM_V2) ||
	    h.optional_len < 4 || h.optional_len > 1u << 20)
		return serai_fail(s, -EOPNOTSUPP, "saved by a tool too different (flags %#x, byte order %#x)",
				  h.mandatory, h.byte_order);
	opt = malloc(h.optional_len + 1);
	if (!opt)
		return serai_fail(s, -ENOMEM, "out of memory");
	rc = stream_read_fd((void *)(intptr_t)fd, opt, h.optional_len);
	memcpy(&len, opt, 4);
	if (rc < 0 || len > h.optional_len - 4)
		rc = serai_fail(s, rc < 0 ? rc : -EINVAL, "the configuration in the header is cut short");
	else if ((rc = config_from_json(c, opt + 4, len, error, sizeof(error))) < 0)
		serai_fail(s, rc, "%s", error);
	else if ((rc = config_check_saved(c, error, sizeof(error))) < 0) {
		serai_fail(s, rc, "the configuration in the header: %s", error);
		config_free(c);
	}
	free(opt);
	return rc;
}
