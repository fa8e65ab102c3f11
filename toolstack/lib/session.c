/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a session, and saying what went wrong.
 */
#include "serai.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int serai_fail(struct serai *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

int serai_fail_xc(struct serai *s, int err, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	n = strlen(s->error);
	snprintf(s->error + n, sizeof(s->error) - n, ": %s", xc_error(s->xc));
	return err;
}

void serai_say(const struct serai *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->verbose)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int serai_open(struct serai *s)
{
	int rc = xc_open(&s->xc);

	if (rc == -ENOENT)
		return serai_fail(
			s, rc,
			"no hypervisor: /dev/xen/privcmd is missing. Is this the control domain, and "
			"is the xen-privcmd module loaded?");
	if (rc == -EACCES || rc == -EPERM)
		return serai_fail(s, rc, "no permission to open /dev/xen/privcmd: run this as root");
	if (rc < 0)
		return serai_fail(s, rc, "cannot open /dev/xen/privcmd: %s", strerror(-rc));
	rc = store_open(&s->store);
	if (rc < 0) {
		xc_close(s->xc);
		s->xc = NULL;
		return serai_fail(s, rc, "cannot reach xenstored: %s. Is the daemon running?", strerror(-rc));
	}
	return 0;
}

/* How long a store daemon may take to come back. */
#define STORE_PATIENCE_S 300

bool serai_lost(int err)
{
	return err == -EPIPE || err == -ECONNRESET;
}

/*
 * A connection may have waited in the queue of a daemon that was ending, and is closed without a word then: only an
 * answer, whatever it says, shows that the next one serves.
 */
static int served(struct store *store)
{
	char *root = store_read(store, 0, "/");

	if (!root && serai_lost(-errno))
		return -errno;
	free(root);
	return 0;
}

int serai_again(struct serai *s)
{
	int rc = 0;

	for (unsigned int i = 0; i < STORE_PATIENCE_S; i++) {
		if (i)
			sleep(1); /* a socket that will be made anew has nothing to wait on */
		store_close(s->store);
		s->store = NULL;
		rc = store_open(&s->store);
		if (rc == 0)
			rc = served(s->store);
		if (rc == 0)
			return 0;
	}
	return serai_fail(s, rc, "cannot reach xenstored any more: %s", strerror(-rc));
}

void serai_close(struct serai *s)
{
	store_close(s->store);
	xc_close(s->xc);
	s->store = NULL;
	s->xc = NULL;
}
