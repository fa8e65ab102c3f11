/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/io/xs_wire.h>

static bool allowed(const char *p)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@";
	size_t n = strlen(p);

	if (strspn(p, set) != n || strstr(p, "//"))
		return false;
	return n == 1 || p[n - 1] != '/';
}

int path_resolve(const char *text, uint16_t domid, char *out)
{
	size_t n = strlen(text);
	int len;

	if (!n)
		return -EINVAL;
	if (*text == '@' || *text == '/') {
		if (n > XENSTORE_ABS_PATH_MAX)
			return -EINVAL;
		memcpy(out, text, n + 1);
	} else {
		if (n > XENSTORE_REL_PATH_MAX)
			return -EINVAL;
		len = snprintf(out, PATH_BYTES, "/local/domain/%u/%s", domid, text);
		if (len >= PATH_BYTES)
			return -EINVAL;
	}
	return allowed(out) ? 0 : -EINVAL;
}

bool path_special(const char *path)
{
	return *path == '@';
}

bool path_within(const char *path, const char *above, unsigned int *levels)
{
	size_t n = strlen(above);

	*levels = 0;
	if (n == 1 && *above == '/')
		n = 0; /* every path continues the root with a slash */
	if (strncmp(path, above, n) || (path[n] && path[n] != '/'))
		return false;
	for (const char *p = path + n; *p; p++)
		*levels += *p == '/' && p[1];
	return true;
}

size_t path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !path[1])
		return 0;
	return slash == path ? 1 : slash - path;
}
