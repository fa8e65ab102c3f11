/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that may fault in the hypervisor, and where to go on when they do. */
#ifndef SERAI_EXTABLE_H
#define SERAI_EXTABLE_H

/* In C: asm("1: insn\n" ... EXTABLE(1b, 2f)) */
#define EXTABLE(from, to)                    \
	".pushsection .extable, \"a\"\n"     \
	".balign 4\n"                        \
	".long " #from " - ., " #to " - .\n" \
	".popsection\n"

/* STAC/CLAC around accesses to guest memory: three-byte NOPs that x86/cpu/features.c patches when SMAP is on. */
#define GUEST_ACCESS_BEGIN              \
	"661: .byte 0x0f, 0x1f, 0x00\n" \
	".pushsection .smap_sites, \"a\"\n.long 661b - ., 0xcb010f\n.popsection\n"
#define GUEST_ACCESS_END                \
	"662: .byte 0x0f, 0x1f, 0x00\n" \
	".pushsection .smap_sites, \"a\"\n.long 662b - ., 0xca010f\n.popsection\n"

#ifndef __ASSEMBLY__
#include <types.h>
u64 extable_search(u64 rip); /* where to go on, or 0 */
#endif

#endif
