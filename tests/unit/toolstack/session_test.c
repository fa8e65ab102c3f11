/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain's monitor lives on: the lock of its name, which goes along when the domain gets another, and its
 * connection to the store daemon, which may be started anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toolstack/lib/serai.h"

/* Locks of this test's own, in its directory. */
#undef SERAI_RUN_DIR
#define SERAI_RUN_DIR "run"
#include "toolstack/lib/lock.c"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SOCKET "store.socket"

static char dir[] = "/tmp/session_test.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(dir) || chdir(dir) < 0 || setenv("XENSTORED_PATH", SOCKET, 1);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") < 0 || system(command);
}

static void state_is(const char *name, const char *want)
{
	char *state = name_lock_state(name);

	if (want) {
		assert_non_null(state);
		assert_string_equal(state, want);
	} else {
		assert_null(state);
	}
	free(state);
}

static void lock_moves_with_the_name(void **unused)
{
	struct serai s = {0};
	int keeper, other;

	(void)unused;
	assert_int_equal(name_lock(&s, "old", &keeper), 0);
	assert_int_equal(name_lock_note(keeper, "running", 7), 0);
	state_is("old", "running");
	state_is("new", NULL);
	assert_int_equal(name_lock_move(&s, "old", "new"), 0);
	state_is("old", NULL);
	state_is("new", "running");
	assert_int_equal(name_lock(&s, "new", &other), -EBUSY);
	assert_int_equal(name_lock(&s, "old", &other), 0);
	/* A name that somebody holds, perhaps between two domains, is not taken from him. */
	assert_int_equal(name_lock_move(&s, "old", "new"), -EBUSY);
	state_is("new", "running");
	close(other);
	close(keeper);
	state_is("new", NULL);
}

static void no_lock_no_matter(void **unused)
{
	struct serai s = {0};

	(void)unused;
	assert_int_equal(name_lock_move(&s, "nobody", "somebody"), 0);
	state_is("somebody", NULL);
}

static int serve(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(SOCKET);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void connection_again(void **unused)
{
	struct serai s = {0};
	char *path, *token;
	int fd = serve(), client, rc;
	pid_t pid;

	(void)unused;
	assert_int_equal(store_open(&s.store), 0);
	client = accept(fd, NULL, NULL);
	close(client);
	close(fd);
	rc = store_event(s.store, 1000, &path, &token);
	assert_true(serai_lost(rc));
	assert_false(serai_lost(-ENOENT));
	/* The daemon's file is still there, and nobody behind it: that is no answer yet. */
	assert_int_equal(store_open(&(struct store *){NULL}), -ECONNREFUSED);
	pid = fork();
	if (!pid) {
		sleep(1);
		fd = serve();
		pause();
	}
	assert_int_equal(serai_again(&s), 0);
	assert_non_null(s.store);
	store_close(s.store);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_moves_with_the_name),
		cmocka_unit_test(no_lock_no_matter),
		cmocka_unit_test(connection_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
