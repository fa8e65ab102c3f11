# SPDX-License-Identifier: GPL-2.0-or-later
# Frames, allocator, page tables; the model of page types; the decoder of page-table writes.
mm_test_cppflags = $(host_cppflags) -D__XEN__ -D__XEN_TOOLS__ -I$(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor
mm_test_sources = $(mm_core_sources) tests/unit/core/mm/world.c tests/unit/core/mm/world.h

mm_tests = tests/unit/core/mm/frame_test tests/unit/core/mm/table_test tests/unit/core/mm/shadow_test \
	tests/unit/core/mm/isolate_test tests/unit/core/mm/ptwr_test tests/model/pgt_model
check_PROGRAMS += $(mm_tests)
TESTS += $(mm_tests)

tests_unit_core_mm_frame_test_SOURCES = $(mm_test_sources) tests/unit/core/mm/frame_test.c
# Threads: the system has a sched.h of its own.
tests_unit_core_mm_frame_test_CPPFLAGS = $(host_cppflags) -D__XEN__ -D__XEN_TOOLS__ -idirafter $(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor
tests_unit_core_mm_frame_test_CFLAGS = $(host_cflags)
tests_unit_core_mm_frame_test_LDADD = -lcmocka -lpthread
tests_unit_core_mm_table_test_SOURCES = $(mm_test_sources) tests/unit/core/mm/table_test.c
tests_unit_core_mm_table_test_CPPFLAGS = $(mm_test_cppflags)
tests_unit_core_mm_table_test_CFLAGS = $(host_cflags)
tests_unit_core_mm_table_test_LDADD = -lcmocka
tests_unit_core_mm_shadow_test_SOURCES = $(mm_test_sources) tests/unit/core/mm/shadow_test.c
tests_unit_core_mm_shadow_test_CPPFLAGS = $(mm_test_cppflags)
tests_unit_core_mm_shadow_test_CFLAGS = $(host_cflags)
tests_unit_core_mm_shadow_test_LDADD = -lcmocka
tests_unit_core_mm_isolate_test_SOURCES = $(mm_test_sources) tests/unit/core/mm/isolate_test.c
tests_unit_core_mm_isolate_test_CPPFLAGS = $(mm_test_cppflags)
tests_unit_core_mm_isolate_test_CFLAGS = $(host_cflags)
tests_unit_core_mm_isolate_test_LDADD = -lcmocka
tests_unit_core_mm_ptwr_test_SOURCES = hypervisor/x86/mm/ptwr.c tests/unit/core/mm/ptwr_test.c
tests_unit_core_mm_ptwr_test_CPPFLAGS = $(mm_test_cppflags)
tests_unit_core_mm_ptwr_test_CFLAGS = $(host_cflags)
tests_unit_core_mm_ptwr_test_LDADD = -lcmocka
tests_model_pgt_model_SOURCES = hypervisor/core/mm/pgt.c tests/model/pgt_model.c
tests_model_pgt_model_CPPFLAGS = $(mm_test_cppflags)
tests_model_pgt_model_CFLAGS = $(host_cflags)
tests_model_pgt_model_LDADD = -lcmocka
EXTRA_DIST += tests/fuzz/pgt.c
