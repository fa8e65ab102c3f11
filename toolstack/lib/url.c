/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files by URL, kept in a cache. What comes over the network goes through serai-fetch, a process without
 * privileges; this side only names files, compares sums and moves what is whole to its place.
 *
 *   KEY        the file; its time is the server's, so that the next use asks "newer than this?"
 *   KEY.part   as much as has come; KEY.etag says of which version
 *   .lock      a byte of it, chosen by KEY, is locked while one process fetches; others wait
 *
 * KEY is the URL in a form that is a file name. A URL may end in #sha256=HEX: then a file with that sum is
 * used without asking anybody, and one with another is never used.
 */
#include "serai.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 4
enum { FETCH_OK, FETCH_FAILED, FETCH_AGAIN, FETCH_UNCHANGED };

struct url {
	char text[1024]; /* without the fragment */
	char sum[65];    /* lower case; empty: none was given */
	char path[512];  /* in the cache */
};

bool path_is_url(const char *path)
{
	return !strncmp(path, "http://", 7) || !strncmp(path, "https://", 8);
}

/* FNV-1a, twice: names, not security. The sum is what is trusted. */
static uint64_t name_hash(const char *t, uint64_t h)
{
	for (; *t; t++)
		h = (h ^ (unsigned char)*t) * 0x100000001b3ull;
	return h;
}

static int url_parse(struct serai *s, const char *given, struct url *u)
{
	const char *dir = getenv("SERAI_CACHE_DIR"), *frag = strchr(given, '#'), *base;
	size_t n = frag ? (size_t)(frag - given) : strlen(given);
	char tail[64];

	memset(u, 0, sizeof(*u));
	if (n >= sizeof(u->text))
		return serai_fail(s, -ENAMETOOLONG, "%s: a URL of more than %zu bytes", given,
				  sizeof(u->text));
	memcpy(u->text, given, n);
	if (frag) {
		if ((strncmp(frag, "#sha256=", 8) && strncmp(frag, "#sha256:", 8)) ||
		    strlen(frag) != 8 + 64 || strspn(frag + 8, "0123456789abcdefABCDEF") != 64)
			return serai_fail(s, -EINVAL,
					  "%s: after # only sha256= and 64 hexadecimal digits are known",
					  given);
		for (int i = 0; i < 64; i++)
			u->sum[i] = tolower((unsigned char)frag[8 + i]);
	}
	base = strrchr(u->text, '/') + 1;
	snprintf(tail, sizeof(tail), "%.60s", base);
	for (char *c = tail; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-+", *c))
			*c = '_';
	snprintf(u->path, sizeof(u->path), "%s/%016lx%016lx-%s", dir && *dir ? dir : SERAI_CACHE_DIR,
		 (unsigned long)name_hash(u->text, 0xcbf29ce484222325ull),
		 (unsigned long)name_hash(u->text, 0x84222325cbf29ce4ull), tail);
	return 0;
}

/* Runs the helper with `fd` as its descriptor 3; its exit status, what it said in out and err. */
static int helper(int fd, char *const argv[], char *out, size_t out_len, char *err, size_t err_len)
{
	const char *program = getenv("SERAI_FETCH");
	struct {
		int fd;
		char *to;
		size_t len, used;
	} side[2] = {{-1, out, out_len, 0}, {-1, err, err_len, 0}};
	int o[2], e[2], status;
	pid_t pid;

	out[0] = err[0] = 0;
	if (pipe2(o, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(e, O_CLOEXEC) < 0) {
		close(o[0]);
		close(o[1]);
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		dup2(o[1], STDOUT_FILENO);
		dup2(e[1], STDERR_FILENO);
		if (fd == 3)
			fcntl(fd, F_SETFD, 0);
		else
			dup2(fd, 3);
		execv(program && *program ? program : SERAI_LIBEXECDIR "/serai-fetch", argv);
		dprintf(STDERR_FILENO, "%s cannot be run: %s\n",
			program ? program : SERAI_LIBEXECDIR "/serai-fetch", strerror(errno));
		_exit(FETCH_FAILED);
	}
	close(o[1]);
	close(e[1]);
	side[0].fd = o[0];
	side[1].fd = e[0];
	/* It says little, and errors last: one after the other cannot block it. */
	for (int i = 0; i < 2; i++) {
		char c;

		while (read(side[i].fd, &c, 1) == 1)
			if (side[i].used + 1 < side[i].len)
				side[i].to[side[i].used++] = c;
		side[i].to[side[i].used] = 0;
		close(side[i].fd);
	}
	if (pid < 0)
		return -EAGAIN;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	err[strcspn(err, "\n")] = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FETCH_FAILED;
}

static int sum_is(struct serai *s, const char *path, const char *want, char *got)
{
	char *argv[] = {(char *)"serai-fetch", (char *)"sha256", NULL}, err[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = helper(fd, argv, got, 80, err, sizeof(err));
	close(fd);
	got[strcspn(got, "\n")] = 0;
	if (rc)
		return serai_fail(s, -EIO, "%s: no checksum: %s", path, err);
	return strcmp(got, want) ? -EBADMSG : 0;
}

static void etag_load(const char *path, char *etag, size_t len)
{
	FILE *f = fopen(path, "re");

	etag[0] = 0;
	if (f && fgets(etag, len, f))
		etag[strcspn(etag, "\n")] = 0;
	if (f)
		fclose(f);
}

static void etag_save(const char *path, const char *said)
{
	const char *t = strstr(said, "ETAG ");
	FILE *f;

	if (!t || !(f = fopen(path, "we")))
		return;
	fprintf(f, "%.*s\n", (int)strcspn(t + 5, "\n"), t + 5);
	fclose(f);
}

/* One conversation with the server; FETCH_*. */
static int try_once(struct serai *s, const struct url *u, int fd, const char *since)
{
	char etag[256], etag_path[600], offset[24], said[512], why[600];
	char *argv[] = {(char *)"serai-fetch", (char *)"get", (char *)u->text, offset, etag,
			(char *)since,         NULL};
	const char *t;
	struct stat st;
	int rc;

	snprintf(etag_path, sizeof(etag_path), "%s.etag", u->path);
	etag_load(etag_path, etag, sizeof(etag));
	/* Without a version's name nobody knows whether the rest belongs to what we have. */
	snprintf(offset, sizeof(offset), "%lld", *etag && fstat(fd, &st) == 0 ? (long long)st.st_size : 0ll);
	rc = helper(fd, argv, said, sizeof(said), why, sizeof(why));
	if (rc != FETCH_UNCHANGED)
		etag_save(etag_path, said);
	if (rc == FETCH_OK && (t = strstr(said, "MTIME "))) {
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = strtoll(t + 6, NULL, 10)}};

		/* No time from the server: none that could be older, so it is fetched anew next time. */
		if (times[1].tv_sec < 0)
			times[1].tv_sec = 0;
		(void)futimens(fd, times);
	}
	if (rc == FETCH_FAILED || rc == FETCH_AGAIN)
		serai_fail(s, -EIO, "%s", *why ? why : u->text);
	return rc < 0 ? FETCH_FAILED : rc;
}

static int accept_part(struct serai *s, const struct url *u, const char *part, const char *etag)
{
	char got[80];
	int rc = u->sum[0] ? sum_is(s, part, u->sum, got) : 0;

	if (rc == -EBADMSG)
		serai_fail(s, rc, "%s: its SHA-256 is %s, and %s was asked for: not used", u->text, got,
			   u->sum);
	if (rc == 0 && rename(part, u->path) < 0)
		rc = serai_fail(s, -errno, "%s: %s", u->path, strerror(errno));
	(void)unlink(part);
	(void)unlink(etag);
	return rc;
}

/* Under the lock: make u->path what it should be. */
static int fetch_locked(struct serai *s, const struct url *u)
{
	char part[600], etag[600], since[24], got[80];
	struct stat st;
	bool have = stat(u->path, &st) == 0;
	int fd, rc = FETCH_AGAIN;

	snprintf(part, sizeof(part), "%s.part", u->path);
	snprintf(etag, sizeof(etag), "%s.etag", u->path);
	if (have && u->sum[0] && sum_is(s, u->path, u->sum, got) == 0)
		return 0;
	/* What has the wrong sum is not worth asking whether it is current. */
	snprintf(since, sizeof(since), "%lld", have && !u->sum[0] ? (long long)st.st_mtime : 0ll);
	fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return serai_fail(s, -errno, "%s: %s", part, strerror(errno));
	for (int i = 0; i < TRIES && rc == FETCH_AGAIN; i++) {
		if (i)
			serai_say(s, "%s; going on", s->error);
		rc = try_once(s, u, fd, since);
	}
	(void)fsync(fd);
	rc = fstat(fd, &st) < 0 ? FETCH_FAILED : rc;
	close(fd);
	if (rc == FETCH_OK)
		return accept_part(s, u, part, etag);
	if (rc == FETCH_UNCHANGED || st.st_size == 0) {
		(void)unlink(part);
		(void)unlink(etag);
	}
	return rc == FETCH_UNCHANGED ? 0 : -EIO;
}

static int cache_dir(struct serai *s, const char *path)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return serai_fail(s, -errno, "%s: %s", dir, strerror(errno));
	return 0;
}

/* One file for all locks: removing it while somebody waits would make two. */
static int cache_lock(struct serai *s, const struct url *u)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char path[600];
	int fd;

	l.l_start = name_hash(u->text, 0xcbf29ce484222325ull) & 0x7fffffff;
	snprintf(path, sizeof(path), "%s", u->path);
	strcpy(strrchr(path, '/'), "/.lock");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return serai_fail(s, -errno, "%s: %s", path, strerror(errno));
	while (fcntl(fd, F_OFD_SETLKW, &l) < 0) {
		if (errno != EINTR) {
			int rc = serai_fail(s, -errno, "%s: %s", path, strerror(errno));

			close(fd);
			return rc;
		}
	}
	return fd;
}

int url_fetch(struct serai *s, const char *url, char *path, size_t len)
{
	struct url u;
	int fd, rc = url_parse(s, url, &u);

	if (rc < 0 || (rc = cache_dir(s, u.path)) < 0)
		return rc;
	fd = cache_lock(s, &u);
	if (fd < 0)
		return fd;
	rc = fetch_locked(s, &u);
	close(fd);
	if (rc == 0 && (size_t)snprintf(path, len, "%s", u.path) >= len)
		rc = serai_fail(s, -ENAMETOOLONG, "%s", u.path);
	return rc;
}
