# SPDX-License-Identifier: GPL-2.0-or-later
# The store daemon. Its core is a library, so that tests and fuzzers have it without the daemon.
xenstored_core = \
	toolstack/xenstored/check.c toolstack/xenstored/conn.c toolstack/xenstored/control.c \
	toolstack/xenstored/domain.c toolstack/xenstored/dump.c toolstack/xenstored/dump.h \
	toolstack/xenstored/feed.c toolstack/xenstored/feed.h toolstack/xenstored/journal.c \
	toolstack/xenstored/journal.h toolstack/xenstored/memory.c toolstack/xenstored/memory.h \
	toolstack/xenstored/node.c toolstack/xenstored/path.c toolstack/xenstored/path.h \
	toolstack/xenstored/perm.c toolstack/xenstored/perm.h toolstack/xenstored/request.c \
	toolstack/xenstored/request_domain.c toolstack/xenstored/ring.c toolstack/xenstored/ring.h \
	toolstack/xenstored/serve.c toolstack/xenstored/store.c toolstack/xenstored/store.h \
	toolstack/xenstored/transaction.c toolstack/xenstored/tree.c toolstack/xenstored/tree.h \
	toolstack/xenstored/watch.c
xenstored_cppflags = $(host_cppflags) -I$(top_srcdir)/libxc/include -I$(top_srcdir)/toolstack/xenstored

if TOOLSTACK
noinst_LIBRARIES += toolstack/xenstored/libstore.a
toolstack_xenstored_libstore_a_SOURCES = $(xenstored_core)
toolstack_xenstored_libstore_a_CPPFLAGS = $(xenstored_cppflags)
toolstack_xenstored_libstore_a_CFLAGS = $(host_cflags)

sbin_PROGRAMS += toolstack/xenstored/xenstored
toolstack_xenstored_xenstored_SOURCES = \
	toolstack/xenstored/daemon.h toolstack/xenstored/front.h toolstack/xenstored/guests.c \
	toolstack/xenstored/keeper.c toolstack/xenstored/log.c toolstack/xenstored/main.c \
	toolstack/xenstored/privileges.c toolstack/xenstored/worker.c
toolstack_xenstored_xenstored_CPPFLAGS = $(xenstored_cppflags)
toolstack_xenstored_xenstored_CFLAGS = $(host_cflags)
toolstack_xenstored_xenstored_LDADD = toolstack/xenstored/libstore.a libxc/libxc.a $(LIBXC_LIBS)

noinst_PROGRAMS += tests/xenstore/probe
tests_xenstore_probe_SOURCES = tests/xenstore/probe.c
tests_xenstore_probe_CPPFLAGS = $(host_cppflags)
tests_xenstore_probe_CFLAGS = $(host_cflags)
endif
EXTRA_DIST += toolstack/xenstored/serai-xenstored.service.in toolstack/xenstored/proc-xen.mount \
	toolstack/xenstored/serai-modules.conf
if TOOLSTACK
systemunit_DATA += toolstack/xenstored/serai-xenstored.service $(srcdir)/toolstack/xenstored/proc-xen.mount
CLEANFILES += toolstack/xenstored/serai-xenstored.service
toolstack/xenstored/serai-xenstored.service: $(srcdir)/toolstack/xenstored/serai-xenstored.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) toolstack/xenstored && sed 's|[@]sbindir@|$(sbindir)|g' $< > $@

modulesloaddir = $(prefix)/lib/modules-load.d
modulesload_DATA = $(srcdir)/toolstack/xenstored/serai-modules.conf
endif

EXTRA_DIST += tests/xenstore/protocol.txt tests/xenstore/protocol.expected tests/xenstore/run tests/valgrind/run

EXTRA_DIST += docs/man/xenstored.8.scd
if TOOLSTACK
if HAVE_SCDOC
man_MANS += docs/man/xenstored.8
CLEANFILES += docs/man/xenstored.8
docs/man/xenstored.8: $(srcdir)/docs/man/xenstored.8.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(SCDOC) < $< > $@
endif
endif
