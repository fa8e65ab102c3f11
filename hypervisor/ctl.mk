# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/domain/rangeset.c
hv_sources += hypervisor/hypercall/ctl.h hypervisor/hypercall/ctl.c hypervisor/hypercall/hvm_op.c hypervisor/hypercall/domctl_memory.c \
	hypervisor/x86/pv/hypercall_page.c
