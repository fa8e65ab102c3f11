/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A saved domain's header, written and read again. What it says becomes names in xenstore and of files, and devices:
 * one that could not have been written is refused before anything is made of it.
 */
#include "toolstack/lib/serai.h"
#include "toolstack/stream/format.h"
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

/* What restore_header() says of a header of `c`, whoever wrote it. */
static int again(const struct domain_config *c, struct serai *s, struct domain_config *out)
{
	struct xl_header h = {.byte_order = XL_BYTE_ORDER, .mandatory = XL_FLAG_JSON | XL_FLAG_STREAM_V2};
	int fd = memfd_create("header", MFD_CLOEXEC), rc;
	char *json = config_to_json(c);
	uint32_t len = strlen(json) + 1;

	assert_true(fd >= 0);
	memset(s, 0, sizeof(*s));
	memcpy(h.magic, XL_MAGIC, XL_MAGIC_LEN);
	h.optional_len = len + 4;
	assert_int_equal(write(fd, &h, sizeof(h)), sizeof(h));
	assert_int_equal(write(fd, &len, 4), 4);
	assert_int_equal(write(fd, json, len), len);
	free(json);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	rc = restore_header(s, fd, out);
	close(fd);
	return rc;
}

/* Neither restored nor saved: where it is, the domain goes on living. */
static void refused(const struct domain_config *c, const char *why)
{
	struct domain_config d;
	struct serai s = {0};
	int fd = memfd_create("header", MFD_CLOEXEC);

	assert_int_equal(save_header(&s, c, fd), -EINVAL);
	assert_non_null(strstr(s.error, why));
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	assert_int_equal(again(c, &s, &d), -EINVAL);
	assert_non_null(strstr(s.error, why));
}

static void configuration(struct domain_config *c)
{
	char error[128];

	assert_int_equal(
		config_from_cfg(c, "g1.cfg", text, sizeof(text) - 1, NULL, error, sizeof(error), NULL), 0);
}

static void whole(void **state)
{
	int fd = memfd_create("header", MFD_CLOEXEC);
	struct domain_config c, d;
	struct serai s = {0};

	(void)state;
	configuration(&c);
	assert_int_equal(save_header(&s, &c, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(restore_header(&s, fd, &d), 0);
	assert_string_equal(d.name, "g1");
	assert_int_equal(d.vcpus, 2);
	assert_int_equal(d.nr_disks, 1);
	assert_string_equal(d.disks[0].vdev, "xvda");
	close(fd);
	config_free(&c);
	config_free(&d);
}

/* Names that serai create would not give, and another tool did. */
static void others_names(void **state)
{
	static const char *const names[] = {"web server", "17"};
	struct domain_config c, d;
	char error[128];
	struct serai s;

	(void)state;
	configuration(&c);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(c.name);
		c.name = strdup(names[i]);
		assert_int_equal(config_check(&c, error, sizeof(error)), -EINVAL);
		assert_int_equal(again(&c, &s, &d), 0);
		assert_string_equal(d.name, names[i]);
		config_free(&d);
	}
	config_free(&c);
}

static void bad_names(void **state)
{
	static const char *const names[] = {"", "../g1", "a\nb", NULL};
	struct domain_config c;

	(void)state;
	configuration(&c);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(c.name);
		c.name = names[i] ? strdup(names[i]) : NULL;
		refused(&c, "name");
	}
	config_free(&c);
}

static void bad_disks(void **state)
{
	static const char *const names[] = {"",       "disk",    "xvda/../..", "d0/../x", "d0';id;'",
					    "d0p1:9", "d0,xvdb", "d-1",        "d0p 1",   NULL};
	struct domain_config c;

	(void)state;
	configuration(&c);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		free(c.disks[0].vdev);
		c.disks[0].vdev = names[i] ? strdup(names[i]) : NULL;
		refused(&c, "vdev");
	}
	config_free(&c);
}

static void bad_sizes(void **state)
{
	struct domain_config c;

	(void)state;
	configuration(&c);
	c.mem_kib = c.maxmem_kib + 4;
	refused(&c, "memory");
	c.mem_kib = c.maxmem_kib = 0;
	refused(&c, "memory");
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),     cmocka_unit_test(others_names), cmocka_unit_test(bad_names),
		cmocka_unit_test(bad_disks), cmocka_unit_test(bad_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
