/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error numbers of the ABI (the same as Linux's on x86). Hosted builds take the C library's. */
#ifndef SERAI_XERRNO_H
#define SERAI_XERRNO_H

#if __STDC_HOSTED__
#include <errno.h>
#else
enum {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	ENXIO = 6,
	E2BIG = 7,
	ENOEXEC = 8,
	EBADF = 9,
	ECHILD = 10,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EFAULT = 14,
	EBUSY = 16,
	EEXIST = 17,
	EXDEV = 18,
	ENODEV = 19,
	ENOTDIR = 20,
	EISDIR = 21,
	EINVAL = 22,
	ENFILE = 23,
	EMFILE = 24,
	ENOSPC = 28,
	EROFS = 30,
	EMLINK = 31,
	EDOM = 33,
	ERANGE = 34,
	EDEADLK = 35,
	ENAMETOOLONG = 36,
	ENOSYS = 38,
	ENOTEMPTY = 39,
	ENODATA = 61,
	ETIME = 62,
	EBADMSG = 74,
	EOVERFLOW = 75,
	EILSEQ = 84,
	ENOTSOCK = 88,
	EMSGSIZE = 90,
	EOPNOTSUPP = 95,
	EADDRINUSE = 98,
	EADDRNOTAVAIL = 99,
	ENOBUFS = 105,
	EISCONN = 106,
	ENOTCONN = 107,
	ETIMEDOUT = 110,
};
#endif

/* Returned by a handler that must be called again: never seen by a guest (hypercall.h). */
#define ERESTART 85

#endif
