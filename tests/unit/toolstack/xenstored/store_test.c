/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients may count on: nodes, permissions, watches, limits, the end of domains. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct fixture x;
static struct store *s;
static struct conn *a, *b; /* tools */

static int setup(void **state)
{
	(void)state;
	x = (struct fixture){0};
	s = store_new(&fake_world, &x);
	a = socket_conn(s, 1);
	b = socket_conn(s, 2);
	events_of(s, a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_null(store_check(s));
	store_free(s);
	return 0;
}

#define SAYS(c, type, payload, want) assert_string_equal(ask(s, c, type, 0, payload), want)

static void nodes(void **state)
{
	(void)state;
	SAYS(a, XS_WRITE, "/a/b/c|deep", "OK|");
	SAYS(b, XS_READ, "/a/b/c|", "deep");
	SAYS(b, XS_READ, "/a/b|", "");
	SAYS(b, XS_READ, "/a/x|", "ENOENT");
	SAYS(a, XS_WRITE, "/a/z|", "OK|");
	SAYS(a, XS_WRITE, "/a/m|", "OK|");
	SAYS(b, XS_DIRECTORY, "/a|", "b|z|m|");
	SAYS(a, XS_RM, "/a/z|", "OK|");
	SAYS(a, XS_RM, "/a/z|", "OK|");
	SAYS(a, XS_RM, "/q/z|", "ENOENT");
	SAYS(a, XS_RM, "/|", "EINVAL");
	SAYS(b, XS_DIRECTORY, "/a|", "b|m|");
	SAYS(a, XS_MKDIR, "/a/b|", "OK|");
	SAYS(b, XS_READ, "/a/b/c|", "deep");
	for (const char *const *p = (const char *const[]){"//a|", "/a/|", "/a b|", "/a.b|", "|", NULL}; *p;
	     p++)
		SAYS(a, XS_READ, *p, "EINVAL");
}

static void big_directory(void **state)
{
	char name[32], seen[8192] = "", ask_for[32];
	size_t offset = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "/d/node-%d|", i);
		SAYS(a, XS_MKDIR, name, "OK|");
	}
	SAYS(a, XS_DIRECTORY, "/d|", "E2BIG");
	for (bool end = false; !end;) {
		const char *part, *names;

		snprintf(ask_for, sizeof(ask_for), "/d|%zu|", offset);
		part = ask(s, a, XS_DIRECTORY_PART, 0, ask_for);
		names = strchr(part, '|') + 1;
		end = strlen(names) < 1 || strstr(names, "||") || names[0] == '|';
		for (const char *n = names; *n && *n != '|'; n = strchr(n, '|') + 1)
			offset += strcspn(n, "|") + 1;
		if (strlen(seen) < 4096)
			strcat(seen, names);
	}
	assert_int_equal(offset, 10 * 7 + 90 * 8 + 900 * 9);
	assert_non_null(strstr(seen, "node-0|node-1|node-2|"));
}

static void permissions(void **state)
{
	struct conn *d5 = domain_conn(s, 5), *d6 = domain_conn(s, 6);

	(void)state;
	SAYS(a, XS_WRITE, "/local/domain/5|", "OK|");
	SAYS(a, XS_SET_PERMS, "/local/domain/5|n5|r6|", "OK|");
	SAYS(d5, XS_WRITE, "data/x|1", "OK|");
	SAYS(a, XS_GET_PERMS, "/local/domain/5/data|", "n5|r6|");
	SAYS(d6, XS_READ, "/local/domain/5/data/x|", "1");
	SAYS(d6, XS_WRITE, "/local/domain/5/data/x|2", "EACCES");
	SAYS(d6, XS_RM, "/local/domain/5/data|", "EACCES");
	SAYS(d6, XS_SET_PERMS, "/local/domain/5/data|b6|", "EACCES");
	SAYS(d5, XS_SET_PERMS, "data|n6|", "EPERM");
	SAYS(d5, XS_SET_PERMS, "data|w5|", "OK|");
	SAYS(d6, XS_WRITE, "/local/domain/5/data/new|2", "OK|");
	SAYS(a, XS_GET_PERMS, "/local/domain/5/data/new|", "w6|");
	SAYS(d6, XS_READ, "/nothing/there|", "EACCES");
	SAYS(a, XS_READ, "/nothing/there|", "ENOENT");
	/* Only the control domain's: */
	SAYS(d5, XS_CONTROL, "check|", "EACCES");
	SAYS(d5, XS_INTRODUCE, "7|1|1|", "EACCES");
	SAYS(d5, XS_SET_TARGET, "5|6|", "EACCES");
	/* A device model has its guest's rights. */
	SAYS(d6, XS_SET_PERMS, "/local/domain/5/data/new|n6|", "OK|");
	SAYS(d5, XS_READ, "data/new|", "EACCES");
	SAYS(a, XS_SET_TARGET, "5|6|", "OK|");
	SAYS(d5, XS_READ, "data/new|", "2");
	SAYS(a, XS_SET_PERMS, "/local|n200|", "ENOENT");
}

static void watches(void **state)
{
	struct conn *d5 = domain_conn(s, 5);

	(void)state;
	SAYS(a, XS_WATCH, "/a|all|", "OK|");
	SAYS(a, XS_WATCH, "/a|self|0|", "OK|");
	SAYS(a, XS_WATCH, "/a|kids|1|", "OK|");
	SAYS(a, XS_WATCH, "/a|all|", "EEXIST");
	assert_string_equal(events_of(s, a), "/a|all|\n/a|self|\n/a|kids|\n");
	ask(s, b, XS_WRITE, 0, "/a/b/c|1");
	assert_string_equal(events_of(s, a), "/a/b/c|all|\n");
	ask(s, b, XS_WRITE, 0, "/a/b|1");
	assert_string_equal(events_of(s, a), "/a/b|all|\n/a/b|kids|\n");
	ask(s, b, XS_WRITE, 0, "/ab|1");
	assert_string_equal(events_of(s, a), "");
	SAYS(a, XS_WATCH, "/a/b/c|leaf|", "OK|");
	events_of(s, a);
	ask(s, b, XS_RM, 0, "/a|");
	assert_string_equal(events_of(s, a), "/a/b/c|leaf|\n/a|all|\n/a|self|\n/a|kids|\n");
	SAYS(a, XS_RESET_WATCHES, "|", "OK|");
	ask(s, b, XS_WRITE, 0, "/a/b|1");
	assert_string_equal(events_of(s, a), "");
	/* Who may not read is not told, unless it could. */
	SAYS(d5, XS_WATCH, "/a|mine|", "OK|");
	SAYS(d5, XS_WATCH, "rel|r|", "OK|");
	events_of(s, d5);
	ask(s, b, XS_WRITE, 0, "/a/secret|1");
	assert_string_equal(events_of(s, d5), "");
	ask(s, b, XS_SET_PERMS, 0, "/a/secret|n0|r5|");
	assert_string_equal(events_of(s, d5), "/a/secret|mine|\n");
	ask(s, b, XS_SET_PERMS, 0, "/a/secret|n0|");
	assert_string_equal(events_of(s, d5), "/a/secret|mine|\n");
	ask(s, b, XS_WRITE, 0, "/local/domain/5/rel|1");
	ask(s, b, XS_SET_PERMS, 0, "/local/domain/5/rel|n5|");
	assert_string_equal(events_of(s, d5), "rel|r|\n");
}

/* A client that does not read is owed events, not memory; when it reads, none of its watches is
 * stale. */
static void merged_events(void **state)
{
	size_t len;
	char text[64];

	(void)state;
	s->quota[QUOTA_OUTPUT] = 1000;
	SAYS(a, XS_WATCH, "/a|t|", "OK|");
	SAYS(a, XS_WATCH, "/other|t|", "OK|");
	events_of(s, a);
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "/a/%d|x", i);
		ask(s, b, XS_WRITE, 0, text);
	}
	conn_output(a, &len);
	assert_in_range(len, 1000, 1100);
	assert_non_null(strstr(events_of(s, a), "/a/10|t|\n"));
	assert_string_equal(events_of(s, a), "/a|t|\n");
	assert_string_equal(events_of(s, a), "");
}

static void special_watches(void **state)
{
	struct conn *d5 = domain_conn(s, 5);

	(void)state;
	SAYS(a, XS_WATCH, "@introduceDomain|i|", "OK|");
	SAYS(a, XS_WATCH, "@releaseDomain|r|", "OK|");
	SAYS(a, XS_WATCH, "@releaseDomain|id|1|", "OK|");
	SAYS(a, XS_WATCH, "@releaseDomain/7|seven|", "OK|");
	SAYS(d5, XS_WATCH, "@releaseDomain|mine|", "OK|");
	events_of(s, a);
	events_of(s, d5);
	SAYS(a, XS_INTRODUCE, "7|1|1|", "OK|");
	assert_string_equal(events_of(s, a), "@introduceDomain|i|\n");
	domain_shut_down(s, 7);
	domain_shut_down(s, 7);
	assert_string_equal(events_of(s, a),
			    "@releaseDomain|r|\n@releaseDomain/7|id|\n@releaseDomain/7|seven|\n");
	SAYS(a, XS_RESUME, "7|", "OK|");
	domain_shut_down(s, 7);
	assert_string_equal(events_of(s, a),
			    "@releaseDomain|r|\n@releaseDomain/7|id|\n@releaseDomain/7|seven|\n");
	assert_string_equal(events_of(s, d5), "");
	SAYS(a, XS_SET_PERMS, "@releaseDomain|n0|r5|", "OK|");
	SAYS(a, XS_RELEASE, "7|", "OK|");
	events_of(s, b); /* those of a came with its answer */
	assert_string_equal(events_of(s, d5), "@releaseDomain|mine|\n");
	SAYS(a, XS_IS_DOMAIN_INTRODUCED, "7|", "F|");
	SAYS(a, XS_RELEASE, "7|", "ENOENT");
	assert_int_equal(x.released, 1);
	x.refuse_introduce = true;
	SAYS(a, XS_INTRODUCE, "8|1|1|", "EINVAL");
}

static void limits(void **state)
{
	struct conn *d5 = domain_conn(s, 5);
	char text[3000];
	unsigned int lines;

	(void)state;
	SAYS(a, XS_WRITE, "/d|", "OK|");
	SAYS(a, XS_SET_PERMS, "/d|n5|", "OK|");
	for (int i = 1; i < 1000; i++) {
		snprintf(text, sizeof(text), "/d/%d|", i);
		SAYS(d5, XS_WRITE, text, "OK|");
	}
	lines = x.logged;
	SAYS(d5, XS_WRITE, "/d/more|", "ENOSPC");
	assert_int_equal(x.logged, lines + 1);
	assert_non_null(strstr(x.last_log, "domain 5"));
	assert_non_null(strstr(x.last_log, "1000 nodes"));
	for (int i = 0; i < 9; i++)
		SAYS(d5, XS_WRITE, "/d/more|", "ENOSPC");
	assert_int_equal(x.logged, lines + 2);
	SAYS(a, XS_CONTROL, "quota|set|nodes|1001|5|", "OK|");
	SAYS(d5, XS_WRITE, "/d/more|", "OK|");
	SAYS(d5, XS_WRITE, "/d/evenmore|", "ENOSPC");
	assert_non_null(
		strstr(ask(s, a, XS_CONTROL, 0, "quota|5|"), "1001 of     1001 (its own), refused 11"));
	/* In a transaction too. */
	snprintf(text, sizeof(text), "%u", start(s, d5));
	assert_string_equal(ask(s, d5, XS_RM, strtoul(text, NULL, 10), "/d/more|"), "OK|");
	assert_string_equal(ask(s, d5, XS_WRITE, strtoul(text, NULL, 10), "/d/one|"), "OK|");
	assert_string_equal(ask(s, d5, XS_WRITE, strtoul(text, NULL, 10), "/d/two|"), "ENOSPC");
	assert_string_equal(ask(s, d5, XS_TRANSACTION_END, strtoul(text, NULL, 10), "T|"), "OK|");
	for (int i = 0; i < 10; i++)
		assert_int_not_equal(start(s, d5), 0);
	SAYS(d5, XS_TRANSACTION_START, "|", "ENOSPC");
	SAYS(d5, XS_RESET_WATCHES, "|", "OK|");
	assert_int_not_equal(start(s, d5), 0);
	for (int i = 0; i < 128; i++) {
		snprintf(text, sizeof(text), "/d/%d|t|", i);
		SAYS(d5, XS_WATCH, text, "OK|");
	}
	SAYS(d5, XS_WATCH, "/d|t|", "E2BIG");
	SAYS(d5, XS_SET_PERMS, "/d/1|n5|r1|r2|r3|r4|r6|", "ENOSPC");
	memset(text, 'x', sizeof(text));
	memcpy(text, "/d/1|", 5);
	text[5 + 2049] = 0;
	SAYS(d5, XS_WRITE, text, "ENOSPC");
	text[5 + 2048] = 0;
	SAYS(d5, XS_WRITE, text, "OK|");
}

static void end_of_a_domain(void **state)
{
	struct conn *d5 = domain_conn(s, 5), *d6 = domain_conn(s, 6);

	(void)state;
	SAYS(a, XS_WRITE, "/local/domain/5|", "OK|");
	SAYS(a, XS_SET_PERMS, "/local/domain/5|n5|", "OK|");
	SAYS(a, XS_WRITE, "/backend/5|", "OK|");
	SAYS(a, XS_SET_PERMS, "/backend/5|n0|r5|r6|", "OK|");
	SAYS(d5, XS_WRITE, "a/b|1", "OK|");
	SAYS(a, XS_SET_TARGET, "6|5|", "OK|");
	SAYS(d6, XS_READ, "/local/domain/5/a/b|", "1");
	SAYS(a, XS_WATCH, "/local/domain/5/a|gone|", "OK|");
	events_of(s, a);
	domain_dying(s, 5);
	assert_null(conn_find(s, 5));
	SAYS(b, XS_READ, "/local/domain/5/a/b|", "1");
	domain_gone(s, 5);
	assert_string_equal(events_of(s, a), "/local/domain/5/a|gone|\n");
	SAYS(b, XS_READ, "/local/domain/5|", "ENOENT");
	SAYS(b, XS_GET_PERMS, "/backend/5|", "n0|r6|");
	SAYS(b, XS_CONTROL, "quota|5|", "ENOENT");
	assert_int_equal(domain_find(s, 6)->target, 6);
}

static void broken_clients(void **state)
{
	struct conn *d5 = domain_conn(s, 5);
	char bytes[64];
	struct xsd_sockmsg h = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};
	size_t n = wire(bytes, XS_READ, 0, "/|");

	(void)state;
	SAYS(d5, XS_WATCH, "/|t|", "OK|");
	for (size_t i = 0; i + 1 < n; i++)
		conn_input(s, d5, bytes + i, 1);
	assert_string_equal(events_of(s, d5), "/|t|\n");
	conn_input(s, d5, bytes + n - 1, 1);
	assert_int_equal(d5->out_len > 0, 1);
	SAYS(d5, 20, "x|", "ENOSYS");
	SAYS(d5, 9999, "x|", "ENOSYS");
	conn_input(s, d5, &h, sizeof(h));
	assert_int_equal(d5->error, XENSTORE_ERROR_PROTO);
	assert_null(d5->watches);
	conn_reset(s, d5, (struct ring_start){0});
	SAYS(d5, XS_GET_DOMAIN_PATH, "5|", "/local/domain/5|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(big_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(watches, setup, teardown),
		cmocka_unit_test_setup_teardown(merged_events, setup, teardown),
		cmocka_unit_test_setup_teardown(special_watches, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(end_of_a_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_clients, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
