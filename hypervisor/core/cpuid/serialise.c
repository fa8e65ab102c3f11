/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies as the control interface and streams carry them: arrays of leaves and of MSRs, ascending,
 * each with its index. Leaves without sub-leaves carry XEN_CPUID_NO_SUBLEAF. Pure.
 */
#include <cpu_policy.h>
#include <lib.h>
#include <xen/xen.h>
#include <xerrno.h>

#define HV_BASE 0x40000000U
#define HV2_BASE 0x40000100U
#define EXT_BASE 0x80000000U

struct writer {
	struct xen_cpuid_leaf *out;
	unsigned int nr, room;
};

static int put(struct writer *w, u32 leaf, u32 subleaf, const struct cpuid_leaf *l)
{
	if (w->nr >= w->room)
		return -ENOBUFS;
	w->out[w->nr++] = (struct xen_cpuid_leaf){leaf, subleaf, l->a, l->b, l->c, l->d};
	return 0;
}

/* How many sub-leaves say something: caches and topology end with one of type 0, which is included. */
static unsigned int subleaves(const struct cpu_policy *p, u32 leaf)
{
	unsigned int i;

	switch (leaf) {
	case 4:
		for (i = 0; i < POLICY_CACHE - 1 && (p->cache[i].a & 0x1f); i++)
			;
		return i + 1;
	case 7:
		return min(p->feat[0].a + 1, POLICY_FEAT);
	case 0xb:
		for (i = 0; i < POLICY_TOPO - 1 && (p->topo[i].c & 0xff00); i++)
			;
		return i + 1;
	case 0xd:
		return POLICY_XSTATE;
	default:
		return POLICY_TILE;
	}
}

static int write_subleaves(struct writer *w, const struct cpu_policy *p, u32 leaf)
{
	u64 xcr0 = p->xstate[0].a | (u64)p->xstate[0].d << 32;
	unsigned int nr = subleaves(p, leaf);

	for (unsigned int i = 0; i < nr; i++) {
		int rc;

		if (leaf == 0xd && i > 1 && !(xcr0 >> i & 1))
			continue;
		rc = put(w, leaf, i, policy_leaf((struct cpu_policy *)p, leaf, i));
		if (rc)
			return rc;
	}
	return 0;
}

static int write_basic(struct writer *w, const struct cpu_policy *p)
{
	/* The tools of this interface version refuse leaves beyond 0xd, also of the host's policy. */
	u32 max = min(p->basic[0].a, POLICY_GUEST_BASIC);

	for (u32 leaf = 0; leaf <= max; leaf++) {
		int rc = policy_leaf_has_subleaves(leaf)
				 ? write_subleaves(w, p, leaf)
				 : put(w, leaf, XEN_CPUID_NO_SUBLEAF, &p->basic[leaf]);
		if (rc)
			return rc;
	}
	return 0;
}

int policy_write_leaves(const struct cpu_policy *p, struct xen_cpuid_leaf *out, unsigned int *nr)
{
	struct writer w = {out, 0, *nr};
	struct cpuid_leaf hv = {.a = p->hv_limit}, hv2 = {.a = p->hv2_limit};
	u32 max = p->ext[0].a >> 16 == 0x8000 ? min(p->ext[0].a & 0xffff, POLICY_EXT - 1) : 0;
	int rc = write_basic(&w, p);

	if (!rc)
		rc = put(&w, HV_BASE, XEN_CPUID_NO_SUBLEAF, &hv);
	if (!rc)
		rc = put(&w, HV2_BASE, XEN_CPUID_NO_SUBLEAF, &hv2);
	for (u32 i = 0; !rc && i <= max; i++)
		rc = put(&w, EXT_BASE + i, XEN_CPUID_NO_SUBLEAF, &p->ext[i]);
	*nr = w.nr;
	return rc;
}

unsigned int policy_max_leaves(void)
{
	return POLICY_BASIC - 5 + POLICY_CACHE + POLICY_FEAT + POLICY_TOPO + POLICY_XSTATE + POLICY_TILE + 2 +
	       POLICY_EXT;
}

int policy_write_msrs(const struct cpu_policy *p, struct xen_msr_entry *out, unsigned int *nr)
{
	if (*nr < POLICY_MAX_MSRS) {
		*nr = 0;
		return -ENOBUFS;
	}
	out[0] = (struct xen_msr_entry){.idx = MSR_PLATFORM_INFO, .val = p->platform_info};
	out[1] = (struct xen_msr_entry){.idx = MSR_ARCH_CAPABILITIES, .val = p->arch_caps};
	*nr = POLICY_MAX_MSRS;
	return 0;
}

/* Where a leaf from outside goes. Guests' policies end where the interface's tools know them to. */
static struct cpuid_leaf *place(struct cpu_policy *p, const struct xen_cpuid_leaf *in)
{
	bool sub = policy_leaf_has_subleaves(in->leaf);

	if (in->leaf >= EXT_BASE || !sub) {
		if (in->subleaf != XEN_CPUID_NO_SUBLEAF && in->subleaf != 0)
			return NULL;
		if (in->leaf >= POLICY_BASIC && in->leaf < EXT_BASE)
			return NULL;
		return policy_leaf(p, in->leaf, 0);
	}
	return policy_leaf(p, in->leaf, in->subleaf);
}

int policy_read_leaves(struct cpu_policy *p, const struct xen_cpuid_leaf *in, unsigned int nr,
		       struct policy_error *err)
{
	for (unsigned int i = 0; i < nr; i++, in++) {
		struct cpuid_leaf *l;

		if (in->leaf == HV_BASE || in->leaf == HV2_BASE) {
			if (in->subleaf == XEN_CPUID_NO_SUBLEAF || in->subleaf == 0) {
				*(in->leaf == HV_BASE ? &p->hv_limit : &p->hv2_limit) = in->a;
				continue;
			}
			l = NULL;
		} else {
			l = place(p, in);
		}
		if (!l) {
			err->leaf = in->leaf;
			err->subleaf = in->subleaf;
			return -ERANGE;
		}
		*l = (struct cpuid_leaf){in->a, in->b, in->c, in->d};
	}
	return 0;
}

static int read_msr_entry(struct cpu_policy *p, const struct xen_msr_entry *in)
{
	if (in->flags)
		return -EINVAL;
	switch (in->idx) {
	case MSR_PLATFORM_INFO:
		if (in->val >> 32)
			return -EOVERFLOW;
		p->platform_info = in->val;
		return 0;
	case MSR_ARCH_CAPABILITIES:
		p->arch_caps = in->val;
		return 0;
	default:
		return -ERANGE;
	}
}

int policy_read_msrs(struct cpu_policy *p, const struct xen_msr_entry *in, unsigned int nr,
		     struct policy_error *err)
{
	for (unsigned int i = 0; i < nr; i++) {
		int rc = read_msr_entry(p, &in[i]);

		if (rc) {
			err->msr = in[i].idx;
			return rc;
		}
	}
	return 0;
}

static int incompatible(struct policy_error *err, u32 leaf, u32 subleaf, u32 msr)
{
	err->leaf = leaf;
	err->subleaf = subleaf;
	err->msr = msr;
	return -EINVAL;
}

int policy_compatible(const struct cpu_policy *max, const struct cpu_policy *guest, struct policy_error *err)
{
	if (guest->basic[0].a > max->basic[0].a)
		return incompatible(err, 0, ~0U, ~0U);
	if (guest->feat[0].a > max->feat[0].a)
		return incompatible(err, 7, 0, ~0U);
	if (guest->ext[0].a > max->ext[0].a)
		return incompatible(err, EXT_BASE, ~0U, ~0U);
	if (guest->platform_info & ~max->platform_info)
		return incompatible(err, ~0U, ~0U, MSR_PLATFORM_INFO);
	if (guest->arch_caps & ~max->arch_caps)
		return incompatible(err, ~0U, ~0U, MSR_ARCH_CAPABILITIES);
	return 0;
}
