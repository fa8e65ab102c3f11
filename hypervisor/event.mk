# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/event/table.h hypervisor/core/event/table.c hypervisor/core/event/fifo.c
hv_sources += hypervisor/hypercall/evtchn.h hypervisor/hypercall/evtchn.c hypervisor/hypercall/evtchn_send.c \
	hypervisor/hypercall/evtchn_fifo.c hypervisor/hypercall/evtchn_domain.c
