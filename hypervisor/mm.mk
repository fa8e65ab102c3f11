# SPDX-License-Identifier: GPL-2.0-or-later
mm_core_sources = hypervisor/core/mm/pgt.c hypervisor/core/mm/buddy.c hypervisor/core/mm/check.c hypervisor/core/mm/desc.c \
	hypervisor/core/mm/domain_mm.c hypervisor/core/mm/frame.c hypervisor/core/mm/info.c hypervisor/core/mm/isolate.c hypervisor/core/mm/shadow.c hypervisor/core/mm/slab.c hypervisor/core/mm/table.c
core_sources += $(mm_core_sources)
hv_sources += hypervisor/core/mm/pgt.h hypervisor/core/mm/frame.h hypervisor/core/mm/table.h hypervisor/core/mm/isolate.h hypervisor/core/mm/shadow.h \
	hypervisor/x86/mm/cr.h hypervisor/x86/mm/hvmap.h hypervisor/x86/mm/ptwr.h hypervisor/x86/mm/pvmmu.h \
	hypervisor/x86/mm/desc.c hypervisor/x86/mm/fault.c hypervisor/x86/mm/gone.c hypervisor/x86/mm/grant_pte.c hypervisor/x86/mm/hvmap.c hypervisor/x86/mm/init.c \
	hypervisor/x86/mm/io.c hypervisor/x86/mm/l1tf.c hypervisor/x86/mm/logdirty.c hypervisor/x86/mm/ptwr.c hypervisor/x86/mm/tables.c hypervisor/x86/mm/tlb.c hypervisor/x86/mm/xpti.c \
	hypervisor/hypercall/mmu.c hypervisor/hypercall/mmuext.c hypervisor/hypercall/descriptors.c \
	hypervisor/hypercall/memory.h hypervisor/hypercall/memory.c hypervisor/hypercall/memory_reservation.c
