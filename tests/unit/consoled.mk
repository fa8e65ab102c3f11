# SPDX-License-Identifier: GPL-2.0-or-later
# The console daemon's pure half.
if TOOLSTACK
consoled_tests = tests/unit/toolstack/consoled/stream_test tests/unit/toolstack/consoled/log_test
check_PROGRAMS += $(consoled_tests)
TESTS += $(consoled_tests)
check_LIBRARIES += tests/unit/toolstack/consoled/libpure.a
tests_unit_toolstack_consoled_libpure_a_SOURCES = $(consoled_pure)
tests_unit_toolstack_consoled_libpure_a_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_consoled_libpure_a_CFLAGS = $(host_cflags)
tests_unit_toolstack_consoled_stream_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_consoled_stream_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_consoled_stream_test_LDADD = tests/unit/toolstack/consoled/libpure.a -lcmocka
tests_unit_toolstack_consoled_log_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_consoled_log_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_consoled_log_test_LDADD = tests/unit/toolstack/consoled/libpure.a -lcmocka
endif
