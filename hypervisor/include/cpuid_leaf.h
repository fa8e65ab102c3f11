/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPUID returns for one leaf. */
#ifndef SERAI_CPUID_LEAF_H
#define SERAI_CPUID_LEAF_H

#include <types.h>

struct cpuid_leaf {
	u32 a, b, c, d;
};

#endif
