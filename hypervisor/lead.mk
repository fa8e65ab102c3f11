# SPDX-License-Identifier: GPL-2.0-or-later
# Start of day, entry, PV vCPUs, domains, hypercall dispatch.
hv_sources += \
	hypervisor/domain/domain.c \
	hypervisor/domain/life.c \
	hypervisor/hypercall/dispatch.c \
	hypervisor/hypercall/permit.c \
	hypervisor/hypercall/version.c \
	hypervisor/hypercall/compat.c \
	hypervisor/lib/lock.c \
	hypervisor/x86/boot/head.S \
	hypervisor/x86/boot/dom0_build.c \
	hypervisor/x86/boot/dom0_options.c \
	hypervisor/x86/boot/dom0_permissions.c \
	hypervisor/x86/boot/dom0_tables.c \
	hypervisor/x86/boot/kernel_elf.c \
	hypervisor/x86/boot/main.c \
	hypervisor/x86/boot/memory.c \
	hypervisor/x86/boot/multiboot.c \
	hypervisor/x86/boot/payload.c \
	hypervisor/x86/cpu/desc.c \
	hypervisor/x86/cpu/features.c \
	hypervisor/x86/cpu/spec.c \
	hypervisor/x86/entry/entry.S \
	hypervisor/x86/entry/extable.c \
	hypervisor/x86/entry/offsets.c \
	hypervisor/x86/entry/traps.c \
	hypervisor/x86/pv/bounce.c \
	hypervisor/x86/pv/callbacks.c \
	hypervisor/x86/pv/context.c \
	hypervisor/x86/pv/iret.c \
	hypervisor/x86/pv/mode.c \
	hypervisor/x86/pv/switch.c \
	hypervisor/x86/pv/uaccess.c
