# SPDX-License-Identifier: GPL-2.0-or-later
# The console daemon. Its pure half (rings, fan-out, rates, logs) is a library of its own for the unit tests.
consoled_pure = \
	toolstack/consoled/ring.c toolstack/consoled/ring.h toolstack/consoled/fan.c toolstack/consoled/fan.h \
	toolstack/consoled/rate.c toolstack/consoled/rate.h toolstack/consoled/log.c toolstack/consoled/log.h
EXTRA_DIST += docs/man/serai-consoled.8.scd toolstack/consoled/serai-consoled.service.in \
	toolstack/consoled/serai-group.conf

if TOOLSTACK
sbin_PROGRAMS += toolstack/serai-consoled
toolstack_serai_consoled_SOURCES = $(consoled_pure) toolstack/consoled/consoled.h \
	toolstack/consoled/main.c toolstack/consoled/options.c toolstack/consoled/loop.c \
	toolstack/consoled/domains.c toolstack/consoled/guest.c toolstack/consoled/viewer.c \
	toolstack/consoled/hvlog.c toolstack/consoled/privilege.c
toolstack_serai_consoled_CPPFLAGS = $(toolstack_cppflags)
toolstack_serai_consoled_CFLAGS = $(host_cflags)
toolstack_serai_consoled_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS)

systemunitdir = $(prefix)/lib/systemd/system
systemunit_DATA = toolstack/consoled/serai-consoled.service
CLEANFILES += toolstack/consoled/serai-consoled.service
toolstack/consoled/serai-consoled.service: $(srcdir)/toolstack/consoled/serai-consoled.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) toolstack/consoled && sed 's|[@]sbindir@|$(sbindir)|g' $< > $@

sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = $(srcdir)/toolstack/consoled/serai-group.conf

if HAVE_SCDOC
man_MANS += docs/man/serai-consoled.8
CLEANFILES += docs/man/serai-consoled.8
docs/man/serai-consoled.8: $(srcdir)/docs/man/serai-consoled.8.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(SCDOC) < $< > $@
endif
endif
