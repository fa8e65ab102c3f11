/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little languages of device lines.
 *
 *   disk: target[,format[,vdev[,access]]] then key=value; or key=value all along; or the old
 *         "phy:/dev/x,xvda,w" and "file:/img,xvda,r" forms. target= runs to the end of the line.
 *   vif:  key=value[,key=value...]
 */
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bad(char *error, size_t len, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int bad(char *error, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void set(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
}

static int disk_format_parse(struct disk *d, const char *v)
{
	static const struct {
		const char *name;
		enum disk_format f;
	} names[] = {{"raw", DISK_RAW},   {"aio", DISK_RAW}, {"qcow2", DISK_QCOW2},
		     {"qcow", DISK_QCOW}, {"vhd", DISK_VHD}, {"", DISK_RAW}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(v, names[i].name)) {
			d->format = names[i].f;
			return 0;
		}
	}
	return -EINVAL;
}

static int disk_access_parse(struct disk *d, const char *v)
{
	if (!strcmp(v, "r") || !strcmp(v, "ro"))
		d->readonly = true;
	else if (!strcmp(v, "w") || !strcmp(v, "rw") || !strcmp(v, "w!") || !strcmp(v, ""))
		d->readonly = false;
	else
		return -EINVAL;
	return 0;
}

static int disk_key(struct disk *d, const char *key, const char *v, char *error, size_t len)
{
	if (!strcmp(key, "format"))
		return disk_format_parse(d, v) ? bad(error, len, "unknown disk format \"%s\"", v) : 0;
	if (!strcmp(key, "vdev"))
		set(&d->vdev, v);
	else if (!strcmp(key, "access"))
		return disk_access_parse(d, v) ? bad(error, len, "unknown disk access \"%s\"", v) : 0;
	else if (!strcmp(key, "devtype"))
		d->cdrom = !strcmp(v, "cdrom");
	else if (!strcmp(key, "script"))
		set(&d->script, v);
	else if (!strcmp(key, "backendtype")) {
		if (!strcmp(v, "phy"))
			d->backend = DISK_PHY;
		else if (!strcmp(v, "qdisk"))
			d->backend = DISK_QDISK;
		else
			return bad(error, len, "unknown disk backend type \"%s\"", v);
	} else if (!strcmp(key, "backend")) {
		if (strcmp(v, "0") && strcmp(v, "Domain-0"))
			return bad(error, len,
				   "a disk in domain \"%s\": backends outside domain 0 are not supported", v);
	} else if (!strcmp(key, "target"))
		set(&d->target, v);
	else
		return bad(error, len, "unknown disk key \"%s\"", key);
	return 0;
}

/* Bare words that may stand among the key=value pairs. */
static bool disk_word(struct disk *d, const char *w)
{
	if (!strcmp(w, "cdrom"))
		d->cdrom = true;
	else if (!strcmp(w, "discard"))
		d->discard = true;
	else if (!strcmp(w, "no-discard"))
		d->discard = false;
	else if (strcmp(w, "direct-io-safe"))
		return false;
	return true;
}

/* "phy:", "file:", "tap:aio:" ... in front of a target. Old forms have no format field. */
static const char *disk_prefix(struct disk *d, const char *t, bool *old)
{
	static const char *const skip[] = {"tap:", "tap2:", "aio:", "ioemu:"};
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < sizeof(skip) / sizeof(skip[0]); i++) {
			if (!strncmp(t, skip[i], strlen(skip[i]))) {
				t += strlen(skip[i]);
				*old = again = true;
			}
		}
	} while (again);
	if (!strncmp(t, "phy:", 4)) {
		d->backend = DISK_PHY;
		*old = true;
		return t + 4;
	}
	if (!strncmp(t, "file:", 5) && strncmp(t, "file://", 7)) {
		*old = true;
		return t + 5;
	}
	if (!strncmp(t, "qcow2:", 6) || !strncmp(t, "vhd:", 4) || !strncmp(t, "raw:", 4)) {
		const char *c = strchr(t, ':');
		char f[8];

		snprintf(f, sizeof(f), "%.*s", (int)(c - t), t);
		disk_format_parse(d, f);
		*old = true;
		return c + 1;
	}
	return t;
}

/* One positional field. Order: target, format (not in old forms), vdev, access. */
static int disk_position(struct disk *d, unsigned int pos, bool *old, const char *f, char *error, size_t len)
{
	if (pos == 0) {
		const char *t = disk_prefix(d, f, old);

		if (*t)
			set(&d->target, t);
		return 0;
	}
	if (*old)
		pos++;
	if (pos == 1)
		return disk_format_parse(d, f) ? bad(error, len, "unknown disk format \"%s\"", f) : 0;
	if (pos == 2) {
		char v[32], *colon;

		snprintf(v, sizeof(v), "%s", f);
		colon = strchr(v, ':'); /* "hdc:cdrom" */
		if (colon) {
			*colon = 0;
			d->cdrom = !strcmp(colon + 1, "cdrom");
		}
		set(&d->vdev, v);
		return 0;
	}
	if (pos == 3)
		return disk_access_parse(d, f) ? bad(error, len, "unknown disk access \"%s\"", f) : 0;
	return bad(error, len, "too many fields in the disk line, at \"%s\"", f);
}

static char *trim(char *s)
{
	char *e;

	while (isspace((unsigned char)*s))
		s++;
	e = s + strlen(s);
	while (e > s && isspace((unsigned char)e[-1]))
		*--e = 0;
	return s;
}

static int disk_fields(struct disk *d, char *text, char *error, size_t len)
{
	unsigned int pos = 0;
	bool old = false, keys = false;
	char *s = text;

	while (s) {
		char *next, *f, *eq;
		int rc;

		f = s;
		while (isspace((unsigned char)*f))
			f++;
		if (!strncmp(f, "target=", 7)) /* may contain commas: the rest of the line */
			next = NULL;
		else if ((next = strchr(s, ',')))
			*next++ = 0;
		s = next;
		f = trim(f);
		eq = strchr(f, '=');
		if (eq && eq > f && strspn(f, "abcdefghijklmnopqrstuvwxyz-") == (size_t)(eq - f)) {
			*eq = 0;
			keys = true;
			rc = disk_key(d, trim(f), trim(eq + 1), error, len);
		} else if ((pos || keys) && disk_word(d, f)) {
			rc = 0;
		} else {
			rc = disk_position(d, pos++, &old, f, error, len);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int disk_parse(struct disk *d, const char *spec, char *error, size_t len)
{
	char *text = strdup(spec);
	unsigned int number;
	int rc;

	memset(d, 0, sizeof(*d));
	if (!text)
		return -ENOMEM;
	rc = disk_fields(d, text, error, len);
	free(text);
	if (rc < 0)
		return rc;
	if (!d->vdev)
		return bad(error, len, "disk \"%s\": no virtual device (vdev=xvda, say)", spec);
	if (vdev_number(d->vdev, &number))
		return bad(error, len, "disk \"%s\": \"%s\" is not a virtual device name", spec, d->vdev);
	if (d->cdrom) {
		d->readonly = true;
		if (!d->target)
			d->format = DISK_EMPTY;
	} else if (!d->target) {
		return bad(error, len, "disk \"%s\": no target", spec);
	}
	return 0;
}

/* "10Mb/s", "250KB/s@20ms" -> bytes in an interval. */
static int rate_parse(struct nic *n, const char *v)
{
	char *end;
	double x = strtod(v, &end);
	unsigned long us = 50000;
	double scale = 1;

	if (end == v || x <= 0)
		return -EINVAL;
	if (*end == 'G' || *end == 'M' || *end == 'K')
		scale = *end == 'G' ? 1e9 : *end == 'M' ? 1e6 : 1e3, end++;
	if (*end == 'b')
		scale /= 8, end++;
	else if (*end == 'B')
		end++;
	else
		return -EINVAL;
	if (strncmp(end, "/s", 2))
		return -EINVAL;
	end += 2;
	if (*end == '@') {
		us = strtoul(end + 1, &end, 10);
		if (!strcmp(end, "ms"))
			us *= 1000;
		else if (!strcmp(end, "s"))
			us *= 1000000;
		else if (strcmp(end, "us"))
			return -EINVAL;
		end = "";
	}
	if (*end || !us)
		return -EINVAL;
	n->rate_us = us;
	n->rate_bytes = x * scale * us / 1e6;
	return n->rate_bytes ? 0 : -EINVAL;
}

static int nic_key(struct nic *n, const char *key, const char *v, char *error, size_t len)
{
	if (!strcmp(key, "mac")) {
		if (mac_parse(v, n->mac))
			return bad(error, len, "\"%s\" is not a MAC address", v);
		n->has_mac = true;
	} else if (!strcmp(key, "bridge"))
		set(&n->bridge, v);
	else if (!strcmp(key, "ip"))
		set(&n->ip, v);
	else if (!strcmp(key, "script"))
		set(&n->script, v);
	else if (!strcmp(key, "vifname"))
		set(&n->ifname, v);
	else if (!strcmp(key, "gatewaydev"))
		set(&n->gateway, v);
	else if (!strcmp(key, "mtu"))
		n->mtu = atoi(v);
	else if (!strcmp(key, "devid"))
		n->devid = atoi(v);
	else if (!strcmp(key, "rate")) {
		if (rate_parse(n, v))
			return bad(error, len, "\"%s\" is not a rate (10Mb/s, 250KB/s@20ms)", v);
	} else if (!strcmp(key, "type")) {
		if (strcmp(v, "vif") && strcmp(v, "netfront"))
			return bad(error, len, "network device type \"%s\" is not supported for PV domains",
				   v);
	} else if (!strcmp(key, "backend")) {
		if (strcmp(v, "0") && strcmp(v, "Domain-0"))
			return bad(error, len, "a network backend in domain \"%s\" is not supported", v);
	} else if (strcmp(key, "model") && strcmp(key, "trusted"))
		return bad(error, len, "unknown network key \"%s\"", key);
	return 0;
}

int nic_parse(struct nic *n, const char *spec, char *error, size_t len)
{
	char *text = strdup(spec), *s = text;
	int rc = 0, devid = n->devid;

	memset(n, 0, sizeof(*n));
	n->devid = devid;
	if (!text)
		return -ENOMEM;
	while (s && rc == 0) {
		char *next = strchr(s, ','), *eq, *f;

		if (next)
			*next++ = 0;
		f = trim(s);
		s = next;
		if (!*f)
			continue;
		eq = strchr(f, '=');
		if (!eq) {
			rc = bad(error, len, "vif \"%s\": \"%s\" is not key=value", spec, f);
			break;
		}
		*eq = 0;
		rc = nic_key(n, trim(f), trim(eq + 1), error, len);
	}
	free(text);
	return rc;
}
