dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl Libraries the toolstack needs. Included by configure.ac.
AM_CONDITIONAL([TOOLSTACK], [test "x$enable_toolstack" = xyes])
AS_IF([test "x$enable_toolstack" = xyes], [
	PKG_CHECK_MODULES([JSONC], [json-c >= 0.15])
	PKG_CHECK_MODULES([LIBXML], [libxml-2.0])
	PKG_CHECK_MODULES([NCURSES], [ncursesw])
	PKG_CHECK_MODULES([CURL], [libcurl >= 7.85])
	PKG_CHECK_MODULES([CRYPTO], [libcrypto])
	PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.75])
	PKG_CHECK_MODULES([GNUTLS], [gnutls >= 3.7])
	PKG_CHECK_MODULES([NBD], [libnbd >= 1.14])
	AC_CHECK_HEADERS([zlib.h lzma.h bzlib.h zstd.h lz4.h lzo/lzo1x.h], [],
		[AC_MSG_ERROR([a decompression library is missing: zlib, lzma, bzip2, zstd, lz4 and lzo2 are needed])])
])
AC_CHECK_PROG([SCDOC], [scdoc], [scdoc])
AC_CHECK_PROG([PYTHON], [python3], [python3])
AM_CONDITIONAL([HAVE_SCDOC], [test -n "$SCDOC"])
AM_CONDITIONAL([HAVE_PYTHON], [test -n "$PYTHON"])
