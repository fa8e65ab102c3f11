/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A screen on a terminal of this test's own; and libraries that are opened when they are wanted, or are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libxc/late.h"
#include "toolstack/cli/screen.h"

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void late(void **unused)
{
	double (*cos_)(double) = NULL;
	const struct late good[] = {{"cos", &cos_}}, bad[] = {{"cos", &cos_}, {"no_such_function", &cos_}};
	void *handle;

	(void)unused;
	assert_int_equal(late_open("libno-such-library.so.9", good, 1, &handle), -ELIBACC);
	assert_null(handle);
	assert_int_equal(late_open("libm.so.6", bad, 2, &handle), -ELIBACC);
	assert_null(handle);
	assert_int_equal(late_open("libm.so.6", good, 1, &handle), 0);
	assert_true(cos_(0) == 1);
	dlclose(handle);
}

/* What the child is: shows what it was typed, until that is q. */
static void __attribute__((noreturn)) draw(void)
{
	struct pollfd p = {STDIN_FILENO, POLLIN, 0};
	char t[200];
	int k = '-';

	if (setenv("TERM", "vt100", 1) || screen_open() < 0)
		_exit(9);
	while (k != 'q') {
		screen_clear();
		snprintf(t, sizeof(t), "key:%c %0150d", k, 0);
		screen_line(t);
		screen_line("second line");
		screen_show("the last line");
		poll(&p, 1, -1);
		for (int n; (n = screen_key()) >= 0;)
			k = n;
	}
	screen_close();
	_exit(0);
}

/* Reads until it has seen the text after what it saw before. */
static void expect(int fd, const char *text)
{
	static char drawn[65536];
	static size_t n, seen;

	for (;;) {
		const char *at = strstr(drawn + seen, text);
		struct pollfd p = {fd, POLLIN, 0};
		ssize_t r;

		if (at) {
			seen = at + strlen(text) - drawn;
			return;
		}
		r = poll(&p, 1, 10000) == 1 ? read(fd, drawn + n, sizeof(drawn) - 1 - n) : 0;
		if (r <= 0)
			fail_msg("\"%s\" is not in what was drawn", text);
		n += r;
	}
}

static void screen(void **unused)
{
	struct winsize size = {.ws_row = 24, .ws_col = 60};
	int fd, status;
	pid_t pid = forkpty(&fd, NULL, NULL, &size);

	(void)unused;
	assert_true(pid >= 0);
	if (!pid)
		draw();
	expect(fd, "key:-");
	expect(fd, "the last line");
	assert_int_equal(write(fd, "v", 1), 1);
	expect(fd, "v"); /* only what changed is drawn anew */
	assert_int_equal(write(fd, "q", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(late), cmocka_unit_test(screen)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
