/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens libxml2, once a process. */
#include "xml_lib.h"
#include "libxc/late.h"

LATE_NOTE(xml, "libxml2.so.2", "libvirt's domain XML");

struct xml_lib xml;

int xml_load(void)
{
	static void *handle;
#define X(name) LATE(&xml, name),
	static const struct late names[] = {XML_NAMES(X) LATE(&xml, xmlFree)};
#undef X

	return handle ? 0 : late_open("libxml2.so.2", names, sizeof(names) / sizeof(names[0]), &handle);
}
