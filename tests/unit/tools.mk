# SPDX-License-Identifier: GPL-2.0-or-later
# The control library and the toolstack: builder, decompression, configurations, streams.
if TOOLSTACK
tools_tests = tests/unit/libxc/build_test tests/unit/libxc/decompress_test \
	tests/unit/libxc/policy_test \
	tests/unit/toolstack/conf_test tests/unit/toolstack/stream_test tests/unit/toolstack/sink_test tests/unit/toolstack/pace_test \
	tests/unit/toolstack/policy_test tests/unit/toolstack/policy_common_test \
	tests/unit/toolstack/policy_apply_test tests/unit/toolstack/session_test tests/unit/toolstack/guardian_test \
	tests/unit/toolstack/nbd_test tests/unit/toolstack/kernel_test tests/unit/toolstack/screen_test \
	tests/unit/toolstack/reorder_test tests/unit/toolstack/drain_test tests/unit/toolstack/dirty_test \
	tests/unit/toolstack/bootloader_test tests/unit/toolstack/header_test
check_PROGRAMS += $(tools_tests)
TESTS += $(tools_tests)

tests_unit_libxc_build_test_SOURCES = tests/unit/libxc/build_test.c tests/unit/libxc/fake.c tests/unit/libxc/fake.h
tests_unit_libxc_build_test_CPPFLAGS = $(libxc_cppflags)
tests_unit_libxc_build_test_CFLAGS = $(host_cflags)
tests_unit_libxc_build_test_LDADD = libxc/libxc.a $(LIBXC_LIBS) -lcmocka
tests_unit_libxc_decompress_test_SOURCES = tests/unit/libxc/decompress_test.c
tests_unit_libxc_decompress_test_CPPFLAGS = $(libxc_cppflags)
tests_unit_libxc_decompress_test_CFLAGS = $(host_cflags)
tests_unit_libxc_decompress_test_LDADD = libxc/libxc.a $(CODEC_LIBS) -lcmocka
tests_unit_toolstack_conf_test_SOURCES = tests/unit/toolstack/conf_test.c
tests_unit_toolstack_conf_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_conf_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_conf_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_stream_test_SOURCES = tests/unit/toolstack/stream_test.c
tests_unit_toolstack_stream_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_stream_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_stream_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_session_test_SOURCES = tests/unit/toolstack/session_test.c
tests_unit_toolstack_session_test_CPPFLAGS = $(toolstack_cppflags) -I$(top_srcdir)
tests_unit_toolstack_session_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_session_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_guardian_test_SOURCES = tests/unit/toolstack/guardian_test.c
tests_unit_toolstack_guardian_test_CPPFLAGS = $(toolstack_cppflags) -I$(top_srcdir)
tests_unit_toolstack_guardian_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_guardian_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_reorder_test_SOURCES = tests/unit/toolstack/reorder_test.c toolstack/agent/reorder.c \
	toolstack/agent/gather.c toolstack/agent/spread.c
tests_unit_toolstack_reorder_test_CPPFLAGS = $(host_cppflags) -I$(top_srcdir)
tests_unit_toolstack_reorder_test_CFLAGS = $(host_cflags) -pthread
tests_unit_toolstack_reorder_test_LDADD = -lcmocka
tests_unit_toolstack_pace_test_SOURCES = tests/unit/toolstack/pace_test.c
tests_unit_toolstack_pace_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_pace_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_pace_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_drain_test_SOURCES = tests/unit/toolstack/drain_test.c
tests_unit_toolstack_drain_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_drain_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_drain_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_bootloader_test_SOURCES = tests/unit/toolstack/bootloader_test.c
tests_unit_toolstack_bootloader_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_bootloader_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_bootloader_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_dirty_test_SOURCES = tests/unit/toolstack/dirty_test.c toolstack/mirror/dirty.c toolstack/mirror/trace.c
tests_unit_toolstack_dirty_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_dirty_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_dirty_test_LDADD = -lcmocka
tests_unit_toolstack_header_test_SOURCES = tests/unit/toolstack/header_test.c
tests_unit_toolstack_header_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_header_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_header_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_sink_test_SOURCES = tests/unit/toolstack/sink_test.c
tests_unit_toolstack_sink_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_sink_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_sink_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_libxc_policy_test_SOURCES = tests/unit/libxc/policy_test.c
tests_unit_libxc_policy_test_CPPFLAGS = $(libxc_cppflags)
tests_unit_libxc_policy_test_CFLAGS = $(host_cflags)
tests_unit_libxc_policy_test_LDADD = libxc/libxc.a $(LIBXC_LIBS) -lcmocka
policy_cpu_sources = tests/unit/toolstack/policy_cpu.c tests/unit/toolstack/policy_cpu.h
tests_unit_toolstack_policy_test_SOURCES = tests/unit/toolstack/policy_test.c $(policy_cpu_sources)
tests_unit_toolstack_policy_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_policy_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_policy_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_policy_common_test_SOURCES = tests/unit/toolstack/policy_common_test.c $(policy_cpu_sources)
tests_unit_toolstack_policy_common_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_policy_common_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_policy_common_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_policy_apply_test_SOURCES = tests/unit/toolstack/policy_apply_test.c $(policy_cpu_sources)
tests_unit_toolstack_policy_apply_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_policy_apply_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_policy_apply_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_screen_test_SOURCES = tests/unit/toolstack/screen_test.c toolstack/cli/screen.c toolstack/cli/screen.h
tests_unit_toolstack_screen_test_CPPFLAGS = $(toolstack_cppflags) $(NCURSES_CFLAGS)
tests_unit_toolstack_screen_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_screen_test_LDADD = -lcmocka -lutil
tests_unit_toolstack_nbd_test_SOURCES = tests/unit/toolstack/nbd_test.c
tests_unit_toolstack_nbd_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_nbd_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_nbd_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lcmocka
tests_unit_toolstack_kernel_test_SOURCES = tests/unit/toolstack/kernel_test.c
tests_unit_toolstack_kernel_test_CPPFLAGS = $(toolstack_cppflags)
tests_unit_toolstack_kernel_test_CFLAGS = $(host_cflags)
tests_unit_toolstack_kernel_test_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS) -lz -lcmocka
endif
