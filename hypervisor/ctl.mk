# SPDX-License-Identifier: GPL-2.0-or-later
# The control interface, and what PV domains get of HVM_OP.
core_sources += hypervisor/core/domain/rangeset.c
hv_sources += \
	hypervisor/hypercall/ctl.h \
	hypervisor/hypercall/ctl.c \
	hypervisor/hypercall/ctl_policy.c \
	hypervisor/hypercall/domctl.c \
	hypervisor/hypercall/domctl_access.c \
	hypervisor/hypercall/domctl_life.c \
	hypervisor/hypercall/domctl_memory.c \
	hypervisor/hypercall/domctl_vcpu.c \
	hypervisor/hypercall/hvm_op.c \
	hypervisor/hypercall/sysctl.c \
	hypervisor/hypercall/sysctl_host.c \
	hypervisor/x86/pv/hypercall_page.c
