/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consoled's logs: limits, rotation, what is refused. In a directory of its own. */
#include "toolstack/consoled/log.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct log_policy policy = {.limit = 5000, .keep = 3, .group = (gid_t)-1};
static char where[] = "/tmp/serai-log-XXXXXX";

static int setup(void **state)
{
	(void)state;
	memcpy(strrchr(where, '-'), "-XXXXXX", 7);
	if (!mkdtemp(where))
		return -1;
	policy.dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return policy.dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	DIR *d = opendir(where);
	struct dirent *e;

	(void)state;
	while (d && (e = readdir(d)))
		(void)unlinkat(policy.dir, e->d_name, 0);
	closedir(d);
	close(policy.dir);
	return rmdir(where);
}

static char *slurp(const char *name, size_t *n)
{
	int fd = openat(policy.dir, name, O_RDONLY | O_CLOEXEC);
	char *p = calloc(1, 65536);
	ssize_t k = fd < 0 ? -1 : read(fd, p, 65535);

	if (fd >= 0)
		close(fd);
	if (k < 0) {
		free(p);
		return NULL;
	}
	*n = k;
	return p;
}

/* All that is kept, oldest first, is one piece of the stream, ends with its end, and no file is too
 * long. */
static void rotation(void **state)
{
	struct logfile l;
	char line[80], *all = calloc(1, 65536);
	unsigned int first, seen = 0;
	size_t n, used = 0;

	(void)state;
	log_init(&l, &policy, "guest-a", false);
	for (unsigned int i = 0; i < 1000; i++) {
		int k = snprintf(line, sizeof(line), "line %04u %.*s\n", i, (int)(i % 40),
				 "........................................");

		/* In two pieces, as a ring hands them out. */
		assert_int_equal(log_write(&l, line, k / 2, 0), 0);
		assert_int_equal(log_write(&l, line + k / 2, k - k / 2, 0), 0);
	}
	log_close(&l);
	assert_null(slurp("guest-a.log.4", &n));
	for (int i = 3; i >= 0; i--) {
		char name[32], *p;

		snprintf(name, sizeof(name), i ? "guest-a.log.%d" : "guest-a.log", i);
		p = slurp(name, &n);
		assert_non_null(p);
		assert_true(n <= policy.limit);
		assert_true(i == 0 || n > policy.limit - 100);
		memcpy(all + used, p, n);
		used += n;
		free(p);
	}
	first = strtoul(strstr(all, "line ") + 5, NULL, 10);
	for (char *p = strstr(all, "line "); p; p = strstr(p + 1, "line "), seen++)
		assert_int_equal(strtoul(p + 5, NULL, 10), first + seen);
	assert_int_equal(first + seen, 1000);
	free(all);
}

/* One long line is cut at the limit rather than allowed to grow. */
static void long_line(void **state)
{
	struct logfile l;
	char *x = malloc(12000), *p;
	size_t n;

	(void)state;
	memset(x, 'x', 12000);
	log_init(&l, &policy, "g", false);
	assert_int_equal(log_write(&l, x, 12000, 0), 0);
	log_close(&l);
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), i ? "g.log.%d" : "g.log", i);
		p = slurp(name, &n);
		assert_non_null(p);
		assert_int_equal(n, i ? 5000 : 2000);
		free(p);
	}
	free(x);
}

static void continues(void **state)
{
	struct logfile l;
	char *p;
	size_t n;

	(void)state;
	for (int i = 0; i < 3; i++) {
		log_init(&l, &policy, "g", i > 0);
		assert_int_equal(log_write(&l, "one\ntwo\n", 8, 86400), 0);
		log_close(&l);
	}
	p = slurp("g.log", &n);
	assert_non_null(p);
	assert_int_equal(strncmp(p, "one\ntwo\n[1970-01-02 ", 20), 0);
	assert_int_equal(n, 8 + 2 * (8 + 2 * 22));
	free(p);
}

/* A guest's name is a file's name and nothing else; links and other things are not written to. */
static void names(void **state)
{
	struct logfile l;
	size_t n;
	char *p;

	(void)state;
	log_init(&l, &policy, "../../etc/x", false);
	assert_int_equal(log_write(&l, "a\n", 2, 0), 0);
	log_close(&l);
	p = slurp("_._.._etc_x.log", &n);
	free(p);
	assert_null(strchr(l.name, '/'));
	assert_int_equal(symlinkat("/dev/null", policy.dir, "link.log"), 0);
	log_init(&l, &policy, "link", false);
	assert_int_equal(log_write(&l, "a\n", 2, 0), -ELOOP);
	assert_int_equal(l.lost, 2);
	assert_int_equal(mkfifoat(policy.dir, "fifo.log", 0600), 0);
	log_init(&l, &policy, "fifo", false);
	assert_true(log_write(&l, "a\n", 2, 0) < 0);
	/* It goes on when the obstacle is gone. */
	assert_int_equal(unlinkat(policy.dir, "fifo.log", 0), 0);
	assert_int_equal(log_write(&l, "a\n", 2, 0), 0);
	assert_int_equal(l.lost, 0);
	log_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(continues, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
