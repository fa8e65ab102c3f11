/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which segment descriptors a PV guest may have (SDM vol. 3, 3.4.5).
 *
 *   63      56 55 54 53 52 51    48 47 46 45 44 43  40 39      16 15       0
 *   | base    | G |D |L |A | limit | P | DPL |S | type | base     | limit  |
 */
#include <mm.h>

#define DESC_P BIT(47)
#define DESC_DPL (3UL << 45)
#define DESC_S BIT(44)
#define DESC_TYPE (0xfUL << 40)

bool pv_fix_descriptor(u64 *desc)
{
	u64 d = *desc;

	/* What is not present only faults. */
	if (!(d & DESC_P))
		return true;
	/* System descriptors would reach into the hypervisor: TSS, LDT and gates (all but the void type 0). */
	if (!(d & DESC_S) && (d & DESC_TYPE))
		return false;
	/* A guest kernel runs at CPL 3: everything it may use is at that level. */
	*desc = d | DESC_DPL;
	return true;
}
