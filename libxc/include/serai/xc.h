/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxc: the control library. One `struct xc` is one conversation with the hypervisor: the
 * privileged-command device, an arena of call buffers and the cause of the last failure.
 *
 * Invariants: no global state; nothing here exits or prints. Every function that can fail returns
 * 0 (or a count) or a negative errno, and leaves a sentence that names the object and the cause in
 * xc_error(). A handle belongs to one thread at a time; open as many as you like.
 */
#ifndef SERAI_XC_H
#define SERAI_XC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/memory.h>
#include <xen/version.h>

#define XC_PAGE_SHIFT 12
#define XC_PAGE_SIZE 4096ul

struct xc;

/*
 * What libxc needs from below. The default body talks to /dev/xen; tests supply their own.
 * `buffer`s are page-aligned memory the hypervisor may read and write during a call.
 */
struct xc_ops {
	long (*hypercall)(void *ctx, unsigned int op, const uint64_t arg[5]);
	void *(*buffer)(void *ctx, size_t pages);
	void (*buffer_free)(void *ctx, void *p, size_t pages);
	/* Map frames of a domain; err[i] receives 0 or a negative errno for each frame. */
	void *(*map)(void *ctx, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn, int *err);
	void (*unmap)(void *ctx, void *p, size_t pages);
	int (*map_resource)(void *ctx, domid_t dom, unsigned int type, unsigned int id, size_t first,
			    size_t n, void **p);
	void (*close)(void *ctx);
};

/* -------- handle -------- */
int xc_open(struct xc **out);
int xc_open_ops(struct xc **out, const struct xc_ops *ops, void *ctx);
void xc_close(struct xc *xc);
/* The cause of the last failure on this handle; never NULL. */
const char *xc_error(const struct xc *xc);
/* Record a cause and return `err`, so that `return xc_fail(xc, -EINVAL, "...")` reads well. */
int xc_fail(struct xc *xc, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* -------- raw calls -------- */
/*
 * Call buffers are taken from a stack-like arena: everything allocated after xc_mark() is
 * returned by xc_release(). Requests larger than the arena are mapped for themselves.
 */
size_t xc_mark(struct xc *xc);
void *xc_buffer(struct xc *xc, size_t bytes);
void xc_release(struct xc *xc, size_t mark);
long xc_hypercall(struct xc *xc, unsigned int op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4);
int xc_domctl(struct xc *xc, struct xen_domctl *op);
int xc_sysctl(struct xc *xc, struct xen_sysctl *op);
long xc_memory_op(struct xc *xc, unsigned int cmd, void *arg, size_t size);

/* -------- domains (domctl.c) -------- */
int xc_domain_create(struct xc *xc, domid_t *dom, struct xen_domctl_createdomain *cfg);
int xc_domain_max_vcpus(struct xc *xc, domid_t dom, unsigned int max);
int xc_domain_pause(struct xc *xc, domid_t dom);
int xc_domain_unpause(struct xc *xc, domid_t dom);
int xc_domain_resume(struct xc *xc, domid_t dom);
int xc_domain_destroy(struct xc *xc, domid_t dom);
int xc_domain_info(struct xc *xc, domid_t dom, struct xen_domctl_getdomaininfo *info);
/* Number of domains written, first domain with an id >= first. */
int xc_domain_list(struct xc *xc, domid_t first, unsigned int max, struct xen_domctl_getdomaininfo *info);
int xc_domain_set_max_mem(struct xc *xc, domid_t dom, uint64_t kib);
int xc_domain_set_handle(struct xc *xc, domid_t dom, const uint8_t handle[16]);
int xc_domain_set_address_size(struct xc *xc, domid_t dom, unsigned int bits);
int xc_domain_get_address_size(struct xc *xc, domid_t dom, unsigned int *bits);
int xc_domain_trigger(struct xc *xc, domid_t dom, unsigned int trigger, unsigned int vcpu);
int xc_domain_set_tsc(struct xc *xc, domid_t dom, const struct xen_domctl_tsc_info *tsc);
int xc_domain_get_tsc(struct xc *xc, domid_t dom, struct xen_domctl_tsc_info *tsc);
int xc_domain_set_node_affinity(struct xc *xc, domid_t dom, const uint8_t *map, unsigned int bits);
int xc_sched_credit2_get(struct xc *xc, domid_t dom, struct xen_domctl_sched_credit2 *p);
int xc_sched_credit2_set(struct xc *xc, domid_t dom, const struct xen_domctl_sched_credit2 *p);
/* Types of frames, in place: gfn in, type|gfn out. At most 1024 a call. */
int xc_frame_types(struct xc *xc, domid_t dom, size_t n, xen_pfn_t *frames);
/* Log-dirty: XEN_DOMCTL_SHADOW_OP_*; `bitmap` of `pages` bits may be NULL. */
int xc_shadow_op(struct xc *xc, domid_t dom, unsigned int op, unsigned int mode, void *bitmap, uint64_t pages,
		 struct xen_domctl_shadow_op_stats *stats);

/* -------- vCPUs (vcpu.c) -------- */
int xc_vcpu_info(struct xc *xc, domid_t dom, unsigned int vcpu, struct xen_domctl_getvcpuinfo *info);
int xc_vcpu_get_context(struct xc *xc, domid_t dom, unsigned int vcpu, vcpu_guest_context_t *c);
int xc_vcpu_set_context(struct xc *xc, domid_t dom, unsigned int vcpu, const vcpu_guest_context_t *c);
int xc_vcpu_get_extended(struct xc *xc, domid_t dom, unsigned int vcpu, struct xen_domctl_ext_vcpucontext *e);
int xc_vcpu_set_extended(struct xc *xc, domid_t dom, struct xen_domctl_ext_vcpucontext *e);
/* *data is malloc()ed; *size 0 means the domain has no extended state. */
int xc_vcpu_get_xsave(struct xc *xc, domid_t dom, unsigned int vcpu, void **data, size_t *size);
int xc_vcpu_set_xsave(struct xc *xc, domid_t dom, unsigned int vcpu, const void *data, size_t size);
int xc_vcpu_get_msrs(struct xc *xc, domid_t dom, unsigned int vcpu, xen_domctl_vcpu_msr_t **msrs,
		     size_t *count);
int xc_vcpu_set_msrs(struct xc *xc, domid_t dom, unsigned int vcpu, const xen_domctl_vcpu_msr_t *msrs,
		     size_t count);
/* Affinity maps are little-endian bitmaps of `bits` CPUs. `which`: XEN_VCPUAFFINITY_HARD and/or SOFT. */
int xc_vcpu_get_affinity(struct xc *xc, domid_t dom, unsigned int vcpu, uint8_t *hard, uint8_t *soft,
			 unsigned int bits);
int xc_vcpu_set_affinity(struct xc *xc, domid_t dom, unsigned int vcpu, const uint8_t *hard,
			 const uint8_t *soft, unsigned int bits, bool force);

/* -------- host (sysctl.c) -------- */
int xc_physinfo(struct xc *xc, struct xen_sysctl_physinfo *info);
int xc_scheduler(struct xc *xc, unsigned int *id);
/* Bytes of the hypervisor's log; `clear` empties the ring, *index carries an incremental position. */
int xc_readconsole(struct xc *xc, char *buf, size_t *len, bool clear, bool incremental, uint32_t *index);
int xc_debug_keys(struct xc *xc, const char *keys);
int xc_cpu_idle(struct xc *xc, uint64_t *idle_ns, unsigned int *ncpus);
int xc_cputopo(struct xc *xc, xen_sysctl_cputopo_t *topo, unsigned int *n);
int xc_numainfo(struct xc *xc, xen_sysctl_meminfo_t *mem, uint32_t *distance, unsigned int *nodes);
struct xc_cpupool {
	uint32_t id, sched, domains;
	uint8_t cpus[128]; /* bitmap */
};
/* The pool with the lowest id >= *id; -ENOENT when there is none. */
int xc_cpupool_info(struct xc *xc, uint32_t id, struct xc_cpupool *pool);
int xc_cpupool_free_cpus(struct xc *xc, uint8_t *map, unsigned int bits);
int xc_sched_credit2_pool_get(struct xc *xc, uint32_t pool, uint32_t *ratelimit_us);
int xc_sched_credit2_pool_set(struct xc *xc, uint32_t pool, uint32_t ratelimit_us);
/* Feature words; *n is capacity in, count out. `index` is XEN_SYSCTL_cpu_featureset_*. */
int xc_cpu_featureset(struct xc *xc, unsigned int index, uint32_t *words, unsigned int *n);

/* -------- version (version.c) -------- */
struct xc_version {
	unsigned int major, minor;
	char extra[XEN_EXTRAVERSION_LEN];
	struct xen_compile_info compile;
	char caps[1024];
	char changeset[64];
	char commandline[1024];
	char build_id[2 * 20 + 1]; /* hexadecimal, empty when there is none */
	uint64_t virt_start;
	uint32_t pagesize;
};
int xc_version(struct xc *xc, struct xc_version *v);

/* -------- memory (memory.c) -------- */
/* Populate `n` extents of 2^order frames; frames[] holds pfns in, machine frames out. Returns how many. */
long xc_populate(struct xc *xc, domid_t dom, size_t n, unsigned int order, xen_pfn_t *frames);
/* Reserve memory for a domain before it is populated; 0 frees an earlier claim. */
int xc_claim(struct xc *xc, domid_t dom, uint64_t pages);
int xc_set_memory_map(struct xc *xc, domid_t dom, uint64_t bytes);
/* Highest guest frame number plus one. */
int xc_domain_max_gpfn(struct xc *xc, domid_t dom, uint64_t *frames);
int xc_max_mfn(struct xc *xc, uint64_t *frames);
struct xc_mmu_op {
	unsigned int cmd; /* MMUEXT_* */
	xen_pfn_t mfn;
};
int xc_mmuext(struct xc *xc, domid_t dom, size_t n, const struct xc_mmu_op *ops);

/* -------- mapping (map.c) -------- */
void *xc_map(struct xc *xc, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn);
/* As xc_map, but a frame that cannot be mapped only sets err[i]. */
void *xc_map_some(struct xc *xc, domid_t dom, int prot, size_t n, const xen_pfn_t *gfn, int *err);
void xc_unmap(struct xc *xc, void *p, size_t pages);
int xc_map_grant_table(struct xc *xc, domid_t dom, size_t frames, void **p);
/* The machine-to-physical table, read-only. */
int xc_map_m2p(struct xc *xc, const uint64_t **m2p, uint64_t *entries);
void xc_unmap_m2p(struct xc *xc, const uint64_t *m2p, uint64_t entries);

/* -------- event channels (event.c) -------- */
struct xc_event;
int xc_event_open(struct xc_event **out);
void xc_event_close(struct xc_event *e);
int xc_event_fd(const struct xc_event *e);
int xc_event_bind_virq(struct xc_event *e, unsigned int virq, evtchn_port_t *port);
int xc_event_bind_interdomain(struct xc_event *e, domid_t dom, evtchn_port_t remote, evtchn_port_t *port);
int xc_event_notify(struct xc_event *e, evtchn_port_t port);
int xc_event_unbind(struct xc_event *e, evtchn_port_t port);
/* The next pending port; it stays masked until xc_event_unmask(). */
int xc_event_pending(struct xc_event *e, evtchn_port_t *port);
int xc_event_unmask(struct xc_event *e, evtchn_port_t port);
/* Allocate, on behalf of `dom`, a port that `remote` may bind to. */
int xc_event_alloc_unbound(struct xc *xc, domid_t dom, domid_t remote, evtchn_port_t *port);

/* -------- grants (grant.c) -------- */
struct xc_grant;
int xc_grant_open(struct xc_grant **out);
void xc_grant_close(struct xc_grant *g);
void *xc_grant_map(struct xc_grant *g, domid_t dom, uint32_t ref, int prot);
int xc_grant_unmap(struct xc_grant *g, void *p);

/* -------- CPU policy (policy.c) -------- */
struct xc_policy {
	xen_cpuid_leaf_t *leaves;
	xen_msr_entry_t *msrs;
	uint32_t nr_leaves, nr_msrs;
};
/* `index` is XEN_SYSCTL_cpu_policy_*. */
int xc_policy_host(struct xc *xc, unsigned int index, struct xc_policy *p);
int xc_policy_get(struct xc *xc, domid_t dom, struct xc_policy *p);
int xc_policy_set(struct xc *xc, domid_t dom, const struct xc_policy *p);
const xen_cpuid_leaf_t *xc_policy_leaf(const struct xc_policy *p, uint32_t leaf, uint32_t subleaf);
void xc_policy_free(struct xc_policy *p);
/*
 * Is every feature bit of `want` present in `have`? Returns 0, or the number of features missing with
 * their names (comma separated) in `names`.
 */
int xc_policy_missing(const struct xc_policy *want, const struct xc_policy *have, char *names, size_t len);

/*
 * Feature flags by number: word * 32 + bit, in the order of Xen's cpufeatureset.h. Flags that AMD's leaf
 * 0x80000001 repeats from leaf 1 count once.
 */
#define XC_FEATURE_WORDS 19u
#define XC_FEATURE_NAME 32u /* room for a name */
void xc_policy_features(const struct xc_policy *p, uint32_t words[XC_FEATURE_WORDS]);
/* The name of cpufeatureset.h in small letters with dashes, or "leaf.register.bit". Returns `name`. */
const char *xc_feature_name(unsigned int bit, char name[XC_FEATURE_NAME]);
/* Follows the running guest's own registers (OSXSAVE, APIC, OSPKE), not the CPU. */
bool xc_feature_dynamic(unsigned int bit);
/* Where a word lives: a CPUID register (0..3: eax..edx), or -ENOENT for a word of an MSR. */
int xc_feature_word(unsigned int word, uint32_t *leaf, uint32_t *subleaf, unsigned int *reg);

/* -------- core dump (core.c) -------- */
/* Write an ELF core of a PV domain (paused by the caller) to fd; list[] holds n pairs of pfn, machine frame. */
int xc_dump_core(struct xc *xc, domid_t dom, int fd, const uint64_t (*list)[2], uint64_t n,
		 void (*progress)(void *, uint64_t, uint64_t), void *arg);

#endif
