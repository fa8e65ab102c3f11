/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai fetch: a URL's file, by way of the cache. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A copy that appears whole or not at all. */
static int copy_out(struct cli *cli, const char *from, const char *to)
{
	char part[1024];
	struct stat st = {0};
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, rc = 0;
	off_t left;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", to) >= sizeof(part))
		rc = -ENAMETOOLONG;
	else if (in < 0 || fstat(in, &st) < 0 ||
		 (out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)) < 0)
		rc = -errno;
	for (left = st.st_size; rc == 0 && left > 0;) {
		char buf[65536];
		ssize_t n = copy_file_range(in, NULL, out, NULL, left, 0);

		/* Between some file systems the kernel does not copy by itself. */
		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP)) {
			n = read(in, buf, sizeof(buf));
			if (n > 0)
				n = write(out, buf, n);
		}
		if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (n == 0)
			rc = -EIO;
		else if (n > 0)
			left -= n;
	}
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(part, to) < 0)
		rc = -errno;
	if (rc < 0 && out >= 0)
		(void)unlink(part);
	return rc < 0 ? serai_fail(&cli->s, rc, "%s: %s", to, strerror(-rc)) : 0;
}

VERB(fetch)
{
	char path[512];
	const char *url, *to;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("fetch"), argc, 1, 2))
		return 1;
	url = argv[optind];
	to = optind + 1 < argc ? argv[optind + 1] : NULL;
	if (!path_is_url(url))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is no http:// or https:// URL", url);
	if (cli->dry_run)
		return 0;
	rc = url_fetch(&cli->s, url, path, sizeof(path));
	if (rc == 0 && to)
		rc = copy_out(cli, path, to);
	if (rc < 0)
		return rc;
	if (cli->json) {
		struct json_object *o = json_object_new_object();

		json_put(o, "url", json_str(url));
		json_put(o, "path", json_str(to ? to : path));
		return print_json(o);
	}
	return printf("%s\n", to ? to : path) < 0;
}
