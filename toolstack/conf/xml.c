/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt domain XML in. Entities and the network are off: a configuration never makes the parser open
 * another file.
 */
#include "model.h"
#include "xml_lib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static xmlNode *child(xmlNode *n, const char *name)
{
	for (n = n ? n->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && !xml.xmlStrcmp(n->name, BAD_CAST name))
			return n;
	return NULL;
}

/* strdup()ed text of an element or attribute, NULL when absent. */
static char *content(xmlNode *n)
{
	xmlChar *t = n ? xml.xmlNodeGetContent(n) : NULL;
	char *s = t ? strdup((char *)t) : NULL;

	(*xml.xmlFree)(t);
	return s;
}

static char *attr(xmlNode *n, const char *name)
{
	xmlChar *t = n ? xml.xmlGetProp(n, BAD_CAST name) : NULL;
	char *s = t ? strdup((char *)t) : NULL;

	(*xml.xmlFree)(t);
	return s;
}

/* <memory unit='KiB'>: b, KB, KiB, MB, MiB, GB, GiB, TB, TiB; KiB when absent. */
static int memory(xmlNode *n, uint64_t *kib)
{
	char *t = content(n), *u = attr(n, "unit"), *end;
	unsigned long long v;
	double scale = 1;
	int rc = 0;

	if (!t) {
		free(u);
		return -ENOENT;
	}
	v = strtoull(t, &end, 10);
	while (*end == ' ' || *end == '\n')
		end++;
	if (u && *u) {
		bool binary = strlen(u) == 1 || strchr(u, 'i');
		double step = binary ? 1024 : 1000;

		switch (*u) {
		case 'b':
			scale = 1.0 / 1024;
			break;
		case 'K':
		case 'k':
			scale = step / 1024;
			break;
		case 'M':
			scale = step * step / 1024;
			break;
		case 'G':
			scale = step * step * step / 1024;
			break;
		case 'T':
			scale = step * step * step * step / 1024;
			break;
		default:
			rc = -EINVAL;
		}
	}
	if (*end || end == t || v * scale > 1e13)
		rc = -EINVAL;
	*kib = v * scale;
	free(t);
	free(u);
	return rc;
}

/* <source protocol='nbd' name='x'><host .../></source> as the URI that qemu-nbd takes. */
static char *nbd_uri(xmlNode *source)
{
	xmlNode *host = child(source, "host");
	char *protocol = attr(source, "protocol"), *name = attr(source, "name"), *where = attr(host, "name");
	char *port = attr(host, "port"), *sock = attr(host, "socket"), *uri = NULL;
	int n = 0;

	if (protocol && !strcmp(protocol, "nbd") && sock)
		n = asprintf(&uri, "nbd+unix:///%s?socket=%s", name ? name : "", sock);
	else if (protocol && !strcmp(protocol, "nbd") && where)
		n = asprintf(&uri, "nbd://%s%s%s/%s", where, port ? ":" : "", port ? port : "",
			     name ? name : "");
	free(protocol);
	free(name);
	free(where);
	free(port);
	free(sock);
	return n < 0 ? NULL : uri;
}

static void disk_driver(struct disk *d, xmlNode *driver)
{
	char *name = attr(driver, "name"), *type = attr(driver, "type"), *discard = attr(driver, "discard");

	if (type && !strcmp(type, "qcow2"))
		d->format = DISK_QCOW2;
	else if (type && !strcmp(type, "qcow"))
		d->format = DISK_QCOW;
	else if (type && !strcmp(type, "vpc"))
		d->format = DISK_VHD;
	else if (name && !strcmp(name, "qemu") && type && !strcmp(type, "raw"))
		d->backend = DISK_QDISK;
	d->discard = discard && !strcmp(discard, "unmap");
	free(name);
	free(type);
	free(discard);
}

static int disk_read(struct domain_config *c, xmlNode *n)
{
	xmlNode *source = child(n, "source");
	char *device = attr(n, "device");
	struct disk *d = config_add_disk(c);

	if (!d) {
		free(device);
		return -ENOMEM;
	}
	d->target = attr(source, "dev");
	if (!d->target)
		d->target = attr(source, "file");
	disk_driver(d, child(n, "driver"));
	if (!d->target && (d->target = nbd_uri(source)))
		d->backend = DISK_AUTO;
	d->vdev = attr(child(n, "target"), "dev");
	d->readonly = child(n, "readonly") != NULL;
	d->cdrom = device && !strcmp(device, "cdrom");
	if (d->cdrom)
		d->readonly = true;
	if (!d->target)
		d->format = DISK_EMPTY;
	free(device);
	return d->vdev ? 0 : -EINVAL;
}

/* libvirt writes zeros for an address that its source did not give. */
static bool mac_given(const char *text, uint8_t mac[6])
{
	static const uint8_t none[6];

	return text && mac_parse(text, mac) == 0 && memcmp(mac, none, sizeof(none));
}

static int nic_read(struct domain_config *c, xmlNode *n)
{
	struct nic *k = config_add_nic(c);
	char *mac = attr(child(n, "mac"), "address"), *mtu = attr(child(n, "mtu"), "size");

	if (k) {
		k->has_mac = mac_given(mac, k->mac);
		k->bridge = attr(child(n, "source"), "bridge");
		k->script = attr(child(n, "script"), "path");
		k->ifname = attr(child(n, "target"), "dev");
		k->ip = attr(child(n, "ip"), "address");
		k->mtu = mtu ? atoi(mtu) : 0;
	}
	free(mac);
	free(mtu);
	return k ? 0 : -ENOMEM;
}

static void action(xmlNode *root, const char *name, enum on_event *e)
{
	char *t = content(child(root, name));

	if (t)
		on_event_parse(t, e);
	free(t);
}

static int vcpus(struct domain_config *c, xmlNode *n)
{
	char *t = content(n), *current = attr(n, "current"), *set = attr(n, "cpuset");
	int rc = 0;

	if (t) {
		c->maxvcpus = strtoul(t, NULL, 10);
		c->vcpus = current ? strtoul(current, NULL, 10) : c->maxvcpus;
		rc = c->maxvcpus >= 1 && c->maxvcpus <= 512 && c->vcpus >= 1 && c->vcpus <= c->maxvcpus
			     ? 0
			     : -EINVAL;
	}
	if (set && rc == 0) {
		c->cpus = calloc(1, sizeof(*c->cpus));
		if (c->cpus) {
			c->cpus[c->nr_cpus++] = set;
			set = NULL;
		}
	}
	free(t);
	free(current);
	free(set);
	return rc;
}

static int os(struct domain_config *c, xmlNode *root)
{
	xmlNode *n = child(root, "os");
	char *t = content(child(n, "type"));

	c->type = strdup(!t || !strcmp(t, "linux") || !strcmp(t, "xen") ? "pv"
			 : !strcmp(t, "xenpvh")                         ? "pvh"
									: "hvm");
	free(t);
	c->kernel = content(child(n, "kernel"));
	c->ramdisk = content(child(n, "initrd"));
	c->cmdline = content(child(n, "cmdline"));
	c->bootloader = content(child(root, "bootloader"));
	return c->type ? 0 : -ENOMEM;
}

/* Returns NULL or the element that is wrong. */
static const char *model_read(struct domain_config *c, xmlNode *root)
{
	xmlNode *devices = child(root, "devices");
	char *t = content(child(root, "uuid"));

	c->has_uuid = t && uuid_parse(t, c->uuid) == 0;
	if (t && !c->has_uuid) {
		free(t);
		return "uuid";
	}
	free(t);
	c->name = content(child(root, "name"));
	if (memory(child(root, "memory"), &c->maxmem_kib))
		return "memory";
	c->mem_kib = c->maxmem_kib;
	if (child(root, "currentMemory") && memory(child(root, "currentMemory"), &c->mem_kib))
		return "currentMemory";
	if (vcpus(c, child(root, "vcpu")))
		return "vcpu";
	if (os(c, root))
		return "os";
	action(root, "on_poweroff", &c->on_poweroff);
	action(root, "on_reboot", &c->on_reboot);
	action(root, "on_crash", &c->on_crash);
	for (xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (!xml.xmlStrcmp(n->name, BAD_CAST "disk") && disk_read(c, n))
			return "disk";
		if (!xml.xmlStrcmp(n->name, BAD_CAST "interface") && nic_read(c, n))
			return "interface";
	}
	return NULL;
}

int config_from_xml(struct domain_config *c, const char *text, size_t len, char *error, size_t error_len)
{
	xmlDoc *doc;
	xmlNode *root;
	const char *wrong = NULL;
	char *type;
	int rc = 0;

	config_init(c);
	if (len > 16u << 20) {
		snprintf(error, error_len, "more than 16 MiB is not a domain configuration");
		return -EINVAL;
	}
	if (xml_load() < 0) {
		snprintf(error, error_len, "XML is read by libxml2, which is not installed");
		return -ELIBACC;
	}
	doc = xml.xmlReadMemory(text, len, "domain.xml", NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc ? xml.xmlDocGetRootElement(doc) : NULL;
	if (!root) {
		const xmlError *e = xml.xmlGetLastError();

		snprintf(error, error_len, "the XML is not well-formed: line %d: %.*s", e ? e->line : 0,
			 e && e->message ? (int)strcspn(e->message, "\n") : 0,
			 e && e->message ? e->message : "");
		rc = -EINVAL;
		goto out;
	}
	type = attr(root, "type");
	if (xml.xmlStrcmp(root->name, BAD_CAST "domain") || !type || strcmp(type, "xen")) {
		snprintf(error, error_len, "the XML is not a domain of type xen");
		rc = -EINVAL;
	}
	free(type);
	if (rc == 0 && (wrong = model_read(c, root))) {
		snprintf(error, error_len, "the element <%s> is missing or cannot be understood", wrong);
		rc = -EINVAL;
	}
out:
	xml.xmlFreeDoc(doc);
	if (rc == 0)
		rc = config_check(c, error, error_len);
	if (rc < 0)
		config_free(c);
	return rc;
}
