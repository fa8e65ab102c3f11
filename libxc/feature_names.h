/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of CPUID feature flags (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E). `word`
 * indexes feature_words[] of policy.c.
 */
#ifndef LIBXC_FEATURES_H
#define LIBXC_FEATURES_H

#include <stdbool.h>

static const struct {
	unsigned char word, bit;
	const char *name;
} feature_names[] = {
	{ 0, 0, "fpu" },      { 0, 4, "tsc" },       { 0, 5, "msr" },        { 0, 6, "pae" },
	{ 0, 8, "cx8" },      { 0, 9, "apic" },      { 0, 11, "sysenter" },  { 0, 13, "pge" },
	{ 0, 15, "cmov" },    { 0, 16, "pat" },      { 0, 19, "clflush" },   { 0, 23, "mmx" },
	{ 0, 24, "fxsr" },    { 0, 25, "sse" },      { 0, 26, "sse2" },      { 0, 28, "htt" },
	{ 1, 0, "sse3" },     { 1, 1, "pclmulqdq" }, { 1, 3, "monitor" },    { 1, 9, "ssse3" },
	{ 1, 12, "fma" },     { 1, 13, "cx16" },     { 1, 17, "pcid" },      { 1, 19, "sse4.1" },
	{ 1, 20, "sse4.2" },  { 1, 21, "x2apic" },   { 1, 22, "movbe" },     { 1, 23, "popcnt" },
	{ 1, 25, "aesni" },   { 1, 26, "xsave" },    { 1, 28, "avx" },       { 1, 29, "f16c" },
	{ 1, 30, "rdrand" },  { 1, 31, "hypervisor" }, { 2, 11, "syscall" }, { 2, 20, "nx" },
	{ 2, 22, "mmxext" },  { 2, 25, "fxsr_opt" }, { 2, 26, "page1gb" },   { 2, 27, "rdtscp" },
	{ 2, 29, "lm" },      { 3, 0, "lahf_lm" },   { 3, 5, "abm" },        { 3, 6, "sse4a" },
	{ 3, 7, "misalignsse" }, { 3, 8, "3dnowprefetch" }, { 3, 11, "xop" }, { 3, 16, "fma4" },
	{ 3, 21, "tbm" },     { 4, 0, "xsaveopt" },  { 4, 1, "xsavec" },     { 4, 2, "xgetbv1" },
	{ 4, 3, "xsaves" },   { 4, 4, "xfd" },       { 5, 0, "fsgsbase" },   { 5, 3, "bmi1" },
	{ 5, 4, "hle" },      { 5, 5, "avx2" },      { 5, 7, "smep" },       { 5, 8, "bmi2" },
	{ 5, 9, "erms" },     { 5, 10, "invpcid" },  { 5, 11, "rtm" },       { 5, 14, "mpx" },
	{ 5, 16, "avx512f" }, { 5, 17, "avx512dq" }, { 5, 18, "rdseed" },    { 5, 19, "adx" },
	{ 5, 20, "smap" },    { 5, 21, "avx512-ifma" }, { 5, 23, "clflushopt" }, { 5, 24, "clwb" },
	{ 5, 28, "avx512cd" }, { 5, 29, "sha" },     { 5, 30, "avx512bw" },  { 5, 31, "avx512vl" },
	{ 6, 1, "avx512-vbmi" }, { 6, 2, "umip" },   { 6, 3, "pku" },        { 6, 6, "avx512-vbmi2" },
	{ 6, 8, "gfni" },     { 6, 9, "vaes" },      { 6, 10, "vpclmulqdq" }, { 6, 11, "avx512-vnni" },
	{ 6, 12, "avx512-bitalg" }, { 6, 14, "avx512-vpopcntdq" }, { 6, 22, "rdpid" },
	{ 7, 8, "invariant-tsc" }, { 8, 0, "clzero" }, { 8, 9, "wbnoinvd" }, { 8, 12, "ibpb" },
	{ 8, 14, "ibrs" },    { 8, 15, "stibp" },    { 8, 24, "ssbd-amd" },  { 9, 4, "fsrm" },
	{ 9, 10, "md-clear" }, { 9, 14, "serialize" }, { 9, 22, "amx-bf16" }, { 9, 23, "avx512-fp16" },
	{ 9, 24, "amx-tile" }, { 9, 25, "amx-int8" }, { 9, 26, "ibrsb" },    { 9, 27, "stibp-intel" },
	{ 9, 28, "l1d-flush" }, { 9, 29, "arch-caps" }, { 9, 31, "ssbd" },   { 10, 4, "avx-vnni" },
	{ 10, 5, "avx512-bf16" },
};

/* Flags that follow the running guest's registers rather than the CPU: OSXSAVE, APIC, OSPKE. */
static inline bool feature_dynamic(unsigned int word, unsigned int bit)
{
	return (word == 1 && bit == 27) || (word == 0 && bit == 9) || (word == 6 && bit == 4);
}

#endif
