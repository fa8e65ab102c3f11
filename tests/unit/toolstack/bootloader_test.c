/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootloader =: programs that find a kernel, that fail, hang, or lie; and Debian's pygrub on a file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/lib/bootloader.h"

static char dir[] = "/tmp/boot-test-XXXXXX", run_dir[64], log_dir[64];
static const char *const here[] = {dir, NULL};
static const char *const debian[] = {"/usr/lib/xen-*/bin", NULL};
static struct boot_host host = {.run = run_dir, .log = log_dir, .path = here, .limit_ms = 20000};
static struct serai s;
static struct domain_config c;

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	snprintf(log_dir, sizeof(log_dir), "%s/log", dir);
	write_file("disk", "a disk\n", 0644);
	return 0;
}

static int remove_all(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* A configuration with such a boot loader and the disk. */
static int each(void **state)
{
	static char disk[100], name[] = "guest", loader[] = "loader", vdev[] = "xvda";
	static char option[] = "-x", words[] = "two words", *args[] = {option, words};

	(void)state;
	snprintf(disk, sizeof(disk), "%s/disk", dir);
	memset(&c, 0, sizeof(c));
	c.name = name;
	c.bootloader = loader;
	c.bootloader_args = args;
	c.nr_bootloader_args = 2;
	c.nr_disks = 1;
	c.disks = calloc(1, sizeof(*c.disks));
	c.disks->target = disk;
	c.disks->vdev = vdev;
	c.disks->format = DISK_RAW;
	memset(&s, 0, sizeof(s));
	host.limit_ms = 20000;
	host.path = here;
	return 0;
}

static int each_end(void **state)
{
	(void)state;
	free(c.disks);
	return 0;
}

/* Nothing of a run is left in the run directory. */
static void nothing_left(void)
{
	DIR *d = opendir(run_dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		assert_true(*e->d_name == '.');
	if (d)
		closedir(d);
}

static char *contents(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

#define SAY_ALL                                                                                          \
	"#!/bin/sh\n"                                                                                    \
	"printf '%s\\n' \"$@\" >$(dirname $0)/told\n"                                                    \
	"tty >$(dirname $0)/terminal\n"                                                                  \
	"for w; do case $w in --output=*) o=${w#*=};; --output-directory=*) d=${w#*=};; esac; disk=$w; " \
	"done\n"                                                                                         \
	"cp $disk $d/k; echo initrd >$d/r\n"                                                             \
	"printf 'kernel %s\\0ramdisk %s\\0args root=/dev/xvda ro\\0' $d/k $d/r >$o\n"

static void finds(void **state)
{
	struct boot_files b;
	char path[200];

	(void)state;
	write_file("loader", SAY_ALL, 0755);
	c.kernel = (char[]){"/boot/vmlinuz"};
	c.cmdline = (char[]){"quiet"};
	assert_int_equal(bootloader_run(&s, &host, &c, &b), 0);
	assert_string_equal(contents(b.kernel), "a disk\n");
	assert_string_equal(contents(b.ramdisk), "initrd\n");
	assert_string_equal(b.args, "root=/dev/xvda ro");
	snprintf(path, sizeof(path), "%s/told", dir);
	assert_non_null(strstr(contents(path), "--kernel=/boot/vmlinuz\n--args=quiet\n--output="));
	assert_non_null(strstr(contents(path), "--output-format=simple0\n"));
	assert_non_null(strstr(contents(path), "\n-x\ntwo words\n/tmp/boot-test-"));
	snprintf(path, sizeof(path), "%s/terminal", dir);
	assert_non_null(strstr(contents(path), "/dev/pts/"));
	boot_files_remove(&b);
	nothing_left();
}

static void refused(const char *script, int error, const char *words)
{
	struct boot_files b;

	write_file("loader", script, 0755);
	assert_int_equal(bootloader_run(&s, &host, &c, &b), error);
	if (!strstr(s.error, words))
		fail_msg("\"%s\" does not say \"%s\"", s.error, words);
	assert_null(b.kernel);
	nothing_left();
}

static void fails(void **state)
{
	(void)state;
	refused("#!/bin/sh\necho starting\nprintf '\\033[1mno kernel here\\r\\n\\n'\nexit 3\n", -EIO,
		"failed (status 3): ");
	assert_non_null(strstr(s.error, "no kernel here"));
	refused("#!/bin/sh\nkill -9 $$\n", -EIO, "failed (status 137): it said nothing");
	refused("#!/bin/sh\nexit 0\n", -ENOENT, "found no kernel on the first disk");
	refused("#!/bin/sh\nfor w; do case $w in --output=*) printf 'kernel /x' >${w#*=};; esac; done\n",
		-EINVAL, "did not say what it found");
	refused("#!/bin/sh\nfor w; do case $w in --output=*) printf 'rm -rf\\0' >${w#*=};; esac; done\n",
		-EINVAL, "did not say what it found");
	refused("#!/bin/sh\nfor w; do case $w in --output=*) head -c 70000 /dev/zero >${w#*=};; esac; done\n",
		-EINVAL, "did not say what it found");
}

/* One that asks is not answered; what it started ends with it. */
static void hangs(void **state)
{
	(void)state;
	host.limit_ms = 300;
	refused("#!/bin/sh\ncat &\nread x\n", -ETIMEDOUT, "was not done in");
}

/* One that gave up its privileges (a pygrub that can) names only what is its own. */
static void confined(void **state)
{
	struct boot_files b;

	(void)state;
	if (geteuid())
		skip();
	c.bootloader = (char[]){"pygrub"};
	write_file("pygrub", "#!/bin/sh\n# runas\n" SAY_ALL, 0755);
	assert_int_equal(bootloader_run(&s, &host, &c, &b), 0);
	boot_files_remove(&b);
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const lies[] = {"kernel /etc/passwd\\0", "kernel $d/../k\\0",
						   "kernel $d/k\\0ramdisk http://127.0.0.1:1/x\\0",
						   "kernel $d/pipe\\0"};
		char script[1000];

		snprintf(script, sizeof(script),
			 "#!/bin/sh\n# runas\nfor w; do case $w in --output=*) o=${w#*=};; "
			 "--output-directory=*) "
			 "d=${w#*=};; esac; done\necho k >$d/k; echo k >$d/../k; mkfifo $d/pipe\nprintf "
			 "\"%s\" >$o\n",
			 lies[i]);
		write_file("pygrub", script, 0755);
		assert_int_equal(bootloader_run(&s, &host, &c, &b), -EPERM);
		assert_non_null(strstr(s.error, "not its own"));
		snprintf(script, sizeof(script), "%s/k", run_dir);
		unlink(script);
		nothing_left();
	}
}

/* Who talks without end fills no disk; and what it made goes, directories and all. */
static void talks(void **state)
{
	char path[200];
	struct stat st;

	(void)state;
	host.limit_ms = 2000;
	refused("#!/bin/sh\nfor w; do case $w in --output-directory=*) mkdir -p ${w#*=}/a/b; touch "
		"${w#*=}/a/b/c;; esac; "
		"done\nyes\n",
		-ETIMEDOUT, "was not done in");
	snprintf(path, sizeof(path), "%s/bootloader-guest.log", log_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1 << 20, (1 << 20) + 4096);
}

static void is_not_there(void **state)
{
	struct boot_files b;

	(void)state;
	c.bootloader = (char[]){"no-such-loader"};
	assert_int_equal(bootloader_run(&s, &host, &c, &b), -ENOENT);
	assert_non_null(strstr(s.error, "no-such-loader cannot be run"));
	c.bootloader = (char[]){"loader"};
	c.disks->target = (char[]){"/nowhere/disk"};
	assert_int_equal(bootloader_run(&s, &host, &c, &b), -ENOENT);
	c.nr_disks = 0;
	assert_int_equal(bootloader_run(&s, &host, &c, &b), -ENOENT);
	assert_non_null(strstr(s.error, "needs a first disk"));
	nothing_left();
}

static void output(void **state)
{
	struct boot_files b = {0};

	(void)state;
	assert_int_equal(boot_output_parse("", 0, &b), -ENOENT);
	assert_int_equal(boot_output_parse("args x\0", 7, &b), -ENOENT);
	assert_string_equal(b.args, "x");
	assert_int_equal(boot_output_parse("kernel /k\0kernel /l\0args \0\0", 26, &b), 0);
	assert_string_equal(b.kernel, "/l");
	assert_string_equal(b.args, "");
	assert_int_equal(boot_output_parse("kernel /k", 9, &b), -EINVAL);
	assert_int_equal(boot_output_parse("colonel /k\0", 11, &b), -EINVAL);
	boot_files_remove(&b);
}

/* Debian's own, on an ext4 file system with a grub.cfg. */
static void pygrub(void **state)
{
	static const char grub[] =
		"set timeout=0\nset default=0\nmenuentry 'A' {\n"
		"\tlinux /boot/vmlinuz root=/dev/xvda1 ro quiet\n\tinitrd /boot/initrd.img\n}\n";
	struct boot_files b;
	char command[600];
	glob_t g = {0};
	int missing = glob("/usr/lib/xen-*/bin/pygrub", 0, NULL, &g) || access("/sbin/mke2fs", X_OK);

	(void)state;
	globfree(&g);
	if (missing)
		skip();
	snprintf(command, sizeof(command), "mkdir -p %s/tree/boot/grub && truncate -s 8M %s/fs", dir, dir);
	assert_int_equal(system(command), 0);
	write_file("tree/boot/vmlinuz", "this is the kernel", 0644);
	write_file("tree/boot/initrd.img", "this is the ramdisk", 0644);
	write_file("tree/boot/grub/grub.cfg", grub, 0644);
	snprintf(command, sizeof(command), "/sbin/mke2fs -q -t ext4 -d %s/tree %s/fs", dir, dir);
	assert_int_equal(system(command), 0);
	c.bootloader = (char[]){"pygrub"};
	c.nr_bootloader_args = 0;
	c.cmdline = (char[]){"lab.word=1"};
	snprintf(c.disks->target, 100, "%s/fs", dir);
	host.path = debian;
	host.limit_ms = 120000;
	if (bootloader_run(&s, &host, &c, &b))
		fail_msg("%s", s.error);
	assert_string_equal(contents(b.kernel), "this is the kernel");
	assert_string_equal(contents(b.ramdisk), "this is the ramdisk");
	assert_non_null(strstr(b.args, "root=/dev/xvda1 ro quiet"));
	assert_non_null(strstr(b.args, "lab.word=1"));
	boot_files_remove(&b);
	nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds, each, each_end),
		cmocka_unit_test_setup_teardown(fails, each, each_end),
		cmocka_unit_test_setup_teardown(hangs, each, each_end),
		cmocka_unit_test_setup_teardown(confined, each, each_end),
		cmocka_unit_test_setup_teardown(talks, each, each_end),
		cmocka_unit_test_setup_teardown(is_not_there, each, each_end),
		cmocka_unit_test(output),
		cmocka_unit_test_setup_teardown(pygrub, each, each_end),
	};

	return cmocka_run_group_tests(tests, setup, remove_all);
}
