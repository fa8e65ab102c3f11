# SPDX-License-Identifier: GPL-2.0-or-later
# What serai prints with --json: the schemas, and the manual page that is made of them and of serai's own help.
schemadir = $(datadir)/serai/schema
schemas = \
	docs/schema/block-list.json docs/schema/common.json docs/schema/config.json docs/schema/convert.json \
	docs/schema/cpu-policy.json docs/schema/cpupool-list.json docs/schema/create.json docs/schema/dmesg.json \
	docs/schema/domid.json docs/schema/domname.json docs/schema/fetch.json docs/schema/help.json docs/schema/info.json \
	docs/schema/list.json docs/schema/migrate.json docs/schema/network-list.json docs/schema/sched-credit2.json \
	docs/schema/stream.json docs/schema/top.json docs/schema/uptime.json docs/schema/vcpu-list.json \
	docs/schema/version.json
json_page = docs/man/serai-json.py
EXTRA_DIST += $(schemas) $(json_page) tests/schema/run

if TOOLSTACK
schema_DATA = $(schemas)
if HAVE_SCDOC
if HAVE_PYTHON
man_MANS += docs/man/serai-json.5
CLEANFILES += docs/man/serai-json.5 docs/man/serai-json.scd docs/man/serai-json.verbs
docs/man/serai-json.5: toolstack/serai $(json_page) $(schemas)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ASAN_OPTIONS=detect_leaks=0 toolstack/serai help --json >docs/man/serai-json.verbs && \
		$(PYTHON) $(srcdir)/$(json_page) $(srcdir)/docs/schema docs/man/serai-json.verbs $(schemadir) >docs/man/serai-json.scd && \
		$(SCDOC) <docs/man/serai-json.scd >$@
endif
endif
endif
