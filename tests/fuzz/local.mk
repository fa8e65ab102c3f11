# SPDX-License-Identifier: GPL-2.0-or-later
include $(top_srcdir)/tests/fuzz/mm.mk
EXTRA_DIST += tests/fuzz/hypercall.c tests/fuzz/hypercall tests/fuzz/corpus/hypercall tests/fuzz/xlcfg.c tests/fuzz/stream.c tests/fuzz/kernel.c tests/fuzz/lanes.c tests/fuzz/xenstore.c
