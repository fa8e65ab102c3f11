# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/xstate/layout.c hypervisor/core/xstate/convert.c \
	hypervisor/core/xstate/validate.c hypervisor/core/xstate/rules.c hypervisor/core/xstate/tag.c
hv_sources += hypervisor/x86/cpu/fpu.c hypervisor/x86/cpu/fpu_init.c hypervisor/x86/cpu/fpu_image.c
