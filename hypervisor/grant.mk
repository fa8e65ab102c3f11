# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/grant/table.h hypervisor/core/grant/entry.c hypervisor/core/grant/maptrack.c
hv_sources += hypervisor/hypercall/grant.h hypervisor/hypercall/grant.c hypervisor/hypercall/grant_use.c \
	hypervisor/hypercall/grant_map.c hypervisor/hypercall/grant_copy.c hypervisor/hypercall/grant_transfer.c \
	hypervisor/hypercall/grant_version.c hypervisor/hypercall/grant_domain.c
