# SPDX-License-Identifier: GPL-2.0-or-later
# The toolstack: libserai and the `serai` command. The daemons have fragments of their own.
seraidir = $(libexecdir)/serai
toolstack_cppflags = $(host_cppflags) -I$(top_srcdir)/libxc/include -I$(top_srcdir) -I$(top_builddir) \
	-I$(top_srcdir)/toolstack/conf -DSERAI_LIBEXECDIR='"$(seraidir)"' $(JSONC_CFLAGS) $(LIBXML_CFLAGS)
EXTRA_DIST += toolstack/completion/serai

conf_sources = \
	toolstack/conf/grammar.y toolstack/conf/lexer.l toolstack/conf/settings.c toolstack/conf/settings.h \
	toolstack/conf/model.c toolstack/conf/model.h toolstack/conf/cpus.c toolstack/conf/cpuid.c toolstack/conf/device.c \
	toolstack/conf/cfg.c toolstack/conf/json.c toolstack/conf/xml_lib.h toolstack/conf/xml_lib.c toolstack/conf/xml.c toolstack/conf/xml_write.c
lib_sources = \
	toolstack/lib/serai.h toolstack/lib/session.c toolstack/lib/store.h toolstack/lib/store.c \
	toolstack/lib/name.c toolstack/lib/nodes.c toolstack/lib/create.c toolstack/lib/kernel.h toolstack/lib/kernel.c \
	toolstack/lib/bootloader.h toolstack/lib/bootloader.c toolstack/lib/write.c toolstack/lib/destroy.c \
	toolstack/lib/device.c toolstack/lib/process.h toolstack/lib/process.c toolstack/lib/nbd.h toolstack/lib/nbd.c toolstack/lib/nbd_host.c toolstack/lib/block.c toolstack/lib/net.c toolstack/lib/record.c \
	toolstack/lib/lock.c toolstack/lib/memory.c toolstack/lib/fetch.c toolstack/lib/url.c toolstack/lib/console.c \
	toolstack/lib/monitor.c toolstack/lib/guardian.h toolstack/lib/guardian.c \
	toolstack/lib/policy.h toolstack/lib/policy.c toolstack/lib/policy_file.c \
	toolstack/lib/policy_json.c toolstack/lib/policy_xstate.c toolstack/lib/policy_cpuid.c toolstack/lib/policy_apply.c
stream_sources = \
	toolstack/stream/format.h toolstack/stream/reader.h toolstack/stream/reader.c \
	toolstack/stream/pte.h toolstack/stream/pte.c toolstack/stream/guest.h toolstack/stream/guest.c \
	toolstack/stream/frames.h toolstack/stream/frames.c toolstack/stream/drain.h toolstack/stream/drain.c \
	toolstack/stream/pace.h toolstack/stream/pace.c toolstack/stream/stream.h toolstack/stream/save.c toolstack/stream/restore.c \
	toolstack/stream/peer.h toolstack/stream/peer.c toolstack/stream/sink.h toolstack/stream/sink.c \
	toolstack/stream/handover.h toolstack/stream/handover.c
mirror_sources = \
	toolstack/mirror/mirror.h toolstack/mirror/mirror.c toolstack/mirror/storage.h toolstack/mirror/storage.c
cli_sources = \
	toolstack/cli/cli.h toolstack/cli/verbs.def toolstack/cli/main.c toolstack/cli/table.c toolstack/cli/json.c \
	toolstack/cli/help.c toolstack/cli/list.c toolstack/cli/create.c toolstack/cli/life.c \
	toolstack/cli/name.c toolstack/cli/info.c toolstack/cli/vcpu.c toolstack/cli/memory.c \
	toolstack/cli/sched.c toolstack/cli/device.c toolstack/cli/misc.c toolstack/cli/save.c \
	toolstack/cli/migrate.c toolstack/cli/receive.c toolstack/cli/top.c toolstack/cli/screen.h toolstack/cli/screen.c toolstack/cli/stats.c toolstack/cli/stats.h \
	toolstack/cli/convert.c toolstack/cli/fetch.c toolstack/cli/policy.c toolstack/cli/remote.c toolstack/cli/host.c

BUILT_SOURCES += toolstack/conf/grammar.h
AM_YFLAGS = -d -Wno-yacc
# libxml2 and ncurses are opened when they are wanted (libxc/late.h).
TOOLSTACK_LIBS = $(JSONC_LIBS) -lzstd $(LIBXC_LIBS)

if TOOLSTACK
noinst_LIBRARIES += toolstack/libserai.a
toolstack_libserai_a_SOURCES = $(conf_sources) $(lib_sources) $(stream_sources) $(mirror_sources)
toolstack_libserai_a_CPPFLAGS = $(toolstack_cppflags)
# The generated scanner and parser follow their generators' habits, not our warnings.
toolstack_libserai_a_CFLAGS = $(host_cflags) -Wno-unused-function -Wno-sign-compare -Wno-missing-prototypes

$(toolstack_libserai_a_OBJECTS): toolstack/conf/grammar.h

sbin_PROGRAMS += toolstack/serai
toolstack_serai_SOURCES = $(cli_sources)
toolstack_serai_CPPFLAGS = $(toolstack_cppflags) $(NCURSES_CFLAGS)
toolstack_serai_CFLAGS = $(host_cflags)
toolstack_serai_LDADD = toolstack/libserai.a libxc/libxc.a $(TOOLSTACK_LIBS)

# What talks to servers is a program of its own, without privileges (toolstack/fetch/main.c says more).
serai_PROGRAMS = toolstack/serai-fetch
toolstack_serai_fetch_SOURCES = toolstack/fetch/main.c
toolstack_serai_fetch_CPPFLAGS = $(host_cppflags) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
toolstack_serai_fetch_CFLAGS = $(host_cflags)
toolstack_serai_fetch_LDADD = $(CURL_LIBS) $(CRYPTO_LIBS)

# Disks that come along with a domain that moves; its library and theirs are not serai's to load.
serai_PROGRAMS += toolstack/serai-mirror
toolstack_serai_mirror_SOURCES = toolstack/mirror/main.c toolstack/mirror/dirty.h toolstack/mirror/dirty.c \
	toolstack/mirror/trace.h toolstack/mirror/trace.c
toolstack_serai_mirror_CPPFLAGS = $(host_cppflags) $(NBD_CFLAGS)
toolstack_serai_mirror_CFLAGS = $(host_cflags)
toolstack_serai_mirror_LDADD = $(NBD_LIBS)
EXTRA_DIST += tests/mirror/run

completiondir = $(datadir)/bash-completion/completions
completion_DATA = toolstack/completion/serai
endif

# Manual pages. The verbs of serai(1) are printed by serai itself: help and manual have one source.
man_sources = docs/man/serai.1.head.scd docs/man/serai.1.tail.scd docs/man/serai.cfg.5.scd docs/man/serai-stream.5.scd
EXTRA_DIST += $(man_sources)
if TOOLSTACK
if HAVE_SCDOC
man_MANS += docs/man/serai.1 docs/man/serai.cfg.5 docs/man/serai-stream.5
CLEANFILES += docs/man/serai.1 docs/man/serai.cfg.5 docs/man/serai-stream.5
docs/man/serai.1: toolstack/serai $(srcdir)/docs/man/serai.1.head.scd $(srcdir)/docs/man/serai.1.tail.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && { cat $(srcdir)/docs/man/serai.1.head.scd; \
		ASAN_OPTIONS=detect_leaks=0 toolstack/serai help --man; \
		cat $(srcdir)/docs/man/serai.1.tail.scd; } | $(SCDOC) > $@
docs/man/serai.cfg.5: $(srcdir)/docs/man/serai.cfg.5.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(SCDOC) < $< > $@
docs/man/serai-stream.5: $(srcdir)/docs/man/serai-stream.5.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(SCDOC) < $< > $@
endif
endif

include $(top_srcdir)/toolstack/consoled/local.mk
include $(top_srcdir)/toolstack/agent/local.mk
