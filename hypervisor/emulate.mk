# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/emulate/decode.c hypervisor/core/emulate/access.c hypervisor/core/emulate/table.c \
	hypervisor/core/emulate/alu.c hypervisor/core/emulate/move.c hypervisor/core/emulate/bits.c \
	hypervisor/core/emulate/string.c hypervisor/core/emulate/system.c \
	hypervisor/core/emulate/stack.c hypervisor/core/emulate/flow.c hypervisor/core/emulate/segment.c \
	hypervisor/core/emulate/bcd.c
hv_sources += hypervisor/x86/pv/emulate_priv.c hypervisor/x86/pv/msr.c hypervisor/x86/pv/io.c
