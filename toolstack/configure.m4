dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl Libraries the toolstack needs. Included by configure.ac.
AM_CONDITIONAL([TOOLSTACK], [test "x$enable_toolstack" = xyes])
