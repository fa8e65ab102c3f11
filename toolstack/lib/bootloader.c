/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootloader.h"
#include "nbd.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define LOG_MAX (1 << 20)
/* A directory of that age is of somebody who was killed. */
#define STALE_SECONDS 3600
/* Who reads a guest's file systems need not be root for it: user nobody, as pygrub --runas takes it. */
#define NOBODY "65534"

static const char *const directories[] = {"/usr/lib/xen-*/bin", "/usr/lib/xen/bin", "/usr/libexec/xen/bin",
					  NULL};

const struct boot_host boot_this_host = {
	.run = SERAI_CACHE_DIR,
	.log = SERAI_LOG_DIR,
	.path = directories,
	.limit_ms = 300000,
};

/* -------- the program -------- */

/* Its path; one without a slash is looked for where Xen's packages have theirs, else left to $PATH. malloc()ed. */
static char *program_find(const struct boot_host *h, const char *name)
{
	char pattern[400], *found = NULL;

	for (const char *const *p = h->path; *p && !found && !strchr(name, '/'); p++) {
		glob_t g = {0};

		snprintf(pattern, sizeof(pattern), "%s/%s", *p, name);
		/* Of several versions the last. */
		if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc)
			found = strdup(g.gl_pathv[g.gl_pathc - 1]);
		globfree(&g);
	}
	return found ? found : strdup(name);
}

/* pygrub is a script: what it can be told is in it. */
static bool knows_runas(const char *program)
{
	char line[1024];
	bool knows = false;
	FILE *f;

	if (geteuid() || strcmp(strrchr(program, '/') ? strrchr(program, '/') + 1 : program, "pygrub"))
		return false;
	f = fopen(program, "re");
	while (f && !knows && fgets(line, sizeof(line), f))
		knows = strstr(line, "runas") != NULL;
	if (f)
		fclose(f);
	return knows;
}

struct words {
	char *word[80];
	unsigned int n;
	bool lost;
};

static void add(struct words *w, const char *option, const char *value)
{
	if (w->n + 1 >= sizeof(w->word) / sizeof(w->word[0]) ||
	    asprintf(&w->word[w->n], "%s%s", option, value) < 0) {
		w->lost = true;
		return;
	}
	w->word[++w->n] = NULL;
}

static void words_make(struct words *w, const char *program, const struct domain_config *c, const char *dir,
		       const char *disk)
{
	char file[80];

	snprintf(file, sizeof(file), "%s/output", dir);
	add(w, program, "");
	if (knows_runas(program)) {
		add(w, "--quiet", ""); /* which the other wants: no menu */
		add(w, "--runas=", NOBODY);
	}
	if (c->kernel)
		add(w, "--kernel=", c->kernel);
	if (c->ramdisk)
		add(w, "--ramdisk=", c->ramdisk);
	if (c->cmdline)
		add(w, "--args=", c->cmdline);
	add(w, "--output=", file);
	add(w, "--output-format=simple0", "");
	add(w, "--output-directory=", dir);
	for (unsigned int i = 0; i < c->nr_bootloader_args; i++)
		add(w, c->bootloader_args[i], "");
	add(w, disk, "");
}

/* -------- its run -------- */

/* What it shows goes to the log until it ends, the first MiB of it. Its status, or -ETIMEDOUT. */
static int watch(pid_t pid, int terminal, int log, int limit_ms)
{
	struct pollfd p[2] = {{.fd = terminal, .events = POLLIN},
			      {.fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN}};
	long end = clock_ms() + limit_ms, left = limit_ms, logged = 0;
	int status, rc = p[1].fd < 0 ? -errno : 0;
	bool ended = false;
	char buf[4096];

	while (rc == 0 && !ended) {
		ssize_t n;

		left = end - clock_ms();
		n = left > 0 ? poll(p, 2, left) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n ? -errno : -ETIMEDOUT;
			break;
		}
		n = p[0].revents ? read(terminal, buf, sizeof(buf)) : 0;
		if (n > 0 && log >= 0 && logged < LOG_MAX && write(log, buf, n) > 0)
			logged += n;
		/* The last it showed is read before its end is looked at. */
		ended = n <= 0 && p[1].revents;
		if (n <= 0 && p[0].revents)
			p[0].fd = -1; /* it closed its terminal */
	}
	if (p[1].fd >= 0)
		close(p[1].fd);
	if (rc < 0)
		kill(-pid, SIGKILL); /* its session */
	status = process_status(pid);
	return rc < 0 ? rc : status;
}

/* The last line with letters in it; a terminal's orders are left out. */
static void last_line(const char *path, char *line, size_t len)
{
	char text[2048] = "", *from;
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t got = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, size > 2047 ? size - 2047 : 0);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	while ((from = strpbrk(text, "\r")))
		*from = '\n';
	for (size_t k = strlen(text); k && (text[k - 1] == '\n' || text[k - 1] == ' '); k--)
		text[k - 1] = 0;
	from = strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text;
	for (; *from && n + 1 < len; from++)
		if ((unsigned char)*from >= ' ' && *from != 127)
			line[n++] = *from;
	line[n] = 0;
}

static int run(struct serai *s, const struct boot_host *h, const struct domain_config *c, const char *program,
	       const char *dir, const char *disk)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct words w = {0};
	char path[400], said[300];
	int terminal, log, status;
	pid_t pid;

	words_make(&w, program, c, dir, disk);
	snprintf(path, sizeof(path), "%s/bootloader-%.200s.log", h->log, c->name);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	pid = w.lost ? -1 : forkpty(&terminal, NULL, NULL, &size);
	if (pid == 0) {
		close_range(3, ~0u, 0);
		setenv("TERM", "vt100", 1);
		execvp(w.word[0], w.word);
		_exit(127);
	}
	status = pid < 0 ? -EAGAIN : watch(pid, terminal, log, h->limit_ms);
	if (pid > 0)
		close(terminal);
	if (log >= 0)
		close(log);
	for (unsigned int i = 0; i < w.n; i++)
		free(w.word[i]);
	if (status == 127)
		return serai_fail(s, -ENOENT,
				  "%s: boot loader %s cannot be run: is it installed (pygrub: Debian's "
				  "xen-utils-4.17)?",
				  c->name, program);
	if (status == -ETIMEDOUT)
		return serai_fail(s, status,
				  "%s: boot loader %s was not done in %d s; what it showed is in %s", c->name,
				  program, h->limit_ms / 1000, path);
	if (status < 0)
		return serai_fail(s, status, "%s: boot loader %s: %s", c->name, program, strerror(-status));
	if (status == 0)
		return 0;
	last_line(path, said, sizeof(said));
	return serai_fail(s, -EIO, "%s: boot loader %s failed (status %d): %s", c->name, program, status,
			  *said ? said : "it said nothing");
}

/* -------- what it found -------- */

static void take(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
}

int boot_output_parse(const char *text, size_t n, struct boot_files *b)
{
	for (size_t at = 0, len; at < n; at += len + 1) {
		const char *item = text + at;

		len = strnlen(item, n - at);
		if (len == n - at)
			return -EINVAL; /* no end */
		if (!strncmp(item, "kernel ", 7))
			take(&b->kernel, item + 7);
		else if (!strncmp(item, "ramdisk ", 8))
			take(&b->ramdisk, item + 8);
		else if (!strncmp(item, "args ", 5))
			take(&b->args, item + 5);
		else if (len)
			return -EINVAL;
	}
	return b->kernel ? 0 : -ENOENT;
}

/* A file that is in dir itself. */
static bool lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	struct stat st;

	return !strncmp(path, dir, n) && path[n] == '/' && !strchr(path + n + 1, '/') &&
	       lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Who gave up its privileges did so because it reads the guest's file systems, and may say whatever the guest wants:
 * of such a one (confined) nothing is taken but what lies in its directory, which it cannot write to.
 */
static int output_read(struct serai *s, const struct domain_config *c, bool confined, struct boot_files *b)
{
	char path[80], *text = malloc(OUTPUT_MAX);
	int fd, rc = -EINVAL;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/output", b->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 || !text ? -1 : read(fd, text, OUTPUT_MAX);
	if (n >= 0 && n < OUTPUT_MAX)
		rc = boot_output_parse(text, n, b);
	if (fd >= 0)
		close(fd);
	free(text);
	if (rc == 0 && confined &&
	    (!lies_in(b->kernel, b->dir) || (b->ramdisk && !lies_in(b->ramdisk, b->dir))))
		return serai_fail(s, -EPERM, "%s: boot loader %s names a file that is not its own", c->name,
				  c->bootloader);
	if (rc == -ENOENT)
		return serai_fail(s, rc, "%s: boot loader %s found no kernel on the first disk", c->name,
				  c->bootloader);
	return rc < 0 ? serai_fail(s, rc, "%s: boot loader %s did not say what it found", c->name,
				   c->bootloader)
		      : 0;
}

/* The first disk as a file or block device of raw contents; *dev is to be given back when it is not empty. */
static int disk_path(struct serai *s, const struct domain_config *c, char **path, char *dev, size_t len)
{
	const struct disk *d = c->disks;
	struct disk readonly;
	char local[512];
	const char *file;
	int rc;

	*dev = 0;
	if (!c->nr_disks || !d->target || d->format == DISK_EMPTY || d->script)
		return serai_fail(s, -ENOENT, "%s: boot loader %s needs a first disk to look at", c->name,
				  c->bootloader);
	file = d->target;
	readonly = *d;
	readonly.readonly = true;
	if (path_is_url(file)) {
		if ((rc = url_fetch(s, file, local, sizeof(local))) < 0)
			return rc;
		file = local;
	}
	*path = path_is_nbd(file) ? strdup(file) : realpath(file, NULL);
	if (!*path)
		return serai_fail(s, -errno, "disk %s: %s", d->target, strerror(errno));
	if (d->format == DISK_RAW && !path_is_nbd(file))
		return 0;
	rc = nbd_attach(s, &nbd_this_host, &readonly, *path, dev, len);
	if (rc < 0) {
		*dev = 0;
		return rc;
	}
	free(*path);
	*path = strdup(dev);
	return *path ? 0 : serai_fail(s, -ENOMEM, "out of memory");
}

static void directories_make(const char *path)
{
	char parent[200];

	snprintf(parent, sizeof(parent), "%s", path);
	if (strrchr(parent, '/') > parent) {
		*strrchr(parent, '/') = 0;
		mkdir(parent, 0755);
	}
	mkdir(path, 0755);
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	(void)remove(path);
	return 0;
}

/* pygrub's guard of its privileges mounts things below the directory, and one that is killed leaves them. */
static void tree_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		while (e->d_type == DT_DIR && *e->d_name != '.' &&
		       umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
	}
	if (d)
		closedir(d);
	(void)nftw(dir, entry_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* What is left of those who were killed. */
static void stale_remove(const char *run)
{
	time_t now = time(NULL);
	char pattern[80];
	struct stat st;
	glob_t g = {0};

	snprintf(pattern, sizeof(pattern), "%.40s/boot-??????", run);
	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			if (lstat(g.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode) &&
			    now - st.st_mtime > STALE_SECONDS)
				tree_remove(g.gl_pathv[i]);
	globfree(&g);
}

int bootloader_run(struct serai *s, const struct boot_host *h, const struct domain_config *c,
		   struct boot_files *b)
{
	char dev[64] = "", output[80], *disk = NULL, *program = program_find(h, c->bootloader);
	int rc = 0, fd;

	memset(b, 0, sizeof(*b));
	if (!program)
		return serai_fail(s, -ENOMEM, "out of memory");
	directories_make(h->run);
	directories_make(h->log);
	stale_remove(h->run);
	snprintf(b->dir, sizeof(b->dir), "%.40s/boot-XXXXXX", h->run);
	if (!mkdtemp(b->dir)) {
		rc = serai_fail(s, -errno, "%s: %s", b->dir, strerror(errno));
		*b->dir = 0;
	}
	if (rc == 0) {
		/* It opens what is there. */
		snprintf(output, sizeof(output), "%s/output", b->dir);
		fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
		rc = fd < 0 ? serai_fail(s, -errno, "%s: %s", output, strerror(errno))
			    : disk_path(s, c, &disk, dev, sizeof(dev));
	}
	if (rc == 0)
		rc = run(s, h, c, program, b->dir, disk);
	if (*dev) {
		struct serai undo = *s; /* the cause is in s */

		nbd_detach(&undo, &nbd_this_host, dev);
	}
	if (rc == 0)
		rc = output_read(s, c, knows_runas(program), b);
	if (rc < 0)
		boot_files_remove(b);
	free(disk);
	free(program);
	return rc;
}

void boot_files_remove(struct boot_files *b)
{
	if (*b->dir)
		tree_remove(b->dir);
	free(b->kernel);
	free(b->ramdisk);
	free(b->args);
	memset(b, 0, sizeof(*b));
}
