# SPDX-License-Identifier: GPL-2.0-or-later
# Scheduling and time.
core_sources += \
	hypervisor/core/sched/cap.c \
	hypervisor/core/sched/fair.c \
	hypervisor/core/sched/heap.c \
	hypervisor/core/sched/null.c \
	hypervisor/core/sched/state.c
