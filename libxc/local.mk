# SPDX-License-Identifier: GPL-2.0-or-later
# The control library: objects once, position-independent, into an archive the tools link and a shared
# library with a symbol map for everybody else.
EXTRA_DIST += libxc/libxc.map libxc/serai-xc.pc.in

libxc_sources = \
	libxc/handle.c libxc/call.c libxc/device.c libxc/domctl.c libxc/vcpu.c libxc/sysctl.c \
	libxc/version.c libxc/memory.c libxc/map.c libxc/event.c libxc/grant.c libxc/policy.c libxc/feature.c libxc/core.c \
	libxc/image/decompress.c libxc/image/kernel.c \
	libxc/build/layout.c libxc/build/pagetable.c libxc/build/pv.c \
	libxc/xc_internal.h libxc/late.h libxc/linux_abi.h libxc/build/layout.h
libxc_headers = libxc/include/serai/xc.h libxc/include/serai/xc_image.h libxc/include/serai/xc_build.h
libxc_cppflags = $(host_cppflags) -I$(top_srcdir)/libxc/include
# What unpacks kernels is opened when there is one to unpack (libxc/late.h).
LIBXC_LIBS =
CODEC_LIBS = -lz -llzma -lbz2 -lzstd -llz4 -llzo2

if TOOLSTACK
noinst_LIBRARIES += libxc/libxc.a
libxc_libxc_a_SOURCES = $(libxc_sources) $(libxc_headers)
libxc_libxc_a_CPPFLAGS = $(libxc_cppflags)
libxc_libxc_a_CFLAGS = $(host_cflags) -fPIC

LIBXC_SO = libserai-xc.so
CLEANFILES += libxc/$(LIBXC_SO).0 libxc/serai-xc.pc
libxc/$(LIBXC_SO).0: libxc/libxc.a $(srcdir)/libxc/libxc.map
	$(AM_V_CCLD)$(CC) $(CFLAGS) $(HOST_SAN) $(LDFLAGS) -shared -Wl,-soname,$(LIBXC_SO).0 \
		-Wl,--version-script,$(srcdir)/libxc/libxc.map -o $@ \
		-Wl,--whole-archive libxc/libxc.a -Wl,--no-whole-archive $(LIBXC_LIBS)

pkgconfig_DATA += libxc/serai-xc.pc
libxc/serai-xc.pc: $(srcdir)/libxc/serai-xc.pc.in Makefile
	$(AM_V_GEN)sed -e 's|@prefix[@]|$(prefix)|' -e 's|@libdir[@]|$(libdir)|' \
		-e 's|@includedir[@]|$(includedir)|' -e 's|@VERSION[@]|$(VERSION)|' $< > $@

libxcdir = $(libdir)
libxc_DATA = libxc/$(LIBXC_SO).0 libxc/$(LIBXC_SO)
CLEANFILES += libxc/$(LIBXC_SO)
libxc/$(LIBXC_SO): libxc/$(LIBXC_SO).0
	$(AM_V_GEN)ln -sf $(LIBXC_SO).0 $@
libxcincludedir = $(includedir)/serai/serai
libxcinclude_HEADERS = $(libxc_headers)
endif
