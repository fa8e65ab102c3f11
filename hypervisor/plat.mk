# SPDX-License-Identifier: GPL-2.0-or-later
# Basics, console, interrupts, CPUs, and the hypercalls about them.
core_sources += \
	hypervisor/drivers/acpi_parse.c \
	hypervisor/x86/irq/vectors.c \
	hypervisor/lib/options.c \
	hypervisor/lib/vsnprintf.c
hv_sources += \
	hypervisor/drivers/acpi.c \
	hypervisor/drivers/console.c \
	hypervisor/drivers/debug_keys.c \
	hypervisor/drivers/uart.c \
	hypervisor/drivers/vga_text.c \
	hypervisor/lib/printk.c \
	hypervisor/lib/string.c \
	hypervisor/lib/symbols.c \
	hypervisor/x86/cpu/smp.c \
	hypervisor/x86/cpu/smpboot.c \
	hypervisor/x86/cpu/trampoline.S \
	hypervisor/x86/debug/dump.c \
	hypervisor/x86/debug/power.c \
	hypervisor/x86/irq/ioapic.c \
	hypervisor/x86/irq/irq.c \
	hypervisor/drivers/pci.c \
	hypervisor/hypercall/console_io.c \
	hypervisor/hypercall/efi_info.c \
	hypervisor/hypercall/mca.c \
	hypervisor/hypercall/physdev.c \
	hypervisor/hypercall/platform.c \
	hypervisor/x86/irq/pirq.c \
	hypervisor/x86/irq/lapic.c \
	hypervisor/x86/irq/msi.c
