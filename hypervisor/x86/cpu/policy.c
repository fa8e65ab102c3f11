/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU policies of this machine and of its domains. The machine's are made once, after fpu_init() found
 * out which components can be carried, and are constant from then on. A domain's changes only before
 * it first runs.
 */
#include <cpu.h>
#include <cpu_policy.h>
#include <fpu.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <time.h>
#include <uaccess.h>
#include <x86/pv/priv.h>
#include <xerrno.h>

struct cpu_policy raw_policy, host_policy, pv_max_policy, pv_default_policy;
struct cpu_policy hvm_max_policy, hvm_default_policy;

static u32 address_bits;

static void cpuid_here(u32 leaf, u32 subleaf, struct cpuid_leaf *out)
{
	cpuid_raw(leaf, subleaf, &out->a, &out->b, &out->c, &out->d);
}

/* What the hypervisor does not switch or virtualise yet is not there for guests: docs/caveats.md. */
static void drop_unsupported(struct cpu_policy *host)
{
	static const u16 unsupported[] = {
		XEN_X86_FEATURE_IBRSB, XEN_X86_FEATURE_STIBP,     XEN_X86_FEATURE_SSBD,
		XEN_X86_FEATURE_IBRS,  XEN_X86_FEATURE_AMD_STIBP, XEN_X86_FEATURE_AMD_SSBD,
		XEN_X86_FEATURE_PSFD,  XEN_X86_FEATURE_VIRT_SSBD, XEN_X86_FEATURE_INTEL_PSFD,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(unsupported); i++)
		policy_set_feature(host, unsupported[i], false);
}

void policy_host_init(void)
{
	u64 v;

	policy_read(&raw_policy, cpuid_here);
	if (policy_has(&raw_policy, XEN_X86_FEATURE_ARCH_CAPS) && rdmsr_safe(MSR_ARCH_CAPABILITIES, &v))
		raw_policy.arch_caps = v;
	host_policy = raw_policy;
	host_policy.platform_info = 0; /* CPUID faulting is not offered */
	if (!fpu_caps.xsave)
		policy_set_feature(&host_policy, XEN_X86_FEATURE_XSAVE, false);
	host_policy.xstate[0].a &= (u32)fpu_caps.xcr0;
	host_policy.xstate[0].d &= (u32)(fpu_caps.xcr0 >> 32);
	drop_unsupported(&host_policy);
	policy_derive(&pv_max_policy, &host_policy, POLICY_PV_MAX);
	policy_derive(&pv_default_policy, &host_policy, POLICY_PV_DEFAULT);
	policy_derive(&hvm_max_policy, &host_policy, POLICY_HVM_MAX);
	policy_derive(&hvm_default_policy, &host_policy, POLICY_HVM_DEFAULT);
	address_bits = max_mfn ? 64U - (u32)__builtin_clzll((max_mfn << PAGE_SHIFT) - 1) : 52;
}

int policy_domain_init(struct domain *d)
{
	d->policy = hv_new(struct cpu_policy);
	if (!d->policy)
		return -ENOMEM;
	*d->policy = pv_default_policy;
	if (!d->is_hardware)
		return 0;
	/* The hardware domain sees a constant TSC as such, since it does not move, and the memory
	 * types it can ask the hypervisor for (XENPF_add_memtype). */
	policy_set_feature(d->policy, XEN_X86_FEATURE_ITSC, policy_has(&pv_max_policy, XEN_X86_FEATURE_ITSC));
	policy_set_feature(d->policy, XEN_X86_FEATURE_MTRR, policy_has(&host_policy, XEN_X86_FEATURE_MTRR));
	if (policy_vendor(d->policy) != VENDOR_INTEL)
		d->policy->ext[1].d |= d->policy->basic[1].d & 1U << XEN_X86_FEATURE_MTRR;
	return 0;
}

void policy_domain_destroy(struct domain *d)
{
	hv_free(d->policy);
	d->policy = NULL;
}

int policy_domain_set(struct domain *d, const struct cpu_policy *p, struct policy_error *err)
{
	struct cpu_policy *new, *old = d->policy;
	int rc;

	*err = (struct policy_error){~0U, ~0U, ~0U};
	if (d->creation_finished)
		return -EBUSY;
	rc = policy_compatible(&pv_max_policy, p, err);
	if (rc)
		return rc;
	new = hv_new(struct cpu_policy);
	if (!new)
		return -ENOMEM;
	*new = *p;
	policy_clamp(new, &pv_max_policy);
	d->policy = new;
	rc = fpu_policy_changed(d);
	if (rc) {
		d->policy = old;
		hv_free(new);
		return rc;
	}
	hv_free(old);
	return 0;
}

static void fill_tsc(const struct vcpu *v, struct cpuid_tsc *t)
{
	u64 elapsed;

	memset(t, 0, sizeof(*t));
	tsc_get_info(v->domain, &t->mode, &elapsed, &t->guest_khz, &t->incarnation);
	t->emulated = tsc_is_emulated(v->domain);
	t->reliable = policy_has(&host_policy, XEN_X86_FEATURE_ITSC);
	t->host_khz = (u32)cpu_khz;
	t->guest_khz = t->emulated && t->guest_khz ? t->guest_khz : t->host_khz;
}

void guest_cpuid(const struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_leaf *out)
{
	struct cpuid_context c = {
		.vcpu_id = v->id,
		.pv = true,
		/*
		 * A PV kernel looks here for whether XSAVE is to be had at all, before it has set its
		 * own CR4: it sees the machine's bit, its users see the kernel's.
		 */
		.osxsave = (v->pv.kernel_mode ? hv_cr4 : v->pv.ctrlreg[4]) & X86_CR4_OSXSAVE &&
			   v->domain->policy->basic[1].c >> XEN_X86_FEATURE_XSAVE % 32 & 1,
		.address_bits = address_bits,
	};
	struct cpuid_tsc tsc;

	if (unlikely(leaf == HV_CPUID_BASE + 3)) {
		fill_tsc(v, &tsc);
		c.tsc = &tsc;
	} else if (leaf == 0xd) {
		c.xcr0 = v->fpu ? fpu_xcr0(v) : 1;
	}
	policy_query(v->domain->policy, &c, leaf, subleaf, out);
}
