# SPDX-License-Identifier: GPL-2.0-or-later
# The public ABI headers, installed as they are with a pkg-config file. They live under a
# directory of their own, so that they never shadow another package's <xen/...>.
EXTRA_DIST += guest-headers/xen guest-headers/def guest-headers/serai-headers.pc.in tests/headers

pkgconfig_DATA += guest-headers/serai-headers.pc
CLEANFILES += guest-headers/serai-headers.pc
guest-headers/serai-headers.pc: $(srcdir)/guest-headers/serai-headers.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) guest-headers && sed -e 's|@prefix[@]|$(prefix)|' \
		-e 's|@includedir[@]|$(includedir)|' -e 's|@VERSION[@]|$(VERSION)|' $< > $@

install-data-local: install-guest-headers
.PHONY: install-guest-headers
install-guest-headers:
	$(AM_V_at)cd $(srcdir)/guest-headers && find xen def -type f | while read f; do \
		$(MKDIR_P) "$(DESTDIR)$(includedir)/serai/$${f%/*}" && \
		$(INSTALL_DATA) "$$f" "$(DESTDIR)$(includedir)/serai/$$f" || exit 1; done

uninstall-local: uninstall-guest-headers
.PHONY: uninstall-guest-headers
uninstall-guest-headers:
	rm -rf "$(DESTDIR)$(includedir)/serai"
