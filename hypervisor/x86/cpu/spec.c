/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Speculative execution: what this CPU needs, what is done about it, and the options to change that
 * (spec-ctrl=, xpti=, pv-l1tf=, named as Xen's).
 *
 *   Spectre v2 in the hypervisor   retpolines: thunks in entry.S, turned into plain jumps when not wanted
 *   RSB poisoned by a guest        32 harmless entries on every way in, unless SMEP stops user targets
 *   Spectre v2 between domains     IBPB when a CPU changes from one domain to another
 *   MDS, TAA, RFDS                 VERW on the way out (needs MD_CLEAR microcode)
 *   Meltdown                       guests on roots without the hypervisor (x86/mm/xpti.c), entry.S changes CR3
 *
 * Sites in entry.S are patched once, before other CPUs start and while the image is still writable.
 */
#include <cpu.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <xerrno.h>
#include <xpti.h>

#define MSR_PRED_CMD 0x49U
#define MSR_ARCH_CAPABILITIES 0x10aU
#define ARCH_CAPS_RDCL_NO BIT(0)
#define ARCH_CAPS_MDS_NO BIT(5)

bool spec_ibpb;

/* -1: as the CPU needs */
static int opt_thunk = -1, opt_rsb = -1, opt_ibpb = -1, opt_md_clear = -1;

static bool word_is(const char *s, size_t n, const char *w)
{
	return strlen(w) == n && !strncmp(s, w, n);
}

static int parse_one(const char *s, size_t n)
{
	static const struct {
		const char *name;
		int *opt;
	} known[] = {{"rsb", &opt_rsb}, {"ibpb", &opt_ibpb}, {"md-clear", &opt_md_clear}};
	int value = 1;

	if (word_is(s, n, "no") || word_is(s, n, "off") || word_is(s, n, "0")) {
		opt_thunk = opt_rsb = opt_ibpb = opt_md_clear = 0;
		return 0;
	}
	if (word_is(s, n, "yes") || word_is(s, n, "on") || word_is(s, n, "1"))
		return 0;
	if (word_is(s, n, "bti-thunk=retpoline")) {
		opt_thunk = 1;
		return 0;
	}
	if (word_is(s, n, "bti-thunk=jmp")) {
		opt_thunk = 0;
		return 0;
	}
	/* The FPU is switched eagerly whatever is said. */
	if (word_is(s, n, "eager-fpu"))
		return 0;
	if (n > 3 && !strncmp(s, "no-", 3)) {
		value = 0;
		s += 3;
		n -= 3;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (word_is(s, n, known[i].name)) {
			*known[i].opt = value;
			return 0;
		}
	return -EINVAL;
}

static int parse_spec_ctrl(const char *s)
{
	int rc = 0;

	while (*s && !rc) {
		const char *comma = strchr(s, ',');
		size_t n = comma ? (size_t)(comma - s) : strlen(s);

		rc = parse_one(s, n);
		s += n + (comma != NULL);
	}
	return rc;
}
OPTION("spec-ctrl", parse_spec_ctrl);

/* -1: as the CPU needs, for that kind of domain */
static int opt_xpti_control = -1, opt_xpti_others = -1;

/* A word of xpti=:  default, a truth, or dom0 or domu with a truth of their own. */
static int parse_xpti_word(const char *word)
{
	bool value = true, control, others;
	const char *rest = word;

	if (!strcmp(word, "default")) {
		opt_xpti_control = opt_xpti_others = -1;
		return 0;
	}
	if (!option_bool(word, &value)) {
		opt_xpti_control = opt_xpti_others = value;
		return 0;
	}
	if (!strncmp(rest, "no-", 3)) {
		value = false;
		rest += 3;
	}
	control = !strncmp(rest, "dom0", 4);
	others = !strncmp(rest, "domu", 4);
	if (!control && !others)
		return -EINVAL;
	rest += 4;
	if (*rest && (*rest != '=' || !value || option_bool(rest + 1, &value)))
		return -EINVAL;
	*(control ? &opt_xpti_control : &opt_xpti_others) = value;
	return 0;
}

static int parse_xpti(const char *s)
{
	char word[24];
	int rc = 0;

	do {
		const char *comma = strchr(s, ',');
		size_t n = comma ? (size_t)(comma - s) : strlen(s);

		if (n >= sizeof(word))
			return -EINVAL;
		memcpy(word, s, n);
		word[n] = 0;
		rc = parse_xpti_word(word);
		s += n + (comma != NULL);
	} while (*s && !rc);
	return rc;
}
OPTION("xpti", parse_xpti);

/* Replaces len bytes at each site of a table of self-relative offsets. */
static void patch_sites(const s32 *from, const s32 *to, const u8 *insn, size_t len)
{
	for (const s32 *s = from; s < to; s++)
		memcpy((void *)((u64)s + (u64)(s64)*s), insn, len);
}

static void patch_rsb(void)
{
	extern const s32 spec_rsb_start[], spec_rsb_end[];
	static const u8 nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

	/* The jump over the calls goes. */
	patch_sites(spec_rsb_start, spec_rsb_end, nop5, sizeof(nop5));
}

/* VERW needs the address of a selector relative to each site: 0f 00 /5 rip-relative. */
static void patch_verw(void)
{
	extern const s32 spec_verw_start[], spec_verw_end[];
	extern const u16 spec_verw_selector;

	for (const s32 *s = spec_verw_start; s < spec_verw_end; s++) {
		u8 *site = (u8 *)((u64)s + (u64)(s64)*s);
		u32 rel = (u32)((u64)&spec_verw_selector - ((u64)site + 7));

		memcpy(site, "\x0f\x00\x2d", 3);
		memcpy(site + 3, &rel, 4);
	}
}

/* Each thunk becomes  jmp *%reg . */
static void patch_thunks(void)
{
	extern u8 spec_thunks[];
	/* rax rbx rcx rdx rsi rdi rbp r8..r15, the order of entry.S */
	static const u8 reg[] = {0, 3, 1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned int i = 0; i < ARRAY_SIZE(reg); i++) {
		u8 *p = spec_thunks + i * 32;

		if (reg[i] >= 8)
			*p++ = 0x41;
		*p++ = 0xff;
		*p = (u8)(0xe0 | (reg[i] & 7));
	}
}

/* Each place in entry.S that changes CR3 jumps to its longer form. The hypervisor's own root comes with boot_l4. */
static void patch_xpti(void)
{
	extern const s32 xpti_sites_start[], xpti_sites_end[];
	extern u64 xpti_idle_cr3, boot_l4[];

	for (const s32 *s = xpti_sites_start; s < xpti_sites_end; s += 2) {
		u8 *site = (u8 *)((u64)s + (u64)(s64)s[0]);
		u32 rel = (u32)((u64)(s + 1) + (u64)(s64)s[1] - ((u64)site + 5));

		*site = 0xe9;
		memcpy(site + 1, &rel, sizeof(rel));
	}
	xpti_idle_cr3 = hv_addr_to_mfn((u64)boot_l4).n << PAGE_SHIFT;
}

static bool wanted(int opt, bool needed)
{
	return opt < 0 ? needed : opt;
}

void spec_init(void)
{
	u32 a, b, c, d, max, d7 = 0, b8 = 0;
	bool rdcl_no = !cpu_feat.intel, mds_no = !cpu_feat.intel, thunk, rsb, verw;

	cpuid_raw(0, 0, &max, &b, &c, &d);
	if (max >= 7)
		cpuid_raw(7, 0, &a, &b, &c, &d7);
	cpuid_raw(0x80000000, 0, &a, &b, &c, &d);
	if (a >= 0x80000008)
		cpuid_raw(0x80000008, 0, &a, &b8, &c, &d);
	if (d7 & BIT(29)) {
		u64 caps = rdmsr(MSR_ARCH_CAPABILITIES);

		rdcl_no |= !!(caps & ARCH_CAPS_RDCL_NO);
		mds_no |= !!(caps & ARCH_CAPS_MDS_NO);
	}
	thunk = wanted(opt_thunk, true);
	rsb = wanted(opt_rsb, !(hv_cr4 & X86_CR4_SMEP));
	verw = wanted(opt_md_clear, !mds_no) && (d7 & BIT(10));
	spec_ibpb = wanted(opt_ibpb, true) && ((d7 & BIT(26)) || (b8 & BIT(12)));
	if (!thunk)
		patch_thunks();
	if (rsb)
		patch_rsb();
	if (verw)
		patch_verw();
	printk("Speculation: indirect branches %s, RSB refill %s, IBPB %s, VERW %s\n",
	       thunk ? "by retpoline" : "plain", rsb ? "on entry" : "off",
	       spec_ibpb ? "between domains" : "off", verw ? "on exit" : "off");
	xpti_for_control = wanted(opt_xpti_control, !rdcl_no);
	xpti_for_others = wanted(opt_xpti_others, !rdcl_no);
	xpti_active = xpti_for_control || xpti_for_others;
	if (xpti_active)
		patch_xpti();
	printk("Speculation: Meltdown %s; page tables isolated (XPTI): dom0 %s, other domains %s\n",
	       rdcl_no ? "does not concern this CPU" : "concerns this CPU", xpti_for_control ? "yes" : "no",
	       xpti_for_others ? "yes" : "no");
	if (!rdcl_no && !xpti_for_others)
		printk(XLOG_WARNING
		       "Speculation: do not run PV guests you do not trust on this CPU with xpti= off\n");
	if (!mds_no && !(d7 & BIT(10)))
		printk(XLOG_WARNING
		       "Speculation: this CPU needs MD_CLEAR microcode and has none: update it\n");
}

void spec_domain_switch(void)
{
	wrmsr(MSR_PRED_CMD, 1);
}
