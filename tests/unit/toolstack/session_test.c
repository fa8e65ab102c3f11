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
#include <xen/io/xs_wire.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <xen/io/xs_wire.h>

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

/* Takes the first connections away without a word, as a daemon does that is ending, and answers to the next. */
static void serve_in_the_end(int fd, int refusals)
{
	struct xsd_sockmsg m;
	char path[8];
	int client;

	while (refusals--)
		close(accept(fd, NULL, NULL));
	client = accept(fd, NULL, NULL);
	if (read(client, &m, sizeof(m)) == sizeof(m) && read(client, path, sizeof(path)) > 0) {
		m.type = XS_ERROR;
		m.len = sizeof("EACCES");
		if (write(client, &m, sizeof(m)) < 0 || write(client, "EACCES", sizeof("EACCES")) < 0)
			_exit(1);
	}
	pause();
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
	/* What is said to nobody is an error, not the end of the process (SIGPIPE). */
	assert_true(serai_lost(store_write(s.store, 0, "/nobody", "listens")));
	/* The daemon's file is still there, and nobody behind it: that is no answer yet. */
	assert_int_equal(store_open(&(struct store *){NULL}), -ECONNREFUSED);
	pid = fork();
	if (!pid) {
		sleep(1);
		serve_in_the_end(serve(), 1);
	}
	assert_int_equal(serai_again(&s), 0);
	assert_non_null(s.store);
	assert_int_equal(store_event(s.store, 0, &path, &token), 0);
	store_close(s.store);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void take(int fd, void *p, size_t n)
{
	for (char *c = p; n;) {
		ssize_t r = read(fd, c, n);

		if (r <= 0)
			_exit(r < 0);
		c += r;
		n -= r;
	}
}

/* Bytes, as a busy daemon gives them: a few at a time. */
static void trickle(int fd, const char *p, size_t n, size_t piece)
{
	for (; n; p += piece, n -= piece) {
		if (piece > n)
			piece = n;
		if (write(fd, p, piece) != (ssize_t)piece)
			_exit(2);
	}
}

static size_t put_message(char *to, uint32_t type, const char *body, size_t len)
{
	struct xsd_sockmsg h = {.type = type, .len = len};

	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), body, len);
	return sizeof(h) + len;
}

/*
 * Answers OK; to a write of "event" also with an event before, to one of "bad" with an error, to reads with nothing.
 * Answers are held back until there are many, or the client waits.
 */
static void __attribute__((noreturn)) daemon_loop(int fd)
{
	char body[4096], out[4096];
	size_t used = 0, piece = 1;

	for (;;) {
		struct xsd_sockmsg h;

		if (used > 1000 || recv(fd, &h, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
			trickle(fd, out, used, piece++ % 60 + 1);
			used = 0;
		}
		take(fd, &h, sizeof(h));
		take(fd, body, h.len);
		if (strstr(body, "event"))
			used += put_message(out + used, XS_WATCH_EVENT, "p\0", 3);
		if (strstr(body, "bad"))
			used += put_message(out + used, XS_ERROR, "ENOSPC", 7);
		else if (h.type == XS_READ)
			used += put_message(out + used, XS_READ, "", 0);
		else
			used += put_message(out + used, h.type, "OK", 3);
	}
}

static void requests_by_the_batch(void **unused)
{
	struct store *s;
	char *path, *token, value[4000], *empty;
	unsigned int events = 0, want = 0;
	int fd = serve();
	pid_t pid;

	(void)unused;
	assert_int_equal(store_open(&s), 0);
	pid = fork();
	if (!pid)
		daemon_loop(accept(fd, NULL, NULL));
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	for (int round = 0; round < 3; round++) {
		store_batch_begin(s);
		for (unsigned int i = 0; i < 700; i++) {
			const char *p = i % 7 == 3 ? "/event" : "/p";

			want += i % 7 == 3;
			assert_int_equal(store_write(s, 1, p, i % 100 == 50 ? value : "v"), 0);
		}
		if (round == 1)
			assert_int_equal(store_write(s, 1, "/bad", "v"), 0);
		assert_int_equal(store_write(s, 1, "/event", "last"), 0);
		want++;
		assert_int_equal(store_batch_end(s), round == 1 ? -ENOSPC : 0);
		/* An answer of its own within and after a batch; one without a single byte. */
		empty = store_read(s, 0, "/nothing");
		assert_non_null(empty);
		assert_string_equal(empty, "");
		free(empty);
		assert_int_equal(store_write(s, 0, "/bad", "v"), -ENOSPC);
		assert_int_equal(store_write(s, 0, "/p", "v"), 0);
	}
	for (; store_event(s, 0, &path, &token) == 1; events++) {
		assert_string_equal(path, "p");
		assert_string_equal(token, "");
		free(path);
	}
	assert_int_equal(events, want);
	store_close(s);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_moves_with_the_name),
		cmocka_unit_test(no_lock_no_matter),
		cmocka_unit_test(connection_again),
		cmocka_unit_test(requests_by_the_batch),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
