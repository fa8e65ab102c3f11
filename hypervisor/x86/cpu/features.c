/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPU has and how the hypervisor uses it. */
#include <cpu.h>
#include <lib.h>
#include <options.h>

struct cpu_features cpu_feat;
u64 hv_cr4;

static bool opt_smep = true, opt_smap = true;

static int parse_smep(const char *v)
{
	return option_bool(v, &opt_smep);
}
OPTION("smep", parse_smep);
static int parse_smap(const char *v)
{
	return option_bool(v, &opt_smap);
}
OPTION("smap", parse_smap);

/* Each site is a three-byte NOP that becomes STAC or CLAC. The image is still writable here. */
static void smap_patch(void)
{
	extern u32 smap_sites_start[], smap_sites_end[];

	for (u32 *s = smap_sites_start; s < smap_sites_end; s += 2)
		memcpy((void *)((u64)s + (u64)(s64)(s32)s[0]), &s[1], 3);
}

void cpu_features_init(void)
{
	u32 a, b, c, d, max, ext;

	cpuid_raw(0, 0, &max, &b, &c, &d);
	cpu_feat.intel = b == 0x756e6547;
	cpu_feat.amd = b == 0x68747541 || b == 0x6f677948;
	cpuid_raw(1, 0, &a, &b, &c, &d);
	cpu_feat.pge = d & BIT(13);
	cpu_feat.pcid = c & BIT(17);
	cpu_feat.x2apic = c & BIT(21);
	cpu_feat.xsave = c & BIT(26);
	if (max >= 7) {
		cpuid_raw(7, 0, &a, &b, &c, &d);
		cpu_feat.fsgsbase = b & BIT(0);
		cpu_feat.smep = b & BIT(7);
		cpu_feat.invpcid = b & BIT(10);
		cpu_feat.smap = b & BIT(20);
		cpu_feat.umip = c & BIT(2);
	}
	cpuid_raw(0x80000000, 0, &ext, &b, &c, &d);
	cpuid_raw(0x80000001, 0, &a, &b, &c, &d);
	cpu_feat.nx = d & BIT(20);
	cpu_feat.page1gb = d & BIT(26);
	cpu_feat.rdtscp = d & BIT(27);
	cpu_feat.phys_bits = 36;
	if (ext >= 0x80000008) {
		cpuid_raw(0x80000008, 0, &a, &b, &c, &d);
		cpu_feat.phys_bits = (u8)a;
	}
	hv_cr4 = X86_CR4_DE | X86_CR4_PAE | X86_CR4_MCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	/* Global entries would have to be flushed separately; guests get none (x86/mm clears the bit). */
	if (cpu_feat.fsgsbase)
		hv_cr4 |= X86_CR4_FSGSBASE;
	if (cpu_feat.xsave)
		hv_cr4 |= X86_CR4_OSXSAVE;
	if (cpu_feat.umip)
		hv_cr4 |= X86_CR4_UMIP;
	if (cpu_feat.smep && opt_smep)
		hv_cr4 |= X86_CR4_SMEP;
	if (cpu_feat.smap && opt_smap) {
		hv_cr4 |= X86_CR4_SMAP;
		smap_patch();
	}
	WRITE_CR(4, READ_CR(4) | (hv_cr4 & (X86_CR4_OSXSAVE | X86_CR4_FSGSBASE)));
	printk("CPU: NX %u SMEP %u SMAP %u PCID %u FSGSBASE %u XSAVE %u x2APIC %u, %u address bits\n",
	       cpu_feat.nx, !!(hv_cr4 & X86_CR4_SMEP), !!(hv_cr4 & X86_CR4_SMAP), cpu_feat.pcid,
	       cpu_feat.fsgsbase, cpu_feat.xsave, cpu_feat.x2apic, cpu_feat.phys_bits);
}
