# SPDX-License-Identifier: GPL-2.0-or-later
# Extended state, CPU policies and the emulator, built hosted.
xs_cppflags = $(host_cppflags) -idirafter $(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor
xs_tests = tests/unit/core/xstate/cpu_test tests/unit/core/xstate/rules_test tests/unit/core/xstate/tag_test \
	tests/unit/core/cpuid/policy_test tests/unit/core/emulate/diff_test \
	tests/unit/core/emulate/mode_test tests/unit/x86/cpu/fpu_image_test \
	tests/unit/x86/cpu/fpu_switch_test
check_PROGRAMS += $(xs_tests)
TESTS += $(xs_tests)

check_LIBRARIES += tests/unit/core/libxstate.a tests/unit/core/libcpuid.a tests/unit/core/libemulate.a
tests_unit_core_libxstate_a_SOURCES = \
	hypervisor/core/xstate/convert.c hypervisor/core/xstate/layout.c hypervisor/core/xstate/rules.c \
	hypervisor/core/xstate/tag.c hypervisor/core/xstate/validate.c
tests_unit_core_libxstate_a_CPPFLAGS = $(xs_cppflags)
tests_unit_core_libxstate_a_CFLAGS = $(host_cflags)
tests_unit_core_libcpuid_a_SOURCES = \
	hypervisor/core/cpuid/derive.c hypervisor/core/cpuid/policy.c hypervisor/core/cpuid/query.c \
	hypervisor/core/cpuid/serialise.c
tests_unit_core_libcpuid_a_CPPFLAGS = $(xs_cppflags) -D__XEN_TOOLS__
tests_unit_core_libcpuid_a_CFLAGS = $(host_cflags)
tests_unit_core_libemulate_a_SOURCES = \
	hypervisor/core/emulate/access.c hypervisor/core/emulate/alu.c hypervisor/core/emulate/bcd.c \
	hypervisor/core/emulate/bits.c hypervisor/core/emulate/decode.c hypervisor/core/emulate/flow.c \
	hypervisor/core/emulate/internal.h hypervisor/core/emulate/move.c hypervisor/core/emulate/segment.c \
	hypervisor/core/emulate/stack.c hypervisor/core/emulate/string.c hypervisor/core/emulate/system.c \
	hypervisor/core/emulate/table.c
tests_unit_core_libemulate_a_CPPFLAGS = $(xs_cppflags)
tests_unit_core_libemulate_a_CFLAGS = $(host_cflags)

tests_unit_core_xstate_cpu_test_SOURCES = tests/unit/core/xstate/cpu_test.c tests/unit/core/xstate/hostcpu.h
tests_unit_core_xstate_cpu_test_CPPFLAGS = $(xs_cppflags)
tests_unit_core_xstate_cpu_test_CFLAGS = $(host_cflags)
tests_unit_core_xstate_cpu_test_LDADD = tests/unit/core/libxstate.a -lcmocka
tests_unit_core_xstate_rules_test_SOURCES = tests/unit/core/xstate/rules_test.c tests/unit/core/xstate/hostcpu.h
tests_unit_core_xstate_rules_test_CPPFLAGS = $(xs_cppflags)
tests_unit_core_xstate_rules_test_CFLAGS = $(host_cflags)
tests_unit_core_xstate_rules_test_LDADD = tests/unit/core/libxstate.a -lcmocka
tests_unit_core_xstate_tag_test_SOURCES = tests/unit/core/xstate/tag_test.c tests/unit/core/xstate/hostcpu.h
tests_unit_core_xstate_tag_test_CPPFLAGS = $(xs_cppflags)
tests_unit_core_xstate_tag_test_CFLAGS = $(host_cflags)
tests_unit_core_xstate_tag_test_LDADD = tests/unit/core/libxstate.a -lcmocka
tests_unit_core_cpuid_policy_test_SOURCES = tests/unit/core/cpuid/policy_test.c
tests_unit_core_cpuid_policy_test_CPPFLAGS = $(xs_cppflags) -D__XEN_TOOLS__
tests_unit_core_cpuid_policy_test_CFLAGS = $(host_cflags)
tests_unit_core_cpuid_policy_test_LDADD = tests/unit/core/libcpuid.a tests/unit/core/libxstate.a -lcmocka
tests_unit_core_emulate_diff_test_SOURCES = tests/unit/core/emulate/diff_test.c \
	tests/unit/core/emulate/native.c tests/unit/core/emulate/native.h
tests_unit_core_emulate_diff_test_CPPFLAGS = $(xs_cppflags)
tests_unit_core_emulate_diff_test_CFLAGS = $(host_cflags)
tests_unit_core_emulate_diff_test_LDADD = tests/unit/core/libemulate.a -lcmocka
tests_unit_core_emulate_mode_test_SOURCES = tests/unit/core/emulate/mode_test.c
tests_unit_core_emulate_mode_test_CPPFLAGS = $(xs_cppflags)
tests_unit_core_emulate_mode_test_CFLAGS = $(host_cflags)
tests_unit_core_emulate_mode_test_LDADD = tests/unit/core/libemulate.a -lcmocka
tests_unit_x86_cpu_fpu_image_test_SOURCES = tests/unit/x86/cpu/fpu_fakes.c tests/unit/x86/cpu/fpu_image_test.c hypervisor/x86/cpu/fpu_image.c
tests_unit_x86_cpu_fpu_image_test_CPPFLAGS = $(xs_cppflags) -D__XEN_TOOLS__ \
	-DFIXTURES='"$(abs_top_srcdir)/tests/unit/x86/cpu/fixtures"'
tests_unit_x86_cpu_fpu_image_test_CFLAGS = $(host_cflags)
tests_unit_x86_cpu_fpu_image_test_LDADD = tests/unit/core/libxstate.a -lcmocka
tests_unit_x86_cpu_fpu_switch_test_SOURCES = tests/unit/x86/cpu/fpu_fakes.c tests/unit/x86/cpu/fpu_switch_test.c \
	tests/unit/x86/cpu/cpu_model.h hypervisor/x86/cpu/fpu.c hypervisor/x86/cpu/fpu_image.c
tests_unit_x86_cpu_fpu_switch_test_CPPFLAGS = $(xs_cppflags) -D__XEN_TOOLS__ \
	-include $(top_srcdir)/tests/unit/x86/cpu/cpu_model.h
tests_unit_x86_cpu_fpu_switch_test_CFLAGS = $(host_cflags)
tests_unit_x86_cpu_fpu_switch_test_LDADD = tests/unit/core/libxstate.a -lcmocka
EXTRA_DIST += tests/unit/x86/cpu/fixtures
