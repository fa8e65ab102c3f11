# SPDX-License-Identifier: GPL-2.0-or-later
# Formatted output, options, ACPI tables, interrupt vectors. The hypervisor's headers come after the system's,
# some of which have the same names.
plat_test_cppflags = $(host_cppflags) -idirafter $(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor
plat_tests = tests/unit/lib/vsnprintf_test tests/unit/lib/options_test tests/unit/drivers/acpi_test \
	tests/unit/x86/irq/vectors_test
check_PROGRAMS += $(plat_tests)
TESTS += $(plat_tests)

tests_unit_lib_vsnprintf_test_SOURCES = hypervisor/lib/vsnprintf.c tests/unit/lib/vsnprintf_test.c
tests_unit_lib_vsnprintf_test_CPPFLAGS = $(plat_test_cppflags) -Dvsnprintf=hv_vsnprintf -Dsnprintf=hv_snprintf
tests_unit_lib_vsnprintf_test_CFLAGS = $(host_cflags)
tests_unit_lib_vsnprintf_test_LDADD = -lcmocka
tests_unit_lib_options_test_SOURCES = hypervisor/lib/options.c tests/unit/lib/options_test.c
tests_unit_lib_options_test_CPPFLAGS = $(plat_test_cppflags)
tests_unit_lib_options_test_CFLAGS = $(host_cflags)
tests_unit_lib_options_test_LDADD = -lcmocka
tests_unit_drivers_acpi_test_SOURCES = hypervisor/drivers/acpi_parse.c tests/unit/drivers/acpi_test.c
tests_unit_drivers_acpi_test_CPPFLAGS = $(plat_test_cppflags)
tests_unit_drivers_acpi_test_CFLAGS = $(host_cflags)
tests_unit_drivers_acpi_test_LDADD = -lcmocka
tests_unit_x86_irq_vectors_test_SOURCES = hypervisor/x86/irq/vectors.c tests/unit/x86/irq/vectors_test.c
tests_unit_x86_irq_vectors_test_CPPFLAGS = $(plat_test_cppflags)
tests_unit_x86_irq_vectors_test_CFLAGS = $(host_cflags)
tests_unit_x86_irq_vectors_test_LDADD = -lcmocka
