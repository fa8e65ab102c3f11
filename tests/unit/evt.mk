# SPDX-License-Identifier: GPL-2.0-or-later
# Event channels, grant entries and handles, sets of ranges.
# After the system: the C library has headers called sched.h and time.h, too, and threads need them.
evt_test_cppflags = $(host_cppflags) -idirafter $(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor
evt_tests = tests/unit/core/event/fifo_test tests/unit/core/event/table_test tests/unit/core/grant/entry_test \
	tests/unit/core/grant/maptrack_test tests/unit/core/domain/rangeset_test \
	tests/unit/hypercall/evtchn_domain_test tests/unit/hypercall/vcpu_test
check_PROGRAMS += $(evt_tests)
TESTS += $(evt_tests)

tests_unit_core_event_fifo_test_SOURCES = hypervisor/core/event/fifo.c hypervisor/core/event/table.c \
	tests/unit/core/event/fifo_test.c
tests_unit_core_event_fifo_test_CPPFLAGS = $(evt_test_cppflags)
tests_unit_core_event_fifo_test_CFLAGS = $(host_cflags)
tests_unit_core_event_fifo_test_LDADD = -lcmocka -lpthread
tests_unit_core_event_table_test_SOURCES = hypervisor/core/event/fifo.c hypervisor/core/event/table.c \
	tests/unit/core/event/table_test.c
tests_unit_core_event_table_test_CPPFLAGS = $(evt_test_cppflags)
tests_unit_core_event_table_test_CFLAGS = $(host_cflags)
tests_unit_core_event_table_test_LDADD = -lcmocka
tests_unit_core_grant_entry_test_SOURCES = hypervisor/core/grant/entry.c tests/unit/core/grant/entry_test.c
tests_unit_core_grant_entry_test_CPPFLAGS = $(evt_test_cppflags)
tests_unit_core_grant_entry_test_CFLAGS = $(host_cflags)
tests_unit_core_grant_entry_test_LDADD = -lcmocka -lpthread
tests_unit_core_grant_maptrack_test_SOURCES = hypervisor/core/grant/maptrack.c tests/unit/core/grant/maptrack_test.c
tests_unit_core_grant_maptrack_test_CPPFLAGS = $(evt_test_cppflags)
tests_unit_core_grant_maptrack_test_CFLAGS = $(host_cflags)
tests_unit_core_grant_maptrack_test_LDADD = -lcmocka
tests_unit_core_domain_rangeset_test_SOURCES = hypervisor/core/domain/rangeset.c tests/unit/core/domain/rangeset_test.c
tests_unit_core_domain_rangeset_test_CPPFLAGS = $(evt_test_cppflags)
tests_unit_core_domain_rangeset_test_CFLAGS = $(host_cflags)
tests_unit_core_domain_rangeset_test_LDADD = -lcmocka
tests_unit_hypercall_evtchn_domain_test_SOURCES = hypervisor/core/event/table.c hypervisor/core/event/fifo.c \
	hypervisor/hypercall/evtchn_domain.c tests/unit/hypercall/evtchn_domain_test.c
tests_unit_hypercall_evtchn_domain_test_CPPFLAGS = $(evt_test_cppflags) -D__XEN__ -D__XEN_TOOLS__
tests_unit_hypercall_evtchn_domain_test_CFLAGS = $(host_cflags) -Wno-unused-parameter
tests_unit_hypercall_evtchn_domain_test_LDADD = -lcmocka
# The running CPU is a variable; no builtins, as in the image.
tests_unit_hypercall_vcpu_test_SOURCES = hypervisor/hypercall/vcpu.c tests/unit/hypercall/vcpu_test.c
tests_unit_hypercall_vcpu_test_CPPFLAGS = $(mm_test_cppflags) -include $(top_srcdir)/tests/fuzz/hypercall/hosted.h
tests_unit_hypercall_vcpu_test_CFLAGS = $(host_cflags) -Wno-unused-parameter -fno-builtin
tests_unit_hypercall_vcpu_test_LDADD = -lcmocka
