/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small languages of configurations. */
#include "toolstack/conf/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void device_numbers(void **state)
{
	static const struct {
		const char *name;
		unsigned int number;
	} good[] = {{"xvda", 51712},
		    {"xvda1", 51713},
		    {"xvdb", 51728},
		    {"xvdp15", 51967},
		    {"xvdq", 1u << 28 | 16 << 8},
		    {"xvdaa", 1u << 28 | 26 << 8},
		    {"sda", 2048},
		    {"sdb3", 2067},
		    {"hda", 768},
		    {"hdc", 5632},
		    {"d0", 51712},
		    {"768", 768}};
	static const char *const bad[] = {"", "xvd", "xvdA", "foo", "xvda256", "hde", "sdq", "xvda1b", "d"};
	char name[32];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		unsigned int n = 0, again = 1;

		assert_int_equal(vdev_number(good[i].name, &n), 0);
		assert_int_equal(n, good[i].number);
		vdev_name(n, name, sizeof(name));
		assert_int_equal(vdev_number(name, &again), 0);
		assert_int_equal(again, n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned int n;

		if (strcmp(bad[i], ""))
			assert_int_equal(vdev_number(bad[i], &n), -EINVAL);
	}
}

static void cpu_lists(void **state)
{
	uint8_t map[2];
	char t[64];

	(void)state;
	assert_int_equal(cpus_parse("0-3,^1, 8", map, 16), 0);
	assert_int_equal(map[0], 0x0d);
	assert_int_equal(map[1], 1);
	cpus_format(map, 16, 16, t, sizeof(t));
	assert_string_equal(t, "0,2-3,8");
	assert_int_equal(cpus_parse("all,^0", map, 16), 0);
	cpus_format(map, 16, 16, t, sizeof(t));
	assert_string_equal(t, "1-15");
	assert_int_equal(cpus_parse("all", map, 16), 0);
	cpus_format(map, 16, 4, t, sizeof(t));
	assert_string_equal(t, "all");
	assert_int_equal(cpus_parse("16", map, 16), -ERANGE);
	assert_int_equal(cpus_parse("3-1", map, 16), -EINVAL);
	assert_int_equal(cpus_parse("", map, 16), -EINVAL);
	assert_int_equal(cpus_parse("1,,2", map, 16), -EINVAL);
}

static void identities(void **state)
{
	uint8_t u[16], m[6];
	char t[37];

	(void)state;
	assert_int_equal(uuid_parse("3c256c26-795a-49ba-88da-4c8ee2a8f86d", u), 0);
	uuid_format(u, t);
	assert_string_equal(t, "3c256c26-795a-49ba-88da-4c8ee2a8f86d");
	assert_int_equal(uuid_parse("3c256c26", u), -EINVAL);
	assert_int_equal(uuid_parse("3c256c26-795a-49ba-88da-4c8ee2a8f86dff", u), -EINVAL);
	assert_int_equal(mac_parse("00:16:3e:AB:cd:ef", m), 0);
	mac_format(m, t);
	assert_string_equal(t, "00:16:3e:ab:cd:ef");
	assert_int_equal(mac_parse("00:16:3e:ab:cd", m), -EINVAL);
	assert_int_equal(mac_parse("00:16:3e:ab:cd:ef:", m), -EINVAL);
}

/* What Debian's xl wrote for a domain of its own is understood, and written back the same. */
static void xl_json(void **state)
{
	static const char json[] =
		"{ \"c_info\": { \"type\": \"pv\", \"name\": \"g1\", \"domid\": 4294967295,"
		" \"uuid\": \"3c256c26-795a-49ba-88da-4c8ee2a8f86d\", \"run_hotplug_scripts\": \"True\" },"
		" \"b_info\": { \"max_vcpus\": 2, \"avail_vcpus\": [ 0, 1 ], \"max_memkb\": 196608, "
		"\"target_memkb\": 196608,"
		" \"video_memkb\": 0, \"sched_params\": { }, \"claim_mode\": \"True\", \"kernel\": "
		"\"/boot/vmlinuz\","
		" \"type.pv\": { }, \"arch_arm\": { }, \"arch_x86\": { \"msr_relaxed\": \"False\" } },"
		" \"nics\": [ { \"devid\": 0, \"mac\": \"00:16:3e:00:fd:81\", \"bridge\": \"xenbr0\", "
		"\"nictype\": \"vif\" } ],"
		" \"on_reboot\": \"restart\", \"on_crash\": \"preserve\", \"on_soft_reset\": \"soft_reset\" "
		"}\n";
	struct domain_config c, d;
	char error[128], *again;

	(void)state;
	assert_int_equal(config_from_json(&c, json, sizeof(json), error, sizeof(error)), 0);
	assert_string_equal(c.name, "g1");
	assert_int_equal(c.maxvcpus, 2);
	assert_int_equal(c.vcpus, 2);
	assert_int_equal(c.mem_kib, 196608);
	assert_int_equal(c.nr_nics, 1);
	assert_int_equal(c.on_crash, ON_PRESERVE);
	assert_int_equal(c.on_poweroff, ON_DESTROY);
	assert_int_equal(config_copy(&d, &c), 0);
	again = config_to_json(&d);
	assert_non_null(strstr(again, "\"on_crash\": \"preserve\""));
	free(again);
	config_free(&c);
	config_free(&d);
	assert_int_equal(config_from_json(&c, "{", 1, error, sizeof(error)), -EINVAL);
	assert_int_equal(config_from_json(&c, "{}", 2, error, sizeof(error)), -EINVAL);
	assert_int_equal(config_from_json(&c, "[1]", 3, error, sizeof(error)), -EINVAL);
}

/* Cut anywhere, a configuration is refused or understood, never worse. */
/* A boot loader's words: a list, or one string; kept by the file that a domain is recorded in. */
static void boot_loaders(void **state)
{
	static const char *const texts[] = {
		"name = 'g'\nmemory = 64\nbootloader = 'pygrub'\nbootloader_args = [ '--entry=1', 'two "
		"words' ]\n",
		"name = 'g'\nmemory = 64\nbootloader = 'pygrub'\nbootloader_args = ' --entry=1 \\t -q'\n"};
	static const char *const last[] = {"two words", "-q"};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct domain_config c, again;
		char error[256], *warnings = NULL;

		assert_int_equal(config_from_cfg(&c, "t", texts[i], strlen(texts[i]), NULL, error,
						 sizeof(error), &warnings),
				 0);
		assert_null(warnings);
		assert_int_equal(config_copy(&again, &c), 0);
		assert_string_equal(again.bootloader, "pygrub");
		assert_int_equal(again.nr_bootloader_args, 2);
		assert_string_equal(again.bootloader_args[0], "--entry=1");
		assert_string_equal(again.bootloader_args[1], last[i]);
		config_free(&c);
		config_free(&again);
	}
}

static void cuts(void **state)
{
	static const char text[] =
		"name = \"g\"\nmemory = 64\nvif = [ \"bridge=b\", 'mac=00:16:3e:00:00:01' ]\n"
		"disk = [ \"/a,raw,xvda,w\" ] # x\ncpus = [ \"0\", \"1-3\" ]\nextra += \"a\\x41\"\n";
	char error[256], *copy;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct domain_config c;

		copy = malloc(n ? n : 1);
		memcpy(copy, text, n);
		if (config_from_cfg(&c, "t", copy, n, NULL, error, sizeof(error), NULL) == 0)
			config_free(&c);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(device_numbers), cmocka_unit_test(cpu_lists),
					   cmocka_unit_test(identities),     cmocka_unit_test(xl_json),
					   cmocka_unit_test(boot_loaders),   cmocka_unit_test(cuts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
