# SPDX-License-Identifier: GPL-2.0-or-later
include $(top_srcdir)/tests/fuzz/tools.mk
include $(top_srcdir)/tests/fuzz/mm.mk
