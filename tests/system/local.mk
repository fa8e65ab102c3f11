# SPDX-License-Identifier: GPL-2.0-or-later
# What the cases bring into their guests: static, and without the flags of host programs.
EXTRA_DIST += tests/system
tests/system/xstress: $(srcdir)/tests/system/xstress.c
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<
noinst_DATA += tests/system/xstress
CLEANFILES += tests/system/xstress
# Programs that whole-host tests bring along.
noinst_PROGRAMS += tests/system/cutter
tests_system_cutter_SOURCES = tests/system/tools/cutter.c
tests_system_cutter_CPPFLAGS = $(host_cppflags)
tests_system_cutter_CFLAGS = $(host_cflags)
