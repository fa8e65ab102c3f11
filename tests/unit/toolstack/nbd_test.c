/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks through qemu-nbd, without the kernel's driver: a directory plays /sys/block, and this program, called
 * by another name, plays qemu-nbd and does what the name of the image says.
 */
#include "toolstack/lib/nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64], sys[80], dev[80], program[80];

static void name(char *path, size_t len, const char *dir, unsigned int n, const char *file)
{
	snprintf(path, len, "%s/nbd%u%s%s", dir, n, *file ? "/" : "", file);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static void number(unsigned int n, const char *file, long v)
{
	char path[160], text[32];

	name(path, sizeof(path), sys, n, file);
	snprintf(text, sizeof(text), "%ld\n", v);
	put(path, text);
}

/* -------- the stand-in -------- */

static int serve(unsigned int n, const char *image)
{
	char pid[160];
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!strcmp(image, "hangs")) {
		sigwait(&set, &sig);
		return 0;
	}
	name(pid, sizeof(pid), sys, n, "pid");
	number(n, "size", 2048);
	number(n, "pid", getpid());
	do
		sigwait(&set, &sig);
	while (!strcmp(image, "stubborn") && sig != SIGTERM);
	number(n, "size", 0);
	unlink(pid);
	return 0;
}

static int stand_in(int argc, char **argv)
{
	const char *image = strrchr(argv[argc - 1], '/') + 1, *device = strchr(argv[2], '=') + 1;
	unsigned int n = strtoul(strrchr(device, '/') + 4, NULL, 10);
	char path[160], all[1024] = "";

	snprintf(root, sizeof(root), "%.*s", (int)(strstr(device, "/dev/") - device), device);
	snprintf(sys, sizeof(sys), "%s/sys", root);
	for (int i = 1; i < argc; i++) {
		strncat(all, argv[i], sizeof(all) - strlen(all) - 2);
		strcat(all, " ");
	}
	snprintf(path, sizeof(path), "%s/arguments", root);
	put(path, all);
	if (!strcmp(image, "locked")) {
		fputs("qemu-nbd: Failed to get \"write\" lock\nIs another process using the image?\n",
		      stderr);
		return 1;
	}
	return !strcmp(image, "silent") ? 3 : serve(n, image);
}

/* -------- the host -------- */

static int load(const struct nbd_host *h)
{
	(void)h;
	return 0;
}

static int events(const struct nbd_host *h)
{
	int fd = inotify_init1(IN_CLOEXEC);
	char path[160];

	for (unsigned int n = 0; n < 2; n++) {
		name(path, sizeof(path), h->sys, n, "");
		inotify_add_watch(fd, path, IN_CLOSE_WRITE);
	}
	return fd;
}

static int disconnect(const struct nbd_host *h, const char *device)
{
	char path[160];
	int pid = 0;
	FILE *f;

	name(path, sizeof(path), h->sys, strtoul(strrchr(device, '/') + 4, NULL, 10), "pid");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return kill(pid, SIGUSR1);
}

static struct nbd_host host = {.sys = sys,
			       .dev = dev,
			       .log = root,
			       .program = program,
			       .start_ms = 60000,
			       .end_ms = 60000,
			       .load = load,
			       .events = events,
			       .disconnect = disconnect};
static struct serai s;
static char device[256];

static int attach(const char *image, enum disk_format format, bool readonly)
{
	struct disk d = {.target = (char *)image, .format = format, .readonly = readonly};
	char file[128];

	snprintf(file, sizeof(file), "/images/%s", image);
	s.error[0] = 0;
	return nbd_attach(&s, &host, &d, file, device, sizeof(device));
}

static void nobody_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void started_with(const char *words)
{
	char path[160], text[1024], *at;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/arguments", root);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	at = strstr(text, "--format");
	assert_non_null(at);
	assert_string_equal(at, words);
}

static void which_disks(void **state)
{
	static const struct {
		const char *spec;
		bool needs;
	} disks[] = {{"/img,raw,xvda,w", false},
		     {"phy:/dev/vg/x,xvda,w", false},
		     {"/img,qcow2,xvda,w", true},
		     {"/img,vhd,xvda,r", true},
		     {"vdev=xvda,backendtype=qdisk,target=/img", true},
		     {"vdev=xvda,target=nbd://host:10809/name", true},
		     {"nbd+unix:///x?socket=/run/s,raw,xvda,w", true},
		     {"vdev=xvda,access=ro,target=https://host/img", false}};
	char error[200];

	(void)state;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		struct disk d;

		assert_int_equal(disk_parse(&d, disks[i].spec, error, sizeof(error)), 0);
		assert_int_equal(disk_needs_nbd(&d), disks[i].needs);
		disk_free(&d);
	}
}

static void attached(void **state)
{
	char first[256];

	(void)state;
	assert_int_equal(attach("good", DISK_QCOW2, false), 0);
	started_with("--format=qcow2 --discard=unmap -- /images/good ");
	strcpy(first, device);
	assert_string_equal(strrchr(first, '/'), "/nbd0");
	assert_int_equal(attach("other", DISK_VHD, true), 0);
	started_with("--format=vpc --read-only -- /images/other ");
	assert_string_equal(strrchr(device, '/'), "/nbd1");
	assert_int_equal(attach("third", DISK_RAW, true), -EBUSY);
	assert_non_null(strstr(s.error, "disk third: all 2 nbd devices are in use"));
	assert_int_equal(nbd_detach(&s, &host, first), 0);
	assert_int_equal(attach("third", DISK_RAW, true), 0);
	assert_string_equal(device, first);
	assert_int_equal(nbd_detach(&s, &host, device), 0);
	snprintf(device, sizeof(device), "%s/nbd1", dev);
	assert_int_equal(nbd_detach(&s, &host, device), 0);
	assert_int_equal(nbd_detach(&s, &host, device), 0); /* and there is nothing more to do */
	nobody_is_left();
}

static void stubborn(void **state)
{
	struct nbd_host impatient = host;

	(void)state;
	assert_int_equal(attach("stubborn", DISK_QCOW2, false), 0);
	impatient.end_ms = 200;
	assert_int_equal(nbd_detach(&s, &impatient, device), 0);
	nobody_is_left();
}

/* A device another program serves is not taken, and its process not ended. */
static void not_ours(void **state)
{
	char path[160];

	(void)state;
	number(0, "pid", getpid());
	number(0, "size", 8);
	assert_int_equal(attach("good", DISK_QCOW2, false), 0);
	assert_string_equal(strrchr(device, '/'), "/nbd1");
	assert_int_equal(nbd_detach(&s, &host, device), 0);
	number(0, "size", 0);
	name(path, sizeof(path), sys, 0, "pid");
	unlink(path);
	nobody_is_left();
}

static void failures(void **state)
{
	struct nbd_host usual = host;
	char path[160], away[160];

	(void)state;
	assert_int_equal(attach("locked", DISK_QCOW2, false), -EBUSY);
	assert_string_equal(s.error, "disk locked: qemu-nbd: Failed to get \"write\" lock Is another process "
				     "using the image?");
	assert_int_equal(attach("silent", DISK_QCOW2, false), -EIO);
	assert_non_null(strstr(s.error, "it left no reason in"));
	host.start_ms = 200;
	assert_int_equal(attach("hangs", DISK_QCOW2, false), -ETIMEDOUT);
	assert_non_null(strstr(s.error, "disk hangs: qemu-nbd did not serve it"));
	host.start_ms = usual.start_ms;
	host.program = "/nowhere/qemu-nbd";
	assert_int_equal(attach("good", DISK_QCOW2, false), -ENOENT);
	assert_non_null(strstr(s.error, "cannot be run: install"));
	host.program = usual.program;
	name(path, sizeof(path), sys, 0, "");
	snprintf(away, sizeof(away), "%s/away", root);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(attach("good", DISK_QCOW2, false), -ENODEV);
	assert_non_null(strstr(s.error, "load the module nbd"));
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(nbd_detach(&s, &host, "/dev/loop0"), -EINVAL);
	nobody_is_left();
}

static void make_root(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[160], self[160];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	snprintf(root, sizeof(root), "%s/nbd.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (n < 0 || !mkdtemp(root))
		abort();
	self[n] = 0;
	snprintf(sys, sizeof(sys), "%s/sys", root);
	snprintf(dev, sizeof(dev), "%s/dev", root);
	snprintf(program, sizeof(program), "%s/qemu-nbd", root);
	mkdir(sys, 0700);
	mkdir(dev, 0700);
	for (unsigned int i = 0; i < 2; i++) {
		name(path, sizeof(path), sys, i, "");
		mkdir(path, 0700);
		number(i, "size", 0);
	}
	if (symlink(self, program) < 0)
		abort();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_disks), cmocka_unit_test(attached), cmocka_unit_test(stubborn),
		cmocka_unit_test(not_ours),    cmocka_unit_test(failures),
	};
	char command[128];
	int rc;

	if (argc > 3 && !strcmp(argv[1], "--verbose"))
		return stand_in(argc, argv);
	make_root();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command) ? 1 : rc;
}
