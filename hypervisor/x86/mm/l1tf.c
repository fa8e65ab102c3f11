/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L1 terminal fault (CVE-2018-3620, -3646): an affected CPU follows the address of a non-present entry to
 * whatever the L1 data cache holds there. A guest's non-present entries must then not point at RAM.
 *
 * Option pv-l1tf=<bool> or pv-l1tf=dom0=<bool>,domu=<bool>; by default guests are checked on affected CPUs and the
 * control domain is not. Kernels that know the fault store such entries with inverted addresses anyway.
 */
#include <core/mm/table.h>
#include <lib.h>
#include <options.h>
#include <uaccess.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>

#define MSR_ARCH_CAPABILITIES 0x10a
#define ARCH_CAPS_RDCL_NO BIT(0)

static enum { L1TF_AUTO, L1TF_OFF, L1TF_ON } want_domu;
static bool want_dom0;

static int parse_one(const char *s, size_t len)
{
	char word[16];
	bool on;

	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, s, len);
	word[len] = 0;
	if (!strncmp(word, "dom0=", 5))
		return option_bool(word + 5, &want_dom0);
	if (!strncmp(word, "domu=", 5)) {
		if (option_bool(word + 5, &on))
			return -EINVAL;
		want_domu = on ? L1TF_ON : L1TF_OFF;
		return 0;
	}
	if (option_bool(word, &on))
		return -EINVAL;
	want_dom0 = on;
	want_domu = on ? L1TF_ON : L1TF_OFF;
	return 0;
}

static int parse_l1tf(const char *value)
{
	for (;;) {
		const char *comma = strchr(value, ',');
		size_t len = comma ? (size_t)(comma - value) : strlen(value);

		if (parse_one(value, len))
			return -EINVAL;
		if (!comma)
			return 0;
		value = comma + 1;
	}
}
OPTION("pv-l1tf", parse_l1tf);

static bool cpu_affected(void)
{
	u32 a, b, c, d;
	u64 caps;

	cpuid_raw(0, &a, &b, &c, &d);
	if (b != 0x756e6547) /* "Genu": Intel's alone */
		return false;
	if (a < 7)
		return true;
	cpuid_raw(7, &a, &b, &c, &d);
	return !(d & BIT(29)) || !rdmsr_safe(MSR_ARCH_CAPABILITIES, &caps) || !(caps & ARCH_CAPS_RDCL_NO);
}

void l1tf_init(void)
{
	if (want_domu == L1TF_OFF || (want_domu == L1TF_AUTO && !cpu_affected()))
		return;
	l1tf_unsafe_end = max_mfn << PAGE_SHIFT;
	l1tf_check_dom0 = want_dom0;
	printk(XLOG_INFO "mm: non-present page-table entries of guests%s may not point at RAM (L1TF)\n",
	       want_dom0 ? " and dom0" : "");
}
