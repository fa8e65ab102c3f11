# SPDX-License-Identifier: GPL-2.0-or-later
# The store daemon's core: requests, transactions against a model, restarts at any point, rings,
# and whose turn it is.
if TOOLSTACK
xenstored_tests = tests/unit/toolstack/xenstored/store_test tests/unit/toolstack/xenstored/model_test \
	tests/unit/toolstack/xenstored/replay_test tests/unit/toolstack/xenstored/ring_test \
	tests/unit/toolstack/xenstored/fair_test
check_PROGRAMS += $(xenstored_tests)
TESTS += $(xenstored_tests)
xenstored_test_cppflags = $(xenstored_cppflags) -I$(top_srcdir)/tests/unit/toolstack/xenstored
xenstored_harness = tests/unit/toolstack/xenstored/harness.c tests/unit/toolstack/xenstored/harness.h

tests_unit_toolstack_xenstored_store_test_SOURCES = tests/unit/toolstack/xenstored/store_test.c $(xenstored_harness)
tests_unit_toolstack_xenstored_store_test_CPPFLAGS = $(xenstored_test_cppflags)
tests_unit_toolstack_xenstored_store_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_xenstored_store_test_LDADD = toolstack/xenstored/libstore.a -lcmocka
tests_unit_toolstack_xenstored_model_test_SOURCES = tests/unit/toolstack/xenstored/model_test.c $(xenstored_harness)
tests_unit_toolstack_xenstored_model_test_CPPFLAGS = $(xenstored_test_cppflags)
tests_unit_toolstack_xenstored_model_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_xenstored_model_test_LDADD = toolstack/xenstored/libstore.a -lcmocka
tests_unit_toolstack_xenstored_replay_test_SOURCES = tests/unit/toolstack/xenstored/replay_test.c $(xenstored_harness)
tests_unit_toolstack_xenstored_replay_test_CPPFLAGS = $(xenstored_test_cppflags)
tests_unit_toolstack_xenstored_replay_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_xenstored_replay_test_LDADD = toolstack/xenstored/libstore.a -lcmocka
tests_unit_toolstack_xenstored_ring_test_SOURCES = tests/unit/toolstack/xenstored/ring_test.c $(xenstored_harness)
tests_unit_toolstack_xenstored_ring_test_CPPFLAGS = $(xenstored_test_cppflags)
tests_unit_toolstack_xenstored_ring_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_xenstored_ring_test_LDADD = toolstack/xenstored/libstore.a -lcmocka
tests_unit_toolstack_xenstored_fair_test_SOURCES = tests/unit/toolstack/xenstored/fair_test.c $(xenstored_harness) \
	toolstack/xenstored/guests.c toolstack/xenstored/log.c toolstack/xenstored/worker.c
tests_unit_toolstack_xenstored_fair_test_CPPFLAGS = $(xenstored_test_cppflags)
tests_unit_toolstack_xenstored_fair_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_xenstored_fair_test_LDADD = toolstack/xenstored/libstore.a -lcmocka
endif
