/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain model as the JSON that xl keeps in /var/lib/xen and puts into save files: same members,
 * same order, absent when at their default, so that either tool can read what the other wrote.
 */
#include "model.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct json_object jobj;

static void add_str(jobj *o, const char *k, const char *v)
{
	if (v)
		json_object_object_add(o, k, json_object_new_string(v));
}

static void add_int(jobj *o, const char *k, int64_t v)
{
	json_object_object_add(o, k, json_object_new_int64(v));
}

/* libxl writes its booleans as strings when they may also be "default". */
static void add_defbool(jobj *o, const char *k, bool v)
{
	add_str(o, k, v ? "True" : "False");
}

static void add_strings(jobj *o, const char *k, char *const *v, unsigned int n)
{
	jobj *a = n ? json_object_new_array() : NULL;

	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_string(v[i]));
	if (a)
		json_object_object_add(o, k, a);
}

static void add_maps(jobj *o, const char *k, char *const *cpus, unsigned int n, unsigned int vcpus)
{
	jobj *a;

	if (!n)
		return;
	a = json_object_new_array();
	for (unsigned int v = 0; v < vcpus; v++) {
		uint8_t map[128];
		jobj *list = json_object_new_array();

		cpus_parse(cpus[v < n ? v : n - 1], map, sizeof(map) * 8);
		for (unsigned int i = 0; i < sizeof(map) * 8; i++)
			if (map[i / 8] >> i % 8 & 1)
				json_object_array_add(list, json_object_new_int(i));
		json_object_array_add(a, list);
	}
	json_object_object_add(o, k, a);
}

static jobj *c_info(const struct domain_config *c)
{
	jobj *o = json_object_new_object();
	char uuid[37];

	add_str(o, "type", c->type ? c->type : "pv");
	add_str(o, "name", c->name);
	if (c->has_uuid) {
		uuid_format(c->uuid, uuid);
		add_str(o, "uuid", uuid);
	}
	add_str(o, "run_hotplug_scripts", "True");
	add_str(o, "pool_name", c->pool);
	return o;
}

/* As libxl has it: numbers for leaf and subleaf, registers only where something is said about them. */
static void add_cpuid(jobj *o, const struct domain_config *c)
{
	jobj *a = c->nr_cpuid ? json_object_new_array() : NULL;

	for (unsigned int i = 0; i < c->nr_cpuid; i++) {
		const struct cpuid_rule *r = &c->cpuid[i];
		jobj *leaf = json_object_new_object();

		add_int(leaf, "leaf", r->leaf);
		if (r->subleaf != CPUID_NO_SUBLEAF)
			add_int(leaf, "subleaf", r->subleaf);
		for (unsigned int k = 0; k < 4; k++)
			if (r->bits[k][0])
				add_str(leaf, cpuid_registers[k], r->bits[k]);
		json_object_array_add(a, leaf);
	}
	if (a)
		json_object_object_add(o, "cpuid", a);
}

static jobj *b_info(const struct domain_config *c)
{
	jobj *o = json_object_new_object(), *avail = json_object_new_array(),
	     *sched = json_object_new_object();
	jobj *x86 = json_object_new_object();

	add_int(o, "max_vcpus", c->maxvcpus);
	for (unsigned int i = 0; i < c->vcpus; i++)
		json_object_array_add(avail, json_object_new_int(i));
	json_object_object_add(o, "avail_vcpus", avail);
	add_maps(o, "vcpu_hard_affinity", c->cpus, c->nr_cpus, c->maxvcpus);
	add_maps(o, "vcpu_soft_affinity", c->cpus_soft, c->nr_cpus_soft, c->maxvcpus);
	if (c->tsc_mode)
		add_str(o, "tsc_mode", c->tsc_mode);
	add_int(o, "max_memkb", c->maxmem_kib);
	add_int(o, "target_memkb", c->mem_kib);
	add_int(o, "video_memkb", 0);
	add_cpuid(o, c);
	if (c->weight >= 0)
		add_int(sched, "weight", c->weight);
	if (c->cap >= 0)
		add_int(sched, "cap", c->cap);
	json_object_object_add(o, "sched_params", sched);
	add_defbool(o, "claim_mode", c->claim);
	if (c->max_event_channels >= 0)
		add_int(o, "event_channels", c->max_event_channels);
	add_str(o, "kernel", c->kernel);
	add_str(o, "cmdline", c->cmdline);
	add_str(o, "ramdisk", c->ramdisk);
	if (c->max_grant_frames >= 0)
		add_int(o, "max_grant_frames", c->max_grant_frames);
	if (c->max_maptrack_frames >= 0)
		add_int(o, "max_maptrack_frames", c->max_maptrack_frames);
	add_str(o, "bootloader", c->bootloader);
	add_strings(o, "bootloader_args", c->bootloader_args, c->nr_bootloader_args);
	json_object_object_add(o, !c->type || !strcmp(c->type, "pv") ? "type.pv" : "type.pvh",
			       json_object_new_object());
	json_object_object_add(o, "arch_arm", json_object_new_object());
	/* Said always: libxl takes a saved domain that does not say for one from before there was the choice. */
	add_defbool(x86, "msr_relaxed", c->msr_relaxed);
	json_object_object_add(o, "arch_x86", x86);
	return o;
}

static const char *const format_names[] = {"raw", "qcow2", "qcow", "vhd", "empty"};
static const char *const backend_names[] = {"unknown", "phy", "qdisk"};

static jobj *disk_json(const struct disk *d)
{
	jobj *o = json_object_new_object();

	add_str(o, "pdev_path", d->target);
	add_str(o, "vdev", d->vdev);
	if (d->backend != DISK_AUTO)
		add_str(o, "backend", backend_names[d->backend]);
	add_str(o, "format", format_names[d->format]);
	add_str(o, "script", d->script);
	add_int(o, "removable", d->cdrom);
	add_int(o, "readwrite", !d->readonly);
	add_int(o, "is_cdrom", d->cdrom);
	if (d->discard)
		add_defbool(o, "discard_enable", true);
	return o;
}

static jobj *nic_json(const struct nic *n)
{
	jobj *o = json_object_new_object();
	char mac[18];

	add_int(o, "devid", n->devid);
	if (n->mtu)
		add_int(o, "mtu", n->mtu);
	if (n->has_mac) {
		mac_format(n->mac, mac);
		add_str(o, "mac", mac);
	}
	add_str(o, "ip", n->ip);
	add_str(o, "bridge", n->bridge);
	add_str(o, "ifname", n->ifname);
	add_str(o, "script", n->script);
	add_str(o, "nictype", "vif");
	if (n->rate_bytes) {
		add_int(o, "rate_bytes_per_interval", n->rate_bytes);
		add_int(o, "rate_interval_usecs", n->rate_us);
	}
	add_str(o, "gatewaydev", n->gateway);
	return o;
}

/* libxl spells the actions with underscores. */
static void add_on(jobj *o, const char *k, enum on_event e, enum on_event standard)
{
	char t[32];

	if (e == standard)
		return;
	snprintf(t, sizeof(t), "%s", on_event_name(e));
	for (char *p = t; *p; p++)
		if (*p == '-')
			*p = '_';
	add_str(o, k, t);
}

jobj *config_to_json_object(const struct domain_config *c)
{
	jobj *o = json_object_new_object(), *a;

	json_object_object_add(o, "c_info", c_info(c));
	json_object_object_add(o, "b_info", b_info(c));
	if (c->nr_disks) {
		a = json_object_new_array();
		for (unsigned int i = 0; i < c->nr_disks; i++)
			json_object_array_add(a, disk_json(&c->disks[i]));
		json_object_object_add(o, "disks", a);
	}
	if (c->nr_nics) {
		a = json_object_new_array();
		for (unsigned int i = 0; i < c->nr_nics; i++)
			json_object_array_add(a, nic_json(&c->nics[i]));
		json_object_object_add(o, "nics", a);
	}
	/* The member is absent when the action is the first of libxl's enumeration: destroy. */
	add_on(o, "on_poweroff", c->on_poweroff, ON_DESTROY);
	add_on(o, "on_reboot", c->on_reboot, ON_DESTROY);
	add_on(o, "on_watchdog", c->on_watchdog, ON_DESTROY);
	add_on(o, "on_crash", c->on_crash, ON_DESTROY);
	add_on(o, "on_soft_reset", c->on_soft_reset, ON_DESTROY);
	return o;
}

char *config_to_json(const struct domain_config *c)
{
	jobj *o = config_to_json_object(c);
	char *t = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
								   JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(o);
	return t;
}

/* -------- reading -------- */

static jobj *member(jobj *o, const char *k)
{
	jobj *v = NULL;

	return o && json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, k, &v) ? v
												    : NULL;
}

static void get_str(jobj *o, const char *k, char **to)
{
	jobj *v = member(o, k);

	if (v && json_object_is_type(v, json_type_string)) {
		free(*to);
		*to = strdup(json_object_get_string(v));
	}
}

static int64_t get_int(jobj *o, const char *k, int64_t otherwise)
{
	jobj *v = member(o, k);

	return v && json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : otherwise;
}

/* Booleans appear as 0/1, true/false, or "True"/"False". */
static bool get_bool(jobj *o, const char *k, bool otherwise)
{
	jobj *v = member(o, k);

	if (!v)
		return otherwise;
	if (json_object_is_type(v, json_type_string))
		return !strcmp(json_object_get_string(v), "True");
	return json_object_get_boolean(v);
}

static void get_strings(jobj *o, const char *k, char ***v, unsigned int *n)
{
	jobj *a = member(o, k);
	size_t len = json_object_is_type(a, json_type_array) ? json_object_array_length(a) : 0;

	*v = len ? calloc(len, sizeof(**v)) : NULL;
	for (size_t i = 0; *v && i < len; i++) {
		const char *t = json_object_get_string(json_object_array_get_idx(a, i));

		(*v)[*n] = strdup(t ? t : "");
		*n += (*v)[*n] != NULL;
	}
}

static void get_maps(jobj *o, const char *k, char ***cpus, unsigned int *n)
{
	jobj *a = member(o, k);
	size_t len;

	if (!a || !json_object_is_type(a, json_type_array))
		return;
	len = json_object_array_length(a);
	*cpus = calloc(len ? len : 1, sizeof(**cpus));
	for (size_t i = 0; *cpus && i < len && i < 512; i++) {
		jobj *list = json_object_array_get_idx(a, i);
		uint8_t map[128] = {0};
		char text[512];

		if (!json_object_is_type(list, json_type_array))
			break;
		for (size_t j = 0; j < json_object_array_length(list); j++) {
			int cpu = json_object_get_int(json_object_array_get_idx(list, j));

			if (cpu >= 0 && cpu < (int)sizeof(map) * 8)
				map[cpu / 8] |= 1u << cpu % 8;
		}
		cpus_format(map, sizeof(map) * 8, sizeof(map) * 8, text, sizeof(text));
		(*cpus)[(*n)++] = strdup(text);
	}
}

static void on_read(jobj *o, const char *k, enum on_event *e)
{
	char *t = NULL;

	*e = ON_DESTROY;
	get_str(o, k, &t);
	if (t)
		on_event_parse(t, e);
	free(t);
}

static int disk_read(struct domain_config *c, jobj *o)
{
	struct disk *d = config_add_disk(c);
	char *t = NULL;

	if (!d)
		return -ENOMEM;
	get_str(o, "pdev_path", &d->target);
	get_str(o, "vdev", &d->vdev);
	get_str(o, "script", &d->script);
	get_str(o, "format", &t);
	for (unsigned int i = 0; t && i < 5; i++)
		if (!strcmp(t, format_names[i]))
			d->format = i;
	free(t);
	t = NULL;
	get_str(o, "backend", &t);
	for (unsigned int i = 0; t && i < 3; i++)
		if (!strcmp(t, backend_names[i]))
			d->backend = i;
	free(t);
	d->cdrom = get_bool(o, "is_cdrom", false);
	d->readonly = !get_bool(o, "readwrite", false);
	d->discard = get_bool(o, "discard_enable", false);
	return 0;
}

static int cpuid_read(struct domain_config *c, jobj *o)
{
	struct cpuid_rule *r =
		config_cpuid_rule(c, get_int(o, "leaf", 0), get_int(o, "subleaf", CPUID_NO_SUBLEAF));

	if (!r)
		return -ENOMEM;
	for (unsigned int k = 0; k < 4; k++) {
		char *t = NULL;

		get_str(o, cpuid_registers[k], &t);
		if (t && cpuid_bits_valid(t))
			memcpy(r->bits[k], t, sizeof(r->bits[k]));
		free(t);
	}
	return 0;
}

static int nic_read(struct domain_config *c, jobj *o)
{
	struct nic *n = config_add_nic(c);
	char *t = NULL;

	if (!n)
		return -ENOMEM;
	n->devid = get_int(o, "devid", n->devid);
	n->mtu = get_int(o, "mtu", 0);
	get_str(o, "mac", &t);
	n->has_mac = t && mac_parse(t, n->mac) == 0;
	free(t);
	get_str(o, "ip", &n->ip);
	get_str(o, "bridge", &n->bridge);
	get_str(o, "ifname", &n->ifname);
	get_str(o, "script", &n->script);
	get_str(o, "gatewaydev", &n->gateway);
	n->rate_bytes = get_int(o, "rate_bytes_per_interval", 0);
	n->rate_us = get_int(o, "rate_interval_usecs", 0);
	return 0;
}

static int each(struct domain_config *c, jobj *a, int (*read)(struct domain_config *, jobj *))
{
	int rc = 0;

	if (!a || !json_object_is_type(a, json_type_array))
		return 0;
	for (size_t i = 0; rc == 0 && i < json_object_array_length(a); i++)
		rc = read(c, json_object_array_get_idx(a, i));
	return rc;
}

static int model_read(struct domain_config *c, jobj *o)
{
	jobj *ci = member(o, "c_info"), *bi = member(o, "b_info"), *avail,
	     *sched = member(bi, "sched_params");
	char *t = NULL;
	int rc;

	get_str(ci, "name", &c->name);
	get_str(ci, "type", &c->type);
	get_str(ci, "pool_name", &c->pool);
	get_str(ci, "uuid", &t);
	c->has_uuid = t && uuid_parse(t, c->uuid) == 0;
	free(t);
	c->maxvcpus = get_int(bi, "max_vcpus", 1);
	avail = member(bi, "avail_vcpus");
	c->vcpus = avail && json_object_is_type(avail, json_type_array) ? json_object_array_length(avail) : 1;
	get_maps(bi, "vcpu_hard_affinity", &c->cpus, &c->nr_cpus);
	get_maps(bi, "vcpu_soft_affinity", &c->cpus_soft, &c->nr_cpus_soft);
	get_str(bi, "tsc_mode", &c->tsc_mode);
	c->mem_kib = get_int(bi, "target_memkb", 0);
	c->maxmem_kib = get_int(bi, "max_memkb", c->mem_kib);
	c->weight = get_int(sched, "weight", -1);
	c->cap = get_int(sched, "cap", -1);
	c->claim = get_bool(bi, "claim_mode", true);
	c->msr_relaxed = get_bool(member(bi, "arch_x86"), "msr_relaxed", false);
	c->max_event_channels = get_int(bi, "event_channels", -1);
	c->max_grant_frames = get_int(bi, "max_grant_frames", -1);
	c->max_maptrack_frames = get_int(bi, "max_maptrack_frames", -1);
	get_str(bi, "kernel", &c->kernel);
	get_str(bi, "cmdline", &c->cmdline);
	get_str(bi, "ramdisk", &c->ramdisk);
	get_str(bi, "bootloader", &c->bootloader);
	get_strings(bi, "bootloader_args", &c->bootloader_args, &c->nr_bootloader_args);
	on_read(o, "on_poweroff", &c->on_poweroff);
	on_read(o, "on_reboot", &c->on_reboot);
	on_read(o, "on_watchdog", &c->on_watchdog);
	on_read(o, "on_crash", &c->on_crash);
	on_read(o, "on_soft_reset", &c->on_soft_reset);
	if ((rc = each(c, member(bi, "cpuid"), cpuid_read)) || (rc = each(c, member(o, "disks"), disk_read)))
		return rc;
	return each(c, member(o, "nics"), nic_read);
}

int config_from_json(struct domain_config *c, const char *text, size_t len, char *error, size_t error_len)
{
	json_tokener *t = json_tokener_new();
	jobj *o;
	int rc = -EINVAL;

	config_init(c);
	if (!t)
		return -ENOMEM;
	/* libxl counts the terminating NUL into the length of the text. */
	while (len && (text[len - 1] == 0 || text[len - 1] == '\n'))
		len--;
	o = json_tokener_parse_ex(t, text, len);
	if (!o)
		snprintf(error, error_len, "the JSON configuration is damaged near byte %zu: %s",
			 json_tokener_get_parse_end(t), json_tokener_error_desc(json_tokener_get_error(t)));
	else if (!member(o, "c_info") || !member(o, "b_info"))
		snprintf(error, error_len, "the JSON is not a domain configuration (no c_info or b_info)");
	else
		rc = model_read(c, o);
	json_tokener_free(t);
	json_object_put(o);
	if (rc < 0)
		config_free(c);
	return rc;
}
