/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt domain XML out, by the writer API, so that escaping is the library's business. */
#include "model.h"
#include "xml_lib.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define B(s) BAD_CAST(s)

static void element(xmlTextWriter *w, const char *name, const char *value)
{
	if (value)
		xml.xmlTextWriterWriteElement(w, B(name), B(value));
}

static void one(xmlTextWriter *w, const char *name, const char *key, const char *value)
{
	if (!value)
		return;
	xml.xmlTextWriterStartElement(w, B(name));
	xml.xmlTextWriterWriteAttribute(w, B(key), B(value));
	xml.xmlTextWriterEndElement(w);
}

static void memory(xmlTextWriter *w, const char *name, uint64_t kib)
{
	xml.xmlTextWriterStartElement(w, B(name));
	xml.xmlTextWriterWriteAttribute(w, B("unit"), B("KiB"));
	xml.xmlTextWriterWriteFormatString(w, "%lu", (unsigned long)kib);
	xml.xmlTextWriterEndElement(w);
}

static void os(xmlTextWriter *w, const struct domain_config *c)
{
	xml.xmlTextWriterStartElement(w, B("os"));
	xml.xmlTextWriterStartElement(w, B("type"));
	xml.xmlTextWriterWriteAttribute(w, B("arch"), B("x86_64"));
	xml.xmlTextWriterWriteAttribute(w, B("machine"), B(!strcmp(c->type, "pv") ? "xenpv" : "xenpvh"));
	xml.xmlTextWriterWriteString(w, B(!strcmp(c->type, "pv") ? "linux" : "xenpvh"));
	xml.xmlTextWriterEndElement(w);
	element(w, "kernel", c->kernel);
	element(w, "initrd", c->ramdisk);
	element(w, "cmdline", c->cmdline);
	xml.xmlTextWriterEndElement(w);
}

/* nbd://host[:port]/name and nbd+unix:///name?socket=path, taken apart. */
static void nbd_source(xmlTextWriter *w, const char *uri)
{
	const bool local = !strncmp(uri, "nbd+unix://", 11);
	const char *host = strstr(uri, "://") + 3, *slash = strchr(host, '/');
	const char *name = slash ? slash + 1 : "", *query = strchr(name, '?');
	const char *port = memchr(host, ':', slash ? (size_t)(slash - host) : strlen(host));
	int len = port ? port - host : slash ? slash - host : (int)strlen(host);

	xml.xmlTextWriterStartElement(w, B("source"));
	xml.xmlTextWriterWriteAttribute(w, B("protocol"), B("nbd"));
	if (*name && name != query)
		xml.xmlTextWriterWriteFormatAttribute(w, B("name"), "%.*s",
						      query ? (int)(query - name) : (int)strlen(name), name);
	xml.xmlTextWriterStartElement(w, B("host"));
	if (local && query && !strncmp(query, "?socket=", 8)) {
		xml.xmlTextWriterWriteAttribute(w, B("transport"), B("unix"));
		xml.xmlTextWriterWriteAttribute(w, B("socket"), B(query + 8));
	} else {
		xml.xmlTextWriterWriteFormatAttribute(w, B("name"), "%.*s", len, host);
		if (port)
			xml.xmlTextWriterWriteFormatAttribute(w, B("port"), "%.*s",
							      (int)strcspn(port + 1, "/"), port + 1);
	}
	xml.xmlTextWriterEndElement(w);
	xml.xmlTextWriterEndElement(w);
}

/* The driver libvirt names, and its word for the format when it is QEMU's. */
static void disk_driver(xmlTextWriter *w, const struct disk *d, bool block, bool nbd)
{
	static const char *const formats[] = {"raw", "qcow2", "qcow", "vpc", NULL};
	bool qemu = nbd || d->backend == DISK_QDISK || (d->format != DISK_RAW && d->format != DISK_EMPTY);

	xml.xmlTextWriterStartElement(w, B("driver"));
	xml.xmlTextWriterWriteAttribute(w, B("name"), B(qemu ? "qemu" : block ? "phy" : "file"));
	if (qemu && formats[d->format])
		xml.xmlTextWriterWriteAttribute(w, B("type"), B(formats[d->format]));
	if (d->discard)
		xml.xmlTextWriterWriteAttribute(w, B("discard"), B("unmap"));
	xml.xmlTextWriterEndElement(w);
}

static void disk(xmlTextWriter *w, const struct disk *d)
{
	bool block = d->target && !strncmp(d->target, "/dev/", 5);
	bool nbd = d->target && (!strncmp(d->target, "nbd://", 6) || !strncmp(d->target, "nbd+unix://", 11));
	unsigned int number;
	char name[32];

	/* libvirt knows devices by name only. */
	snprintf(name, sizeof(name), "%s", d->vdev);
	if (vdev_number(d->vdev, &number) == 0)
		vdev_name(number, name, sizeof(name));
	xml.xmlTextWriterStartElement(w, B("disk"));
	xml.xmlTextWriterWriteAttribute(w, B("type"), B(nbd ? "network" : block ? "block" : "file"));
	xml.xmlTextWriterWriteAttribute(w, B("device"), B(d->cdrom ? "cdrom" : "disk"));
	disk_driver(w, d, block, nbd);
	if (nbd)
		nbd_source(w, d->target);
	else
		one(w, "source", block ? "dev" : "file", d->target);
	xml.xmlTextWriterStartElement(w, B("target"));
	xml.xmlTextWriterWriteAttribute(w, B("dev"), B(name));
	xml.xmlTextWriterWriteAttribute(w, B("bus"), B("xen"));
	xml.xmlTextWriterEndElement(w);
	if (d->readonly) {
		xml.xmlTextWriterStartElement(w, B("readonly"));
		xml.xmlTextWriterEndElement(w);
	}
	xml.xmlTextWriterEndElement(w);
}

static void nic(xmlTextWriter *w, const struct nic *n)
{
	char mac[18], mtu[16];

	xml.xmlTextWriterStartElement(w, B("interface"));
	xml.xmlTextWriterWriteAttribute(w, B("type"), B(n->bridge ? "bridge" : "ethernet"));
	if (n->has_mac) {
		mac_format(n->mac, mac);
		one(w, "mac", "address", mac);
	}
	one(w, "source", "bridge", n->bridge);
	one(w, "script", "path", n->script);
	one(w, "ip", "address", n->ip);
	one(w, "target", "dev", n->ifname);
	if (n->mtu) {
		snprintf(mtu, sizeof(mtu), "%d", n->mtu);
		one(w, "mtu", "size", mtu);
	}
	xml.xmlTextWriterEndElement(w);
}

static void domain(xmlTextWriter *w, const struct domain_config *c)
{
	char uuid[37];

	xml.xmlTextWriterStartElement(w, B("domain"));
	xml.xmlTextWriterWriteAttribute(w, B("type"), B("xen"));
	element(w, "name", c->name);
	if (c->has_uuid) {
		uuid_format(c->uuid, uuid);
		element(w, "uuid", uuid);
	}
	memory(w, "memory", c->maxmem_kib);
	memory(w, "currentMemory", c->mem_kib);
	xml.xmlTextWriterStartElement(w, B("vcpu"));
	xml.xmlTextWriterWriteAttribute(w, B("placement"), B("static"));
	if (c->nr_cpus && strcmp(c->cpus[0], "all"))
		xml.xmlTextWriterWriteAttribute(w, B("cpuset"), B(c->cpus[0]));
	if (c->vcpus != c->maxvcpus)
		xml.xmlTextWriterWriteFormatAttribute(w, B("current"), "%u", c->vcpus);
	xml.xmlTextWriterWriteFormatString(w, "%u", c->maxvcpus);
	xml.xmlTextWriterEndElement(w);
	element(w, "bootloader", c->bootloader);
	os(w, c);
	element(w, "on_poweroff", on_event_name(c->on_poweroff));
	element(w, "on_reboot", on_event_name(c->on_reboot));
	element(w, "on_crash", on_event_name(c->on_crash));
	xml.xmlTextWriterStartElement(w, B("devices"));
	for (unsigned int i = 0; i < c->nr_disks; i++)
		if (!c->disks[i].script) /* libvirt has none for disks */
			disk(w, &c->disks[i]);
	for (unsigned int i = 0; i < c->nr_nics; i++)
		nic(w, &c->nics[i]);
	xml.xmlTextWriterStartElement(w, B("console"));
	xml.xmlTextWriterWriteAttribute(w, B("type"), B("pty"));
	xml.xmlTextWriterStartElement(w, B("target"));
	xml.xmlTextWriterWriteAttribute(w, B("type"), B("xen"));
	xml.xmlTextWriterWriteAttribute(w, B("port"), B("0"));
	xml.xmlTextWriterEndElement(w);
	xml.xmlTextWriterEndElement(w);
	xml.xmlTextWriterEndElement(w);
	xml.xmlTextWriterEndElement(w);
}

char *config_to_xml(const struct domain_config *c)
{
	xmlBuffer *b;
	xmlTextWriter *w;
	char *out = NULL;

	if (xml_load() < 0)
		return NULL;
	b = xml.xmlBufferCreate();
	w = b ? xml.xmlNewTextWriterMemory(b, 0) : NULL;
	if (w) {
		xml.xmlTextWriterSetIndent(w, 1);
		xml.xmlTextWriterSetIndentString(w, B("  "));
		domain(w, c);
		xml.xmlFreeTextWriter(w);
		out = strdup((const char *)xml.xmlBufferContent(b));
	}
	if (b)
		xml.xmlBufferFree(b);
	return out;
}

char *config_xml_losses(const struct domain_config *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool scripts = false, rates = false;

	if (!f)
		return NULL;
	for (unsigned int i = 0; i < c->nr_disks; i++)
		scripts |= c->disks[i].script != NULL;
	for (unsigned int i = 0; i < c->nr_nics; i++)
		rates |= c->nics[i].rate_bytes || c->nics[i].gateway;
	fprintf(f, "%s%s%s%s%s%s%s%s%s%s%s", c->nr_bootloader_args ? " bootloader_args" : "",
		c->nr_cpus > 1 ? " cpus(each)" : "", c->nr_cpus_soft ? " cpus_soft" : "",
		c->weight >= 0 ? " cpu_weight" : "", c->cap >= 0 ? " cap" : "",
		c->tsc_mode ? " tsc_mode" : "", c->pool ? " pool" : "", c->nr_cpuid ? " cpuid" : "",
		c->max_grant_frames >= 0 || c->max_maptrack_frames >= 0 || c->max_event_channels >= 0
			? " max_*"
			: "",
		scripts ? " disk(script)" : "", rates ? " vif(rate,gatewaydev)" : "");
	if (fclose(f) || !*text) {
		free(text);
		return NULL;
	}
	return text;
}
