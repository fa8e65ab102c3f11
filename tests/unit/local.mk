# SPDX-License-Identifier: GPL-2.0-or-later
include $(top_srcdir)/tests/unit/sched.mk
include $(top_srcdir)/tests/unit/evt.mk
include $(top_srcdir)/tests/unit/plat.mk
include $(top_srcdir)/tests/unit/mm.mk
include $(top_srcdir)/tests/unit/xstate.mk
include $(top_srcdir)/tests/unit/tools.mk
include $(top_srcdir)/tests/unit/xenstored.mk
include $(top_srcdir)/tests/unit/consoled.mk
