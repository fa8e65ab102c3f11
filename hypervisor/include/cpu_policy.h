/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies: every CPUID leaf and the few MSRs that describe a CPU to a guest, as data.
 *
 *   raw  ->  host  ->  pv max  -> pv default  -> one a domain
 *   (CPU)   (ours)    (may be)   (unless told)   (clamped to max)
 *
 * The arithmetic is pure (core/cpuid); x86/cpu/policy.c reads the CPU and keeps the machine's policies.
 */
#ifndef SERAI_CPU_POLICY_H
#define SERAI_CPU_POLICY_H

#include <cpuid_leaf.h>
#include <types.h>
#include <xen/arch-x86/cpufeatureset.h>

#define POLICY_BASIC 0x20U      /* 0 .. 0x1f */
#define POLICY_CACHE 6U         /* sub-leaves of 4 */
#define POLICY_FEAT 3U          /* of 7 */
#define POLICY_TOPO 2U          /* of 0xb */
#define POLICY_XSTATE 63U       /* of 0xd */
#define POLICY_TILE 2U          /* of 0x1d */
#define POLICY_EXT 0x22U        /* 0x80000000 .. 0x80000021 */
#define POLICY_GUEST_BASIC 0xdU /* highest basic leaf a guest is shown unless AMX is its */
#define POLICY_TMUL 0x1eU       /* then it is this one */

#define FEATURE_WORDS 19U

/* What this version of the interface has no names for (SDM vol. 1, 13.2 and 18.2). */
#define XEN_X86_FEATURE_XFD (4 * 32 + 4)
#define XEN_X86_FEATURE_AMX_BF16 (9 * 32 + 22)
#define XEN_X86_FEATURE_AMX_TILE (9 * 32 + 24)
#define XEN_X86_FEATURE_AMX_INT8 (9 * 32 + 25)
#define XEN_X86_FEATURE_AMX_FP16 (10 * 32 + 21)

enum cpu_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD, VENDOR_HYGON };

struct cpu_policy {
	struct cpuid_leaf basic[POLICY_BASIC]; /* leaves 4, 7, 0xb, 0xd, 0x1d are in the arrays below */
	struct cpuid_leaf cache[POLICY_CACHE];
	struct cpuid_leaf feat[POLICY_FEAT];
	struct cpuid_leaf topo[POLICY_TOPO];
	struct cpuid_leaf xstate[POLICY_XSTATE];
	struct cpuid_leaf tile[POLICY_TILE];
	struct cpuid_leaf ext[POLICY_EXT];
	u32 hv_limit, hv2_limit; /* cap on the hypervisor leaves, 0 = none */
	u64 platform_info;       /* MSR 0xce: only bit 31, CPUID faulting */
	u64 arch_caps;           /* MSR 0x10a */
};

/* ---- policy.c: leaves and features ------------------------------------------------------------ */

/* Where leaf and sub-leaf live, or null when a policy does not hold them. */
struct cpuid_leaf *policy_leaf(struct cpu_policy *p, u32 leaf, u32 subleaf);
bool policy_leaf_has_subleaves(u32 leaf);
typedef void (*cpuid_fn)(u32 leaf, u32 subleaf, struct cpuid_leaf *out);
/* All a policy holds, from a source of CPUID. MSRs are the caller's. */
void policy_read(struct cpu_policy *p, cpuid_fn cpuid);

enum cpu_vendor policy_vendor(const struct cpu_policy *p);
bool policy_has(const struct cpu_policy *p, unsigned int feature);
void policy_set_feature(struct cpu_policy *p, unsigned int feature, bool on);
void policy_to_featureset(const struct cpu_policy *p, u32 fs[FEATURE_WORDS]);
void policy_from_featureset(struct cpu_policy *p, const u32 fs[FEATURE_WORDS]);
/* "AVX512F"; null when the bit has no name. */
const char *policy_feature_name(unsigned int feature);

/* XCR0 bits leaf 0xD offers; x87 and SSE when there is no XSAVE. */
u64 policy_permitted_xcr0(const struct cpu_policy *p);
/* Bytes of an XSAVE image of these components, by the policy's own leaf 0xD. */
u32 policy_xsave_size(const struct cpu_policy *p, u64 mask, bool compacted);

/* ---- derive.c --------------------------------------------------------------------------------- */

enum policy_kind { POLICY_PV_MAX, POLICY_PV_DEFAULT, POLICY_HVM_MAX, POLICY_HVM_DEFAULT };
void policy_derive(struct cpu_policy *out, const struct cpu_policy *host, enum policy_kind kind);
/* Clear every feature that needs one that is missing, until nothing changes. */
void policy_trim_features(u32 fs[FEATURE_WORDS]);
/*
 * Make a domain's policy sound: features within max and consistent, leaf 0xD matching them (a reduced
 * XCR0 in it is honoured), leaves that no guest has emptied. MPX and AMX are in no default, so their
 * feature bit is the asking, and leaf 0xD as it comes with the default does not take them away again.
 */
void policy_clamp(struct cpu_policy *p, const struct cpu_policy *max);

/* ---- serialise.c: xen_cpuid_leaf_t and xen_msr_entry_t arrays ----------------------------------- */

#define MSR_PLATFORM_INFO 0xceU
#define MSR_ARCH_CAPABILITIES 0x10aU
#define POLICY_MAX_MSRS 2U

struct policy_error {
	u32 leaf, subleaf, msr; /* ~0 = not the culprit */
};

struct xen_cpuid_leaf;
struct xen_msr_entry;
/* Number of leaves of the largest policy. */
unsigned int policy_max_leaves(void);
/* Sorted. *nr: room on entry, number written on return. 0 or -ENOBUFS. */
int policy_write_leaves(const struct cpu_policy *p, struct xen_cpuid_leaf *out, unsigned int *nr);
int policy_write_msrs(const struct cpu_policy *p, struct xen_msr_entry *out, unsigned int *nr);
/* Over what p holds. 0; -ERANGE unknown leaf or MSR; -EINVAL MSR flags; -EOVERFLOW MSR value. */
int policy_read_leaves(struct cpu_policy *p, const struct xen_cpuid_leaf *in, unsigned int nr,
		       struct policy_error *err);
int policy_read_msrs(struct cpu_policy *p, const struct xen_msr_entry *in, unsigned int nr,
		     struct policy_error *err);
/* May a guest with this policy run under max? 0 or -EINVAL. */
int policy_compatible(const struct cpu_policy *max, const struct cpu_policy *guest, struct policy_error *err);

/* ---- query.c: what a guest's CPUID returns ------------------------------------------------------ */

struct cpuid_tsc {
	bool emulated, reliable, rdtscp;
	u32 mode, guest_khz, host_khz, incarnation;
	u64 offset;
	u32 mul, shift;
};

/* What changes while the guest runs. */
struct cpuid_context {
	u32 vcpu_id;
	bool osxsave, ospke, pv;
	u64 xcr0;
	u32 address_bits;            /* of the machine */
	const struct cpuid_tsc *tsc; /* needed for leaf 0x40000003 only */
};
void policy_query(const struct cpu_policy *p, const struct cpuid_context *c, u32 leaf, u32 subleaf,
		  struct cpuid_leaf *out);
#define HV_CPUID_BASE 0x40000000U

/* ---- x86/cpu/policy.c: this machine ------------------------------------------------------------- */

extern struct cpu_policy raw_policy, host_policy, pv_max_policy, pv_default_policy;
extern struct cpu_policy hvm_max_policy, hvm_default_policy;

struct domain;
/* Replaces the policy of a domain that has never run: -EBUSY later, -EINVAL with err, -ENOMEM. */
int policy_domain_set(struct domain *d, const struct cpu_policy *p, struct policy_error *err);

#endif
