/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's CPUID returns: its policy, and the few fields that change while it runs. Pure. */
#include <cpu_policy.h>
#include <lib.h>
#include <xen/arch-x86/cpuid.h>

#define XSAVEC (1U << XEN_X86_FEATURE_XSAVEC % 32)
#define XSAVES (1U << XEN_X86_FEATURE_XSAVES % 32)

static const struct cpuid_leaf nothing;

static void query_hypervisor(const struct cpu_policy *p, const struct cpuid_context *c, u32 idx, u32 subleaf,
			     struct cpuid_leaf *out)
{
	u32 limit = p->hv_limit ? min(p->hv_limit, XEN_CPUID_MAX_NUM_LEAVES + 0U) : XEN_CPUID_MAX_NUM_LEAVES;

	if (idx > limit)
		return;
	switch (idx) {
	case 0:
		*out = (struct cpuid_leaf){HV_CPUID_BASE + limit, XEN_CPUID_SIGNATURE_EBX,
					   XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
		break;
	case 1: /* the version whose interface this is */
		out->a = 4U << 16 | 17;
		break;
	case 2: /* one hypercall page, by an MSR from here on */
		out->a = 1;
		out->b = 0x40000000;
		out->c = c->pv ? XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD : 0;
		break;
	case 3:
		if (!c->tsc)
			break;
		if (subleaf == 0)
			*out = (struct cpuid_leaf){c->tsc->emulated | c->tsc->reliable << 1 |
							   c->tsc->rdtscp << 2,
						   c->tsc->mode, c->tsc->guest_khz, c->tsc->incarnation};
		else if (subleaf == 1)
			*out = (struct cpuid_leaf){(u32)c->tsc->offset, (u32)(c->tsc->offset >> 32),
						   c->tsc->mul, c->tsc->shift};
		else if (subleaf == 2)
			out->a = c->tsc->host_khz;
		break;
	case 5:
		if (c->pv && subleaf == 0)
			out->b = c->address_bits & XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK;
		break;
	}
}

static void query_basic(const struct cpu_policy *p, const struct cpuid_context *c, u32 leaf, u32 subleaf,
			struct cpuid_leaf *out)
{
	const struct cpuid_leaf *l;

	if (leaf > p->basic[0].a)
		return;
	if (leaf == 1) { /* the leaf a kernel asks for most */
		*out = p->basic[1];
		/* Every vCPU a core of its own: ids go up by two. */
		out->b |= c->vcpu_id * 2 << 24;
		out->c |= (u32)c->osxsave << XEN_X86_FEATURE_OSXSAVE % 32;
		return;
	}
	if (leaf == 7) {
		if (subleaf >= POLICY_FEAT || subleaf > p->feat[0].a)
			return;
		*out = p->feat[subleaf];
		if (subleaf == 0)
			out->c |= (u32)c->ospke << XEN_X86_FEATURE_OSPKE % 32;
		return;
	}
	if (!policy_leaf_has_subleaves(leaf)) {
		*out = p->basic[leaf];
		return;
	}
	l = policy_leaf((struct cpu_policy *)p, leaf, subleaf);
	if (!l)
		return;
	*out = *l;
	switch (leaf) {
	case 0xb:
		if (policy_has(p, XEN_X86_FEATURE_X2APIC)) {
			out->c = (out->c & ~0xffU) | (subleaf & 0xff);
			out->d = c->vcpu_id * 2;
		}
		break;
	case 0xd:
		if (subleaf == 0 && l->a)
			out->b = policy_xsave_size(p, c->xcr0, false);
		else if (subleaf == 1)
			out->b = l->a & (XSAVEC | XSAVES) ? policy_xsave_size(p, c->xcr0, true) : 0;
		break;
	}
}

void policy_query(const struct cpu_policy *p, const struct cpuid_context *c, u32 leaf, u32 subleaf,
		  struct cpuid_leaf *out)
{
	*out = nothing;
	if (leaf < POLICY_BASIC)
		query_basic(p, c, leaf, subleaf, out);
	else if (leaf - 0x80000000U < POLICY_EXT) {
		if (leaf <= p->ext[0].a)
			*out = p->ext[leaf - 0x80000000U];
	} else if (leaf - HV_CPUID_BASE < 0x100)
		query_hypervisor(p, c, leaf - HV_CPUID_BASE, subleaf, out);
}
