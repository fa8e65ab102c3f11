# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/cpuid/policy.c hypervisor/core/cpuid/derive.c hypervisor/core/cpuid/query.c \
	hypervisor/core/cpuid/serialise.c
hv_sources += hypervisor/x86/cpu/policy.c
