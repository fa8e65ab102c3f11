# SPDX-License-Identifier: GPL-2.0-or-later
# Scheduling and time.
core_sources += \
	hypervisor/core/sched/cap.c \
	hypervisor/core/sched/fair.c \
	hypervisor/core/sched/heap.c \
	hypervisor/core/sched/null.c \
	hypervisor/core/sched/state.c
hv_sources += \
	hypervisor/x86/sched/control.c \
	hypervisor/x86/sched/hotplug.c \
	hypervisor/x86/sched/runstate.c \
	hypervisor/x86/sched/schedule.c \
	hypervisor/x86/sched/wake.c \
	hypervisor/x86/time/clockevent.c \
	hypervisor/x86/time/guest.c \
	hypervisor/x86/time/pit.c \
	hypervisor/x86/time/refclock.c \
	hypervisor/x86/time/rtc.c \
	hypervisor/x86/time/timer.c \
	hypervisor/x86/time/tsc.c \
	hypervisor/hypercall/sched.c \
	hypervisor/hypercall/timer.c \
	hypervisor/hypercall/vcpu.c
