/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain model: making, copying, checking, and the small text forms (UUID, MAC, device names).
 */
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *const on_names[ON_EVENT_COUNT] = {
	[ON_DESTROY] = "destroy",
	[ON_RESTART] = "restart",
	[ON_RENAME_RESTART] = "rename-restart",
	[ON_PRESERVE] = "preserve",
	[ON_COREDUMP_DESTROY] = "coredump-destroy",
	[ON_COREDUMP_RESTART] = "coredump-restart",
	[ON_SOFT_RESET] = "soft-reset",
};

void config_init(struct domain_config *c)
{
	memset(c, 0, sizeof(*c));
	c->vcpus = c->maxvcpus = 1;
	c->weight = c->cap = -1;
	c->on_poweroff = ON_DESTROY;
	c->on_reboot = ON_RESTART;
	c->on_crash = ON_DESTROY;
	c->on_watchdog = ON_DESTROY;
	c->on_soft_reset = ON_SOFT_RESET;
	c->claim = true;
	c->max_grant_frames = c->max_maptrack_frames = c->max_event_channels = -1;
}

void disk_free(struct disk *d)
{
	free(d->target);
	free(d->vdev);
	free(d->script);
}

void nic_free(struct nic *n)
{
	free(n->bridge);
	free(n->ip);
	free(n->script);
	free(n->ifname);
	free(n->gateway);
}

static void strings_free(char **v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void config_free(struct domain_config *c)
{
	free(c->name);
	free(c->type);
	free(c->kernel);
	free(c->ramdisk);
	free(c->cmdline);
	free(c->bootloader);
	free(c->tsc_mode);
	free(c->pool);
	strings_free(c->cpus, c->nr_cpus);
	strings_free(c->cpus_soft, c->nr_cpus_soft);
	strings_free(c->bootloader_args, c->nr_bootloader_args);
	for (unsigned int i = 0; i < c->nr_disks; i++)
		disk_free(&c->disks[i]);
	for (unsigned int i = 0; i < c->nr_nics; i++)
		nic_free(&c->nics[i]);
	free(c->disks);
	free(c->nics);
	free(c->cpuid);
	memset(c, 0, sizeof(*c));
}

/* JSON carries every field of the model, so a copy is a trip through it. */
int config_copy(struct domain_config *to, const struct domain_config *from)
{
	char *json = config_to_json(from), error[128];
	int rc;

	if (!json)
		return -ENOMEM;
	rc = config_from_json(to, json, strlen(json), error, sizeof(error));
	free(json);
	return rc;
}

struct disk *config_add_disk(struct domain_config *c)
{
	struct disk *d = realloc(c->disks, (c->nr_disks + 1) * sizeof(*d));

	if (!d)
		return NULL;
	c->disks = d;
	memset(&d[c->nr_disks], 0, sizeof(*d));
	return &d[c->nr_disks++];
}

struct nic *config_add_nic(struct domain_config *c)
{
	struct nic *n = realloc(c->nics, (c->nr_nics + 1) * sizeof(*n));

	if (!n)
		return NULL;
	c->nics = n;
	memset(&n[c->nr_nics], 0, sizeof(*n));
	n[c->nr_nics].devid = c->nr_nics;
	return &n[c->nr_nics++];
}

const char *on_event_name(enum on_event e)
{
	return e < ON_EVENT_COUNT ? on_names[e] : "?";
}

int on_event_parse(const char *s, enum on_event *e)
{
	char t[32];
	size_t i;

	for (i = 0; i < sizeof(t) - 1 && s[i]; i++)
		t[i] = s[i] == '_' ? '-' : tolower((unsigned char)s[i]);
	t[i] = 0;
	for (unsigned int k = 0; k < ON_EVENT_COUNT; k++) {
		if (!strcmp(t, on_names[k])) {
			*e = k;
			return 0;
		}
	}
	return -EINVAL;
}

void uuid_format(const uint8_t u[16], char out[37])
{
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

int uuid_parse(const char *s, uint8_t uuid[16])
{
	unsigned int n = 0;

	for (; *s && n < 32; s++) {
		int v;

		if (*s == '-')
			continue;
		if (!isxdigit((unsigned char)*s))
			return -EINVAL;
		v = isdigit((unsigned char)*s) ? *s - '0' : tolower((unsigned char)*s) - 'a' + 10;
		uuid[n / 2] = n & 1 ? uuid[n / 2] | v : v << 4;
		n++;
	}
	return n == 32 && !*s ? 0 : -EINVAL;
}

void uuid_random(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		memset(uuid, 0x5a, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40; /* RFC 4122, version 4 */
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void mac_format(const uint8_t m[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

int mac_parse(const char *s, uint8_t mac[6])
{
	unsigned int v[6];
	int used = 0;

	if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &used) != 6 ||
	    s[used])
		return -EINVAL;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = v[i];
	return 0;
}

/* Letters of a disk name: a..z, aa.. */
static int letters(const char **s, unsigned int *n)
{
	unsigned int v = 0;

	if (!islower((unsigned char)**s))
		return -EINVAL;
	for (; islower((unsigned char)**s); (*s)++) {
		v = v * 26 + (**s - 'a') + 1;
		if (v > 1u << 20)
			return -EINVAL;
	}
	*n = v - 1;
	return 0;
}

/* A number of decimal digits. */
static int digits(const char **s, unsigned int *n)
{
	unsigned int v = 0;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s); (*s)++) {
		v = v * 10 + (**s - '0');
		if (v > 1u << 20)
			return -EINVAL;
	}
	*n = v;
	return 0;
}

/*
 * The virtual block device numbering (xen-vbd-interface(7)): xvd up to disk 15 with 16 partitions is
 * 202 << 8 | disk << 4 | partition, beyond that 1 << 28 | disk << 8 | partition; sd is 8 << 8 |
 * disk << 4 | partition; hd is (3 or 22) << 8 | (disk & 1) << 6 | partition.
 */
int vdev_number(const char *vdev, unsigned int *number)
{
	unsigned int disk, part = 0;
	const char *s = vdev;
	char *end;

	if (isdigit((unsigned char)*s)) {
		unsigned long n = strtoul(s, &end, 0);

		*number = n;
		return *end || n > 0xffffffff ? -EINVAL : 0;
	}
	if (*s == 'd') {
		s++;
		if (digits(&s, &disk))
			return -EINVAL;
		if (*s == 'p' && (s++, digits(&s, &part)))
			return -EINVAL;
	} else {
		if (strncmp(s, "xvd", 3) && strncmp(s, "sd", 2) && strncmp(s, "hd", 2))
			return -EINVAL;
		s += *s == 'x' ? 3 : 2;
		if (letters(&s, &disk) || (isdigit((unsigned char)*s) && digits(&s, &part)))
			return -EINVAL;
	}
	if (*s)
		return -EINVAL;
	s = *vdev == 'd' ? "xvd" : vdev;
	if (disk >= 1u << 20 || part >= 256)
		return -EINVAL;
	if (*s == 'x' && disk < 16 && part < 16)
		*number = 202 << 8 | disk << 4 | part;
	else if (*s == 'x')
		*number = 1u << 28 | disk << 8 | part;
	else if (*s == 's' && disk < 16 && part < 16)
		*number = 8 << 8 | disk << 4 | part;
	else if (*s == 'h' && disk < 4 && part < 64)
		*number = (disk < 2 ? 3 : 22) << 8 | (disk & 1) << 6 | part;
	else
		return -EINVAL;
	return 0;
}

void vdev_name(unsigned int number, char *name, size_t len)
{
	unsigned int disk, part;
	const char *prefix = "xvd";
	char l[8];
	int at = sizeof(l) - 1;

	if (number >> 28 == 1) {
		disk = number >> 8 & 0xfffff;
		part = number & 0xff;
	} else if (number >> 8 == 202 || number >> 8 == 8) {
		prefix = number >> 8 == 8 ? "sd" : "xvd";
		disk = number >> 4 & 15;
		part = number & 15;
	} else if (number >> 8 == 3 || number >> 8 == 22) {
		prefix = "hd";
		disk = (number >> 8 == 22 ? 2 : 0) + (number >> 6 & 1);
		part = number & 63;
	} else {
		snprintf(name, len, "%u", number);
		return;
	}
	l[at] = 0;
	disk++;
	do {
		disk--;
		l[--at] = 'a' + disk % 26;
		disk /= 26;
	} while (disk && at);
	if (part)
		snprintf(name, len, "%s%s%u", prefix, l + at, part);
	else
		snprintf(name, len, "%s%s", prefix, l + at);
}
