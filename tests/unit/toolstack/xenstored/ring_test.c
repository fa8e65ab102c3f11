/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings: streams longer than the ring, positions that wrap, positions that cannot be; and a daemon
 * that ends between publishing an answer and writing that down.
 */
#include "daemon.h"
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct xenstore_domain_interface page;
static struct ring ring;

static int setup(void **state)
{
	(void)state;
	memset(&page, 0, sizeof(page));
	page.req_cons = page.req_prod = 0xfffffff0u;
	page.rsp_cons = page.rsp_prod = 0xffffff00u;
	ring_of_domain(&ring, &page);
	return 0;
}

/* The guest's side. */
static void say(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		page.req[MASK_XENSTORE_IDX(page.req_prod + i)] = p[i];
	page.req_prod += n;
}

static size_t hear(char *out)
{
	size_t n = page.rsp_prod - page.rsp_cons;

	for (size_t i = 0; i < n; i++)
		out[i] = page.rsp[MASK_XENSTORE_IDX(page.rsp_cons + i)];
	page.rsp_cons += n;
	return n;
}

static void wraps(void **state)
{
	char in[4096], out[4096];
	uint32_t pos = 0xfffffff0u, opos = 0xffffff00u;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = i * 7;
	for (size_t at = 0; at < sizeof(in); at += 512) {
		say(in + at, 512);
		assert_int_equal(ring_peek(&ring, pos, out, sizeof(out)), 512);
		assert_memory_equal(out, in + at, 512);
		pos += 512;
		ring_taken(&ring, pos);
	}
	assert_int_equal(ring_put(&ring, opos, in, sizeof(in)), 1024);
	assert_int_equal(ring_put(&ring, opos + 1024, in, 1), 0);
	assert_int_equal(hear(out), 1024);
	assert_memory_equal(out, in, 1024);
	assert_int_equal(ring_put(&ring, opos + 1024, in + 1024, 3072), 1024);
	page.req_prod = pos + 1025;
	assert_int_equal(ring_peek(&ring, pos, out, sizeof(out)), -EIO);
	page.rsp_cons += 2000;
	assert_int_equal(ring_put(&ring, opos + 2048, in, 1), -EIO);
}

/* Requests longer than the ring, answers longer than the ring, the daemon ending in between. */
static void survives(void **state)
{
	char path[] = "/tmp/ring-XXXXXX", request[4200], value[3001], got[8192];
	struct fixture x = {0};
	struct feed f;
	struct conn *c;
	bool restored;
	size_t n, heard = 0;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	assert_int_equal(feed_self(&f, 1), 0);
	memset(value, 'y', 3000);
	memcpy(value, "/big|", 5);
	value[3000] = 0;
	n = wire(request, XS_WRITE, 0, value);
	n += wire(request + n, XS_READ, 0, "/big|");
	for (size_t at = 0; at < n || heard < 16 + 3 + 16 + 2995;) {
		size_t part = n - at < 700 ? n - at : 700;

		c = conn_find(f.s, 0);
		if (page.req_prod - page.req_cons + part <= XENSTORE_RING_SIZE) {
			say(request + at, part);
			at += part;
		}
		serve(&f, c, &ring);
		heard += hear(got + heard);
		/* It publishes more, and ends before it could say so. */
		ring_put(&ring, c->out_pos, c->out ? c->out + c->out_head : "", c->out_len);
		feed_stop(&f);
		assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
		assert_true(restored);
		serve_recover(&f, conn_find(f.s, 0), &ring);
	}
	assert_int_equal(heard, 16 + 3 + 16 + 2995);
	assert_memory_equal(got + 16, "OK", 3);
	assert_memory_equal(got + 35, value + 5, 2995);
	assert_int_equal(conn_find(f.s, 0)->error, 0);
	/* A guest that moves the daemon's positions loses its connection, nothing else. */
	page.rsp_prod += 5;
	feed_stop(&f);
	assert_int_equal(feed_start(&f, path, &fake_world, &x, &restored), 0);
	serve_recover(&f, conn_find(f.s, 0), &ring);
	assert_int_equal(conn_find(f.s, 0)->error, XENSTORE_ERROR_RINGIDX);
	assert_null(store_check(f.s));
	feed_stop(&f);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(wraps, setup),
		cmocka_unit_test_setup(survives, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
