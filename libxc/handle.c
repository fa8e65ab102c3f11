/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening and closing a handle, and remembering why something failed.
 */
#include "xc_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int xc_open_ops(struct xc **out, const struct xc_ops *ops, void *ctx)
{
	struct xc *xc = calloc(1, sizeof(*xc));

	if (!xc)
		return -ENOMEM;
	xc->ops = ops;
	xc->ctx = ctx;
	xc->arena = ops->buffer(ctx, ARENA_PAGES);
	if (!xc->arena) {
		free(xc);
		return -ENOMEM;
	}
	*out = xc;
	return 0;
}

void xc_close(struct xc *xc)
{
	if (!xc)
		return;
	xc_release(xc, 0);
	xc->ops->buffer_free(xc->ctx, xc->arena, ARENA_PAGES);
	if (xc->ops->close)
		xc->ops->close(xc->ctx);
	free(xc);
}

const char *xc_error(const struct xc *xc)
{
	return xc->error[0] ? xc->error : "no error";
}

int xc_fail(struct xc *xc, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(xc->error, sizeof(xc->error), fmt, ap);
	va_end(ap);
	return err;
}
