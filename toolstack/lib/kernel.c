/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels. Distributions pack them tightly, and unpacking one takes longer than all else that makes a small
 * domain. So the unpacked ELF file is kept, and mapped the next time:
 *
 *   /var/cache/serai/unpacked/DEV-INODE-SIZE-MTIME-CTIME    of the packed file
 *
 * A file that was changed or replaced has another name there. Only the last KEPT are kept.
 */
#include "kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT 8

static void cache_directory(char *dir, size_t len)
{
	const char *base = getenv("SERAI_CACHE_DIR");

	snprintf(dir, len, "%s/unpacked", base && *base ? base : SERAI_CACHE_DIR);
}

static int cache_path(const char *file, char *path, size_t len)
{
	char dir[400];
	struct stat st;

	if (stat(file, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL; /* a pipe has no identity */
	cache_directory(dir, sizeof(dir));
	snprintf(path, len, "%s/%lx-%lx-%lx-%lx.%09lx-%lx.%09lx", dir, (unsigned long)st.st_dev,
		 (unsigned long)st.st_ino, (unsigned long)st.st_size, (unsigned long)st.st_mtim.tv_sec,
		 (unsigned long)st.st_mtim.tv_nsec, (unsigned long)st.st_ctim.tv_sec,
		 (unsigned long)st.st_ctim.tv_nsec);
	return 0;
}

/* The unpacked file, if it is there; one that cannot be used is removed. */
static int cache_open(const char *path, struct kernel_file *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char why[128];

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > XC_IMAGE_LIMIT) {
		close(fd);
		return -EINVAL;
	}
	f->len = st.st_size;
	f->data = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (f->data == MAP_FAILED) {
		f->data = NULL;
		return -ENOMEM;
	}
	f->mapped = true;
	if (xc_kernel_parse(f->data, f->len, &f->k, why, sizeof(why)) == 0) {
		(void)utimensat(AT_FDCWD, path, NULL, 0); /* the least used go first */
		return 0;
	}
	kernel_close(f);
	(void)unlink(path);
	return -ENOEXEC;
}

/* Make room: while there are more than KEPT, the one that was used longest ago goes. */
static void cache_prune(const char *dir)
{
	for (;;) {
		struct timespec oldest = {0};
		char path[800] = "";
		unsigned int n = 0;
		DIR *d = opendir(dir);
		struct dirent *e;

		while (d && (e = readdir(d))) {
			struct stat st;

			if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			if (!n++ || st.st_mtim.tv_sec < oldest.tv_sec ||
			    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
				oldest = st.st_mtim;
				snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			}
		}
		if (d)
			closedir(d);
		if (n <= KEPT || unlink(path) < 0)
			return;
	}
}

/* Keeping it is a favour to the next start: when it fails, this one goes on all the same. */
static void cache_keep(const struct serai *s, const char *path, const void *data, size_t len)
{
	char dir[400], part[600];
	int fd, rc;

	cache_directory(dir, sizeof(dir));
	*strrchr(dir, '/') = 0;
	(void)mkdir(dir, 0755);
	cache_directory(dir, sizeof(dir));
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		serai_say(s, "%s: %s", dir, strerror(errno));
		return;
	}
	snprintf(part, sizeof(part), "%s/.part.%d", dir, (int)getpid());
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd < 0 ? -errno : write_all(fd, data, len);
	/* Whole on the disk before it has its name: a torn one would be a damaged kernel. */
	if (rc == 0 && (fdatasync(fd) < 0 || rename(part, path) < 0))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		serai_say(s, "%s: %s", part, strerror(-rc));
		(void)unlink(part);
		return;
	}
	cache_prune(dir);
}

int kernel_open(struct serai *s, const char *path, bool keep, struct kernel_file *f)
{
	char local[512], kept[600] = "", why[256] = "";
	const char *file = path;
	int rc = 0;

	memset(f, 0, sizeof(*f));
	if (path_is_url(path)) {
		if ((rc = url_fetch(s, path, local, sizeof(local))) < 0)
			return rc;
		file = local;
	}
	if (!keep || cache_path(file, kept, sizeof(kept)) < 0 || cache_open(kept, f) < 0) {
		if ((rc = file_read(s, file, &f->data, &f->len)) < 0)
			return rc;
		rc = xc_kernel_parse(f->data, f->len, &f->k, why, sizeof(why));
	}
	if (rc == 0)
		rc = xc_kernel_check_pv(&f->k, why, sizeof(why));
	if (rc < 0) {
		kernel_close(f);
		return serai_fail(s, rc, "kernel %s: %s", path, why);
	}
	if (f->k.owned && *kept)
		cache_keep(s, kept, f->k.owned, f->k.owned_len);
	return 0;
}

void kernel_close(struct kernel_file *f)
{
	xc_kernel_free(&f->k);
	if (f->mapped)
		munmap(f->data, f->len);
	else
		free(f->data);
	memset(f, 0, sizeof(*f));
}
