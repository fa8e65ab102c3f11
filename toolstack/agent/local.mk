# SPDX-License-Identifier: GPL-2.0-or-later
# The host agent, and the program that talks to another host's.
EXTRA_DIST += docs/man/seraid.8.scd docs/agent.openapi.yaml tests/agent/run tests/agent/serai.py \
	tests/agent/lanes.py tests/agent/wire.py \
	toolstack/agent/seraid.service.in toolstack/agent/serai-certs

if TOOLSTACK
sbin_PROGRAMS += toolstack/seraid
toolstack_seraid_SOURCES = toolstack/agent/agent.h toolstack/agent/main.c toolstack/agent/http.c \
	toolstack/agent/routes.c toolstack/agent/roles.c toolstack/agent/call.c toolstack/agent/run.c \
	toolstack/agent/run.h toolstack/agent/relay.c toolstack/agent/relay.h toolstack/agent/tls.c \
	toolstack/agent/tls.h toolstack/agent/bundle.c toolstack/agent/bundle.h toolstack/agent/gather.c \
	toolstack/agent/gather.h toolstack/agent/reorder.c toolstack/agent/reorder.h
toolstack_seraid_CPPFLAGS = $(host_cppflags) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS) $(JSONC_CFLAGS) \
	-DSERAI_SBINDIR='"$(sbindir)"'
toolstack_seraid_CFLAGS = $(host_cflags) -pthread
toolstack_seraid_LDADD = $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(JSONC_LIBS)

serai_PROGRAMS += toolstack/serai-tls
toolstack_serai_tls_SOURCES = toolstack/agent/client.c toolstack/agent/dial.c toolstack/agent/dial.h \
	toolstack/agent/spread.c toolstack/agent/spread.h toolstack/agent/reorder.c toolstack/agent/reorder.h \
	toolstack/agent/relay.c toolstack/agent/relay.h
toolstack_serai_tls_CPPFLAGS = $(host_cppflags) $(CURL_CFLAGS) $(JSONC_CFLAGS)
toolstack_serai_tls_CFLAGS = $(host_cflags) -pthread
toolstack_serai_tls_LDADD = $(CURL_LIBS) $(JSONC_LIBS)

dist_sbin_SCRIPTS = toolstack/agent/serai-certs

systemunit_DATA += toolstack/agent/seraid.service
CLEANFILES += toolstack/agent/seraid.service
toolstack/agent/seraid.service: $(srcdir)/toolstack/agent/seraid.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) toolstack/agent && sed 's|[@]sbindir@|$(sbindir)|g' $< > $@

if HAVE_SCDOC
man_MANS += docs/man/seraid.8
CLEANFILES += docs/man/seraid.8
docs/man/seraid.8: $(srcdir)/docs/man/seraid.8.scd
	$(AM_V_GEN)$(MKDIR_P) docs/man && $(SCDOC) < $< > $@
endif
endif
