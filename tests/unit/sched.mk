# SPDX-License-Identifier: GPL-2.0-or-later
# Scheduling policies and the timer heap.
sched_test_cppflags = $(host_cppflags) -I$(top_srcdir)/hypervisor/include -I$(top_srcdir)/tests/unit/core/sched
sched_test_sources = \
	hypervisor/core/sched/cap.c \
	hypervisor/core/sched/fair.c \
	hypervisor/core/sched/heap.c \
	hypervisor/core/sched/null.c \
	hypervisor/core/sched/state.c \
	tests/unit/core/sched/sim.c \
	tests/unit/core/sched/sim.h

sched_tests = tests/unit/core/sched/fair_test tests/unit/core/sched/null_test tests/unit/core/sched/heap_test \
	tests/unit/x86/sched/wake_test
check_PROGRAMS += $(sched_tests)
TESTS += $(sched_tests)

tests_unit_core_sched_fair_test_SOURCES = $(sched_test_sources) tests/unit/core/sched/fair_test.c
tests_unit_core_sched_fair_test_CPPFLAGS = $(sched_test_cppflags)
tests_unit_core_sched_fair_test_CFLAGS = $(host_cflags)
tests_unit_core_sched_fair_test_LDADD = -lcmocka
tests_unit_core_sched_null_test_SOURCES = $(sched_test_sources) tests/unit/core/sched/null_test.c
tests_unit_core_sched_null_test_CPPFLAGS = $(sched_test_cppflags)
tests_unit_core_sched_null_test_CFLAGS = $(host_cflags)
tests_unit_core_sched_null_test_LDADD = -lcmocka
tests_unit_core_sched_heap_test_SOURCES = $(sched_test_sources) tests/unit/core/sched/heap_test.c
tests_unit_core_sched_heap_test_CPPFLAGS = $(sched_test_cppflags)
tests_unit_core_sched_heap_test_CFLAGS = $(host_cflags)
tests_unit_core_sched_heap_test_LDADD = -lcmocka
tests_unit_x86_sched_wake_test_SOURCES = hypervisor/x86/sched/wake.c tests/unit/x86/sched/wake_test.c
tests_unit_x86_sched_wake_test_CPPFLAGS = $(sched_test_cppflags) -I$(top_srcdir)/hypervisor
tests_unit_x86_sched_wake_test_CFLAGS = $(host_cflags)
tests_unit_x86_sched_wake_test_LDADD = -lcmocka
