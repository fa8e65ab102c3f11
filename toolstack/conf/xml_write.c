/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt domain XML out, by the writer API, so that escaping is the library's business. */
#include "model.h"

#include <libxml/xmlwriter.h>
#include <string.h>

#define B(s) BAD_CAST(s)

static void element(xmlTextWriter *w, const char *name, const char *value)
{
	if (value)
		xmlTextWriterWriteElement(w, B(name), B(value));
}

static void one(xmlTextWriter *w, const char *name, const char *key, const char *value)
{
	if (!value)
		return;
	xmlTextWriterStartElement(w, B(name));
	xmlTextWriterWriteAttribute(w, B(key), B(value));
	xmlTextWriterEndElement(w);
}

static void memory(xmlTextWriter *w, const char *name, uint64_t kib)
{
	xmlTextWriterStartElement(w, B(name));
	xmlTextWriterWriteAttribute(w, B("unit"), B("KiB"));
	xmlTextWriterWriteFormatString(w, "%lu", (unsigned long)kib);
	xmlTextWriterEndElement(w);
}

static void os(xmlTextWriter *w, const struct domain_config *c)
{
	xmlTextWriterStartElement(w, B("os"));
	xmlTextWriterStartElement(w, B("type"));
	xmlTextWriterWriteAttribute(w, B("arch"), B("x86_64"));
	xmlTextWriterWriteAttribute(w, B("machine"), B(!strcmp(c->type, "pv") ? "xenpv" : "xenpvh"));
	xmlTextWriterWriteString(w, B(!strcmp(c->type, "pv") ? "linux" : "xenpvh"));
	xmlTextWriterEndElement(w);
	element(w, "kernel", c->kernel);
	element(w, "initrd", c->ramdisk);
	element(w, "cmdline", c->cmdline);
	xmlTextWriterEndElement(w);
}

static void disk(xmlTextWriter *w, const struct disk *d)
{
	bool block = d->target && !strncmp(d->target, "/dev/", 5);

	xmlTextWriterStartElement(w, B("disk"));
	xmlTextWriterWriteAttribute(w, B("type"), B(block ? "block" : "file"));
	xmlTextWriterWriteAttribute(w, B("device"), B(d->cdrom ? "cdrom" : "disk"));
	xmlTextWriterStartElement(w, B("driver"));
	xmlTextWriterWriteAttribute(w, B("name"),
				    B(d->format == DISK_QCOW2 ? "qemu"
				      : block                 ? "phy"
							      : "file"));
	if (d->format == DISK_QCOW2)
		xmlTextWriterWriteAttribute(w, B("type"), B("qcow2"));
	xmlTextWriterEndElement(w);
	one(w, "source", block ? "dev" : "file", d->target);
	xmlTextWriterStartElement(w, B("target"));
	xmlTextWriterWriteAttribute(w, B("dev"), B(d->vdev));
	xmlTextWriterWriteAttribute(w, B("bus"), B("xen"));
	xmlTextWriterEndElement(w);
	if (d->readonly) {
		xmlTextWriterStartElement(w, B("readonly"));
		xmlTextWriterEndElement(w);
	}
	xmlTextWriterEndElement(w);
}

static void nic(xmlTextWriter *w, const struct nic *n)
{
	char mac[18], mtu[16];

	xmlTextWriterStartElement(w, B("interface"));
	xmlTextWriterWriteAttribute(w, B("type"), B(n->bridge ? "bridge" : "ethernet"));
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
	xmlTextWriterEndElement(w);
}

static void domain(xmlTextWriter *w, const struct domain_config *c)
{
	char uuid[37];

	xmlTextWriterStartElement(w, B("domain"));
	xmlTextWriterWriteAttribute(w, B("type"), B("xen"));
	element(w, "name", c->name);
	if (c->has_uuid) {
		uuid_format(c->uuid, uuid);
		element(w, "uuid", uuid);
	}
	memory(w, "memory", c->maxmem_kib);
	memory(w, "currentMemory", c->mem_kib);
	xmlTextWriterStartElement(w, B("vcpu"));
	xmlTextWriterWriteAttribute(w, B("placement"), B("static"));
	if (c->nr_cpus && strcmp(c->cpus[0], "all"))
		xmlTextWriterWriteAttribute(w, B("cpuset"), B(c->cpus[0]));
	if (c->vcpus != c->maxvcpus)
		xmlTextWriterWriteFormatAttribute(w, B("current"), "%u", c->vcpus);
	xmlTextWriterWriteFormatString(w, "%u", c->maxvcpus);
	xmlTextWriterEndElement(w);
	element(w, "bootloader", c->bootloader);
	os(w, c);
	element(w, "on_poweroff", on_event_name(c->on_poweroff));
	element(w, "on_reboot", on_event_name(c->on_reboot));
	element(w, "on_crash", on_event_name(c->on_crash));
	xmlTextWriterStartElement(w, B("devices"));
	for (unsigned int i = 0; i < c->nr_disks; i++)
		disk(w, &c->disks[i]);
	for (unsigned int i = 0; i < c->nr_nics; i++)
		nic(w, &c->nics[i]);
	xmlTextWriterStartElement(w, B("console"));
	xmlTextWriterWriteAttribute(w, B("type"), B("pty"));
	xmlTextWriterStartElement(w, B("target"));
	xmlTextWriterWriteAttribute(w, B("type"), B("xen"));
	xmlTextWriterWriteAttribute(w, B("port"), B("0"));
	xmlTextWriterEndElement(w);
	xmlTextWriterEndElement(w);
	xmlTextWriterEndElement(w);
	xmlTextWriterEndElement(w);
}

char *config_to_xml(const struct domain_config *c)
{
	xmlBuffer *b = xmlBufferCreate();
	xmlTextWriter *w = b ? xmlNewTextWriterMemory(b, 0) : NULL;
	char *out = NULL;

	if (w) {
		xmlTextWriterSetIndent(w, 1);
		xmlTextWriterSetIndentString(w, B("  "));
		domain(w, c);
		xmlFreeTextWriter(w);
		out = strdup((const char *)xmlBufferContent(b));
	}
	xmlBufferFree(b);
	return out;
}
