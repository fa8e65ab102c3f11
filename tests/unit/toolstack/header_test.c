/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A saved domain's header, written and read again. What it says becomes names in xenstore and of files, and devices:
 * one that could not have been written is refused before anything is made of it.
 */
#include "toolstack/lib/serai.h"
#include "toolstack/stream/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static const char text[] =
	"name='g1'\nmemory=64\nvcpus=2\ndisk=['format=raw,vdev=xvda,access=rw,target=/d']\n";

/* What restore_header() says of the header of `c`. */
static int again(const struct domain_config *c, struct serai *s, struct domain_config *out)
{
	int fd = memfd_create("header", MFD_CLOEXEC), rc;

	assert_true(fd >= 0);
	memset(s, 0, sizeof(*s));
	assert_int_equal(save_header(s, c, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	rc = restore_header(s, fd, out);
	close(fd);
	return rc;
}

static void configuration(struct domain_config *c)
{
	char error[128];

	assert_int_equal(
		config_from_cfg(c, "g1.cfg", text, sizeof(text) - 1, NULL, error, sizeof(error), NULL), 0);
}

static void whole(void **state)
{
	struct domain_config c, d;
	struct serai s;

	(void)state;
	configuration(&c);
	assert_int_equal(again(&c, &s, &d), 0);
	assert_string_equal(d.name, "g1");
	assert_int_equal(d.vcpus, 2);
	assert_int_equal(d.nr_disks, 1);
	assert_string_equal(d.disks[0].vdev, "xvda");
	config_free(&c);
	config_free(&d);
}

static void bad_names(void **state)
{
	static const char *const names[] = {"", "../g1", "a b", "17", NULL};
	struct domain_config c, d;
	struct serai s;

	(void)state;
	configuration(&c);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(c.name);
		c.name = names[i] ? strdup(names[i]) : NULL;
		assert_int_equal(again(&c, &s, &d), -EINVAL);
		assert_non_null(strstr(s.error, "name"));
	}
	config_free(&c);
}

static void bad_disks(void **state)
{
	static const char *const names[] = {"", "disk", "xvda/../..", NULL};
	struct domain_config c, d;
	struct serai s;

	(void)state;
	configuration(&c);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(c.disks[0].vdev);
		c.disks[0].vdev = names[i] ? strdup(names[i]) : NULL;
		assert_int_equal(again(&c, &s, &d), -EINVAL);
		assert_non_null(strstr(s.error, "vdev"));
	}
	config_free(&c);
}

static void bad_sizes(void **state)
{
	struct domain_config c, d;
	struct serai s;

	(void)state;
	configuration(&c);
	c.mem_kib = c.maxmem_kib + 4;
	assert_int_equal(again(&c, &s, &d), -EINVAL);
	c.mem_kib = c.maxmem_kib = 0;
	assert_int_equal(again(&c, &s, &d), -EINVAL);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(bad_disks),
		cmocka_unit_test(bad_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
