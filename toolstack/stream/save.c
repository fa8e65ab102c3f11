/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending side. Phases: static data, pages (rounds of dirty ones when live), suspend, the last
 * pages, vCPUs, end. Nothing of the guest is changed but its control/shutdown node, so an error at
 * any point can be answered by resuming it.
 */
#include "stream.h"
#include "format.h"
#include "frames.h"
#include "guest.h"
#include "pace.h"
#include "peer.h"
#include "sink.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <xen/sched.h>

#define SUSPEND_TIMEOUT_MS 60000
#define SUSPEND_GRACE_MS 15000

struct saver {
	struct serai *s;
	domid_t dom;
	struct sink sink;
	const struct save_options *o;
	struct save_stats *st;
	struct guest g;
	struct frames frames;
	uint64_t *dirty;    /* bitmap of pfns to send in this round */
	uint64_t *deferred; /* pages that held foreign mappings while live */
	uint64_t *sent;     /* pages whose contents the other side has had */
};

double stream_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int save_left_ms(const struct save_options *o, const struct save_stats *st)
{
	double left = o->downtime_ms * 0.75 - (stream_now() - st->stopped_at) * 1000;

	return !o->downtime_strict ? INT_MAX : left > 0 ? (int)left : 0;
}

static int put_v(struct saver *w, struct iovec *v, int n)
{
	int rc = sink_writev(&w->sink, v, n);

	w->st->bytes = w->sink.sent;
	if (rc == -ECANCELED)
		return serai_fail(w->s, rc, "cancelled");
	return rc < 0 ? serai_fail(w->s, rc, "domain %u: the stream cannot be written: %s", w->dom,
				   strerror(-rc))
		      : 0;
}

static int put(struct saver *w, const void *p, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)p, n};

	return put_v(w, &v, 1);
}

/* A record of up to two pieces, padded. */
static int put_record(struct saver *w, uint32_t type, const void *a, size_t na, const void *b, size_t nb)
{
	static const char zero[8];
	struct record_header h = {type, na + nb};
	struct iovec v[4] = {{&h, sizeof(h)},
			     {(void *)(uintptr_t)a, na},
			     {(void *)(uintptr_t)b, nb},
			     {(void *)(uintptr_t)zero, -(na + nb) & 7}};

	return put_v(w, v, 4);
}

static int put_headers(struct saver *w)
{
	const struct container_header c = {htobe64(CONTAINER_IDENT), htobe32(CONTAINER_VERSION), 0};
	const struct record_header xc = {CREC_LIBXC, 0};
	const struct stream_header h = {
		.marker = STREAM_MARKER, .ident = htobe32(STREAM_IDENT), .version = htobe32(3)};
	struct domain_header d = {.type = DOMAIN_PV, .page_shift = 12};
	const struct pv_info info = {.width = 8, .levels = 4};
	struct xc_version v;
	struct xc_policy p;
	int rc = xc_version(w->s->xc, &v);

	if (rc < 0)
		return serai_fail_xc(w->s, rc, "domain %u", w->dom);
	d.xen_major = v.major;
	d.xen_minor = v.minor;
	rc = xc_policy_get(w->s->xc, w->dom, &p);
	if (rc < 0)
		return serai_fail_xc(w->s, rc, "domain %u", w->dom);
	if ((rc = put(w, &c, sizeof(c))) == 0 && (rc = put(w, &xc, sizeof(xc))) == 0 &&
	    (rc = put(w, &h, sizeof(h))) == 0 && (rc = put(w, &d, sizeof(d))) == 0 &&
	    (rc = put_record(w, REC_PV_INFO, &info, sizeof(info), NULL, 0)) == 0 &&
	    (rc = put_record(w, REC_CPUID_POLICY, p.leaves, p.nr_leaves * sizeof(*p.leaves), NULL, 0)) == 0 &&
	    (!p.nr_msrs ||
	     (rc = put_record(w, REC_MSR_POLICY, p.msrs, p.nr_msrs * sizeof(*p.msrs), NULL, 0)) == 0))
		rc = put_record(w, REC_STATIC_DATA_END, NULL, 0, NULL, 0);
	xc_policy_free(&p);
	return rc;
}

static int put_p2m_frames(struct saver *w)
{
	const struct p2m_frames h = {0, w->g.view.nr_pfns - 1};

	return put_record(w, REC_PV_P2M_FRAMES, &h, sizeof(h), w->g.p2m_pfns, w->g.p2m_pages * 8);
}

static bool bit(const uint64_t *map, uint64_t i)
{
	return map[i / 64] >> i % 64 & 1;
}

static bool page_is_zero(const char *page)
{
	const uint64_t *p = (const uint64_t *)page;

	for (unsigned int i = 0; i < PTES; i += 8)
		if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
			return false;
	return true;
}

/*
 * What a batch's pages are, into words[]; those with contents are mapped: page[], a row of their own. Their number, or
 * negative.
 */
static int batch_look(struct saver *w, const uint64_t *pfn, unsigned int n, uint64_t *words, char **page)
{
	xen_pfn_t at[PAGE_BATCH], types[PAGE_BATCH], mfn[PAGE_BATCH];
	uint64_t full[PAGE_BATCH];
	unsigned int nr = 0;
	int rc;

	/* Read once: a guest that runs may change its table. */
	for (unsigned int i = 0; i < n; i++)
		types[i] = at[i] = w->g.view.p2m[pfn[i]];
	rc = xc_frame_types(w->s->xc, w->dom, n, types);
	if (rc < 0)
		return serai_fail_xc(w->s, rc, "domain %u", w->dom);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int t = view_pfn(&w->g.view, at[i]) == pfn[i] ? types[i] >> 28 & 0xf : PAGE_XTAB;

		words[i] = pfn[i] | (uint64_t)t << PAGE_TYPE_SHIFT;
		if (!page_has_data(t))
			continue;
		full[nr] = pfn[i];
		mfn[nr++] = at[i];
	}
	rc = frames_get(&w->frames, nr, full, mfn, page);
	return rc < 0 ? rc : (int)nr;
}

/* Send up to PAGE_BATCH pages: pfn[] in; those with machine frames are typed, mapped and written.
 */
static int put_batch(struct saver *w, const uint64_t *pfn, unsigned int n, bool final)
{
	uint64_t words[PAGE_BATCH + 1] = {0}, (*tables)[PTES] = NULL;
	char *pages[PAGE_BATCH] = {0};
	struct iovec v[PAGE_BATCH + 3];
	struct record_header h = {REC_PAGE_DATA, 0};
	int nv = 0, rc;
	unsigned int nt = 0, k = 0;

	rc = batch_look(w, pfn, n, words, pages);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < n; i++)
		nt += page_table_level(words[i] >> PAGE_TYPE_SHIFT) != 0;
	if (nt && !(tables = malloc(nt * sizeof(*tables))))
		return serai_fail(w->s, -ENOMEM, "out of memory");
	v[nv++] = (struct iovec){&h, sizeof(h)};
	uint64_t head = n;

	v[nv++] = (struct iovec){&head, 8};
	v[nv++] = (struct iovec){words, n * 8ul};
	rc = 0;
	nt = 0;
	/* Entries of v[] beyond the page list are pages; adjacent ones in the mapping are one
	 * piece. */
	for (unsigned int i = 0; i < n; i++) {
		unsigned int t = words[i] >> PAGE_TYPE_SHIFT, level = page_table_level(t);
		char *page;

		if (!page_has_data(t))
			continue;
		page = pages[k++];
		if (!page) {
			/* Gone between the two calls: the guest gave it back. It will be sent again
			 * if it returns. */
			if (final) {
				rc = serai_fail(w->s, -EFAULT, "domain %u: page %#lx vanished", w->dom,
						(unsigned long)pfn[i]);
				break;
			}
			words[i] = pfn[i] | (uint64_t)PAGE_XTAB << PAGE_TYPE_SHIFT;
			w->deferred[pfn[i] / 64] |= 1ull << pfn[i] % 64;
			continue;
		}
		if (level) {
			unsigned int foreign = pte_normalise(&w->g.view, level, (uint64_t *)page, tables[nt]);

			if (foreign && final)
				serai_say(w->s,
					  "domain %u: page table %#lx maps %u foreign frames: not "
					  "moved",
					  w->dom, (unsigned long)pfn[i], foreign);
			else if (foreign)
				w->deferred[pfn[i] / 64] |= 1ull << pfn[i] % 64;
			page = (char *)tables[nt++];
		}
		/* New memory is zero over there: a page the other side never had needs no bytes. */
		if (!level && !bit(w->sent, pfn[i]) && page_is_zero(page)) {
			words[i] = pfn[i] | (uint64_t)PAGE_XALLOC << PAGE_TYPE_SHIFT;
			w->st->zero_pages++;
			continue;
		}
		w->sent[pfn[i] / 64] |= 1ull << pfn[i] % 64;
		h.length += XC_PAGE_SIZE;
		if (nv > 3 && (char *)v[nv - 1].iov_base + v[nv - 1].iov_len == page) {
			v[nv - 1].iov_len += XC_PAGE_SIZE;
			continue;
		}
		v[nv++] = (struct iovec){page, XC_PAGE_SIZE};
	}
	h.length += 8 + n * 8;
	if (rc == 0)
		rc = put_v(w, v, nv);
	w->st->pages += k;
	free(tables);
	return rc;
}

/* Nothing is left of a strict budget: the guest is not stopped for longer. */
static int too_long(struct saver *w)
{
	return serai_fail(w->s, -ETIMEDOUT,
			  "domain %u was stopped for the %u ms that were allowed, and the rest has not gone",
			  w->dom, w->o->downtime_ms);
}

/* One pass over the bitmap. */
static int put_pages(struct saver *w, const char *what, bool final)
{
	uint64_t pfn[PAGE_BATCH];
	unsigned int n = 0;
	int rc = 0;

	for (uint64_t i = 0; i < w->g.view.nr_pfns && rc == 0; i++) {
		if (bit(w->dirty, i) && w->g.view.p2m[i] != ~0ull)
			pfn[n++] = i;
		if (n == PAGE_BATCH || (n && i + 1 == w->g.view.nr_pfns)) {
			rc = put_batch(w, pfn, n, final);
			n = 0;
			if (rc == 0 && final && save_left_ms(w->o, w->st) == 0)
				rc = too_long(w);
			if (w->o->progress)
				w->o->progress(what, i + 1, w->g.view.nr_pfns);
		}
	}
	return rc;
}

static uint64_t count_bits(const uint64_t *map, uint64_t words)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < words; i++)
		n += __builtin_popcountll(map[i]);
	return n;
}

/* Ask the guest to suspend and wait until it has. */
static int suspend(struct saver *w)
{
	int reason = 0, rc;

	/* A domain that is suspended already (saved twice, or by an earlier failure) needs no
	 * asking. */
	rc = xc_domain_info(w->s->xc, w->dom, &w->g.info);
	if (rc == 0 && w->g.info.flags & XEN_DOMINF_shutdown)
		return (w->g.info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) ==
				       SHUTDOWN_suspend
			       ? 0
			       : serai_fail(w->s, -EINVAL, "domain %u has shut down", w->dom);
	if (w->o->suspending)
		w->o->suspending(w->o->suspending_arg, w->dom);
	rc = domain_request(w->s, w->dom, "suspend");
	if (rc == 0)
		rc = domain_wait_shutdown(w->s, w->dom, SUSPEND_TIMEOUT_MS, &reason);
	if (rc == 1)
		return serai_fail(w->s, -ESRCH, "domain %u vanished", w->dom);
	if (rc == -ETIMEDOUT) {
		domain_request(w->s, w->dom, ""); /* withdraw the request */
		return serai_fail(w->s, rc,
				  "domain %u did not suspend in %d s: does its kernel listen to "
				  "control/shutdown?",
				  w->dom, SUSPEND_TIMEOUT_MS / 1000);
	}
	if (rc == 0 && reason != SHUTDOWN_suspend)
		return serai_fail(w->s, -EINVAL, "domain %u shut down (reason %d) instead of suspending",
				  w->dom, reason);
	return rc;
}

/* Another round? 1: yes; 0: the rest goes with the guest stopped; negative: it cannot be moved like that. */
static int live_more(struct saver *w, const struct pace *p, double start)
{
	switch (pace_next(p, w->o, stream_now() - start)) {
	case PACE_MORE:
		return 1;
	case PACE_STOP:
		return 0;
	case PACE_LATE:
		return serai_fail(w->s, -ETIMEDOUT,
				  "domain %u: not done in %u s: it writes %.1f MiB a "
				  "round, the link carries %.1f MiB/s",
				  w->dom, w->o->timeout_s, p->left / 256.0, p->rate / 256);
	case PACE_UNFIT:
		break;
	}
	return serai_fail(w->s, -ETIMEDOUT,
			  "domain %u writes memory too fast: after %u rounds the rest would stop it for "
			  "%.0f ms, and %u ms were allowed",
			  w->dom, w->st->rounds, p->down_ms, w->o->downtime_ms);
}

/*
 * Rounds of dirty pages until the rest can be sent within the downtime asked for, or further ones
 * do not help: then the guest is stopped all the same, unless the caller was strict.
 */
static int live_rounds(struct saver *w, uint64_t words, double start)
{
	struct pace p = {0};
	int rc;

	for (;;) {
		double began = stream_now(), along_ms = 0, took;
		uint64_t before = w->st->pages - w->st->zero_pages;

		rc = put_pages(w, w->st->rounds ? "Dirty pages" : "Memory", false);
		if (rc < 0)
			return rc;
		w->st->rounds++;
		took = stream_now() - began;
		/* What is dirty is counted behind it: the guest goes on meanwhile. */
		if (w->o->round && (rc = w->o->round(w->s, w->o->along_arg, &along_ms)) < 0)
			return rc;
		rc = xc_shadow_op(w->s->xc, w->dom, XEN_DOMCTL_SHADOW_OP_PEEK, 0, w->dirty, w->g.view.nr_pfns,
				  NULL);
		if (rc < 0)
			return serai_fail_xc(w->s, rc, "domain %u", w->dom);
		pace_round(&p, w->st->pages - w->st->zero_pages - before, took, count_bits(w->dirty, words));
		p.down_ms += along_ms;
		serai_say(w->s, "round %u: %.0f pages/s, %lu pages dirty, %.0f ms for those", w->st->rounds,
			  p.rate, (unsigned long)p.left, p.down_ms);
		rc = live_more(w, &p, start);
		if (rc <= 0)
			return rc;
		rc = xc_shadow_op(w->s->xc, w->dom, XEN_DOMCTL_SHADOW_OP_CLEAN, 0, w->dirty,
				  w->g.view.nr_pfns, NULL);
		if (rc < 0)
			return serai_fail_xc(w->s, rc, "domain %u", w->dom);
	}
}

/* A set of vCPU registers with frames in place of machine frames. */
static int put_vcpu_basic(struct saver *w, unsigned int vcpu, vcpu_guest_context_t *c)
{
	struct vcpu_record h = {.vcpu = vcpu};
	unsigned int frames = (c->gdt_ents + 511) / 512;
	uint64_t pfn;

	if (vcpu == 0) {
		/* The suspend call leaves the start_info frame in rdx. */
		pfn = view_pfn(&w->g.view, c->user_regs.rdx);
		if (pfn == ~0ull)
			return serai_fail(w->s, -EINVAL,
					  "domain %u: its suspend record %#lx is not its own frame", w->dom,
					  (unsigned long)c->user_regs.rdx);
		c->user_regs.rdx = pfn;
	}
	for (unsigned int i = 0; i < frames && i < 16; i++) {
		pfn = view_pfn(&w->g.view, c->gdt_frames[i]);
		if (pfn == ~0ull)
			return serai_fail(w->s, -EINVAL, "domain %u: GDT frame %u of vCPU %u is not its own",
					  w->dom, i, vcpu);
		c->gdt_frames[i] = pfn;
	}
	for (unsigned int r = 1; r <= 3; r += 2) {
		/* ctrlreg[3]: kernel tables; ctrlreg[1]: user tables, zero when there are none. */
		if (r == 1 && !c->ctrlreg[1])
			continue;
		pfn = view_pfn(&w->g.view, xen_cr3_to_pfn(c->ctrlreg[r]));
		if (pfn == ~0ull)
			return serai_fail(w->s, -EINVAL,
					  "domain %u: the page tables of vCPU %u are not its own", w->dom,
					  vcpu);
		c->ctrlreg[r] = r == 1 ? 1 | xen_pfn_to_cr3(pfn) : xen_pfn_to_cr3(pfn);
	}
	return put_record(w, REC_PV_VCPU_BASIC, &h, sizeof(h), c, sizeof(*c));
}

static int put_vcpu(struct saver *w, unsigned int vcpu)
{
	const struct vcpu_record h = {.vcpu = vcpu};
	vcpu_guest_context_t *c = malloc(sizeof(*c));
	struct xen_domctl_ext_vcpucontext e;
	xen_domctl_vcpu_msr_t *msrs = NULL;
	struct xen_domctl pad;
	void *xsave = NULL;
	size_t n;
	int rc;

	if (!c)
		return serai_fail(w->s, -ENOMEM, "out of memory");
	if ((rc = xc_vcpu_get_context(w->s->xc, w->dom, vcpu, c)) < 0 ||
	    (rc = xc_vcpu_get_extended(w->s->xc, w->dom, vcpu, &e)) < 0) {
		serai_fail_xc(w->s, rc, "domain %u: vCPU %u", w->dom, vcpu);
		goto out;
	}
	/* The record is what the call carries: the structure up to the size it names, at most 128
	 * bytes. */
	memset(&pad, 0, sizeof(pad));
	pad.u.ext_vcpucontext = e;
	if ((rc = put_vcpu_basic(w, vcpu, c)) < 0 ||
	    (rc = put_record(w, REC_PV_VCPU_EXTENDED, &h, sizeof(h), &pad.u,
			     e.size <= 120 ? e.size : sizeof(e))) < 0)
		goto out;
	rc = xc_vcpu_get_xsave(w->s->xc, w->dom, vcpu, &xsave, &n);
	if (rc < 0)
		serai_fail_xc(w->s, rc, "domain %u: extended state of vCPU %u", w->dom, vcpu);
	else if (n)
		rc = put_record(w, REC_PV_VCPU_XSAVE, &h, sizeof(h), xsave, n);
	if (rc < 0)
		goto out;
	rc = xc_vcpu_get_msrs(w->s->xc, w->dom, vcpu, &msrs, &n);
	if (rc < 0)
		serai_fail_xc(w->s, rc, "domain %u: MSRs of vCPU %u", w->dom, vcpu);
	else if (n)
		rc = put_record(w, REC_PV_VCPU_MSRS, &h, sizeof(h), msrs, n * sizeof(*msrs));
out:
	free(msrs);
	free(xsave);
	free(c);
	return rc;
}

static int put_state(struct saver *w)
{
	struct xen_domctl_tsc_info tsc;
	struct tsc_record t;
	int rc = xc_domain_get_tsc(w->s->xc, w->dom, &tsc);

	if (rc < 0)
		return serai_fail_xc(w->s, rc, "domain %u", w->dom);
	t = (struct tsc_record){tsc.tsc_mode, tsc.gtsc_khz, tsc.elapsed_nsec, tsc.incarnation, 0};
	if ((rc = put_record(w, REC_TSC_INFO, &t, sizeof(t), NULL, 0)) < 0 ||
	    (rc = put_record(w, REC_SHARED_INFO, w->g.shared, XC_PAGE_SIZE, NULL, 0)) < 0)
		return rc;
	for (unsigned int v = 0; v <= w->g.info.max_vcpu_id && rc == 0; v++) {
		struct xen_domctl_getvcpuinfo info;

		rc = xc_vcpu_info(w->s->xc, w->dom, v, &info);
		if (rc < 0)
			return serai_fail_xc(w->s, rc, "domain %u: vCPU %u", w->dom, v);
		if (info.online)
			rc = put_vcpu(w, v);
	}
	if (rc == 0)
		rc = put_record(w, REC_END, NULL, 0, NULL, 0);
	/* The container ends, too. */
	return rc < 0 ? rc : put_record(w, CREC_END, NULL, 0, NULL, 0);
}

static int save_all(struct saver *w, bool *suspended, double start)
{
	uint64_t words = (w->g.view.nr_pfns + 63) / 64;
	int rc;

	w->dirty = malloc(words * 8);
	w->deferred = calloc(words, 8);
	w->sent = calloc(words, 8);
	if (!w->dirty || !w->deferred || !w->sent)
		return serai_fail(w->s, -ENOMEM, "out of memory");
	memset(w->dirty, 0xff, words * 8);
	if ((rc = frames_open(&w->frames, w->s, w->dom, w->g.view.nr_pfns)) < 0 ||
	    (rc = put_headers(w)) < 0 || (rc = put_p2m_frames(w)) < 0)
		return rc;
	if (w->st->live && (rc = live_rounds(w, words, start)) < 0)
		return rc;
	if (w->st->live) {
		w->st->stopped_at = stream_now();
		rc = suspend(w);
		if (rc < 0)
			return rc;
		*suspended = true;
		serai_say(w->s, "suspended after %.0f ms", (stream_now() - w->st->stopped_at) * 1000);
		rc = xc_shadow_op(w->s->xc, w->dom, XEN_DOMCTL_SHADOW_OP_CLEAN,
				  XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, w->dirty, w->g.view.nr_pfns, NULL);
		if (rc < 0)
			return serai_fail_xc(w->s, rc, "domain %u", w->dom);
		for (uint64_t i = 0; i < words; i++)
			w->dirty[i] |= w->deferred[i];
	}
	if (w->o->stopped && (rc = w->o->stopped(w->s, w->o->along_arg)) < 0)
		return rc;
	w->st->rounds++;
	rc = put_pages(w, w->st->live ? "Last pages" : "Memory", true);
	if (rc < 0)
		return rc;
	serai_say(w->s, "last pages sent after %.0f ms", (stream_now() - w->st->stopped_at) * 1000);
	if ((rc = put_state(w)) < 0)
		return rc;
	rc = sink_finish(&w->sink);
	w->st->bytes = w->sink.sent;
	return rc < 0 ? serai_fail(w->s, rc, "domain %u: the stream cannot be written: %s", w->dom,
				   strerror(-rc))
		      : 0;
}

int save_domain(struct serai *s, domid_t dom, int fd, const struct save_options *o, struct save_stats *st,
		bool *suspended)
{
	struct saver w = {.s = s, .dom = dom, .o = o, .st = st};
	double start = stream_now();
	int rc;

	memset(st, 0, sizeof(*st));
	*suspended = false;
	rc = sink_open(&w.sink, fd, o->compress, o->bandwidth);
	if (rc < 0)
		return serai_fail(s, rc, "out of memory");
	/* The guest must be suspended before its P2M can be trusted to hold still, unless it is
	 * tracked. */
	if (o->live) {
		rc = xc_shadow_op(s->xc, dom, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0, NULL, 0, NULL);
		st->live = rc >= 0;
		if (rc < 0 && (o->live_only || rc != -EOPNOTSUPP)) {
			rc = serai_fail(s, rc,
					"domain %u: this hypervisor cannot track the memory a PV "
					"guest writes to (%s); "
					"without --live the guest stops for the whole transfer",
					dom, strerror(-rc));
			goto out;
		}
	}
	if (!st->live) {
		st->stopped_at = start;
		rc = suspend(&w);
		if (rc < 0)
			goto out;
		*suspended = true;
	}
	rc = guest_open(s, dom, &w.g);
	if (rc == 0) {
		rc = save_all(&w, suspended, start);
		frames_close(&w.frames);
		guest_close(&w.g);
	}
out:
	if (st->live)
		xc_shadow_op(s->xc, dom, XEN_DOMCTL_SHADOW_OP_OFF, 0, NULL, 0, NULL);
	st->total_s = stream_now() - start;
	st->downtime_s = stream_now() - st->stopped_at;
	sink_close(&w.sink);
	free(w.dirty);
	free(w.deferred);
	free(w.sent);
	return rc;
}

int save_header(struct serai *s, const struct domain_config *c, int fd)
{
	struct xl_header h = {.byte_order = XL_BYTE_ORDER, .mandatory = XL_FLAG_JSON | XL_FLAG_STREAM_V2};
	struct save_stats st = {0};
	struct saver w = {.s = s, .sink.fd = fd, .st = &st};
	char *json = config_to_json(c), error[256];
	struct domain_config again;
	uint32_t len;
	int rc;

	if (!json)
		return serai_fail(s, -ENOMEM, "out of memory");
	/* What could not be restored is not saved: the domain would be gone. */
	rc = config_from_json(&again, json, strlen(json), error, sizeof(error));
	if (rc == 0 && (rc = config_check_saved(&again, error, sizeof(error))) < 0)
		config_free(&again);
	if (rc < 0) {
		free(json);
		return serai_fail(s, rc, "its configuration could not be restored: %s", error);
	}
	config_free(&again);
	memcpy(h.magic, XL_MAGIC, XL_MAGIC_LEN);
	len = strlen(json) + 1;
	h.optional_len = len + 4;
	if ((rc = put(&w, &h, sizeof(h))) == 0 && (rc = put(&w, &len, 4)) == 0)
		rc = put(&w, json, len);
	free(json);
	return rc;
}

int save_resume(struct serai *s, domid_t dom)
{
	/*
	 * The guest's SCHEDOP_shutdown returns 1, "cancelled", in rax of every vCPU that called it;
	 * only vCPU 0 does. Kernels with the SUSPEND_CANCEL note handle that.
	 */
	vcpu_guest_context_t *c = malloc(sizeof(*c));
	int rc = c ? xc_vcpu_get_context(s->xc, dom, 0, c) : -ENOMEM;

	if (rc >= 0) {
		c->user_regs.rax = 1;
		rc = xc_vcpu_set_context(s->xc, dom, 0, c);
	}
	free(c);
	if (rc >= 0)
		rc = xc_domain_resume(s->xc, dom);
	if (rc >= 0)
		store_resume(s->store, dom);
	return rc < 0 ? serai_fail_xc(s, rc, "domain %u cannot be resumed", dom) : 0;
}

int save_abandon(struct serai *s, domid_t dom, bool asked)
{
	struct xen_domctl_getdomaininfo info;
	int reason = SHUTDOWN_suspend, rc;
	char *request;

	/* Left on by a saver that was killed; an error means that it was not. */
	xc_shadow_op(s->xc, dom, XEN_DOMCTL_SHADOW_OP_OFF, 0, NULL, 0, NULL);
	if (!asked)
		return 0;
	rc = xc_domain_info(s->xc, dom, &info);
	if (rc < 0)
		return serai_fail(s, rc, "domain %u is gone", dom);
	if (!(info.flags & XEN_DOMINF_shutdown)) {
		request = store_readf(s->store, 0, "/local/domain/%u/control/shutdown", dom);
		rc = request && !strcmp(request, "suspend");
		free(request);
		if (rc)
			return domain_request(s, dom, "");
		/* A guest that has taken the request suspends in a moment; one that the request never reached
		 * does not. */
		rc = domain_wait_shutdown(s, dom, SUSPEND_GRACE_MS, &reason);
		if (rc == -ETIMEDOUT)
			return 0;
		if (rc)
			return rc < 0 ? rc : serai_fail(s, -ESRCH, "domain %u is gone", dom);
	} else {
		reason = info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
	}
	return reason == SHUTDOWN_suspend ? save_resume(s, dom) : 0;
}
