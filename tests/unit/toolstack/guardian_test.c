/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian of a save or move that is killed: it acts on the last note, and until it has, nobody else may suspend
 * the domain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toolstack/lib/serai.h"

/* Locks and logs of this test's own, in its directory; no hypervisor to open. */
#undef SERAI_RUN_DIR
#define SERAI_RUN_DIR "run"
#undef SERAI_LOG_DIR
#define SERAI_LOG_DIR "log"
#define serai_open own_open
static int own_open(struct serai *s);
#include "toolstack/lib/lock.c"
#include "toolstack/lib/guardian.c"

static char dir[] = "/tmp/guardian_test.XXXXXX";

static int own_open(struct serai *s)
{
	(void)s;
	return chdir(dir);
}

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(dir) || chdir(dir) < 0 || mkdir("run", 0755) < 0 || mkfifo("told", 0600) < 0 ||
	       mkfifo("go", 0600) < 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") < 0 || system(command);
}

/* Tell what the last note said; go on when the test says so. */
static void act(struct serai *own, void *arg, const struct guardian_note *last)
{
	int told = open("told", O_WRONLY | O_CLOEXEC), go;

	(void)own;
	(void)arg;
	if (write(told, last, sizeof(*last)) != sizeof(*last))
		_exit(1);
	close(told);
	go = open("go", O_RDONLY | O_CLOEXEC);
	close(go);
}

/* A mover that is killed when it has come to its second note. */
static void mover(void)
{
	struct serai s = {0};
	struct guardian g;
	int lock;

	if (transfer_lock(&s, "g1", "moving", 7, &lock) < 0 ||
	    guardian_start(&s, &g, "guardian", lock, act, NULL) < 0 || guardian_note(&g, 1, 7) < 0 ||
	    guardian_note(&g, 2, 7) < 0)
		_exit(1);
	raise(SIGKILL);
}

static void killed_mover(void **unused)
{
	struct guardian_note last;
	struct serai s = {0};
	int told, go, held, lock, status;
	pid_t pid = fork();
	char *state;

	(void)unused;
	if (!pid)
		mover();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	told = open("told", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(told, &last, sizeof(last)), sizeof(last));
	close(told);
	assert_int_equal(last.phase, 2);
	assert_int_equal(last.dom, 7);

	/* The guardian has the domain in its hands: neither another save nor "--cancel" touches it. */
	assert_int_equal(transfer_lock(&s, "g1", "saving", 7, &lock), -EBUSY);
	assert_non_null(strstr(s.error, "settled"));
	assert_int_equal(transfer_mover("g1"), 0);
	state = transfer_state("g1");
	assert_string_equal(state, "settling");
	free(state);

	held = open("run/g1.move.lock", O_RDWR | O_CLOEXEC);
	assert_true(held >= 0);
	go = open("go", O_WRONLY | O_CLOEXEC);
	close(go);
	assert_int_equal(flock(held, LOCK_EX), 0);
	close(held);
	assert_null(transfer_state("g1"));
	assert_int_equal(transfer_lock(&s, "g1", "saving", 7, &lock), 0);
	name_unlock(lock);
	assert_int_equal(access("run/g1.move.lock", F_OK), -1);
}

static void whole_move(void **unused)
{
	struct serai s = {0};
	struct guardian g;
	int lock, other;

	(void)unused;
	assert_int_equal(transfer_lock(&s, "g1", "moving", 7, &lock), 0);
	assert_int_equal(guardian_start(&s, &g, "guardian", lock, act, NULL), 0);
	assert_int_equal(guardian_note(&g, 1, 7), 0);
	assert_int_equal(transfer_mover("g1"), getpid());
	assert_int_equal(transfer_lock(&s, "g1", "moving", 7, &other), -EBUSY);
	assert_non_null(strstr(s.error, "moved"));
	/* Ends without acting, or waits for "go" for ever. */
	guardian_end(&g);
	assert_int_equal(transfer_mover("g1"), getpid());
	name_unlock(lock);
	assert_null(transfer_state("g1"));
}

static void a_save_is_not_cancelled(void **unused)
{
	struct serai s = {0};
	int lock, other;

	(void)unused;
	assert_int_equal(transfer_lock(&s, "g1", "saving", 7, &lock), 0);
	assert_int_equal(transfer_mover("g1"), 0);
	assert_int_equal(transfer_lock(&s, "g1", "moving", 7, &other), -EBUSY);
	assert_non_null(strstr(s.error, "saved"));
	name_unlock(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_mover),
		cmocka_unit_test(whole_move),
		cmocka_unit_test(a_save_is_not_cancelled),
	};

	/* A lock that nobody gives back, an end that does not come. */
	alarm(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
