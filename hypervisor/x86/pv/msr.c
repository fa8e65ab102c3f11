/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers of PV guests. An MSR is in the table with what a guest reads and what may be
 * written, or it is not the guest's and the access raises #GP, which kernels expect: they probe.
 */
#include <cpu.h>
#include <cpu_policy.h>
#include <fpu.h>
#include <lib.h>
#include <pv.h>
#include <time.h>
#include <uaccess.h>
#include <xerrno.h>

#define MSR_IA32_TSC 0x10U
#define MSR_APIC_BASE 0x1bU
#define MSR_UCODE_REV 0x8bU
#define MSR_MCG_CAP 0x179U
#define MSR_MCG_STATUS 0x17aU
#define MSR_MISC_FEATURES 0x140U
#define MSR_MISC_ENABLE 0x1a0U
#define MSR_MC_FIRST 0x400U
#define MSR_MC_LAST 0x47fU
#define MSR_PRED_CMD 0x49U
#define MSR_TSC_AUX 0xc0000103U
#define MSR_AMD_SYSCFG 0xc0010010U
#define MSR_AMD_HWCR 0xc0010015U
#define MSR_AMD_NB_CFG 0xc001001fU
#define MSR_AMD_INT_PENDING 0xc0010055U
#define MSR_AMD_DE_CFG 0xc0011029U

static int read_apic_base(struct vcpu *v, u32 msr, u64 *val)
{
	/* There is no local APIC to reach; kernels want to see it enabled, and who booted. */
	*val = 0xfee00000U | 1U << 11 | (v->id == 0) << 8;
	return 0;
}

static int read_zero(struct vcpu *v, u32 msr, u64 *val)
{
	*val = 0;
	return 0;
}

/* Two banks that never report anything: a machine without any is a rarity kernels have not met. */
static int read_mcg_cap(struct vcpu *v, u32 msr, u64 *val)
{
	*val = 2;
	return 0;
}

static int write_ignored(struct vcpu *v, u32 msr, u64 val)
{
	return 0;
}

static int write_zero_only(struct vcpu *v, u32 msr, u64 val)
{
	return val ? -ENODEV : 0;
}

static int read_machine(struct vcpu *v, u32 msr, u64 *val)
{
	return rdmsr_safe(msr, val) ? 0 : -ENODEV;
}

/* The page-attribute table is the hypervisor's: a guest may find it right, or not have it. */
static int write_pat(struct vcpu *v, u32 msr, u64 val)
{
	return val == rdmsr(MSR_PAT) ? 0 : -ENODEV;
}

static int read_efer(struct vcpu *v, u32 msr, u64 *val)
{
	*val = rdmsr(MSR_EFER) & 0xd01; /* SCE, LME, LMA, NXE */
	return 0;
}

static int read_tsc(struct vcpu *v, u32 msr, u64 *val)
{
	*val = tsc_is_emulated(v->domain) ? tsc_guest_read(v) : rdtsc();
	return 0;
}

static int read_platform_info(struct vcpu *v, u32 msr, u64 *val)
{
	*val = v->domain->policy->platform_info;
	return 0;
}

static int read_arch_caps(struct vcpu *v, u32 msr, u64 *val)
{
	if (!policy_has(v->domain->policy, XEN_X86_FEATURE_ARCH_CAPS))
		return -ENODEV;
	*val = v->domain->policy->arch_caps;
	return 0;
}

static int read_misc_enable(struct vcpu *v, u32 msr, u64 *val)
{
	if (!rdmsr_safe(msr, val))
		return -ENODEV;
	*val &= ~(1ULL << 7 | 1ULL << 18); /* no performance monitoring, no MONITOR */
	*val |= 1ULL << 11 | 1ULL << 12;   /* no branch trace store, no PEBS */
	return 0;
}

/* A barrier against branch training: harmless to allow, wherever the guest is told of it. */
static int write_pred_cmd(struct vcpu *v, u32 msr, u64 val)
{
	if (!policy_has(v->domain->policy, XEN_X86_FEATURE_IBPB) &&
	    !policy_has(v->domain->policy, XEN_X86_FEATURE_IBRSB))
		return -ENODEV;
	if (val & ~1ULL)
		return -ENODEV;
	return !val || wrmsr_safe(msr, val) ? 0 : -ENODEV;
}

static bool amd(const struct vcpu *v)
{
	enum cpu_vendor vendor = policy_vendor(v->domain->policy);

	return vendor == VENDOR_AMD || vendor == VENDOR_HYGON;
}

/* Whether the TSC runs at a constant rate, which Linux checks for. */
static int read_hwcr(struct vcpu *v, u32 msr, u64 *val)
{
	if (!amd(v) || !rdmsr_safe(msr, val))
		return -ENODEV;
	*val &= 1ULL << 24;
	return 0;
}

/* The hardware domain configures the machine and sees how it is. */
static int read_nb_cfg(struct vcpu *v, u32 msr, u64 *val)
{
	*val = 0;
	if (!amd(v))
		return -ENODEV;
	return !v->domain->is_hardware || rdmsr_safe(msr, val) ? 0 : -ENODEV;
}

/* LFENCE is serialising: the hypervisor saw to it, or the CPU has no other kind. */
static int read_de_cfg(struct vcpu *v, u32 msr, u64 *val)
{
	*val = 2;
	return amd(v) ? 0 : -ENODEV;
}

static int read_amd_zero(struct vcpu *v, u32 msr, u64 *val)
{
	*val = 0;
	return amd(v) ? 0 : -ENODEV;
}

static int write_amd_ignored(struct vcpu *v, u32 msr, u64 val)
{
	return amd(v) ? 0 : -ENODEV;
}

static int read_fs_base(struct vcpu *v, u32 msr, u64 *val)
{
	*val = rdfsbase();
	return 0;
}

static int write_fs_base(struct vcpu *v, u32 msr, u64 val)
{
	if (!is_canonical(val))
		return -ENODEV;
	wrfsbase(val);
	return 0;
}

static int read_gs_base(struct vcpu *v, u32 msr, u64 *val)
{
	*val = rdgsbase();
	return 0;
}

static int write_gs_base(struct vcpu *v, u32 msr, u64 val)
{
	if (!is_canonical(val))
		return -ENODEV;
	wrgsbase(val);
	return 0;
}

/* The guest kernel's name for its user's GS base; only the kernel gets here. */
static int read_user_gs(struct vcpu *v, u32 msr, u64 *val)
{
	*val = rdmsr(MSR_KERNEL_GS_BASE);
	return 0;
}

static int write_user_gs(struct vcpu *v, u32 msr, u64 val)
{
	if (!is_canonical(val))
		return -ENODEV;
	wrmsr(MSR_KERNEL_GS_BASE, val);
	return 0;
}

static u32 loaded_tsc_aux[NR_CPUS]; /* what the CPU's MSR holds, once a guest used it */

void pv_load_tsc_aux(const struct vcpu *v)
{
	u32 *loaded = &loaded_tsc_aux[smp_processor_id()];

	if (likely(*loaded == v->pv.tsc_aux))
		return;
	wrmsr(MSR_TSC_AUX, v->pv.tsc_aux);
	*loaded = v->pv.tsc_aux;
}

static bool has_tsc_aux(const struct vcpu *v)
{
	return policy_has(v->domain->policy, XEN_X86_FEATURE_RDTSCP) ||
	       policy_has(v->domain->policy, XEN_X86_FEATURE_RDPID);
}

static int read_tsc_aux(struct vcpu *v, u32 msr, u64 *val)
{
	*val = v->pv.tsc_aux;
	return has_tsc_aux(v) ? 0 : -ENODEV;
}

/* Without the feature, writing zero is what kernels do that clear what they do not use. */
static int write_tsc_aux(struct vcpu *v, u32 msr, u64 val)
{
	if (val >> 32 || (val && !has_tsc_aux(v)))
		return -ENODEV;
	v->pv.tsc_aux = (u32)val;
	if (v == current)
		pv_load_tsc_aux(v);
	return 0;
}

static int read_xfd(struct vcpu *v, u32 msr, u64 *val)
{
	return fpu_read_xfd(v, msr, val) ? -ENODEV : 0;
}

static int write_xfd(struct vcpu *v, u32 msr, u64 val)
{
	return fpu_write_xfd(v, msr, val) ? -ENODEV : 0;
}

static const struct msr_entry {
	u32 msr;
	int (*read)(struct vcpu *v, u32 msr, u64 *val);
	int (*write)(struct vcpu *v, u32 msr, u64 val);
} table[] = {
	/* by how often a booted kernel comes */
	{MSR_KERNEL_GS_BASE, read_user_gs, write_user_gs},
	{MSR_GS_BASE, read_gs_base, write_gs_base},
	{MSR_FS_BASE, read_fs_base, write_fs_base},
	{MSR_EFER, read_efer, NULL},
	{MSR_PRED_CMD, NULL, write_pred_cmd},
	{MSR_IA32_TSC, read_tsc, NULL},
	{MSR_APIC_BASE, read_apic_base, NULL},
	{MSR_PAT, read_machine, write_pat},
	{MSR_UCODE_REV, read_machine, write_zero_only},
	{MSR_MCG_CAP, read_mcg_cap, NULL},
	{MSR_MCG_STATUS, read_zero, write_ignored},
	{MSR_MISC_FEATURES, read_zero, write_zero_only},
	{MSR_MISC_ENABLE, read_misc_enable, NULL},
	{MSR_PLATFORM_INFO, read_platform_info, NULL},
	{MSR_ARCH_CAPABILITIES, read_arch_caps, NULL},
	{MSR_TSC_AUX, read_tsc_aux, write_tsc_aux},
	{MSR_IA32_XFD, read_xfd, write_xfd},
	{MSR_IA32_XFD_ERR, read_xfd, write_xfd},
	{MSR_AMD_SYSCFG, read_amd_zero, NULL},
	{MSR_AMD_HWCR, read_hwcr, NULL},
	{MSR_AMD_INT_PENDING, read_amd_zero, NULL},
	{MSR_AMD_NB_CFG, read_nb_cfg, NULL},
	{MSR_AMD_DE_CFG, read_de_cfg, write_amd_ignored},
};

static const struct msr_entry mc_bank = {0, read_zero, write_ignored};

static const struct msr_entry *find(u32 msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].msr == msr)
			return &table[i];
	if (msr >= MSR_MC_FIRST && msr <= MSR_MC_LAST)
		return &mc_bank;
	return NULL;
}

/*
 * Domains that were once saved on hosts which let guests read most registers (msr_relaxed): what the
 * machine has reads as zero there, and what is written to it is dropped.
 */
static bool relaxed(const struct vcpu *v, u32 msr)
{
	u64 ignored;

	return v->domain->msr_relaxed && rdmsr_safe(msr, &ignored);
}

int guest_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	const struct msr_entry *e = find(msr);

	if (e)
		return e->read ? e->read(v, msr, val) : -ENODEV;
	*val = 0;
	return relaxed(v, msr) ? 0 : -ENODEV;
}

int guest_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	const struct msr_entry *e = find(msr);

	if (e)
		return e->write ? e->write(v, msr, val) : -ENODEV;
	return relaxed(v, msr) ? 0 : -ENODEV;
}
